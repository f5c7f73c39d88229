#version 450
#extension GL_GOOGLE_include_directive : enable
#extension GL_EXT_control_flow_attributes : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// Winograd F(EDGE x EDGE, 3x3), last step: A' m A of each tile, bias, epilogue. An invocation makes
// STORE_TEXELS texels of a tile's pixels. Source: [tile][TILE x TILE][channel texel].
#include "lib/store.glsl"
#include "lib/epilogue.glsl"
#include "lib/winograd.glsl"

layout (local_size_x = 64) in;

layout (binding = 0) uniform samplerBuffer source;
layout (binding = 1) uniform samplerBuffer bias;
SEG_OUTPUT (2);
layout (binding = 3) uniform samplerBuffer residual;

struct Push {
  WinogradTiles tiles;
  int out_w, out_h, out_pitch4, out_offset4, res_pitch4, res_offset4;
  int channels, items4;      // of the output; invocations for a tile
  int in_pitch4, in_c4;      // of the source: from a tile, an element to the next
};
layout (push_constant) uniform PushConstants {
  Push push;
};
Push p; // a copy; lib/strided.glsl says why

vec4 row[STORE_TEXELS][8][6]; // of m A: [y][x]; TILE and EDGE of them

void transform4 (vec4 m[8], out vec4 t[6])
{
  vec4 a = m[1] + m[2], b = m[1] - m[2], c = m[3] + m[4], d = m[3] - m[4];
  t[0] = m[0] + a + c;
  t[1] = b + 2.0 * d;
  t[2] = a + 4.0 * c;
  t[3] = b + 8.0 * d + m[5];
}

void transform6 (vec4 m[8], out vec4 t[6])
{
  vec4 a = m[1] + m[2], b = m[1] - m[2], c = m[3] + m[4], d = m[3] - m[4];
  vec4 e = m[5] + m[6], f = m[5] - m[6];
  t[0] = m[0] + a + c + e;
  t[1] = b + 2.0 * d + 0.5 * f;
  t[2] = a + 4.0 * c + 0.25 * e;
  t[3] = b + 8.0 * d + 0.125 * f;
  t[4] = a + 16.0 * c + 0.0625 * e;
  t[5] = b + 32.0 * d + 0.03125 * f + m[7];
}

void transform (vec4 m[8], out vec4 t[6])
{
  if (EDGE == 4)
    transform4 (m, t);
  else
    transform6 (m, t);
}

void make_rows (int k, int at)
{
  [[unroll]] for (int y = 0; y < TILE; y++) {
    vec4 m[8];
    [[unroll]] for (int x = 0; x < TILE; x++)
      m[x] = texelFetch (source, at + (TILE * y + x) * p.in_c4);
    transform (m, row[k][y]);
  }
}

void make_column (int k, int x, out vec4 t[6])
{
  vec4 m[8];
  [[unroll]] for (int y = 0; y < TILE; y++)
    m[y] = row[k][y][x];
  transform (m, t);
}

vec4 finish (vec4 v, int pixel, int c4)
{
  bvec4 real = lessThan (ivec4 (4 * c4) + ivec4 (0, 1, 2, 3), ivec4 (p.channels));
  vec4 r = vec4 (0);
  if (EPILOGUE_RESIDUAL)
    r = texelFetch (residual, p.res_offset4 + pixel * p.res_pitch4 + c4);
  return mix (vec4 (0), epilogue (v, r), real);
}

void main ()
{
  p = push;
  int item = int (gl_GlobalInvocationID.x + gl_GlobalInvocationID.y * gl_NumWorkGroups.x * 64u);
  item = min (item, p.tiles.n * p.items4 - 1); // the last one may be made again
  int tile = divide (item, p.items4), c4 = (item - tile * p.items4) * STORE_TEXELS;
  int image, x0, y0;
  winograd_tile (p.tiles, tile, image, y0, x0);
  vec4 b[STORE_TEXELS];
  [[unroll]] for (int k = 0; k < STORE_TEXELS; k++) {
    b[k] = texelFetch (bias, c4 + k);
    make_rows (k, tile * p.in_pitch4 + c4 + k);
  }
  [[unroll]] for (int x = 0; x < EDGE; x++) {
    int ox = x0 + x * p.tiles.apart_x;
    vec4 result[STORE_TEXELS][6];
    [[unroll]] for (int k = 0; k < STORE_TEXELS; k++)
      make_column (k, x, result[k]);
    [[unroll]] for (int y = 0; y < EDGE; y++) {
      int oy = y0 + y * p.tiles.apart_y;
      if (ox >= p.out_w || oy >= p.out_h)
        continue;
      int pixel = (image * p.out_h + oy) * p.out_w + ox;
      vec4 v[STORE_TEXELS];
      [[unroll]] for (int k = 0; k < STORE_TEXELS; k++)
        v[k] = finish (result[k][y] + b[k], pixel, c4 + k);
      store_texels (p.out_offset4 + pixel * p.out_pitch4 + c4, v);
    }
  }
}
