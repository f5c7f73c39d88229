#version 450
#extension GL_GOOGLE_include_directive : enable
#extension GL_EXT_control_flow_attributes : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// Winograd F(4x4, 3x3), first step: B' d B of each 6 x 6 input tile. An invocation transforms
// STORE_TEXELS texels of a tile's channels. Result: [tile][6 x 6][channel texel].
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

vec4 element[STORE_TEXELS][6][6]; // [y][x]

void transform (vec4 d0, vec4 d1, vec4 d2, vec4 d3, vec4 d4, vec4 d5, out vec4 t[6])
{
  vec4 a = d4 - 4.0 * d2, b = d3 - 4.0 * d1, c = d4 - d2, e = 2.0 * (d3 - d1);
  t[0] = 4.0 * d0 - 5.0 * d2 + d4;
  t[1] = a + b;
  t[2] = a - b;
  t[3] = c + e;
  t[4] = c - e;
  t[5] = 4.0 * d1 - 5.0 * d3 + d5;
}

void make (int k, int image, int y0, int x0, int c4)
{
  vec4 column[6][6]; // [x][y]
  [[unroll]] for (int x = 0; x < 6; x++) {
    int ix = x0 + x * p.tiles.apart_x - p.pad_x;
    vec4 d[6];
    [[unroll]] for (int y = 0; y < 6; y++) {
      int iy = y0 + y * p.tiles.apart_y - p.pad_y;
      bool inside = uint (ix) < uint (p.in_w) && uint (iy) < uint (p.in_h);
      int pixel = inside ? (image * p.in_h + iy) * p.in_w + ix : 0;
      vec4 t = texelFetch (source, pixel * p.in_pitch4 + p.in_offset4 + c4);
      d[y] = inside ? t : vec4 (0);
    }
    transform (d[0], d[1], d[2], d[3], d[4], d[5], column[x]);
  }
  [[unroll]] for (int y = 0; y < 6; y++)
    transform (column[0][y], column[1][y], column[2][y], column[3][y], column[4][y],
        column[5][y], element[k][y]);
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
    make (k, image, y0, x0, c4 + k);
  int at = tile * p.out_pitch4 + c4;
  [[unroll]] for (int y = 0; y < 6; y++)
    [[unroll]] for (int x = 0; x < 6; x++) {
      vec4 v[STORE_TEXELS];
      [[unroll]] for (int k = 0; k < STORE_TEXELS; k++)
        v[k] = element[k][y][x];
      store_texels (at + (6 * y + x) * p.c4, v);
    }
}
