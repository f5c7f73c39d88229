#version 450
#extension GL_GOOGLE_include_directive : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// RoiAlign: an invocation makes four channels of a cell of a region. A region of a picture below
// 0 is not there.
#include "lib/rows.glsl"
#include "lib/store.glsl"

layout (local_size_x = 64) in;
layout (constant_id = 0) const bool IS_MAX = false;
layout (constant_id = 1) const bool HALF_PIXEL = true;
layout (constant_id = 2) const int SAMPLES = 0; // to a side of a cell; 0: by its size
layout (constant_id = 3) const int MAX_SAMPLES = 64;
layout (constant_id = 4) const int COLUMNS = 4; // of a region: a box; 5: its picture, and a box
layout (constant_id = 5) const int OF_ROW = 0; // items of a counted row

layout (binding = 0) uniform samplerBuffer source;
layout (binding = 1) uniform samplerBuffer regions;
layout (binding = 2) uniform isamplerBuffer pictures;
SEG_OUTPUT (3);
layout (binding = 4) uniform isamplerBuffer live;

layout (push_constant) uniform Push {
  int in_w, in_h, out_w, out_h;
  int in_pitch4, in_offset4, out_pitch4, out_offset4;
  int channels, c4, n_items, n_pictures;
  float scale;
} p;

vec4 pixel_at (int first, int y, int x)
{
  return texelFetch (source, first + (y * p.in_w + x) * p.in_pitch4);
}

// Adds a bilinear sample, or the largest of its weighted corners.
void add_sample (int first, float y, float x, inout vec4 sum)
{
  if (!(y >= -1.0 && y <= float (p.in_h) && x >= -1.0 && x <= float (p.in_w))) {
    sum = IS_MAX ? max (sum, vec4 (0)) : sum;
    return;
  }
  y = min (max (y, 0.0), float (p.in_h - 1));
  x = min (max (x, 0.0), float (p.in_w - 1));
  int y0 = int (y), x0 = int (x);
  int y1 = min (y0 + 1, p.in_h - 1), x1 = min (x0 + 1, p.in_w - 1);
  float fy = y - float (y0), fx = x - float (x0);
  vec4 a = (1.0 - fy) * (1.0 - fx) * pixel_at (first, y0, x0);
  vec4 b = (1.0 - fy) * fx * pixel_at (first, y0, x1);
  vec4 c = fy * (1.0 - fx) * pixel_at (first, y1, x0);
  vec4 d = fy * fx * pixel_at (first, y1, x1);
  sum = IS_MAX ? max (sum, max (max (a, b), max (c, d))) : sum + a + b + c + d;
}

float region_at (int i)
{
  return texelFetch (regions, i >> 2)[i & 3];
}

vec4 box_of (int index)
{
  int i = index * COLUMNS + COLUMNS - 4;
  return COLUMNS == 4 ? texelFetch (regions, index)
                      : vec4 (region_at (i), region_at (i + 1), region_at (i + 2), region_at (i + 3));
}

int picture_of (int index)
{
  return COLUMNS == 4 ? texelFetch (pictures, index >> 2)[index & 3]
                      : int (region_at (index * COLUMNS));
}

int sample_count (float cell)
{
  return SAMPLES > 0 ? SAMPLES : clamp (int (ceil (cell)), 0, MAX_SAMPLES);
}

vec4 pool_cell (int first, vec4 region, int cell_y, int cell_x)
{
  vec2 size = region.zw - region.xy;
  if (!HALF_PIXEL)
    size = max (size, vec2 (1));
  size /= vec2 (p.out_w, p.out_h);
  int n_x = sample_count (size.x), n_y = sample_count (size.y), n = n_x * n_y;
  if (n == 0)
    return vec4 (0);
  vec4 sum = vec4 (IS_MAX ? uintBitsToFloat (0xff800000u) : 0.0);
  for (int j = 0; j < n_y; j++)
    for (int i = 0; i < n_x; i++)
      add_sample (first,
          region.y + (float (cell_y) + (float (j) + 0.5) / float (n_y)) * size.y,
          region.x + (float (cell_x) + (float (i) + 0.5) / float (n_x)) * size.x, sum);
  return IS_MAX ? sum : sum / float (n);
}

void main ()
{
  int item = int (gl_GlobalInvocationID.x + gl_GlobalInvocationID.y * gl_NumWorkGroups.x * 64u);
  if (item >= p.n_items || is_past_rows (live, OF_ROW, item))
    return;
  int cell = item / p.c4, c4 = item - cell * p.c4;
  int row = cell / p.out_w, x = cell - row * p.out_w;
  int index = row / p.out_h, y = row - index * p.out_h;

  int picture = picture_of (index);
  vec4 region = box_of (index) * p.scale - (HALF_PIXEL ? 0.5 : 0.0);
  int first = clamp (picture, 0, p.n_pictures - 1) * p.in_h * p.in_w * p.in_pitch4
              + p.in_offset4 + c4;
  vec4 v = vec4 (0);
  if (picture >= 0 && all (lessThan (abs (region), vec4 (1e9))))
    v = pool_cell (first, region, y, x);
  bvec4 real = lessThan (ivec4 (4 * c4) + ivec4 (0, 1, 2, 3), ivec4 (p.channels));
  store4 (p.out_offset4 + cell * p.out_pitch4 + c4, mix (vec4 (0), v, real));
}
