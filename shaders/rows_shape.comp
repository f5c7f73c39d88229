#version 450
#extension GL_GOOGLE_include_directive : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// The dimensions of a tensor whose rows the data decides: `axis` says how many times its entry.
#include "lib/rows.glsl"

layout (local_size_x = 1) in;
layout (push_constant) uniform Push { int n, axis, num, den, most, dims[8]; } push;
layout (binding = 0) uniform isamplerBuffer live;
layout (binding = 1) writeonly buffer Output { int data[]; } shape;

void main ()
{
  int rows = live_rows (live, push.num, push.den, push.most);
  for (int i = 0; i < push.n; i++)
    shape.data[i] = push.dims[i] * (i == push.axis ? rows : 1);
}
