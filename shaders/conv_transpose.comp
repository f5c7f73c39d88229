#version 450
#extension GL_GOOGLE_include_directive : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// Transposed convolution: each output pixel gathers the taps that reach it, weights read by
// strides where they lie. One invocation makes four channels of a pixel.
#include "lib/store.glsl"
#include "lib/epilogue.glsl"

layout (local_size_x = 64) in;

layout (binding = 0) uniform samplerBuffer source;
layout (binding = 1) uniform samplerBuffer weights;
layout (binding = 2) uniform samplerBuffer bias;
SEG_OUTPUT (3);
layout (binding = 4) uniform samplerBuffer residual;

struct Push {
  int in_w, in_h, out_w, out_h;
  int in_pitch, in_offset, out_pitch4, out_offset4, res_pitch4, res_offset4;
  int group_in, group_out, out_c, n_items;
  int kernel_h, kernel_w, stride_y, stride_x, dilation_y, dilation_x, pad_y, pad_x;
  int tap_step_y, tap_step_x;               // from one tap that reaches a pixel to the next
  int w_offset, w_in, w_out, w_y, w_x;      // weights: strides in elements
  int bias_offset;                          // -1: there is none
};
layout (push_constant) uniform PushConstants {
  Push push;
};
Push p; // a copy; lib/strided.glsl says why

float element (samplerBuffer memory, int i)
{
  return texelFetch (memory, i >> 2)[i & 3];
}

// The first tap that reaches output position `at`; kernel if there is none.
int first_tap (int at, int kernel, int stride, int dilation)
{
  for (int k = 0; k < min (kernel, stride); k++) {
    int v = at - k * dilation;
    if (v / stride * stride == v)
      return k;
  }
  return kernel;
}

float gather (int image, int y, int x, int ky0, int kx0, int o)
{
  float sum = p.bias_offset < 0 ? 0.0 : element (bias, p.bias_offset + o);
  int group = o / p.group_out, c0 = group * p.group_in;
  int wo = p.w_offset + (o - group * p.group_out) * p.w_out + c0 * p.w_in;
  for (int ky = ky0; ky < p.kernel_h; ky += p.tap_step_y) {
    int vy = y - ky * p.dilation_y, iy = vy / p.stride_y;
    if (vy < 0 || iy >= p.in_h)
      continue;
    for (int kx = kx0; kx < p.kernel_w; kx += p.tap_step_x) {
      int vx = x - kx * p.dilation_x, ix = vx / p.stride_x;
      if (vx < 0 || ix >= p.in_w)
        continue;
      int at = p.in_offset + ((image * p.in_h + iy) * p.in_w + ix) * p.in_pitch + c0;
      int w = wo + ky * p.w_y + kx * p.w_x;
      for (int i = 0; i < p.group_in; i++)
        sum += element (source, at + i) * element (weights, w + i * p.w_in);
    }
  }
  return sum;
}

void main ()
{
  p = push;
  int item = int (gl_GlobalInvocationID.x + gl_GlobalInvocationID.y * gl_NumWorkGroups.x * 64u);
  if (item >= p.n_items)
    return;
  int out_c4 = (p.out_c + 7) / 8 * 2;
  int pixel = item / out_c4, c4 = item - pixel * out_c4;
  int row = pixel / p.out_w, x = pixel - row * p.out_w + p.pad_x;
  int image = row / p.out_h, y = row - image * p.out_h + p.pad_y;
  int ky = first_tap (y, p.kernel_h, p.stride_y, p.dilation_y);
  int kx = first_tap (x, p.kernel_w, p.stride_x, p.dilation_x);

  vec4 v = vec4 (0);
  for (int e = 0; e < 4; e++)
    if (4 * c4 + e < p.out_c)
      v[e] = gather (image, y, x, ky, kx, 4 * c4 + e);
  vec4 r = vec4 (0);
  if (EPILOGUE_RESIDUAL)
    r = texelFetch (residual, p.res_offset4 + pixel * p.res_pitch4 + c4);
  bvec4 real = lessThan (ivec4 (4 * c4) + ivec4 (0, 1, 2, 3), ivec4 (p.out_c));
  store4 (p.out_offset4 + pixel * p.out_pitch4 + c4, mix (vec4 (0), epilogue (v, r), real));
}
