#version 450
#extension GL_GOOGLE_include_directive : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// A Gaussian along the rows, or the columns, of the small picture of what is behind the foreground;
// beyond the edges the picture goes on as it ends. After the second, sums become colours.
#define SEG_DECODE 0
#define SEG_STYLE  3
#include "lib/decode.glsl"
#include "lib/backdrop.glsl"

layout (local_size_x = 64) in;
layout (constant_id = 0) const int SIZE = 4;
layout (constant_id = 1) const int RADIUS = 1;
layout (constant_id = 2) const float FALL = 0.5; // 1 / (2 sigma^2), of small pixels
layout (constant_id = 3) const int COLUMNS = 0;  // along columns: the second

layout (binding = 1) uniform samplerBuffer small;
layout (binding = 2) writeonly buffer Output { vec4 data[]; } result;

void main ()
{
  int i = int (gl_GlobalInvocationID.x + gl_GlobalInvocationID.y * gl_NumWorkGroups.x * 64u);
  ivec2 n = backdrop_size (dec.frame.xy, SIZE);
  if (i >= n.x * n.y)
    return;
  ivec2 at = ivec2 (i % n.x, i / n.x);
  vec4 sum = vec4 (0.0);
  float weights = 0.0;
  for (int d = -RADIUS; d <= RADIUS; d++) {
    float w = exp (-FALL * float (d * d));
    ivec2 from = clamp (at + (COLUMNS != 0 ? ivec2 (0, d) : ivec2 (d, 0)), ivec2 (0), n - 1);
    sum += w * texelFetch (small, from.y * n.x + from.x);
    weights += w;
  }
  result.data[i] = COLUMNS != 0 ? sum / sum.w : sum / weights;
}
