#version 450
#extension GL_GOOGLE_include_directive : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// Takes each element, by bits, from where a list per axis says; see gst/ops/take.h. Operand 1
// has no memory: its steps are where the axes' lists start, counted from 1, or 0.
#include "lib/store.glsl"
#include "lib/strided.glsl"

layout (constant_id = 3) const uint FILL = 0;
layout (constant_id = 4) const bool ALL_FILL = false;

layout (binding = 0) uniform usamplerBuffer source;
layout (binding = 1) uniform isamplerBuffer lists;
SEG_OUTPUT (2);

// Element e's place in the source, or -1: fill.
int place (int e)
{
  int at = strided_element (0, e);
  bool fill = ALL_FILL;
  for (int axis = 0; axis < 6; axis++) {
    int list = strided.operand[8 + axis];
    if (list == 0)
      continue;
    int k = list - 1 + strided_coord[e][axis];
    if (axis == 5)
      k = list - 1 + min (strided_coord[e][5], strided.inner - 1);
    int step = texelFetch (lists, k >> 2)[k & 3];
    fill = fill || step < 0;
    at += step;
  }
  return fill ? -1 : at;
}

void main ()
{
  int i;
  if (!strided_begin (i))
    return;
  uvec4 v = uvec4 (FILL);
  int at = place (0);
  if (STRIDED_MODE0 == STRIDED_GATHER) {
    if (at >= 0)
      v.x = texelFetch (source, at >> 2)[at & 3];
    for (int e = 1; e < 4; e++) {
      at = place (e);
      if (at >= 0)
        v[e] = texelFetch (source, at >> 2)[at & 3];
    }
  } else if (at >= 0) {
    v = texelFetch (source, at >> 2);
    if (STRIDED_MODE0 == STRIDED_SPLAT)
      v = uvec4 (v[at & 3]);
  }
  store4 (strided_output (i), strided_mask4 (v));
}
