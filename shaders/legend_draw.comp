#version 450
#extension GL_GOOGLE_include_directive : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// Draws the legend over one plane of the result: a panel with a swatch and a label a row. Only the
// legend's box is visited, four samples an invocation.
#define SEG_LEGEND 0
#define SEG_ROWS 1
#define SEG_PLANE 2
#define SEG_COLOURS 3
#include "lib/legend.glsl"
#include "lib/sample.glsl"

layout (local_size_x = 64) in;
layout (binding = 4) uniform usamplerBuffer atlas; // coverage of the labels' text
layout (binding = 5) buffer Output { uint data[]; } result;

const int TEXT = 256, PANEL = 257; // their colours

// What is at a position in the box: a colour of the table, and how much of it.
void legend_pixel (ivec2 at, out vec4 colour, out float a)
{
  int pad = legend.parts.x / 2, height = int (rows.n) * legend.box.w;
  int row = clamp ((at.y - pad) / legend.box.w, 0, 255);
  ivec2 p = ivec2 (at.x, at.y - pad - row * legend.box.w);
  uint value = rows.values[row];
  ivec2 swatch = p - ivec2 (legend.parts.x, (legend.box.w - legend.parts.y) / 2);
  bool in_rows = at.y >= pad && at.y < pad + height;
  bool in_swatch = in_rows && all (greaterThanEqual (swatch, ivec2 (0)))
      && all (lessThan (swatch, legend.parts.yy));
  p.x -= legend.parts.z;
  bool in_text = in_rows && p.x >= 0 && p.x < legend.parts.w;
  int texel = in_text ? (int (value) * legend.box.w + p.y) * legend.parts.w + p.x : 0;
  float text = in_text ? float (texelFetch (atlas, texel).x) * (1.0 / 255.0) : 0.0;

  uvec4 panel = texelFetch (colours, PANEL);
  vec4 ink = sample_colour (texelFetch (colours, in_swatch ? int (value) : TEXT));
  float over = in_swatch ? 1.0 : text, under = float (panel.w) * (1.0 / 255.0) * (1.0 - over);
  bool in_box = rows.n > 0u && at.x >= 0 && at.x < legend.box.z && at.y >= 0
      && at.y < height + 2 * pad;
  a = in_box ? over + under : 0.0;
  colour = (ink * over + sample_colour (panel) * under) / max (over + under, 1e-6);
}

void main ()
{
  int i = int (gl_GlobalInvocationID.x + gl_GlobalInvocationID.y * gl_NumWorkGroups.x * 64u);
  // The box in groups of four samples.
  int wide = 4 << HSUB;
  int first = legend.box.x / wide, n = (legend.box.x + legend.box.z + wide - 1) / wide - first;
  int top = legend.box.y >> VSUB;
  int y = top + i / n, x = first + i % n;
  if (x >= plane.size.x || y >= plane.size.y || y << VSUB >= legend.box.y + legend.limit.z)
    return;
  sample_begin ();
  for (int dy = 0; dy < 1 << VSUB; dy++)
    for (int e = 0; e < 4 << HSUB; e++) {
      vec4 colour;
      float a;
      legend_pixel (ivec2 (x * wide + e, (y << VSUB) + dy) - legend.box.xy, colour, a);
      sample_draw (0, e, colour, a);
    }
  int to = plane.place.z + y * plane.place.w + x * BYTES;
  for (int b = 0; b < BYTES; b++) {
    uint old = result.data[to + b];
    result.data[to + b] = sample_word (b, uvec4 (old, old >> 8, old >> 16, old >> 24) & 255u);
  }
}
