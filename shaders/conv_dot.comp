#version 450
#extension GL_GOOGLE_include_directive : enable
#extension GL_EXT_control_flow_attributes : enable
#extension GL_EXT_spirv_intrinsics : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// Convolution of bytes as an implicit GEMM (see lib/conv-gemm.glsl) with integer dot products: four
// products and their sum in one instruction. A workgroup makes 64 pixels x 64 channels, an
// invocation 4 x 4 of them; K goes by in steps of 8 words of four bytes.
// Bytes are int8 here: of uint8 the highest bit is turned, which takes 128 off; the zero point
// goes the same way, stands in for what is outside, and is taken off at the end, as often as the
// weights of the channel say. Weights: [channel tile][word of K][64 channels].
#include "lib/quant.glsl"
#include "lib/store.glsl"

layout (local_size_x = 16, local_size_y = 16) in;

// GLSL has no name for OpSDot that the oldest compiler in use knows; 0: packed, 4 x 8 bits.
spirv_instruction (extensions = ["SPV_KHR_integer_dot_product"], capabilities = [6018, 6019], id = 4450)
int dot_bytes (int a, int b, spirv_literal int format);

const int TILE = 64, STEP = 8;

layout (binding = 0) readonly buffer Source { uint source[]; };
layout (binding = 1) readonly buffer Weights { uint weights[]; };
layout (binding = 2) uniform isamplerBuffer bias;
layout (binding = 3) uniform usamplerBuffer zero;
layout (binding = 4) uniform samplerBuffer scale;
SEG_OUTPUT (5);
layout (binding = 6) uniform isamplerBuffer weight_sums; // per channel

layout (push_constant) uniform Push {
  int in_w, in_h, out_w, out_h;
  int in_pitch4, in_offset4, out_pitch4, out_offset4;
  int in_c4, kernel_w, taps, steps; // steps of K
  int stride_y, stride_x, dilation_y, dilation_x, pad_y, pad_x;
  int n_pixels, out_c, out_c4;
  int low, high, zero;
  uint sign; // 128: int8
} p;

shared int tile_a[TILE][STEP + 1];
shared int tile_b[STEP][TILE];

// Word k of a pixel's receptive field.
int gather (int pixel, int k, int outside)
{
  int tap = k / p.in_c4, c4 = k - tap * p.in_c4;
  int ky = tap / p.kernel_w, kx = tap - ky * p.kernel_w;
  int row = pixel / p.out_w, x = pixel - row * p.out_w;
  int image = row / p.out_h, y = row - image * p.out_h;
  int iy = y * p.stride_y + ky * p.dilation_y - p.pad_y;
  int ix = x * p.stride_x + kx * p.dilation_x - p.pad_x;
  if (pixel >= p.n_pixels || tap >= p.taps || uint (iy) >= uint (p.in_h)
      || uint (ix) >= uint (p.in_w))
    return outside;
  uint bits = source[((image * p.in_h + iy) * p.in_w + ix) * p.in_pitch4 + p.in_offset4 + c4];
  return int (p.sign == 0u ? bits ^ 0x80808080u : bits);
}

void main ()
{
  int t = int (gl_LocalInvocationIndex);
  int first = int (gl_WorkGroupID.x + gl_WorkGroupID.y * gl_NumWorkGroups.x) * TILE;
  int block = int (gl_WorkGroupID.z);
  uint zero_bits = texelFetch (zero, 0).x ^ (p.sign == 0u ? 128u : 0u);
  int outside = int (zero_bits * 0x01010101u);

  int sum[4][4];
  [[unroll]] for (int i = 0; i < 4; i++)
    [[unroll]] for (int j = 0; j < 4; j++)
      sum[i][j] = 0;
  for (int step = 0; step < p.steps; step++) {
    [[unroll]] for (int i = 0; i < 2; i++) {
      int m = (t >> 3) + 32 * i, k = t & 7;
      tile_a[m][k] = gather (first + m, step * STEP + k, outside);
      int n = t & 63, kb = (t >> 6) + 4 * i;
      tile_b[kb][n] = int (weights[((block * p.steps + step) * STEP + kb) * TILE + n]);
    }
    barrier ();
    [[unroll]] for (int k = 0; k < STEP; k++) {
      int a[4], b[4];
      [[unroll]] for (int i = 0; i < 4; i++) {
        a[i] = tile_a[gl_LocalInvocationID.y + 16 * i][k];
        b[i] = tile_b[k][4 * gl_LocalInvocationID.x + i];
      }
      [[unroll]] for (int i = 0; i < 4; i++)
        [[unroll]] for (int j = 0; j < 4; j++)
          sum[i][j] += dot_bytes (a[i], b[j], 0);
    }
    barrier ();
  }

  int c4 = block * (TILE / 4) + int (gl_LocalInvocationID.x);
  if (c4 >= p.out_c4)
    return;
  int z = int (zero_bits << 24) >> 24;
  ivec4 start = texelFetch (bias, c4) - z * texelFetch (weight_sums, c4);
  bvec4 real = lessThan (ivec4 (4 * c4) + ivec4 (0, 1, 2, 3), ivec4 (p.out_c));
  [[unroll]] for (int i = 0; i < 4; i++) {
    int pixel = first + int (gl_LocalInvocationID.y) + 16 * i;
    if (pixel >= p.n_pixels)
      continue;
    ivec4 v = ivec4 (sum[i][0], sum[i][1], sum[i][2], sum[i][3]) + start;
#ifdef STORE_B8
    v = round_between (vec4 (v) * texelFetch (scale, c4), vec4 (p.low), vec4 (p.high)) + p.zero;
#endif
    store4 (p.out_offset4 + pixel * p.out_pitch4 + c4, SEG_VEC4 (mix (ivec4 (0), v, real)));
  }
}
