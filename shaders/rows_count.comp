#version 450
#extension GL_GOOGLE_include_directive : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// A count of rows from another, or from an element of a shape: those in [first, end), or none if a
// condition says so.
#include "lib/rows.glsl"

layout (local_size_x = 1) in;
layout (constant_id = 0) const int UNLESS = 0; // 1: none if the condition is false, 2: if true
layout (push_constant) uniform Push { int at, num, den, first, end, most; } push;
layout (binding = 0) uniform isamplerBuffer from;
layout (binding = 1) uniform isamplerBuffer condition;
layout (binding = 2) writeonly buffer Count { ivec4 rows; } count;

void main ()
{
  int at = push.at;
  int n = texelFetch (from, at >> 2)[at & 3] * push.num / push.den;
  n = clamp (min (n, push.end) - push.first, 0, push.most);
  bool yes = texelFetch (condition, 0).x != 0;
  if (UNLESS != 0 && yes == (UNLESS == 2))
    n = 0;
  count.rows = ivec4 (n, 0, 0, 0);
}
