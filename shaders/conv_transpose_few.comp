#version 450
// SPDX-License-Identifier: LGPL-2.1-or-later
#extension GL_GOOGLE_include_directive : enable
#extension GL_EXT_control_flow_attributes : enable
#extension GL_KHR_shader_subgroup_shuffle : enable
// Transposed convolution to few channels, its kernel as large as its stride: each input pixel is a cell of
// STRIDE_Y x STRIDE_X output pixels of its own, whose CHANNELS make at most eight numbers. A lane makes
// TP neighbouring cells, as conv_lp.comp does pixels: a texel of weights a lane, spread by shuffles.
// Weights: [in texel][8]. Cells past the end of a row, and lanes past the last tile, make the last again.
#include "lib/store.glsl"
#include "lib/divide.glsl"
#include "lib/spread.glsl"
#include "lib/epilogue.glsl"

layout (local_size_x_id = 0) in;
layout (constant_id = 1) const int TP = 4;
layout (constant_id = 2) const int STRIDE_Y = 2;
layout (constant_id = 3) const int STRIDE_X = 2;
layout (constant_id = 4) const int CHANNELS = 1;
const int TEXELS = 2; // of an output pixel, with the channel padding

layout (binding = 0) uniform samplerBuffer source;
layout (binding = 1) uniform samplerBuffer weights;
layout (binding = 2) uniform samplerBuffer bias;
SEG_OUTPUT (3);
layout (binding = 4) uniform samplerBuffer residual;

struct Push {
  int in_w, columns, n_tiles; // pixels of a row; tiles of a row, and all
  int in_pitch4, in_offset4, in_c4, out_pitch4, out_offset4, res_pitch4, res_offset4;
};
layout (push_constant) uniform PushConstants {
  Push push;
};
Push p; // a copy; lib/strided.glsl says why

vec4 sum[TP][TEXELS];
int x[TP];

void accumulate (int row)
{
  int lane = int (gl_LocalInvocationID.x) & 7;
  int c4 = 0;
  do {
    vec4 mine = texelFetch (weights, c4 * 8 + lane);
    vec4 texel[TP];
    [[unroll]] for (int n = 0; n < TP; n++)
      texel[n] = texelFetch (source, (row * p.in_w + x[n]) * p.in_pitch4 + p.in_offset4 + c4);
    [[unroll]] for (int i = 0; i < STRIDE_Y * STRIDE_X * CHANNELS; i++) {
      vec4 f = spread (mine, uint (i));
      [[unroll]] for (int n = 0; n < TP; n++)
        sum[n][i / 4][i % 4] += dot (f, texel[n]);
    }
  } while (++c4 < p.in_c4);
}

// Texel k of an output pixel; `first` is its first number in the cell's sums.
vec4 finish (int n, int first, int pixel, int k)
{
  vec4 v = vec4 (0), r = vec4 (0);
  [[unroll]] for (int c = 0; c < 4; c++)
    if (4 * k + c < CHANNELS)
      v[c] = sum[n][(first + 4 * k + c) / 4][(first + c) % 4];
  if (EPILOGUE_RESIDUAL)
    r = texelFetch (residual, p.res_offset4 + pixel * p.res_pitch4 + k);
  bvec4 real = lessThan (ivec4 (4 * k) + ivec4 (0, 1, 2, 3), ivec4 (CHANNELS));
  return mix (vec4 (0), epilogue (v, r), real);
}

void store (int n, int first, int pixel)
{
  [[unroll]] for (int k = 0; k < TEXELS; k += STORE_TEXELS) {
    vec4 v[STORE_TEXELS];
    [[unroll]] for (int i = 0; i < STORE_TEXELS; i++)
      v[i] = finish (n, first, pixel, k + i);
    store_texels (p.out_offset4 + pixel * p.out_pitch4 + k, v);
  }
}

void main ()
{
  p = push;
  int group = int (gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x);
  int tile = group * int (gl_WorkGroupSize.x) + int (gl_LocalInvocationID.x);
  tile = min (tile, p.n_tiles - 1);
  int row = divide (tile, p.columns), x0 = (tile - row * p.columns) * TP;
  [[unroll]] for (int n = 0; n < TP; n++) {
    x[n] = min (x0 + n, p.in_w - 1);
    [[unroll]] for (int k = 0; k < TEXELS; k++)
      sum[n][k] = texelFetch (bias, k);
  }
  accumulate (row);
  [[unroll]] for (int n = 0; n < TP; n++)
    [[unroll]] for (int v = 0; v < STRIDE_Y; v++)
      [[unroll]] for (int u = 0; u < STRIDE_X; u++)
        store (n, (v * STRIDE_X + u) * CHANNELS,
            ((row * STRIDE_Y + v) * p.in_w + x[n]) * STRIDE_X + u);
}
