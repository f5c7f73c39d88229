#version 450
#extension GL_GOOGLE_include_directive : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// How many groups dispatches need for the rows that are live (SegLive in gst/ops/program.h): an
// invocation for a dispatch, of which the table has three texels.
#include "lib/rows.glsl"

layout (local_size_x = 64) in;
layout (push_constant) uniform Push { int n; } push;
layout (binding = 0) uniform isamplerBuffer count;
layout (binding = 1) uniform isamplerBuffer table;
layout (binding = 2) writeonly buffer Groups { ivec4 of[]; } groups;

void main ()
{
  int i = int (gl_GlobalInvocationID.x);
  if (i >= push.n)
    return;
  ivec4 rows = texelFetch (table, 3 * i); // num, den, most, items of a row
  ivec4 work = texelFetch (table, 3 * i + 1); // first item, items of a group, groups for them, axis
  ivec4 all = texelFetch (table, 3 * i + 2);
  int items = max (live_rows (count, rows.x, rows.y, rows.z) * rows.w - work.x, 0);
  int n = (items + work.y - 1) / work.y * work.z;
  if (work.w == 0) // the first axis is full before the second has more than one
    all.xy = ivec2 (min (n, all.x), min ((n + all.x - 1) / all.x, all.y));
  else
    all.y = min (n, all.y);
  groups.of[i] = ivec4 (all.xyz, 0);
}
