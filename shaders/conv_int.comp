#version 450
#extension GL_GOOGLE_include_directive : enable
#extension GL_EXT_control_flow_attributes : enable
#extension GL_KHR_shader_subgroup_shuffle : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// Convolution of bytes, summed exactly: in fp32, which holds the integers below 2^24, and where a
// sum can pass that, brought over to an int32 in time. The loops are those of conv_lp.comp: each
// lane sums TP neighbouring pixels of a row for TM channels, weights are spread by shuffles.
// Weights: [out block][kernel y][kernel x][in texel][TM].
#include "lib/quant.glsl"
#include "lib/store.glsl"
#include "lib/spread.glsl"

layout (local_size_x_id = 0) in;
layout (constant_id = 1) const int TM = 8;
layout (constant_id = 2) const int TP = 4;
layout (constant_id = 3) const int REUSE = 1;  // 1: taps of a row share the texels they read
layout (constant_id = 4) const int BORDER = 1; // 0: no tap ever falls outside
layout (constant_id = 5) const int KERNEL_W = 3; // these three only where REUSE
layout (constant_id = 6) const int STRIDE_X = 1;
layout (constant_id = 7) const int DILATION_X = 1;
layout (constant_id = 8) const int TOTALS = 1; // 0: no sum reaches 2^24
layout (constant_id = 9) const int SHUFFLE = 1; // 0: every lane fetches all weights
const int SPAN = (TP - 1) * STRIDE_X + (KERNEL_W - 1) * DILATION_X + 1;
const int ROW = REUSE == 1 ? SPAN : TP; // texels held at a time

layout (binding = 0) uniform usamplerBuffer source;
layout (binding = 1) uniform samplerBuffer weights;
layout (binding = 2) uniform isamplerBuffer bias;
layout (binding = 3) uniform usamplerBuffer zero;
layout (binding = 4) uniform samplerBuffer scale;
SEG_OUTPUT (5);

layout (push_constant) uniform Push {
  int in_w, in_h, out_w, out_h;
  int in_pitch4, in_offset4, out_pitch4, out_offset4;
  int in_c4;         // texels of a pixel that one block of output channels reads
  int group_blocks;  // blocks of output channels that read the same texels
  int out_c, out_c4; // channels; texels of a pixel to write
  int kernel_h, kernel_w, stride_y, stride_x, dilation_y, dilation_x, pad_y, pad_x;
  int n_tiles;
  int chunk; // texels after which sums are brought over
  int low, high, zero;
  uint sign; // of the source
} p;

vec4 sum[TP][TM / 4];
ivec4 total[TP][TM / 4];
int at[ROW];
bool inside[ROW];

void find (int line, bool line_ok, int x, int first)
{
  [[unroll]] for (int q = 0; q < ROW; q++) {
    int ix = x + (REUSE == 1 ? q : q * p.stride_x);
    inside[q] = line_ok && uint (ix) < uint (p.in_w);
    at[q] = (line + clamp (ix, 0, p.in_w - 1)) * p.in_pitch4 + first;
  }
}

vec4 weight (vec4 mine, int w, int i)
{
  return SHUFFLE == 1 ? spread (mine, uint (i)) : texelFetch (weights, w + i);
}

void multiply (int w, int taps, int c4, ivec4 shift)
{
  int lane = SHUFFLE == 1 ? int (gl_LocalInvocationID.x) & 7 : 0;
  vec4 texel[ROW];
  [[unroll]] for (int q = 0; q < ROW; q++) {
    vec4 t = vec4 (ivec4 (texelFetch (source, at[q] + c4) ^ p.sign) - shift);
    texel[q] = BORDER == 0 || inside[q] ? t : vec4 (0);
  }
  [[unroll]] for (int k = 0; k < taps; k++) {
    [[unroll]] for (int m = 0; m < TM; m += 8) {
      int block = w + (k * p.in_c4 + c4) * TM + m;
      vec4 mine = texelFetch (weights, block + lane);
      [[unroll]] for (int i = 0; i < 8; i++) {
        vec4 f = weight (mine, block, i);
        [[unroll]] for (int n = 0; n < TP; n++)
          sum[n][(m + i) / 4][i % 4] +=
              dot (f, texel[REUSE == 1 ? n * STRIDE_X + k * DILATION_X : n]);
      }
    }
  }
}

void bring_over ()
{
  [[unroll]] for (int n = 0; n < TP; n++) {
    [[unroll]] for (int i = 0; i < TM / 4; i++) {
      total[n][i] += ivec4 (sum[n][i]);
      sum[n][i] = vec4 (0);
    }
  }
}

void accumulate (int w, int taps, ivec4 shift)
{
  if (TOTALS == 0) {
    for (int c4 = 0; c4 < p.in_c4; c4++)
      multiply (w, taps, c4, shift);
    return;
  }
  for (int start = 0; start < p.in_c4; start += p.chunk) {
    int end = min (start + p.chunk, p.in_c4);
    for (int c4 = start; c4 < end; c4++)
      multiply (w, taps, c4, shift);
    bring_over ();
  }
}

void main ()
{
  int local = int (gl_WorkGroupSize.x), block = int (gl_WorkGroupID.z);
  int first = int (gl_WorkGroupID.x + gl_WorkGroupID.y * gl_NumWorkGroups.x) * local;
  int tile = min (first + int (gl_LocalInvocationID.x), p.n_tiles - 1);
  bool live = first + int (gl_LocalInvocationID.x) < p.n_tiles;
  int columns = (p.out_w + TP - 1) / TP;
  int row = tile / columns, x0 = (tile - row * columns) * TP;
  int image = row / p.out_h, y = row - image * p.out_h;
  // A byte is (bits ^ sign) - sign; its zero point goes too.
  ivec4 shift = ivec4 (int (texelFetch (zero, 0).x ^ p.sign));

  [[unroll]] for (int i = 0; i < TM / 4; i++)
    [[unroll]] for (int n = 0; n < TP; n++) {
      sum[n][i] = vec4 (0);
      total[n][i] = ivec4 (0);
    }
  int channel4 = p.in_offset4 + block / p.group_blocks * p.in_c4;
  int w = block * p.kernel_h * p.kernel_w * p.in_c4 * TM;
  for (int ky = 0; ky < p.kernel_h; ky++) {
    int iy = y * p.stride_y + ky * p.dilation_y - p.pad_y;
    int line = (image * p.in_h + clamp (iy, 0, p.in_h - 1)) * p.in_w;
    bool line_ok = uint (iy) < uint (p.in_h);
    int wy = w + ky * p.kernel_w * p.in_c4 * TM;
    if (REUSE == 1) {
      find (line, line_ok, x0 * STRIDE_X - p.pad_x, channel4);
      accumulate (wy, KERNEL_W, shift);
      continue;
    }
    for (int kx = 0; kx < p.kernel_w; kx++) {
      find (line, line_ok, x0 * p.stride_x + kx * p.dilation_x - p.pad_x, channel4);
      accumulate (wy + kx * p.in_c4 * TM, 1, shift);
    }
  }
  bring_over ();

  [[unroll]] for (int n = 0; n < TP; n++) {
    if (!live || x0 + n >= p.out_w)
      continue;
    int pixel = row * p.out_w + x0 + n;
    [[unroll]] for (int i = 0; i < TM / 4; i++) {
      int c4 = block * (TM / 4) + i;
      if (c4 >= p.out_c4)
        continue;
      ivec4 v = total[n][i] + texelFetch (bias, c4);
#ifdef STORE_B8
      v = round_between (vec4 (v) * texelFetch (scale, c4), vec4 (p.low), vec4 (p.high)) + p.zero;
#endif
      bvec4 real = lessThan (ivec4 (4 * c4) + ivec4 (0, 1, 2, 3), ivec4 (p.out_c));
      store4 (p.out_offset4 + pixel * p.out_pitch4 + c4, SEG_VEC4 (mix (ivec4 (0), v, real)));
    }
  }
}
