#version 450
#extension GL_GOOGLE_include_directive : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// A frame at the size of a network's matte, to be its guide: the mean of what each pixel of the grid covers,
// three components as they lie, 0..1, and beside them its alpha.
#define SEG_DECODE 3
#define SEG_STYLE  4
#include "lib/frame.glsl"
#include "lib/decode.glsl"

layout (local_size_x = 64) in;
layout (constant_id = 0) const int KIND = 0; // FRAME_*
layout (constant_id = 1) const int SCORES = PROBABILITY;
layout (constant_id = 2) const int SAMPLES = 1; // along a side of what a pixel of the grid covers

layout (binding = 5) uniform samplerBuffer numbers; // one each
layout (binding = 6) writeonly buffer Output { vec4 data[]; } result;

void main ()
{
  int i = int (gl_GlobalInvocationID.x + gl_GlobalInvocationID.y * gl_NumWorkGroups.x * 64u);
  int y = i / dec.grid.x, x = i - y * dec.grid.x;
  if (y >= dec.grid.y)
    return;
  vec3 sum = vec3 (0.0);
  for (int v = 0; v < SAMPLES; v++)
    for (int u = 0; u < SAMPLES; u++) {
      vec2 g = vec2 (x, y) + (vec2 (u, v) + 0.5) / float (SAMPLES) - 0.5;
      ivec2 at = ivec2 (floor ((g - dec.map.zw) / dec.map.xy + 0.5));
      sum += frame_pixel (KIND, clamp (at, ivec2 (0), dec.frame.xy - 1));
    }
  float alpha = texelFetch (numbers, y * dec.grid.w * 4 + x).x;
  if (SCORES != PROBABILITY)
    alpha = 1.0 / (1.0 + exp (-alpha));
  alpha = alpha > 0.0 ? min (alpha, 1.0) : 0.0; // what is no number is 0
  result.data[i] = vec4 (sum / (255.0 * float (SAMPLES * SAMPLES)), alpha);
}
