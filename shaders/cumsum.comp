#version 450
#extension GL_GOOGLE_include_directive : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// CumSum: each element adds up what is before it (or behind it). Operand 1 is no memory: its
// element is the position along the axis.
#include "lib/store.glsl"
#include "lib/strided.glsl"

layout (constant_id = 3) const bool EXCLUSIVE = false;
layout (constant_id = 4) const bool REVERSE = false;

#define EXTENT strided.operand[14]
#define STRIDE strided.operand[15]

#ifdef STORE_I32
#define VEC ivec4
#define SCALAR int
layout (binding = 0) uniform isamplerBuffer source;
#else
#define VEC vec4
#define SCALAR float
layout (binding = 0) uniform samplerBuffer source;
#endif
SEG_OUTPUT (1);

void main ()
{
  int i;
  if (!strided_begin (i))
    return;
  VEC v;
  for (int e = 0; e < 4; e++) {
    int position = strided_element (1, e);
    int start = strided_element (0, e) - position * STRIDE;
    int skip = EXCLUSIVE ? 1 : 0;
    int first = REVERSE ? position + skip : 0;
    int last = REVERSE ? EXTENT : position + 1 - skip;
    SCALAR sum = SCALAR (0);
    for (int k = first; k < last; k++) {
      int at = start + k * STRIDE;
      sum += texelFetch (source, at >> 2)[at & 3];
    }
    v[e] = sum;
  }
  store4 (strided_output (i), strided_mask4 (v));
}
