#version 450
#extension GL_GOOGLE_include_directive : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// GridSample: an invocation makes four channels of an output pixel. gst/ops/grid-sample.c is the
// specification.
#include "lib/store.glsl"

layout (local_size_x = 64) in;
layout (constant_id = 0) const int MODE = 0;
layout (constant_id = 1) const int PADDING = 0;
layout (constant_id = 2) const bool ALIGN_CORNERS = false;
const int NEAREST = 0, LINEAR = 1, CUBIC = 2;
const int ZEROS = 0, BORDER = 1, REFLECTION = 2;
const int TAPS = MODE == NEAREST ? 1 : MODE == LINEAR ? 2 : 4;
const float CUBIC_A = -0.75, FAR = 1e6;

layout (binding = 0) uniform samplerBuffer source;
layout (binding = 1) uniform samplerBuffer grid;
SEG_OUTPUT (2);

layout (push_constant) uniform Push {
  int in_w, in_h, out_w, out_h;
  int in_pitch4, in_offset4, out_pitch4, out_offset4;
  int channels, c4, n_items;
  int grid_offset, grid_n, grid_y, grid_x, grid_k; // offset and strides in elements
  float first_x, last_x, first_y, last_y;          // the ends of the axes
} p;

float grid_at (int i)
{
  return texelFetch (grid, i >> 2)[i & 3];
}

float reflected (float x, float first, float last)
{
  float range = last - first;
  if (!(range > 0.0))
    return first;
  float away = x < first ? first - x : x > last ? x - last : -1.0;
  if (away < 0.0)
    return x;
  float turns = floor (away / range), rest = away - turns * range;
  bool even = mod (turns, 2.0) == 0.0;
  return (x < first) == even ? first + rest : last - rest;
}

float locate (float place, int extent, float first, float last)
{
  float x = ALIGN_CORNERS ? (place + 1.0) / 2.0 * float (extent - 1)
                          : ((place + 1.0) * float (extent) - 1.0) / 2.0;
  x = x > -FAR ? min (x, FAR) : -FAR; // a NaN too
  if (MODE == NEAREST)
    x = roundEven (x);
  if (PADDING == BORDER && (x < first || x > last))
    x = clamp (x, 0.0, float (extent - 1));
  return PADDING == REFLECTION ? reflected (x, first, last) : x;
}

int pixel_of (int i, int extent, float first, float last)
{
  if (i >= 0 && i < extent)
    return i;
  if (PADDING == ZEROS)
    return -1;
  if (PADDING == REFLECTION)
    i = int (reflected (float (i), first, last));
  return clamp (i, 0, extent - 1);
}

float weight_of (int k, float part)
{
  if (MODE == NEAREST)
    return 1.0;
  if (MODE == LINEAR)
    return k == 0 ? 1.0 - part : part;
  float d = abs (part - float (k - 1));
  if (d <= 1.0)
    return ((CUBIC_A + 2.0) * d - (CUBIC_A + 3.0)) * d * d + 1.0;
  return ((CUBIC_A * d - 5.0 * CUBIC_A) * d + 8.0 * CUBIC_A) * d - 4.0 * CUBIC_A;
}

vec4 take_sample (int picture, float y, float x)
{
  ivec2 base = MODE == NEAREST ? ivec2 (x, y) : ivec2 (floor (vec2 (x, y)));
  vec2 part = vec2 (x, y) - floor (vec2 (x, y));
  int before = MODE == CUBIC ? 1 : 0;
  vec4 sum = vec4 (0);
  for (int j = 0; j < TAPS; j++) {
    int row = pixel_of (base.y + j - before, p.in_h, p.first_y, p.last_y);
    for (int i = 0; i < TAPS; i++) {
      int column = pixel_of (base.x + i - before, p.in_w, p.first_x, p.last_x);
      if (row >= 0 && column >= 0)
        sum += weight_of (j, part.y) * weight_of (i, part.x)
               * texelFetch (source, picture + (row * p.in_w + column) * p.in_pitch4);
    }
  }
  return sum;
}

void main ()
{
  int item = int (gl_GlobalInvocationID.x + gl_GlobalInvocationID.y * gl_NumWorkGroups.x * 64u);
  if (item >= p.n_items)
    return;
  int place = item / p.c4, c4 = item - place * p.c4;
  int row = place / p.out_w, x = place - row * p.out_w;
  int n = row / p.out_h, y = row - n * p.out_h;

  int at = p.grid_offset + n * p.grid_n + y * p.grid_y + x * p.grid_x;
  float from_x = locate (grid_at (at), p.in_w, p.first_x, p.last_x);
  float from_y = locate (grid_at (at + p.grid_k), p.in_h, p.first_y, p.last_y);
  vec4 v = take_sample (p.in_offset4 + n * p.in_h * p.in_w * p.in_pitch4 + c4, from_y, from_x);
  bvec4 real = lessThan (ivec4 (4 * c4) + ivec4 (0, 1, 2, 3), ivec4 (p.channels));
  store4 (p.out_offset4 + place * p.out_pitch4 + c4, mix (vec4 (0), v, real));
}
