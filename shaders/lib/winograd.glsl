// SPDX-License-Identifier: LGPL-2.1-or-later
// The tiles of a Winograd convolution: EDGE x EDGE output pixels, which under a dilation lie that far
// apart. A strip of them is worked on at a time.
#include "divide.glsl"
layout (constant_id = 0) const int EDGE = 6; // or 4
const int TILE = EDGE + 2; // input pixels of a tile, elements of a transformed one; each way

struct WinogradTiles {
  int first, n;           // the strip
  int rows, columns;      // in an image
  int apart_y, apart_x;   // pixels of a tile, one from the next
};

// The image of a tile of the strip, and its first output pixel.
void winograd_tile (WinogradTiles t, int tile, out int image, out int y, out int x)
{
  int line = divide (t.first + tile, t.columns), column = t.first + tile - line * t.columns;
  image = divide (line, t.rows);
  int row = line - image * t.rows;
  // Blocks of EDGE x apart pixels; within one, as many tiles as pixels are apart.
  x = column + divide (column, t.apart_x) * (EDGE - 1) * t.apart_x;
  y = row + divide (row, t.apart_y) * (EDGE - 1) * t.apart_y;
}
