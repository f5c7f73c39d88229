#version 450
#extension GL_GOOGLE_include_directive : enable
#extension GL_EXT_control_flow_attributes : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// Convolution with one filter a channel. An invocation makes TILE_W x TILE_H output pixels of
// four channels, so that the texels it reads serve several taps. Under a dilation (stride 1)
// the tile's pixels lie that far apart, which makes it a plain convolution again; DILATION is
// then 1 and the distance is in the push constants.
#include "lib/store.glsl"
#include "lib/epilogue.glsl"

layout (local_size_x = 64) in;
layout (constant_id = 0) const int TILE_W = 4;
layout (constant_id = 1) const int TILE_H = 4; // 1: the loop over kernel rows is not unrolled
layout (constant_id = 2) const int KERNEL_H = 3;
layout (constant_id = 3) const int KERNEL_W = 3;
layout (constant_id = 4) const int STRIDE_Y = 1;
layout (constant_id = 5) const int STRIDE_X = 1;
layout (constant_id = 6) const int DILATION_Y = 1;
layout (constant_id = 7) const int DILATION_X = 1;
const int SPAN_Y = (TILE_H - 1) * STRIDE_Y + (KERNEL_H - 1) * DILATION_Y + 1;
const int SPAN_X = (TILE_W - 1) * STRIDE_X + (KERNEL_W - 1) * DILATION_X + 1;

layout (binding = 0) uniform samplerBuffer source;
layout (binding = 1) uniform samplerBuffer weights; // [kernel y][kernel x][channel texel]
layout (binding = 2) uniform samplerBuffer bias;
SEG_OUTPUT (3);
layout (binding = 4) uniform samplerBuffer residual;

layout (push_constant) uniform Push {
  int in_w, in_h, out_w, out_h;
  int in_pitch4, in_offset4, out_pitch4, out_offset4, res_pitch4, res_offset4;
  int channels, c4, pad_y, pad_x;
  int apart_y, apart_x; // pixels of a tile, one from the next
  int tiles_y, tiles_x, n_items;
} p;

vec4 sum[TILE_H][TILE_W];
vec4 row[SPAN_X];

void read_row (int image, int iy, int x, int c4)
{
  int line = (image * p.in_h + clamp (iy, 0, p.in_h - 1)) * p.in_w;
  bool line_ok = uint (iy) < uint (p.in_h);
  [[unroll]] for (int q = 0; q < SPAN_X; q++) {
    int ix = x + q * p.apart_x;
    int at = (line + clamp (ix, 0, p.in_w - 1)) * p.in_pitch4 + p.in_offset4 + c4;
    vec4 t = texelFetch (source, at);
    row[q] = line_ok && uint (ix) < uint (p.in_w) ? t : vec4 (0);
  }
}

// Adds kernel row ky, given the input row in `row`, to the outputs of tile row ty.
void add_row (int ty, int tap, int c4)
{
  [[unroll]] for (int kx = 0; kx < KERNEL_W; kx++) {
    vec4 f = texelFetch (weights, (tap + kx) * p.c4 + c4);
    [[unroll]] for (int tx = 0; tx < TILE_W; tx++)
      sum[ty][tx] += f * row[tx * STRIDE_X + kx * DILATION_X];
  }
}

void write (int image, int y0, int x0, int c4)
{
  bvec4 real = lessThan (ivec4 (4 * c4) + ivec4 (0, 1, 2, 3), ivec4 (p.channels));
  [[unroll]] for (int ty = 0; ty < TILE_H; ty++) {
    int y = y0 + ty * p.apart_y;
    if (y >= p.out_h)
      continue;
    [[unroll]] for (int tx = 0; tx < TILE_W; tx++) {
      int x = x0 + tx * p.apart_x;
      if (x >= p.out_w)
        continue;
      int pixel = (image * p.out_h + y) * p.out_w + x;
      vec4 r = vec4 (0);
      if (EPILOGUE_RESIDUAL)
        r = texelFetch (residual, p.res_offset4 + pixel * p.res_pitch4 + c4);
      vec4 v = mix (vec4 (0), epilogue (sum[ty][tx], r), real);
      store4 (p.out_offset4 + pixel * p.out_pitch4 + c4, v);
    }
  }
}

void main ()
{
  int item = int (gl_GlobalInvocationID.x + gl_GlobalInvocationID.y * gl_NumWorkGroups.x * 64u);
  if (item >= p.n_items)
    return;
  int tile = item / p.c4, c4 = item - tile * p.c4;
  int line = tile / p.tiles_x, tx = tile - line * p.tiles_x;
  int image = line / p.tiles_y, ty = line - image * p.tiles_y;
  int x0 = tx / p.apart_x * TILE_W * p.apart_x + tx % p.apart_x;
  int y0 = ty / p.apart_y * TILE_H * p.apart_y + ty % p.apart_y;

  vec4 b = texelFetch (bias, c4);
  [[unroll]] for (int i = 0; i < TILE_H; i++)
    [[unroll]] for (int j = 0; j < TILE_W; j++)
      sum[i][j] = b;

  int ix = x0 * STRIDE_X - p.pad_x, iy = y0 * STRIDE_Y - p.pad_y;
  if (TILE_H == 1) {
    for (int ky = 0; ky < KERNEL_H; ky++) {
      read_row (image, iy + ky * DILATION_Y * p.apart_y, ix, c4);
      add_row (0, ky * KERNEL_W, c4);
    }
  } else {
    [[unroll]] for (int q = 0; q < SPAN_Y; q++) {
      read_row (image, iy + q * p.apart_y, ix, c4);
      [[unroll]] for (int ky = 0; ky < KERNEL_H; ky++)
        [[unroll]] for (int t = 0; t < TILE_H; t++)
          if (t * STRIDE_Y + ky * DILATION_Y == q)
            add_row (t, ky * KERNEL_W, c4);
    }
  }
  write (image, y0, x0, c4);
}
