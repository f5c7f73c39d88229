#version 450
#extension GL_GOOGLE_include_directive : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// What is drawn of boxes and labels: for each pixel the instance whose line or label is on top, and how
// much of its text covers it. Four pixels of a row an invocation; a workgroup goes from tile to tile of those
// where something is drawn. The rest is filled before. See instance_map.comp.
#define SEG_DRAWING 0
#include "lib/draws.glsl"

layout (local_size_x = 64) in;
layout (constant_id = 0) const int BOXES = 0;
layout (constant_id = 1) const int LABELS = 0;
layout (binding = 1) uniform usamplerBuffer draws;
layout (binding = 2) uniform usamplerBuffer tiles;
layout (binding = 3) uniform usamplerBuffer atlas; // coverage of the text
layout (binding = 4) writeonly buffer Ink { uvec2 data[]; } ink; // instance, coverage of text << 8
#include "lib/tiles.glsl"

uvec4 inks; // of the four pixels
bvec4 labelled;

bool within (ivec2 p, ivec4 r)
{
  return all (greaterThanEqual (p, r.xy)) && all (lessThan (p, r.zw));
}

void add_lines (int i, ivec4 px, int y)
{
  int w = drawing.frame.w;
  ivec4 box = ivec4 (texelFetch (draws, draw_at (i, DRAW_BOX)));
  ivec4 inner = box + ivec4 (w, w, -w, -w);
  for (int e = 0; e < 4; e++) {
    ivec2 p = ivec2 (px[e], y);
    if (inks[e] == 0u && within (p, box) && !within (p, inner))
      inks[e] = uint (i + 1);
  }
}

// Coverage of the label's text at a place in it: the class, then the score as 0.87.
uint text_at (ivec2 p, ivec4 text)
{
  int pad = drawing.text.y, dot_width = drawing.text.z, digit_width = drawing.text.w;
  int x = p.x - pad, row = text.x, from = x;
  int percent = int (intBitsToFloat (text.z) * 100.0 + 0.5);
  if (x >= text.y + pad) {
    x -= text.y + pad;
    row = 0;
    int digit = (x - dot_width) / digit_width;
    int number = digit == 0 ? percent / 10 % 10 : percent % 10;
    from = x < dot_width ? x + (percent >= 100 ? dot_width : 0)
                         : 2 * dot_width + number * digit_width + (x - dot_width) % digit_width;
    if (x >= dot_width + 2 * digit_width)
      return 0u;
  } else if (x >= text.y)
    return 0u;
  if (x < 0)
    return 0u;
  return texelFetch (atlas, (row * drawing.text.x + p.y) * drawing.atlas.x + from).x;
}

void add_label (int i, ivec4 px, int y)
{
  ivec4 label = ivec4 (texelFetch (draws, draw_at (i, DRAW_LABEL)));
  ivec4 text = ivec4 (texelFetch (draws, draw_at (i, DRAW_TEXT)));
  for (int e = 0; e < 4; e++) {
    ivec2 p = ivec2 (px[e], y);
    if (!labelled[e] && within (p, label)) {
      labelled[e] = true;
      inks[e] = uint (i + 1) | text_at (p - label.xy, text) << 8;
    }
  }
}

void fill_tile (int tile)
{
  ivec2 at = tile_pixels (tile);
  ivec4 px = min (ivec4 (at.x) + ivec4 (0, 1, 2, 3), drawing.frame.x - 1);
  int n = int (texelFetch (draws, 0).x);
  inks = uvec4 (0u);
  labelled = bvec4 (false);
  for (int w = 0; 32 * w < n; w++) {
    uint lines = BOXES != 0 ? tile_word (tile, PART_LINES, w) : 0u;
    for (uint bits = lines; bits != 0u; bits &= bits - 1u)
      add_lines (32 * w + findLSB (bits), px, at.y);
  }
  for (int w = 0; 32 * w < n; w++) {
    uint labels = LABELS != 0 ? tile_word (tile, PART_LABEL, w) : 0u;
    for (uint bits = labels; bits != 0u; bits &= bits - 1u)
      add_label (32 * w + findLSB (bits), px, at.y);
  }
  if (tile_has (at))
    ink.data[tile_map_word (at)] = uvec2 (inks.x | inks.y << 16, inks.z | inks.w << 16);
}

void main ()
{
  int n_groups = int (gl_NumWorkGroups.x);
  for (int k = int (gl_WorkGroupID.x); k < tiles_in_list (TILES_OF_INK); k += n_groups)
    fill_tile (tile_in_list (TILES_OF_INK, k));
}
