#version 450
#extension GL_GOOGLE_include_directive : enable
#extension GL_EXT_control_flow_attributes : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// Resizes maps whose channels lie together by two taps along each axis, four channels an invocation, or eight
// (STORE_TEXELS): what resize.comp does for any layout and number of taps. An invocation makes ROWS x COLUMNS pixels
// that are made of the same four.
#include "lib/divide.glsl"
#include "lib/store.glsl"

layout (local_size_x = 64) in;
layout (constant_id = 0) const int ROWS = 1;
layout (constant_id = 1) const int COLUMNS = 1;

layout (binding = 0) uniform samplerBuffer source;
layout (binding = 1) uniform isamplerBuffer y_taps; // a row's: two offsets in texels, two weights
layout (binding = 2) uniform isamplerBuffer x_taps; // a column's
SEG_OUTPUT (3);

struct Push {
  int in_image4, in_offset4; // texels from an image to the next; of the first
  int out_w, out_h, out_pitch4, out_offset4;
  int before_y, before_x; // how far the first rows, columns, reach over the edge
  int lines, columns;     // of ROWS x COLUMNS pixels in an image
  int channels, items4, n_items; // items4: invocations for such pixels
};
layout (push_constant) uniform PushConstants {
  Push push;
};
Push p; // a copy; lib/strided.glsl says why

ivec4 y[ROWS], x[COLUMNS];
int out_y[ROWS], out_x[COLUMNS];

void find (int image, int line, int column)
{
  [[unroll]] for (int i = 0; i < ROWS; i++) {
    int at = clamp (line * ROWS - p.before_y + i, 0, p.out_h - 1);
    out_y[i] = (image * p.out_h + at) * p.out_w;
    y[i] = texelFetch (y_taps, at);
  }
  [[unroll]] for (int j = 0; j < COLUMNS; j++) {
    out_x[j] = clamp (column * COLUMNS - p.before_x + j, 0, p.out_w - 1);
    x[j] = texelFetch (x_taps, out_x[j]);
  }
}

vec4 weigh (ivec4 taps, vec4 first, vec4 second)
{
  vec2 weight = intBitsToFloat (taps.zw);
  return weight.x * first + weight.y * second;
}

void main ()
{
  p = push;
  int item = int (gl_GlobalInvocationID.x + gl_GlobalInvocationID.y * gl_NumWorkGroups.x * 64u);
  item = min (item, p.n_items - 1); // the last one may be made again
  int block = divide (item, p.items4), c4 = (item - block * p.items4) * STORE_TEXELS;
  int line = divide (block, p.columns), image = divide (line, p.lines);
  find (image, line - image * p.lines, block - line * p.columns);
  int at = image * p.in_image4 + p.in_offset4 + c4;
  vec4 v[ROWS][COLUMNS][STORE_TEXELS];
  [[unroll]] for (int k = 0; k < STORE_TEXELS; k++) {
    bvec4 real = lessThan (ivec4 (4 * (c4 + k)) + ivec4 (0, 1, 2, 3), ivec4 (p.channels));
    int above = at + y[0].x + k, below = at + y[0].y + k;
    vec4 a = texelFetch (source, above + x[0].x), b = texelFetch (source, above + x[0].y);
    vec4 c = texelFetch (source, below + x[0].x), d = texelFetch (source, below + x[0].y);
    [[unroll]] for (int j = 0; j < COLUMNS; j++) {
      vec4 top = weigh (x[j], a, b), bottom = weigh (x[j], c, d);
      [[unroll]] for (int i = 0; i < ROWS; i++)
        v[i][j][k] = mix (vec4 (0), weigh (y[i], top, bottom), real);
    }
  }
  [[unroll]] for (int i = 0; i < ROWS; i++)
    [[unroll]] for (int j = 0; j < COLUMNS; j++)
      store_texels (p.out_offset4 + (out_y[i] + out_x[j]) * p.out_pitch4 + c4, v[i][j]);
}
