#version 450
#extension GL_GOOGLE_include_directive : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// For each candidate a bit for each weaker one of its class that overlaps it more than the IoU
// threshold allows. 32 bits an invocation.
#define SEG_INSTANCES 0
#define SEG_LIMITS 1
#include "lib/instances.glsl"

layout (local_size_x = 64) in;
layout (binding = 2) uniform usamplerBuffer candidates;
layout (binding = 3) uniform samplerBuffer boxes;
layout (binding = 4) uniform usamplerBuffer sorted;
layout (binding = 5) writeonly buffer Overlaps { uint data[]; } overlaps;

// Far outside the network's input nothing is known; and areas stay finite.
vec4 near_box (int i)
{
  vec2 size = inst.to_net.zw;
  return clamp (texelFetch (boxes, i), -size.xyxy, 2.0 * size.xyxy);
}

float area (vec4 b)
{
  return (b.z - b.x) * (b.w - b.y);
}

void main ()
{
  int i = int (gl_GlobalInvocationID.x) / WORDS, w = int (gl_GlobalInvocationID.x) % WORDS;
  int n = int (texelFetch (candidates, 0).x);
  if (i >= n)
    return;
  vec4 a = near_box (i);
  uint label = texelFetch (sorted, i).x, bits = 0u;
  for (int j = max (32 * w, i + 1); j < min (32 * w + 32, n); j++)
    if (texelFetch (sorted, j).x == label) {
      vec4 b = near_box (j);
      vec2 both = max (min (a.zw, b.zw) - max (a.xy, b.xy), vec2 (0.0));
      float shared_area = both.x * both.y;
      bool over = shared_area > limits.amount.y * (area (a) + area (b) - shared_area);
      bits |= over ? 1u << (j & 31) : 0u;
    }
  overlaps.data[i * WORDS + w] = bits;
}
