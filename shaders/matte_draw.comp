#version 450
#extension GL_GOOGLE_include_directive : enable
#extension GL_EXT_control_flow_attributes : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// A matte drawn over a frame, in the frame's own format, and what it covers: matte.comp, count.comp and
// compose.comp in one pass, for networks with one number a pixel and no outlines. An invocation draws
// blocks of 16x4 pixels, one below the other, into all planes: each number of the grid that it needs is
// read once for a block, and as weights of the grid's columns stay the same they are made once. In place,
// blocks that stay as they are are left alone.
#define SEG_DECODE 0
#define SEG_STYLE  1
#include "lib/decode.glsl"

layout (local_size_x = 64) in;
layout (constant_id = 0) const int SCORES = PROBABILITY;
layout (constant_id = 1) const int NEAREST = 0;
layout (constant_id = 2) const int COLUMNS = 2; // of the grid, that 16 pixels reach
layout (constant_id = 3) const int ROWS = 2;    // that 4 reach
layout (constant_id = 4) const int BLOCKS = 1;
layout (constant_id = 5) const int PLANES = 1;
// Of each plane, as in lib/sample.glsl; chroma planes are alike, a sample for 2x2 pixels.
layout (constant_id = 6) const int BYTES = 1;
layout (constant_id = 7) const int PAIR = 0;
layout (constant_id = 8) const int CHANGED = 1;
layout (constant_id = 9) const int CHROMA_BYTES = 1;
// Rows of all planes are whole groups of 16 bytes, and so the source is read, a word a component; else
// it is read in words, a byte a component.
layout (constant_id = 10) const int WIDE = 0;
layout (constant_id = 11) const int IN_PLACE = 0; // the result is where the source is

layout (std140, binding = 2) uniform Planes {
  ivec4 place[3]; // in words: offset and stride; words and rows that there are
} planes;
layout (binding = 3) uniform samplerBuffer numbers;  // one each
layout (binding = 4) uniform usamplerBuffer source;
layout (binding = 5) uniform usamplerBuffer colours; // 512 for each plane: up to three bytes, strength
layout (binding = 6) writeonly buffer Output { uint data[]; } result;
layout (binding = 7) writeonly buffer Output4 { uvec4 data[]; } result4; // the same
layout (binding = 8) buffer Counts { uint data[]; } counts;
layout (binding = 9) uniform samplerBuffer numbers4; // four of a row

const int MAX_COLUMNS = 10;

// Of four pixels each: weights of columns; the alpha from which they are drawn, which none has where the
// network does not see the frame; 1 where there is a frame.
vec4 weights[4][MAX_COLUMNS], lowest[4], there[4];
int first_column;

vec4 on_grid (vec4 at, float scale, float shift, int n)
{
  vec4 p = clamp (at * scale + shift, 0.0, float (n - 1));
  return NEAREST != 0 ? floor (p + 0.5) : p;
}

vec4 lowest_between (ivec4 at, int begin, int end)
{
  return mix (vec4 (2.0), vec4 (style.amount.x),
              equal (ivec4 (greaterThanEqual (at, ivec4 (begin))) * ivec4 (lessThan (at, ivec4 (end))),
                     ivec4 (1)));
}

void read_columns (int left)
{
  [[unroll]] for (int q = 0; q < 4; q++) {
    ivec4 all = left + 4 * q + ivec4 (0, 1, 2, 3), column = min (all, dec.frame.x - 1);
    vec4 x = on_grid (vec4 (column), dec.map.x, dec.map.z, dec.grid.x);
    if (q == 0)
      first_column = int (x.x);
    [[unroll]] for (int k = 0; k < COLUMNS; k++)
      weights[q][k] = max (1.0 - abs (x - float (first_column + k)), 0.0);
    lowest[q] = lowest_between (column, dec.inside.x, dec.inside.y);
    there[q] = vec4 (lessThan (all, ivec4 (dec.frame.x)));
  }
}

// True, which compilers cannot know. LLVM moves cheap arithmetic behind what takes lanes out of vectors,
// and so llvmpipe's stores would compute lane by lane; but not behind a choice.
bool always;

// Four bytes that were `was`, each covered by its part of a colour.
uint mixed (uvec4 was, vec4 part, vec4 paint)
{
  ivec4 v = ivec4 (vec4 (ivec4 (was)) * (1.0 - part) + part * paint + 0.5);
  return always ? uint (v.x | v.y << 8 | v.z << 16 | v.w << 24) : 0u;
}

uvec4 bytes_of (uint word)
{
  return uvec4 (word, word >> 8, word >> 16, word >> 24) & 255u;
}

// 16 pixels of a row of one of the planes: n words that begin `from` words into the row. part: how much
// each byte is covered.
void draw (int plane, int n, int from, int y, vec4 part[16], vec4 paint[16])
{
  ivec4 place = planes.place[plane];
  if (y >= place.w)
    return;
  int at = place.x + y * place.y + from;
  if (WIDE != 0 && n % 4 == 0) {
    [[unroll]] for (int w = 0; w < n; w += 4) {
      if (from + w < place.z) {
        uvec4 was = texelFetch (source, (at + w) >> 2), v;
        [[unroll]] for (int k = 0; k < 4; k++)
          v[k] = mixed (bytes_of (was[k]), part[w + k], paint[w + k]);
        result4.data[(at + w) >> 2] = v;
      }
    }
  } else {
    [[unroll]] for (int w = 0; w < n; w++)
      if (from + w < place.z) {
        uvec4 was = WIDE != 0 ? bytes_of (texelFetch (source, (at + w) >> 2)[(at + w) & 3])
                              : texelFetch (source, at + w);
        result.data[at + w] = mixed (was, part[w], paint[w]);
      }
  }
}

vec4 colour_of (int plane)
{
  return vec4 (texelFetch (colours, 512 * plane + 1));
}

// Bytes of the first plane, from what is covered of 16 pixels.
void draw_pixels (int left, int y, vec4 s[4], vec4 colour)
{
  const int n = PAIR != 0 ? 8 : 4 * BYTES;
  vec4 part[16], paint[16];
  [[unroll]] for (int w = 0; w < n; w++)
    [[unroll]] for (int k = 0; k < 4; k++) {
      int t = 4 * w + k, c = t % BYTES;
      if (PAIR == 0) {
        int e = t / BYTES;
        part[w][k] = c < CHANGED ? s[e >> 2][e & 3] : 0.0;
        paint[w][k] = colour[c];
      } else { // two pixels a word: a byte of each pixel's own, between those of both
        int e = 2 * w;
        bool own = (c & 1) == PAIR - 1;
        part[w][k] = own ? s[e >> 2][(e + (c >> 1)) & 3] : 0.5 * (s[e >> 2][e & 3] + s[e >> 2][(e + 1) & 3]);
        paint[w][k] = own ? colour.x : c < 2 ? colour.y : colour.z;
      }
    }
  draw (0, n, (left >> 4) * n, y, part, paint);
}

// Those of a plane of chroma, from what is covered of eight times 2x2 pixels.
void draw_chroma (int plane, int left, int y, vec4 s[2], vec4 colour)
{
  const int n = 2 * CHROMA_BYTES;
  vec4 part[16], paint[16];
  [[unroll]] for (int w = 0; w < n; w++)
    [[unroll]] for (int k = 0; k < 4; k++) {
      int e = (4 * w + k) / CHROMA_BYTES;
      part[w][k] = s[e >> 2][e & 3];
      paint[w][k] = colour[k % CHROMA_BYTES];
    }
  draw (plane, n, (left >> 4) * n, y, part, paint);
}

// Alpha of a block's pixels: matte[j][q] is four of row j.
void interpolate (vec4 y, out vec4 matte[4][4])
{
  int first_row = int (y.x);
  [[unroll]] for (int j = 0; j < 4; j++)
    [[unroll]] for (int q = 0; q < 4; q++)
      matte[j][q] = vec4 (0.0);
  [[unroll]] for (int r = 0; r < ROWS; r++) {
    vec4 share = max (1.0 - abs (y - float (first_row + r)), 0.0), sum[4];
    int row = min (first_row + r, dec.grid.y - 1) * dec.grid.w * 4;
    float v[MAX_COLUMNS];
    [[unroll]] for (int k = 0; k < COLUMNS; k++)
      v[k] = texelFetch (numbers, row + min (first_column + k, dec.grid.x - 1)).x;
    [[unroll]] for (int q = 0; q < 4; q++) {
      vec4 sum = v[0] * weights[q][0];
      [[unroll]] for (int k = 1; k < COLUMNS; k++)
        sum += v[k] * weights[q][k];
      [[unroll]] for (int j = 0; j < 4; j++)
        matte[j][q] += share[j] * sum;
    }
  }
}

// Alpha to strength, in 255ths of `scale`; counts what is class 1.
vec4 strength_of (vec4 v, vec4 from, vec4 real, float scale, inout vec4 covered)
{
  if (SCORES != PROBABILITY)
    v = 1.0 / (1.0 + exp (-v));
  v = clamp (v, 0.0, 1.0);
  v = mix (vec4 (0.0), v, greaterThanEqual (v, from));
  covered += real * step (vec4 (style.amount.y), v);
  return scale * floor (v * 255.0 + 0.5);
}

void draw_block (int left, int top, inout vec4 covered)
{
  ivec4 rows = min (top + ivec4 (0, 1, 2, 3), dec.frame.y - 1);
  vec4 low = lowest_between (rows, dec.inside.z, dec.inside.w);
  vec4 s[4][4], colour = colour_of (0);
  interpolate (on_grid (vec4 (rows), dec.map.y, dec.map.w, dec.grid.y), s);
  [[unroll]] for (int j = 0; j < 4; j++) {
    float real = top + j < dec.frame.y ? 1.0 : 0.0;
    [[unroll]] for (int q = 0; q < 4; q++)
      s[j][q] = strength_of (s[j][q], max (lowest[q], low[j]), real * there[q],
                             colour.w * (1.0 / 65025.0), covered);
    draw_pixels (left, top + j, s[j], colour);
  }
  [[unroll]] for (int j = 0; j < 4 && PLANES > 1; j += 2) {
    vec4 mean[2];
    [[unroll]] for (int h = 0; h < 2; h++) {
      vec4 a = s[j][2 * h] + s[j + 1][2 * h], b = s[j][2 * h + 1] + s[j + 1][2 * h + 1];
      mean[h] = 0.25 * (vec4 (a.xz, b.xz) + vec4 (a.yw, b.yw));
    }
    [[unroll]] for (int p = 1; p < PLANES; p++)
      draw_chroma (p, left, (top + j) >> 1, mean, colour_of (p));
  }
}

// Nothing of a block is drawn or counted: no alpha can be more than the largest number that it is made
// from, and a little for rounding. What is no number is drawn.
bool is_empty (int top)
{
  ivec4 rows = min (top + ivec4 (0, 1, 2, 3), dec.frame.y - 1);
  int first_row = int (on_grid (vec4 (rows), dec.map.y, dec.map.w, dec.grid.y).x);
  vec4 most = vec4 (-1e30);
  [[unroll]] for (int r = 0; r < ROWS; r++) {
    int row = min (first_row + r, dec.grid.y - 1) * dec.grid.w;
    [[unroll]] for (int k = 0; k <= (COLUMNS + 2) / 4; k++)
      most = max (most, texelFetch (numbers4, row + min ((first_column >> 2) + k, dec.grid.w - 1)));
  }
  float v = max (max (most.x, most.y), max (most.z, most.w));
  v += 1e-4 * abs (v);
  if (SCORES != PROBABILITY)
    v = 1.0 / (1.0 + exp (-v)) + 1e-5;
  return v < style.amount.x ? style.amount.y > 0.0 : v < min (0.0019, style.amount.y);
}

void draw_blocks (int left, int top, int end, inout vec4 covered)
{
  int y = top;
  do {
    draw_block (left, y, covered);
    y += 4;
  } while (y < end);
}

// llvmpipe goes through what is under an `if` in any case, but leaves loops.
void draw_some_blocks (int left, int top, int end, inout vec4 covered)
{
  uint todo = 0u, bit = 1u;
  int y = top;
  do {
    todo |= is_empty (y) ? 0u : bit;
    bit <<= 1;
    y += 4;
  } while (y < end);
  bool some = todo != 0u;
  do {
    if (some)
      draw_block (left, top + 4 * findLSB (todo), covered);
    todo &= todo - 1u;
  } while (todo != 0u);
}

void main ()
{
  int i = int (gl_GlobalInvocationID.x + gl_GlobalInvocationID.y * gl_NumWorkGroups.x * 64u);
  int wide = (dec.frame.x + 15) >> 4, top = i / wide;
  int left = 16 * (i - top * wide);
  top *= 4 * BLOCKS;
  if (top >= dec.frame.y)
    return;
  always = i >= 0;
  vec4 covered = vec4 (0.0);
  read_columns (left);
  int end = min (top + 4 * BLOCKS, dec.frame.y);
  if (IN_PLACE != 0)
    draw_some_blocks (left, top, end, covered);
  else
    draw_blocks (left, top, end, covered);
  uint all = uint (min (16, dec.frame.x - left) * (end - top)), n = uint (dot (covered, vec4 (1.0)));
  if (n > 0u)
    atomicAdd (counts.data[1], n);
  if (n < all)
    atomicAdd (counts.data[0], all - n);
}
