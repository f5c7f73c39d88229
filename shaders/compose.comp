#version 450
#extension GL_GOOGLE_include_directive : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// Draws the classes into one plane of the frame, in the frame's own format. An invocation makes
// four samples of the plane: whole words. A sample that covers several pixels (chroma) gets the
// mean of what happens to them; a sample that nothing touches keeps its bits.
#define SEG_STYLE 0
#define SEG_DECODE 1
#include "lib/decode.glsl"

layout (local_size_x = 64) in;
layout (constant_id = 0) const int BYTES = 1; // of a sample
layout (constant_id = 1) const int HSUB = 0;
layout (constant_id = 2) const int VSUB = 0;
layout (constant_id = 3) const int PLANE = 0;
layout (constant_id = 4) const int PAIR = 0; // a sample is two pixels: 1 YUY2, 2 UYVY
layout (constant_id = 5) const int SOFT = 0; // strength by the matte
layout (constant_id = 6) const int CHANGED = 1; // bytes of a sample that are colour

layout (std140, binding = 2) uniform Plane {
  ivec4 place; // in words: offset and stride of the source, of the result
  ivec4 size;  // groups of four samples in a row, rows
} plane;
layout (binding = 3) uniform usamplerBuffer source;  // four bytes each
layout (binding = 4) uniform usamplerBuffer labels;  // four pixels each
layout (binding = 5) uniform usamplerBuffer mattes;  // four pixels each
layout (binding = 6) uniform usamplerBuffer colours; // a class each: bytes per plane, strength
layout (binding = 7) writeonly buffer Output { uint data[]; } result;

layout (std140, binding = 8) uniform Legend {
  ivec4 box;   // x, y, width, height of a row; width 0: none
  ivec4 parts; // margin, side of a swatch, x of the text, width of the atlas
  ivec4 limit;
} legend;
layout (binding = 9) readonly buffer Rows { uint n; uint values[256]; } rows;
layout (binding = 10) uniform usamplerBuffer atlas; // coverage of the labels' text

const int TEXT = 256, PANEL = 257; // their colours

// What is drawn over a sample, and over a pixel: what is there * through + paint.
vec4 through[4], paint[4];
struct Layer {
  float through;
  vec4 paint;
};

vec4 unpack (uint v)
{
  return vec4 (uvec4 (v, v >> 8, v >> 16, v >> 24) & 255u);
}

// How much of each byte of a sample belongs to its pixel dx.
vec4 role (int dx)
{
  if (PAIR == 1)
    return dx == 0 ? vec4 (1.0, 0.5, 0.0, 0.5) : vec4 (0.0, 0.5, 1.0, 0.5);
  if (PAIR == 2)
    return dx == 0 ? vec4 (0.5, 1.0, 0.5, 0.0) : vec4 (0.5, 0.0, 0.5, 1.0);
  vec4 all = vec4 (1.0 / float (1 << (HSUB + VSUB)));
  return mix (vec4 (0.0), all, lessThan (ivec4 (0, 1, 2, 3), ivec4 (CHANGED)));
}

// Draws a colour of the table with the table's strength, times a.
void draw (inout Layer l, uint colour, float a)
{
  uvec4 entry = texelFetch (colours, int (colour));
  a *= uintBitsToFloat (entry.w);
  l.through *= 1.0 - a;
  l.paint = l.paint * (1.0 - a) + a * unpack (entry[PLANE]);
}

void draw_solid (inout Layer l, uint colour, float a)
{
  l.through *= 1.0 - a;
  l.paint = l.paint * (1.0 - a) + a * unpack (texelFetch (colours, int (colour))[PLANE]);
}

// The borders of classes: where the pixel to the right or below is of another. The class to
// outline + 1, or 0.
uvec4 border (uvec4 l, int x, int y)
{
  int row = y * dec.frame.z;
  int below = min (y + 1, dec.frame.y - 1) * dec.frame.z;
  uvec4 b = texelFetch (labels, below + x);
  uvec4 r = uvec4 (l.yzw, x + 1 < dec.frame.z ? texelFetch (labels, row + x + 1).x : l.w);
  uvec4 none = uvec4 (style.choice.x);
  uvec4 other = mix (r, b, notEqual (b, l));
  return mix (uvec4 (0u), mix (l, other, equal (l, none)) + 1u, notEqual (other, l));
}

// Position in the legend; y counts rows' pixels.
void draw_legend (inout Layer l, ivec2 at)
{
  int height = int (rows.n) * legend.box.w;
  if (at.x < 0 || at.x >= legend.box.z || at.y < -legend.parts.x / 2
      || at.y >= height + legend.parts.x / 2)
    return;
  draw (l, uint (PANEL), 1.0);
  if (at.y < 0 || at.y >= height)
    return;
  int row = at.y / legend.box.w;
  ivec2 p = ivec2 (at.x, at.y - row * legend.box.w);
  uint value = rows.values[row];
  ivec2 swatch = p - ivec2 (legend.parts.x, (legend.box.w - legend.parts.y) / 2);
  if (all (greaterThanEqual (swatch, ivec2 (0))) && all (lessThan (swatch, legend.parts.yy)))
    draw_solid (l, value, 1.0);
  p.x -= legend.parts.z;
  if (p.x >= 0 && p.x < legend.parts.w) {
    int texel = (int (value) * legend.box.w + p.y) * legend.parts.w + p.x;
    draw_solid (l, uint (TEXT), float (texelFetch (atlas, texel).x) * (1.0 / 255.0));
  }
}

// Pixels 4x .. 4x+3 of row y: parts of samples `first` and on.
void draw_four (int x, int y, int first)
{
  int at = y * dec.frame.z + x;
  uvec4 l = texelFetch (labels, at);
  vec4 strength = SOFT != 0 ? vec4 (texelFetch (mattes, at)) * (1.0 / 255.0) : vec4 (1.0);
  bool borders = (style.choice.y & DRAW_CONTOURS) != 0;
  uvec4 is = borders ? border (l, x, y) : uvec4 (0u);
  bool listed = (style.choice.y & DRAW_LEGEND) != 0 && legend.box.z > 0 && rows.n > 0u
      && 4 * x < legend.box.x + legend.box.z;
  for (int e = 0; e < 4; e++) {
    Layer layer = Layer (1.0, vec4 (0.0));
    draw (layer, SOFT != 0 ? 1u : l[e], strength[e]);
    if (is[e] != 0u)
      draw_solid (layer, is[e] - 1u, 1.0);
    if (listed)
      draw_legend (layer, ivec2 (4 * x + e, y) - legend.box.xy - ivec2 (0, legend.parts.x / 2));
    int s = first + (e >> HSUB);
    vec4 part = role (e & ((1 << HSUB) - 1));
    through[s] += part * (layer.through - 1.0);
    paint[s] += part * layer.paint;
  }
}

void main ()
{
  int i = int (gl_GlobalInvocationID.x + gl_GlobalInvocationID.y * gl_NumWorkGroups.x * 64u);
  if (i >= plane.size.x * plane.size.y)
    return;
  int y = i / plane.size.x;
  int x = i - y * plane.size.x;
  for (int s = 0; s < 4; s++) {
    through[s] = vec4 (1.0);
    paint[s] = vec4 (0.0);
  }
  for (int dy = 0; dy < 1 << VSUB; dy++)
    for (int h = 0; h < 1 << HSUB; h++)
      draw_four (min ((x << HSUB) + h, dec.frame.z - 1), min ((y << VSUB) + dy, dec.frame.y - 1),
                 h * (4 >> HSUB));

  int from = plane.place.x + y * plane.place.y + x * BYTES;
  int to = plane.place.z + y * plane.place.w + x * BYTES;
  for (int b = 0; b < BYTES; b++) {
    vec4 v = vec4 (texelFetch (source, from + b));
    uint word = 0u;
    for (int k = 0; k < 4; k++) {
      int s = (4 * b + k) / BYTES, c = (4 * b + k) % BYTES;
      float f = clamp (floor (v[k] * through[s][c] + paint[s][c] + 0.5), 0.0, 255.0);
      word |= uint (f) << (8 * k);
    }
    result.data[to + b] = word;
  }
}
