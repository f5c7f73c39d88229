#version 450
#extension GL_GOOGLE_include_directive : enable
#extension GL_EXT_control_flow_attributes : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// Convolution with one filter a channel. An invocation makes a strip of tiles below each other, of four channels, or
// eight (STORE_TEXELS): it reads its filters once, and each row of the input that two tiles need. ROLL 0: a tile alone.
// With TILE_H 1 and ROLL 0 filters are read as they are needed: kernels may be large there, and the loop over
// their rows is not unrolled.
#include "lib/store.glsl"
#include "lib/epilogue.glsl"

layout (local_size_x = 64) in;

layout (binding = 0) uniform samplerBuffer source;
layout (binding = 1) uniform samplerBuffer weights; // [kernel y][kernel x][channel texel]
layout (binding = 2) uniform samplerBuffer bias;
SEG_OUTPUT (3);
layout (binding = 4) uniform samplerBuffer residual;
#include "lib/window.glsl"

struct Push {
  Axis y, x;
  int in_pitch4, in_offset4, out_pitch4, out_offset4, res_pitch4, res_offset4;
  int channels, c4, n_items;
  int items4; // invocations for the channels of a tile
  int turns;  // tiles of a strip
};
layout (push_constant) uniform PushConstants {
  Push push;
};
Push p; // a copy; lib/strided.glsl says why

layout (constant_id = 8) const int ROLL = 1;
const bool HOLD = TILE_H > 1 || ROLL == 1;
const int HELD = HOLD ? KERNEL_H * KERNEL_W : 1;
const int NEXT = TILE_H * STRIDE_Y; // rows of the input from a tile to the next
const int KEPT = ROLL == 1 && SPAN_Y > NEXT ? SPAN_Y - NEXT : 0; // rows that both need
vec4 kept[STORE_TEXELS][KEPT > 0 ? KEPT : 1][SPAN_X];
vec4 held[STORE_TEXELS][HELD];
vec4 start[STORE_TEXELS];
vec4 sum[STORE_TEXELS][TILE_H][TILE_W];

void read_filters (int c4)
{
  [[unroll]] for (int k = 0; k < STORE_TEXELS; k++) {
    start[k] = texelFetch (bias, c4 + k);
    if (HOLD)
      [[unroll]] for (int tap = 0; tap < HELD; tap++)
        held[k][tap] = texelFetch (weights, tap * p.c4 + c4 + k);
  }
}

vec4 filter_at (int k, int tap, int c4)
{
  return HOLD ? held[k][tap] : texelFetch (weights, tap * p.c4 + c4 + k);
}

// Of input row iy, a texel of each pixel.
void read_texel (int image, int iy, int c4)
{
  read_row (line_of (p.y, p.x, image, iy) * p.in_pitch4 + p.in_offset4 + c4,
      uint (iy) < uint (p.y.in_px));
}

// Adds kernel row ky, given the input row in `row`, to the outputs of tile row ty.
void add_row (int k, int ty, int ky, int c4)
{
  [[unroll]] for (int kx = 0; kx < KERNEL_W; kx++) {
    vec4 f = filter_at (k, ky * KERNEL_W + kx, c4);
    [[unroll]] for (int tx = 0; tx < TILE_W; tx++)
      sum[k][ty][tx] += f * row[tx * STRIDE_X + kx * DILATION_X];
  }
}

void keep_row (int k, int q)
{
  [[unroll]] for (int i = 0; i < SPAN_X; i++)
    kept[k][q][i] = row[i];
}

void sum_texel (int k, int image, int iy, int c4)
{
  [[unroll]] for (int i = 0; i < TILE_H; i++)
    [[unroll]] for (int j = 0; j < TILE_W; j++)
      sum[k][i][j] = start[k];
  if (!HOLD) {
    int step = DILATION_Y * p.y.apart;
    for (int ky = 0; ky < KERNEL_H; ky++) {
      read_texel (image, iy + ky * step, c4 + k);
      add_row (k, 0, ky, c4);
    }
  } else {
    [[unroll]] for (int q = 0; q < SPAN_Y; q++) {
      if (q < KEPT)
        [[unroll]] for (int i = 0; i < SPAN_X; i++)
          row[i] = kept[k][q][i];
      else
        read_texel (image, iy + q * p.y.apart, c4 + k);
      if (q >= SPAN_Y - KEPT)
        keep_row (k, q - (SPAN_Y - KEPT));
      [[unroll]] for (int ky = 0; ky < KERNEL_H; ky++)
        [[unroll]] for (int t = 0; t < TILE_H; t++)
          if (t * STRIDE_Y + ky * DILATION_Y == q)
            add_row (k, t, ky, c4);
    }
  }
}

vec4 finish (vec4 v, int from, int c4)
{
  bvec4 real = lessThan (ivec4 (4 * c4) + ivec4 (0, 1, 2, 3), ivec4 (p.channels));
  vec4 r = vec4 (0);
  if (EPILOGUE_RESIDUAL)
    r = texelFetch (residual, from);
  return mix (vec4 (0), epilogue (v, r), real);
}

void write (int pixel, int c4)
{
  [[unroll]] for (int ty = 0; ty < TILE_H; ty++) {
    int line = pixel + ty * p.y.apart * p.x.out_px;
    int to = p.out_offset4 + line * p.out_pitch4 + c4;
    int from = p.res_offset4 + line * p.res_pitch4 + c4;
    [[unroll]] for (int tx = 0; tx < TILE_W; tx++) {
      vec4 v[STORE_TEXELS];
      [[unroll]] for (int k = 0; k < STORE_TEXELS; k++)
        v[k] = finish (sum[k][ty][tx], from + tx * p.x.apart * p.res_pitch4 + k, c4 + k);
      store_texels (to + tx * p.x.apart * p.out_pitch4, v);
    }
  }
}

void main ()
{
  p = push;
  int item = int (gl_GlobalInvocationID.x + gl_GlobalInvocationID.y * gl_NumWorkGroups.x * 64u);
  item = min (item, p.n_items - 1);
  int column = divide (item, p.items4), c4 = (item - column * p.items4) * STORE_TEXELS;
  int line = divide (column, p.x.tiles), image = divide (line, p.y.tiles);
  int x0 = tile_start (p.x, column - line * p.x.tiles, TILE_W);
  int y0 = tile_start (p.y, line - image * p.y.tiles, ROLL == 1 ? TILE_H * p.turns : TILE_H);

  find_columns (p.x, x0 * STRIDE_X - p.x.pad, p.in_pitch4);
  read_filters (c4);
  int iy = y0 * STRIDE_Y - p.y.pad, pixel = (image * p.y.out_px + y0) * p.x.out_px + x0;
  [[unroll]] for (int k = 0; k < STORE_TEXELS; k++)
    [[unroll]] for (int q = 0; q < KEPT; q++) {
      read_texel (image, iy + q * p.y.apart, c4 + k);
      keep_row (k, q);
    }
  int turn = 0;
  do {
    [[unroll]] for (int k = 0; k < STORE_TEXELS; k++)
      sum_texel (k, image, iy, c4);
    write (pixel, c4);
    iy += NEXT * p.y.apart;
    pixel += TILE_H * p.y.apart * p.x.out_px;
  } while (ROLL == 1 && ++turn < p.turns);
}
