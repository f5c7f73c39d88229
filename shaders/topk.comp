#version 450
#extension GL_GOOGLE_include_directive : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// The first k of ranked pairs of each row: the elements themselves or their numbers, four an
// invocation.
#include "lib/store.glsl"

layout (local_size_x = 64) in;
layout (constant_id = 0) const bool NUMBERS = false;
layout (push_constant) uniform Push { int n, k, inner, total; } push;

#ifdef STORE_I32
layout (binding = 0) uniform isamplerBuffer source;
#define VALUE int
#define VALUES ivec4
#else
layout (binding = 0) uniform samplerBuffer source;
#define VALUE float
#define VALUES vec4
#endif
layout (binding = 1) readonly buffer Pairs { uvec2 data[]; } pairs;
SEG_OUTPUT (2);

VALUE take (int n, int k, int inner, int o)
{
  int outer = o / (k * inner), rest = o - outer * k * inner;
  int j = rest / inner, column = rest - j * inner;
  int number = int (pairs.data[(outer * inner + column) * n + j].y);
  if (NUMBERS)
    return VALUE (number);
  int at = (outer * n + number) * inner + column;
  return texelFetch (source, at >> 2)[at & 3];
}

void main ()
{
  int n = push.n, k = push.k, inner = push.inner, last = push.total - 1;
  int i = int ((gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x) * 64u
               + gl_LocalInvocationIndex);
  if (4 * i > last)
    return;
  VALUES v;
  v.x = take (n, k, inner, 4 * i);
  v.y = take (n, k, inner, min (4 * i + 1, last));
  v.z = take (n, k, inner, min (4 * i + 2, last));
  v.w = take (n, k, inner, min (4 * i + 3, last));
  store4 (i, v);
}
