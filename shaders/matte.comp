#version 450
#extension GL_GOOGLE_include_directive : enable
#extension GL_EXT_control_flow_attributes : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// One number per grid pixel (alpha, or a score) to each pixel of the frame: interpolated, made a
// probability and stored as a byte; and the label map that a threshold gives. A word of four pixels
// of a row an invocation, or as many as UPSCALE says.
#define SEG_DECODE 1
#define SEG_STYLE  2
#include "lib/decode.glsl"
#include "lib/matte.glsl"

layout (local_size_x = 64) in;
layout (constant_id = 0) const int SCORES = PROBABILITY;
layout (constant_id = 1) const int NEAREST = 0;
layout (constant_id = 2) const int UPSCALE = 0; // words that eight columns of the grid hold; 0: not one
layout (constant_id = 3) const int CUT = 0;     // below the threshold the matte is 0
// UPSCALE is 4, and all of the map lies in groups of four words.
layout (constant_id = 4) const int WHOLE = 0;

layout (binding = 0) uniform samplerBuffer numbers;
layout (binding = 3) writeonly buffer Matte { uint data[]; } matte;
layout (binding = 4) writeonly buffer Labels { uint data[]; } labels;
layout (binding = 5) writeonly buffer Matte4 { uvec4 data[]; } matte4; // the same, 16 pixels at a time
layout (binding = 6) writeonly buffer Labels4 { uvec4 data[]; } labels4;

float number (int x, int y)
{
  int i = y * dec.grid.w * 4 + x;
  return texelFetch (numbers, i >> 2)[i & 3];
}

float smooth_number (vec2 p)
{
  ivec2 a = ivec2 (p), b = min (a + 1, dec.grid.xy - 1);
  vec2 f = p - vec2 (a);
  return mix (mix (number (a.x, a.y), number (b.x, a.y), f.x),
              mix (number (a.x, b.y), number (b.x, b.y), f.x), f.y);
}

// Eight columns of the grid from a multiple of four on, between two rows, serve UPSCALE words.
vec4 left, right;

void read_columns (int first, float y)
{
  int y0 = int (y) * dec.grid.w, y1 = min (int (y) + 1, dec.grid.y - 1) * dec.grid.w;
  int second = min (first + 1, dec.grid.w - 1);
  left = mix (texelFetch (numbers, y0 + first), texelFetch (numbers, y1 + first), fract (y));
  right = mix (texelFetch (numbers, y0 + second), texelFetch (numbers, y1 + second), fract (y));
}

// A column's weight is what linear interpolation gives.
vec4 four_numbers (vec4 t)
{
  vec4 r = vec4 (0.0);
  for (int k = 0; k < 4; k++) {
    r += left[k] * max (1.0 - abs (t - float (k)), 0.0);
    r += right[k] * max (1.0 - abs (t - float (k + 4)), 0.0);
  }
  return r;
}

vec4 columns_of (int word)
{
  ivec4 column = min (ivec4 (4 * word) + ivec4 (0, 1, 2, 3), dec.frame.x - 1);
  vec4 x = clamp (vec4 (column) * dec.map.x + dec.map.z, 0.0, float (dec.grid.x - 1));
  return NEAREST != 0 ? floor (x + 0.5) : x;
}

// Four pixels of a row: x of the matte, y of the labels.
uvec2 words_of (int word, int row, vec4 v)
{
  if (SCORES != PROBABILITY)
    v = 1.0 / (1.0 + exp (-v));
  return matte_words (word, row, v, CUT != 0);
}

vec4 numbers_of (int word, float y, int begin)
{
  vec4 x = columns_of (word);
  if (UPSCALE != 0)
    return four_numbers (x - float (4 * begin));
  return vec4 (smooth_number (vec2 (x.x, y)), smooth_number (vec2 (x.y, y)),
               smooth_number (vec2 (x.z, y)), smooth_number (vec2 (x.w, y)));
}

void main ()
{
  int i = int (gl_GlobalInvocationID.x + gl_GlobalInvocationID.y * gl_NumWorkGroups.x * 64u);
  const int each = max (1, UPSCALE);
  int in_row = (dec.region.z + each - 1) / each, down = i / max (in_row, 1);
  if (in_row == 0 || down >= dec.region.w)
    return;
  int row = dec.region.y + down, first = each * (i - down * in_row);
  int end = dec.region.x + dec.region.z;
  float y = clamp (float (row) * dec.map.y + dec.map.w, 0.0, float (dec.grid.y - 1));
  if (NEAREST != 0)
    y = floor (y + 0.5);
  int begin = int (columns_of (dec.region.x + first).x) >> 2;
  if (UPSCALE != 0)
    read_columns (begin, y);
  int word = dec.region.x + first, at = row * dec.frame.z + word;
  uvec2 words[4];
  [[unroll]] for (int w = 0; w < 4 && w < each; w++)
    words[w] = words_of (word + w, row, numbers_of (word + w, y, begin));
  if (WHOLE != 0) {
    matte4.data[at >> 2] = uvec4 (words[0].x, words[1].x, words[2].x, words[3].x);
    labels4.data[at >> 2] = uvec4 (words[0].y, words[1].y, words[2].y, words[3].y);
    return;
  }
  [[unroll]] for (int w = 0; w < 4 && w < each; w++)
    if (word + w < end) {
      matte.data[at + w] = words[w].x;
      labels.data[at + w] = words[w].y;
    }
}
