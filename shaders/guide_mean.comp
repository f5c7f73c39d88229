#version 450
#extension GL_GOOGLE_include_directive : enable
#extension GL_EXT_control_flow_attributes : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// The mean of the lines (guide_fit.comp) of all windows that a pixel of the grid is in.
#define SEG_DECODE 0
#define SEG_STYLE  1
#include "lib/decode.glsl"
#include "lib/guide.glsl"

layout (local_size_x = 64) in;
layout (binding = 2) uniform samplerBuffer lines;
layout (binding = 3) writeonly buffer Output { vec4 data[]; } result;

void main ()
{
  int i = int (gl_GlobalInvocationID.x + gl_GlobalInvocationID.y * gl_NumWorkGroups.x * 64u);
  int y = i / dec.grid.x, x = i - y * dec.grid.x;
  if (y >= dec.grid.y)
    return;
  vec4 sum = vec4 (0.0);
  for (int v = -GUIDE_RADIUS; v <= GUIDE_RADIUS; v++)
    [[unroll]] for (int u = -GUIDE_RADIUS; u <= GUIDE_RADIUS; u++)
      sum += texelFetch (lines, guide_place (ivec2 (x + u, y + v)));
  result.data[i] = sum / float (GUIDE_WINDOW);
}
