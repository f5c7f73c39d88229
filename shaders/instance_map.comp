#version 450
#extension GL_GOOGLE_include_directive : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// For each pixel of the frame: the instance that it belongs to, the largest of their probabilities,
// and what is drawn of boxes and labels. Masks are interpolated as probabilities; of several that
// reach the threshold the one wins whose probability times score is the largest (MaskFormer, Cheng
// et al. 2021). Four pixels of a row an invocation.
#define SEG_DRAWING 0
#include "lib/draws.glsl"

layout (local_size_x = 64) in;
layout (constant_id = 0) const int CLASSES = 0; // the map has classes, not numbers of instances
layout (constant_id = 1) const int MASKS = 1;
layout (constant_id = 2) const int BOXES = 0;
layout (constant_id = 3) const int LABELS = 0;
layout (constant_id = 4) const int FILLED = 0; // what has no mask has all of its box
layout (constant_id = 5) const int NEAREST = 0;
layout (binding = 1) uniform usamplerBuffer draws;
layout (binding = 2) uniform usamplerBuffer masks; // a pixel each
layout (binding = 3) uniform usamplerBuffer atlas; // coverage of the text
layout (binding = 4) writeonly buffer Map { uint data[]; } map;
layout (binding = 5) writeonly buffer Matte { uint data[]; } matte;
layout (binding = 6) writeonly buffer Ink { uvec2 data[]; } ink; // instance, coverage of text << 8

uvec4 owners;        // of the four pixels: map, matte, ink
vec4 probabilities, best;
uvec4 inks;
bvec4 labelled;

float mask_pixel (ivec4 mask, ivec2 p)
{
  p = clamp (p, ivec2 (0), mask.zw - 1);
  return float (texelFetch (masks, mask.x + p.y * mask.y + p.x).x);
}

float mask_value (ivec4 mask, vec2 at)
{
  if (NEAREST != 0)
    return mask_pixel (mask, ivec2 (floor (at + 0.5))) * (1.0 / 255.0);
  vec2 low = floor (at), f = at - low;
  ivec2 p = ivec2 (low);
  return mix (mix (mask_pixel (mask, p), mask_pixel (mask, p + ivec2 (1, 0)), f.x),
              mix (mask_pixel (mask, p + ivec2 (0, 1)), mask_pixel (mask, p + 1), f.x), f.y)
      * (1.0 / 255.0);
}

bool within (ivec2 p, ivec4 r)
{
  return all (greaterThanEqual (p, r.xy)) && all (lessThan (p, r.zw));
}

// Past the end of a row its last pixel goes on: chroma samples reach there.
ivec2 pixel (int x, int y, int e)
{
  return ivec2 (min (x + e, drawing.frame.x - 1), y);
}

void add_masks (int i, int x, int y, ivec4 box)
{
  ivec4 mask = ivec4 (texelFetch (draws, draw_at (i, DRAW_MASK)));
  vec4 place = uintBitsToFloat (texelFetch (draws, draw_at (i, DRAW_PLACE)));
  uvec4 text = texelFetch (draws, draw_at (i, DRAW_TEXT));
  uint name = CLASSES != 0 ? min (text.w, 254u) : uint (i + 1);
  float score = uintBitsToFloat (text.z);
  if (mask.z == 0 && FILLED == 0)
    return;
  for (int e = 0; e < 4; e++) {
    ivec2 p = pixel (x, y, e);
    if (!within (p, box))
      continue;
    float v = mask.z == 0 ? 1.0 : mask_value (mask, vec2 (p) * place.xy + place.zw);
    if (v >= drawing.amount.x && v * score > best[e]) {
      owners[e] = name;
      best[e] = v * score;
    }
    probabilities[e] = max (probabilities[e], v);
  }
}

void add_lines (int i, int x, int y, ivec4 box)
{
  int w = drawing.frame.w;
  ivec4 inner = box + ivec4 (w, w, -w, -w);
  for (int e = 0; e < 4; e++) {
    ivec2 p = pixel (x, y, e);
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

void add_label (int i, int x, int y)
{
  ivec4 label = ivec4 (texelFetch (draws, draw_at (i, DRAW_LABEL)));
  ivec4 text = ivec4 (texelFetch (draws, draw_at (i, DRAW_TEXT)));
  for (int e = 0; e < 4; e++) {
    ivec2 p = pixel (x, y, e);
    if (!labelled[e] && within (p, label)) {
      labelled[e] = true;
      inks[e] = uint (i + 1) | text_at (p - label.xy, text) << 8;
    }
  }
}

uint pack (uvec4 v)
{
  return v.x | v.y << 8 | v.z << 16 | v.w << 24;
}

void main ()
{
  int at = int (gl_GlobalInvocationID.x + gl_GlobalInvocationID.y * gl_NumWorkGroups.x * 64u);
  if (at >= drawing.frame.z * drawing.frame.y)
    return;
  int y = at / drawing.frame.z, x = min (4 * (at - y * drawing.frame.z), drawing.frame.x - 1);
  int n = int (texelFetch (draws, 0).x);
  owners = uvec4 (drawing.choice.x);
  probabilities = best = vec4 (0.0);
  inks = uvec4 (0u);
  labelled = bvec4 (false);
  for (int i = 0; i < n; i++) {
    ivec4 extent = ivec4 (texelFetch (draws, draw_at (i, DRAW_EXTENT)));
    if (y < extent.y || y >= extent.w || x + 3 < extent.x || x >= extent.z)
      continue;
    ivec4 box = ivec4 (texelFetch (draws, draw_at (i, DRAW_BOX)));
    if (MASKS != 0)
      add_masks (i, x, y, box);
    if (BOXES != 0)
      add_lines (i, x, y, box);
    if (LABELS != 0)
      add_label (i, x, y);
  }
  map.data[at] = pack (owners);
  matte.data[at] = pack (uvec4 (probabilities * 255.0 + 0.5));
  if (BOXES != 0 || LABELS != 0)
    ink.data[at] = uvec2 (inks.x | inks.y << 16, inks.z | inks.w << 16);
}
