#version 450
#extension GL_GOOGLE_include_directive : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// For each box the bits of its score, which order as the scores do, or 0 if it is no candidate:
// below the threshold, of a class that is not wanted, not a number, empty or outside the frame. Four
// boxes an invocation.
#define SEG_INSTANCES 1
#define SEG_LIMITS 2
#include "lib/instances.glsl"
#include "lib/detections.glsl"

layout (local_size_x = 64) in;
layout (constant_id = 0) const int BY_FOUR = 0; // boxes lie side by side from multiples of 4
layout (binding = 3) writeonly buffer Keys { uvec4 data[]; } keys;

// A value of boxes i .. i+3; past the last, the last.
vec4 detection4 (int i, int value)
{
  if (BY_FOUR != 0)
    return texelFetch (detections, (inst.view.x + i + value * inst.view.z) >> 2);
  ivec4 b = min (ivec4 (i) + ivec4 (0, 1, 2, 3), inst.shape.x - 1);
  return vec4 (detection (b.x, value), detection (b.y, value), detection (b.z, value),
               detection (b.w, value));
}

uint key (float score, vec4 box, bool inside)
{
  bool likely = score >= limits.amount.x && score > 0.0 && is_finite (score);
  return inside && likely && box_is_seen (box_in_net (box)) ? floatBitsToUint (score) : 0u;
}

void main ()
{
  int i = 4 * int (gl_GlobalInvocationID.x + gl_GlobalInvocationID.y * gl_NumWorkGroups.x * 64u);
  if (i >= inst.shape.x)
    return;
  int first = 4 + inst.shape.w;
  vec4 best = vec4 (0.0);
  for (int c = 0; c < inst.shape.y; c++) {
    vec4 v = detection4 (i, first + c);
    if (keeps_class (c))
      best = mix (best, v, greaterThan (v, best));
  }
  if (inst.shape.w != 0)
    best *= detection4 (i, 4);
  uvec4 k = uvec4 (0u);
  if (any (greaterThanEqual (best, vec4 (limits.amount.x)))) {
    vec4 x = detection4 (i, 0), y = detection4 (i, 1), z = detection4 (i, 2),
         w = detection4 (i, 3);
    for (int e = 0; e < 4; e++)
      k[e] = key (best[e], vec4 (x[e], y[e], z[e], w[e]), i + e < inst.shape.x);
  }
  keys.data[i >> 2] = k;
}
