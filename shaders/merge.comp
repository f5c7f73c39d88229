#version 450
// SPDX-License-Identifier: LGPL-2.1-or-later
// Scores of a tile and of the tiles before it, where they overlap: four scores an invocation. Tiles
// run from left to right, then down. `beside` has the last columns of the tile to the left as they
// are, `below` the last rows of the tiles above, already blended from left to right. Positions are
// the tile's own; those before 0 are in the strips only. Host side: gst/frame/tiling.h.
layout (local_size_x = 64) in;
layout (constant_id = 0) const int WHAT = 0;
const int MERGE = 0;       // to what is decoded
const int KEEP_BELOW = 1;  // the last rows, for the tiles below
const int KEEP_BESIDE = 2; // the last columns, for the next tile

layout (binding = 0) uniform samplerBuffer scores;
layout (std140, binding = 1) uniform Merge {
  ivec4 size;  // of the merged grid: width, height; pixels in its rows; groups of scores
  ivec4 first; // tile pixel of the merged grid's first; x of that in `below`
  ivec4 view;  // the tile's scores: offset, steps along x, y and class
  ivec4 blend; // overlap x, y: 0 in the first column, row; scores of a pixel
  ivec4 keep;  // columns of the tile, from .x up to .y, that `below` gets
} merge;
layout (binding = 2) uniform samplerBuffer beside;
layout (binding = 3) uniform samplerBuffer below;
layout (binding = 4) writeonly buffer Output { vec4 data[]; } result;
layout (push_constant) uniform Tiles {
  ivec2 halo, step, overlap;
  int below_width, height; // of `below`; of a tile
} tiles;

vec4 own (ivec2 p, int c4)
{
  vec4 v = vec4 (0.0);
  int base = merge.view.x + p.x * merge.view.y + p.y * merge.view.z;
  for (int k = 0; k < 4; k++)
    if (4 * c4 + k < merge.blend.z) {
      int at = base + (4 * c4 + k) * merge.view.w;
      v[k] = texelFetch (scores, at >> 2)[at & 3];
    }
  return v;
}

// How much of the second of two that overlap by n pixels is in pixel i.
float ramp (int i, int n)
{
  return (float (i) + 0.5) / float (n);
}

vec4 row_score (ivec2 p, int c4)
{
  if (p.x >= merge.blend.x)
    return own (p, c4);
  int columns = tiles.halo.x + tiles.overlap.x;
  vec4 left = texelFetch (beside, (p.y * columns + p.x + tiles.halo.x) * merge.size.w + c4);
  return p.x < 0 ? left : mix (left, own (p, c4), ramp (p.x, merge.blend.x));
}

int below_at (ivec2 p, int row)
{
  return row * tiles.below_width + merge.first.z + p.x - merge.first.x;
}

vec4 merged (ivec2 p, int c4)
{
  if (p.y >= merge.blend.y)
    return row_score (p, c4);
  vec4 above = texelFetch (below, below_at (p, p.y + tiles.halo.y) * merge.size.w + c4);
  return p.y < 0 ? above : mix (above, row_score (p, c4), ramp (p.y, merge.blend.y));
}

void main ()
{
  int i = int (gl_GlobalInvocationID.x + gl_GlobalInvocationID.y * gl_NumWorkGroups.x * 64u);
  int c4 = i % merge.size.w;
  i /= merge.size.w;
  ivec2 n = tiles.halo + tiles.overlap;
  if (WHAT == MERGE) {
    ivec2 at = ivec2 (i % merge.size.x, i / merge.size.x);
    if (at.y < merge.size.y)
      result.data[(at.y * merge.size.z + at.x) * merge.size.w + c4] =
          merged (at + merge.first.xy, c4);
  } else if (WHAT == KEEP_BELOW) {
    int width = merge.keep.y - merge.keep.x;
    if (width <= 0 || i >= width * n.y)
      return;
    int row = i / width;
    ivec2 p = ivec2 (merge.keep.x + i - row * width, tiles.step.y - tiles.halo.y + row);
    result.data[below_at (p, row) * merge.size.w + c4] = row_score (p, c4);
  } else if (i < n.x * tiles.height) {
    int y = i / n.x;
    int column = i - y * n.x;
    result.data[i * merge.size.w + c4] =
        own (ivec2 (tiles.step.x - tiles.halo.x + column, y), c4);
  }
}
