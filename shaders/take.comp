#version 450
#extension GL_GOOGLE_include_directive : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// Takes each element, by bits, from where a list per axis says; see gst/ops/take.h. Operand 1
// has no memory: its steps are where the axes' lists start, counted from 1, or 0.
#include "lib/store.glsl"
#include "lib/strided.glsl"

layout (constant_id = 3) const uint FILL = 0;
layout (constant_id = 4) const bool ALL_FILL = false;
layout (constant_id = 5) const int LISTED = 0; // bit per loop that has a list

layout (binding = 0) uniform usamplerBuffer source;
layout (binding = 1) uniform isamplerBuffer lists;
SEG_OUTPUT (2);

int listed (int e, int axis)
{
  if ((LISTED >> axis & 1) == 0)
    return 0;
  int c = axis == 5 ? min (strided_coord[e][5], strided.inner - 1) : strided_coord[e][axis];
  int k = strided.operand[8 + axis] - 1 + c;
  return texelFetch (lists, k >> 2)[k & 3];
}

// Element e's place in the source, or -1: fill.
int place (int e)
{
  int s0 = listed (e, 0), s1 = listed (e, 1), s2 = listed (e, 2);
  int s3 = listed (e, 3), s4 = listed (e, 4), s5 = listed (e, 5);
  bool fill = ALL_FILL || (s0 | s1 | s2 | s3 | s4 | s5) < 0;
  return fill ? -1 : strided_element (0, e) + s0 + s1 + s2 + s3 + s4 + s5;
}

uint take1 (int at)
{
  uint v = texelFetch (source, max (at, 0) >> 2)[at & 3];
  return at < 0 ? FILL : v;
}

void main ()
{
  int i;
  if (!strided_begin (i))
    return;
  int at = place (0);
  uvec4 v;
  if (STRIDED_MODE0 == STRIDED_VECTOR) {
    v = texelFetch (source, max (at, 0) >> 2);
    v = at < 0 ? uvec4 (FILL) : v;
  } else if (STRIDED_MODE0 == STRIDED_SPLAT) {
    v = uvec4 (take1 (at));
  } else {
    v = uvec4 (take1 (at), take1 (place (1)), take1 (place (2)), take1 (place (3)));
  }
  store4 (strided_output (i), strided_mask4 (v));
}
