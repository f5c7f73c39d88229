#version 450
#extension GL_GOOGLE_include_directive : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// What is behind the foreground, made small: the components of a frame's pixels, each weighted by
// how little of it is foreground, so that a blur of the result takes nothing over the edge of
// what is in front. Every second pixel of every second row counts: chroma has no more, and the
// blur takes the rest. An invocation makes one small pixel: sums of up to three components, and of
// weights.
#define SEG_DECODE 3
#define SEG_STYLE  5
#include "lib/frame.glsl"
#include "lib/decode.glsl"
#include "lib/backdrop.glsl"

layout (local_size_x = 64) in;
layout (constant_id = 0) const int KIND = 0; // FRAME_*
layout (constant_id = 1) const int SIZE = 4; // pixels of the frame along the side of a small one

layout (binding = 4) uniform usamplerBuffer mattes; // a pixel each
layout (binding = 6) writeonly buffer Output { vec4 data[]; } result;

void main ()
{
  int i = int (gl_GlobalInvocationID.x + gl_GlobalInvocationID.y * gl_NumWorkGroups.x * 64u);
  ivec2 n = backdrop_size (dec.frame.xy, SIZE);
  if (i >= n.x * n.y)
    return;
  ivec2 first = SIZE * ivec2 (i % n.x, i / n.x);
  vec4 sum = vec4 (0.0);
  for (int dy = 0; dy < SIZE; dy += 2)
    for (int dx = 0; dx < SIZE; dx += 2) {
      ivec2 at = min (first + ivec2 (dx, dy), dec.frame.xy - 1);
      float matte = float (texelFetch (mattes, at.y * dec.frame.z * 4 + at.x).x);
      sum += backdrop_weighted (frame_pixel (KIND, at), 1.0 - matte * (1.0 / 255.0));
    }
  result.data[i] = sum * (4.0 / float (SIZE * SIZE));
}
