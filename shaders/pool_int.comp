#version 450
#extension GL_GOOGLE_include_directive : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// QLinearGlobalAveragePool: a workgroup sums four channels of an image.
#include "lib/quant.glsl"
#include "lib/store.glsl"

layout (local_size_x = 32) in;
layout (binding = 0) uniform usamplerBuffer source;
SEG_OUTPUT (1);

layout (push_constant) uniform Push {
  int pixels, channels;
  int in_pitch4, in_offset4, out_pitch4, out_offset4;
  int low, high, zero;
  int start; // the source's zero point, taken off as often as there are pixels
  uint sign; // of the source
  float factor;
} p;

shared ivec4 parts[32];

void main ()
{
  int c4 = int (gl_WorkGroupID.x), image = int (gl_WorkGroupID.y);
  int lane = int (gl_LocalInvocationID.x);
  ivec4 sum = ivec4 (0);
  for (int i = lane; i < p.pixels; i += 32)
    sum += byte_values (
        texelFetch (source, (image * p.pixels + i) * p.in_pitch4 + p.in_offset4 + c4), p.sign);
  parts[lane] = sum;
  barrier ();
  if (lane != 0)
    return;
  for (int i = 1; i < 32; i++)
    sum += parts[i];
  vec4 v = vec4 (sum + p.start) * p.factor;
  ivec4 q = round_between (v, vec4 (p.low), vec4 (p.high)) + p.zero;
  bvec4 real = lessThan (ivec4 (4 * c4) + ivec4 (0, 1, 2, 3), ivec4 (p.channels));
  store4 (p.out_offset4 + image * p.out_pitch4 + c4, uvec4 (mix (ivec4 (0), q, real)));
}
