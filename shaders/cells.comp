#version 450
#extension GL_GOOGLE_include_directive : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// For each cell between four neighbouring grid pixels: the class that wins at all four, or
// MIXED. Scores interpolated with the same weights keep their order, so where one class wins at
// all corners it wins everywhere between them, and only mixed cells need the scores again.
#define SEG_DECODE 0
#define SEG_STYLE  3
#include "lib/decode.glsl"

layout (local_size_x = 64) in;
layout (binding = 1) uniform usamplerBuffer labels;
layout (binding = 2) writeonly buffer Cells { uvec2 data[]; } cells;

uint cell (int x, int y)
{
  ivec2 a = min (ivec2 (x, y), dec.grid.xy - 1), b = min (ivec2 (x, y) + 1, dec.grid.xy - 1);
  int row0 = a.y * dec.grid.w * 4, row1 = b.y * dec.grid.w * 4;
  uint l = texelFetch (labels, row0 + a.x).x;
  bool same = texelFetch (labels, row0 + b.x).x == l && texelFetch (labels, row1 + a.x).x == l
      && texelFetch (labels, row1 + b.x).x == l;
  return same ? l : MIXED;
}

void main ()
{
  int i = int (gl_GlobalInvocationID.x + gl_GlobalInvocationID.y * gl_NumWorkGroups.x * 64u);
  if (i >= dec.grid.w * dec.grid.y)
    return;
  int y = i / dec.grid.w;
  int x = 4 * (i - y * dec.grid.w);
  cells.data[i] = uvec2 (cell (x, y) | cell (x + 1, y) << 16,
                         cell (x + 2, y) | cell (x + 3, y) << 16);
}
