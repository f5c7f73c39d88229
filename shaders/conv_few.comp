#version 450
#extension GL_GOOGLE_include_directive : enable
#extension GL_EXT_control_flow_attributes : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// Convolution into OUT channels, 1 to 4, without a stride: a lane makes all of them of a tile of pixels, since
// spreading weights over lanes (conv_lp.comp) pays from 8 channels on. Weights: [y][x][in texel][out].
#include "lib/store.glsl"
#include "lib/epilogue.glsl"

layout (local_size_x = 8) in;
layout (constant_id = 8) const int OUT = 1;

layout (binding = 0) uniform samplerBuffer source;
layout (binding = 1) uniform samplerBuffer weights;
layout (binding = 2) uniform samplerBuffer bias;
SEG_OUTPUT (3);
layout (binding = 4) uniform samplerBuffer residual;
#include "lib/window.glsl"

struct Push {
  Axis y, x;
  int in_pitch4, in_offset4, out_pitch4, out_offset4, res_pitch4, res_offset4;
  int in_c4, n_tiles;
};
layout (push_constant) uniform PushConstants {
  Push push;
};
Push p; // a copy; lib/strided.glsl says why

vec4 sum[TILE_H][TILE_W];

// Adds kernel row ky, given the input row in `row`, to the outputs of tile row ty.
void add_row (int ty, int ky, int c4)
{
  [[unroll]] for (int kx = 0; kx < KERNEL_W; kx++) {
    int w = ((ky * KERNEL_W + kx) * p.in_c4 + c4) * OUT;
    [[unroll]] for (int o = 0; o < OUT; o++) {
      vec4 f = texelFetch (weights, w + o);
      [[unroll]] for (int tx = 0; tx < TILE_W; tx++)
        sum[ty][tx][o] += dot (f, row[tx + kx]);
    }
  }
}

void add_texel (int image, int iy, int c4)
{
  [[unroll]] for (int q = 0; q < SPAN_Y; q++) {
    int y = iy + q * p.y.apart;
    read_row (line_of (p.y, p.x, image, y) * p.in_pitch4 + p.in_offset4 + c4,
        uint (y) < uint (p.y.in_px));
    [[unroll]] for (int ky = 0; ky < KERNEL_H; ky++)
      [[unroll]] for (int t = 0; t < TILE_H; t++)
        if (t + ky == q)
          add_row (t, ky, c4);
  }
}

void write (int pixel, vec4 v)
{
  vec4 r = vec4 (0);
  if (EPILOGUE_RESIDUAL)
    r = texelFetch (residual, p.res_offset4 + pixel * p.res_pitch4);
  vec4 both[2]; // what pads the pixel's channels to 8 too
  both[0] = mix (vec4 (0), epilogue (v, r), lessThan (ivec4 (0, 1, 2, 3), ivec4 (OUT)));
  both[1] = vec4 (0);
  [[unroll]] for (int i = 0; i < 2; i += STORE_TEXELS) {
    vec4 t[STORE_TEXELS];
    [[unroll]] for (int k = 0; k < STORE_TEXELS; k++)
      t[k] = both[i + k];
    store_texels (p.out_offset4 + pixel * p.out_pitch4 + i, t);
  }
}

void main ()
{
  p = push;
  int tile = int (gl_GlobalInvocationID.x + gl_GlobalInvocationID.y * gl_NumWorkGroups.x * 8u);
  tile = min (tile, p.n_tiles - 1); // the last one may be made again
  int line = divide (tile, p.x.tiles), image = divide (line, p.y.tiles);
  int x0 = tile_start (p.x, tile - line * p.x.tiles, TILE_W);
  int y0 = tile_start (p.y, line - image * p.y.tiles, TILE_H);
  find_columns (p.x, x0 - p.x.pad, p.in_pitch4);
  [[unroll]] for (int i = 0; i < TILE_H; i++)
    [[unroll]] for (int j = 0; j < TILE_W; j++)
      sum[i][j] = texelFetch (bias, 0);
  int c4 = 0;
  do // ends in its condition: lib/strided.glsl
    add_texel (image, y0 - p.y.pad, c4);
  while (++c4 < p.in_c4);
  [[unroll]] for (int i = 0; i < TILE_H; i++)
    [[unroll]] for (int j = 0; j < TILE_W; j++) {
      int y = y0 + i * p.y.apart, x = x0 + j * p.x.apart;
      write ((image * p.y.out_px + y) * p.x.out_px + x, sum[i][j]);
    }
}
