#version 450
#extension GL_GOOGLE_include_directive : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// Depthwise convolution of bytes: an invocation makes four channels of a pixel. No sum of so few
// products reaches 2^24, so that fp32 is exact. Weights: [kernel y][kernel x][channel].
#include "lib/quant.glsl"
#include "lib/store.glsl"

layout (local_size_x = 64) in;
layout (binding = 0) uniform usamplerBuffer source;
layout (binding = 1) uniform samplerBuffer weights;
layout (binding = 2) uniform isamplerBuffer bias;
layout (binding = 3) uniform usamplerBuffer zero;
layout (binding = 4) uniform samplerBuffer scale;
SEG_OUTPUT (5);

layout (push_constant) uniform Push {
  int in_w, in_h, out_w, out_h;
  int in_pitch4, in_offset4, out_pitch4, out_offset4;
  int channels, c4;
  int kernel_h, kernel_w, stride_y, stride_x, dilation_y, dilation_x, pad_y, pad_x;
  int n_items;
  int low, high, zero;
  uint sign; // of the source
} p;

void main ()
{
  int item = int (gl_GlobalInvocationID.x + gl_GlobalInvocationID.y * gl_NumWorkGroups.x * 64u);
  if (item >= p.n_items)
    return;
  int pixel = item / p.c4, c4 = item - pixel * p.c4;
  int row = pixel / p.out_w, x = pixel - row * p.out_w;
  int image = row / p.out_h, y = row - image * p.out_h;
  int y0 = y * p.stride_y - p.pad_y, x0 = x * p.stride_x - p.pad_x;
  ivec4 shift = ivec4 (int (texelFetch (zero, 0).x ^ p.sign));

  vec4 sum = vec4 (0);
  for (int ky = 0; ky < p.kernel_h; ky++) {
    int iy = y0 + ky * p.dilation_y;
    if (iy < 0 || iy >= p.in_h)
      continue;
    int line = (image * p.in_h + iy) * p.in_w;
    for (int kx = 0; kx < p.kernel_w; kx++) {
      int ix = x0 + kx * p.dilation_x;
      if (ix < 0 || ix >= p.in_w)
        continue;
      uvec4 bits = texelFetch (source, (line + ix) * p.in_pitch4 + p.in_offset4 + c4);
      sum += vec4 (ivec4 (bits ^ p.sign) - shift)
          * texelFetch (weights, (ky * p.kernel_w + kx) * p.c4 + c4);
    }
  }
  ivec4 v = ivec4 (sum) + texelFetch (bias, c4);
#ifdef STORE_B8
  v = round_between (vec4 (v) * texelFetch (scale, c4), vec4 (p.low), vec4 (p.high)) + p.zero;
#endif
  bvec4 real = lessThan (ivec4 (4 * c4) + ivec4 (0, 1, 2, 3), ivec4 (p.channels));
  store4 (p.out_offset4 + pixel * p.out_pitch4 + c4, SEG_VEC4 (mix (ivec4 (0), v, real)));
}
