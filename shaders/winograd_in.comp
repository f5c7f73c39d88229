#version 450
#extension GL_GOOGLE_include_directive : enable
#extension GL_EXT_control_flow_attributes : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// Winograd F(EDGE x EDGE, 3x3), first step: B' d B of each input tile. An invocation transforms
// STORE_TEXELS texels of a tile's channels. Result: [tile][TILE x TILE][channel texel].
// B is of the points 0, 1, -1, 2, -2 and infinity, and for EDGE 6 of 1/2 and -1/2 too (Lavin and Gray,
// "Fast algorithms for convolutional neural networks").
#include "lib/store.glsl"
#include "lib/winograd.glsl"

layout (local_size_x = 64) in;

layout (binding = 0) uniform samplerBuffer source;
SEG_OUTPUT (1);

struct Push {
  WinogradTiles tiles;
  int in_w, in_h, in_pitch4, in_offset4;
  int c4, items4; // texels of an element; invocations for a tile
  int out_pitch4, pad_y, pad_x;
};
layout (push_constant) uniform PushConstants {
  Push push;
};
Push p; // a copy; lib/strided.glsl says why

vec4 column[STORE_TEXELS][8][8]; // of B' d: [x][y]; TILE of them

void transform4 (vec4 d[8], out vec4 t[8])
{
  vec4 a = d[4] - 4.0 * d[2], b = d[3] - 4.0 * d[1], c = d[4] - d[2], e = 2.0 * (d[3] - d[1]);
  t[0] = 4.0 * d[0] - 5.0 * d[2] + d[4];
  t[1] = a + b;
  t[2] = a - b;
  t[3] = c + e;
  t[4] = c - e;
  t[5] = 4.0 * d[1] - 5.0 * d[3] + d[5];
}

void transform6 (vec4 d[8], out vec4 t[8])
{
  vec4 a = d[2] - 4.25 * d[4] + d[6], b = d[1] - 4.25 * d[3] + d[5];
  t[0] = d[0] - d[6] + 5.25 * (d[4] - d[2]);
  t[1] = a + b;
  t[2] = a - b;
  a = 0.25 * d[2] - 1.25 * d[4] + d[6];
  b = 0.5 * d[1] - 2.5 * d[3] + 2.0 * d[5];
  t[3] = a + b;
  t[4] = a - b;
  a = 4.0 * d[2] - 5.0 * d[4] + d[6];
  b = 2.0 * d[1] - 2.5 * d[3] + 0.5 * d[5];
  t[5] = a + b;
  t[6] = a - b;
  t[7] = d[7] - d[1] + 5.25 * (d[3] - d[5]);
}

void transform (vec4 d[8], out vec4 t[8])
{
  if (EDGE == 4)
    transform4 (d, t);
  else
    transform6 (d, t);
}

void make_columns (int k, int image, int y0, int x0, int c4)
{
  [[unroll]] for (int x = 0; x < TILE; x++) {
    int ix = x0 + x * p.tiles.apart_x - p.pad_x;
    int at = clamp (ix, 0, p.in_w - 1) * p.in_pitch4 + p.in_offset4 + c4;
    vec4 d[8];
    [[unroll]] for (int y = 0; y < TILE; y++) {
      int iy = y0 + y * p.tiles.apart_y - p.pad_y;
      int line = (image * p.in_h + clamp (iy, 0, p.in_h - 1)) * p.in_w * p.in_pitch4;
      bool inside = uint (ix) < uint (p.in_w) && uint (iy) < uint (p.in_h);
      vec4 t = texelFetch (source, line + at);
      d[y] = inside ? t : vec4 (0);
    }
    transform (d, column[k][x]);
  }
}

void main ()
{
  p = push;
  int item = int (gl_GlobalInvocationID.x + gl_GlobalInvocationID.y * gl_NumWorkGroups.x * 64u);
  item = min (item, p.tiles.n * p.items4 - 1); // the last one may be made again
  int tile = divide (item, p.items4), c4 = (item - tile * p.items4) * STORE_TEXELS;
  int image, x0, y0;
  winograd_tile (p.tiles, tile, image, y0, x0);
  [[unroll]] for (int k = 0; k < STORE_TEXELS; k++)
    make_columns (k, image, y0, x0, c4 + k);
  int at = tile * p.out_pitch4 + c4;
  [[unroll]] for (int y = 0; y < TILE; y++) {
    vec4 element[STORE_TEXELS][8]; // of row y
    [[unroll]] for (int k = 0; k < STORE_TEXELS; k++) {
      vec4 d[8];
      [[unroll]] for (int x = 0; x < TILE; x++)
        d[x] = column[k][x][y];
      transform (d, element[k]);
    }
    [[unroll]] for (int x = 0; x < TILE; x++) {
      vec4 v[STORE_TEXELS];
      [[unroll]] for (int k = 0; k < STORE_TEXELS; k++)
        v[k] = element[k][x];
      store_texels (at + (TILE * y + x) * p.c4, v);
    }
  }
}
