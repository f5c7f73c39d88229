// SPDX-License-Identifier: LGPL-2.1-or-later
// A tile of TILE_W x TILE_H output pixels, whose taps share the texels that are read, a row of the input at a time.
// Under a dilation (stride 1) the tile's pixels lie that far apart, which makes it a plain convolution again;
// DILATION is then 1 and the distance is in the push constants. Nothing is under a condition, which on llvmpipe
// costs more than what it saves: a tile that would reach past the end is moved back and makes some pixels again.
// The host's side is gst/ops/window.h. Declare a samplerBuffer source before.
#include "divide.glsl"

layout (constant_id = 0) const int TILE_W = 4;
layout (constant_id = 1) const int TILE_H = 4;
layout (constant_id = 2) const int KERNEL_H = 3;
layout (constant_id = 3) const int KERNEL_W = 3;
layout (constant_id = 4) const int STRIDE_Y = 1;
layout (constant_id = 5) const int STRIDE_X = 1;
layout (constant_id = 6) const int DILATION_Y = 1;
layout (constant_id = 7) const int DILATION_X = 1;
const int SPAN_Y = (TILE_H - 1) * STRIDE_Y + (KERNEL_H - 1) * DILATION_Y + 1;
const int SPAN_X = (TILE_W - 1) * STRIDE_X + (KERNEL_W - 1) * DILATION_X + 1;

struct Axis {
  int in_px, out_px, pad;
  int apart; // pixels of a tile, one from the next
  int tiles;
};

vec4 row[SPAN_X];
int column[SPAN_X]; // texels from the row's first
bool column_ok[SPAN_X];

// The first output pixel of a tile.
int tile_start (Axis a, int tile, int size)
{
  int block = divide (tile, a.apart), phase = tile - block * a.apart;
  int pixels = divide (a.out_px - phase + a.apart - 1, a.apart); // of this phase
  return min (block * size, pixels - size) * a.apart + phase;
}

// Columns from input pixel ix on.
void find_columns (Axis x, int ix, int pitch4)
{
  [[unroll]] for (int q = 0; q < SPAN_X; q++) {
    int i = ix + q * x.apart;
    column[q] = clamp (i, 0, x.in_px - 1) * pitch4;
    column_ok[q] = uint (i) < uint (x.in_px);
  }
}

// Of an image, pixels from its first to row iy's.
int line_of (Axis y, Axis x, int image, int iy)
{
  return (image * y.in_px + clamp (iy, 0, y.in_px - 1)) * x.in_px;
}

// The row whose first texel lies at `at`; zeros where it is outside.
void read_row (int at, bool line_ok)
{
  [[unroll]] for (int q = 0; q < SPAN_X; q++) {
    vec4 t = texelFetch (source, at + column[q]);
    row[q] = line_ok && column_ok[q] ? t : vec4 (0);
  }
}
