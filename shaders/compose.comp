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

// What is drawn over a sample: sample * through + paint.
vec4 through[4], paint[4];

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

void draw_pixel (int s, vec4 part, uint label, float strength)
{
  uvec4 entry = texelFetch (colours, int (label));
  float a = uintBitsToFloat (entry.w) * strength;
  through[s] -= part * a;
  paint[s] += part * a * unpack (entry[PLANE]);
}

// The borders of classes: where the pixel to the right or below is of another.
uvec4 border (uvec4 l, int x, int y)
{
  int row = y * dec.frame.z;
  int below = min (y + 1, dec.frame.y - 1) * dec.frame.z;
  uvec4 b = texelFetch (labels, below + x);
  uvec4 r = uvec4 (l.yzw, texelFetch (labels, row + min (x + 1, dec.frame.z - 1)).x);
  uvec4 none = uvec4 (style.choice.x);
  uvec4 other = mix (r, b, notEqual (b, l));
  uvec4 is = mix (uvec4 (0u), mix (l, other, equal (l, none)) + 1u, notEqual (other, l));
  return mix (is, uvec4 (0u), greaterThanEqual (uvec4 (4 * x) + uvec4 (1, 2, 3, 4),
                                               uvec4 (dec.frame.x)));
}

void draw_border (int s, vec4 part, uint is)
{
  if (is == 0u)
    return;
  vec4 colour = unpack (texelFetch (colours, int (is - 1u))[PLANE]);
  through[s] *= 1.0 - part;
  paint[s] = paint[s] * (1.0 - part) + part * colour;
}

// Pixels 4x .. 4x+3 of row y: parts of samples `first` and on.
void draw_four (int x, int y, int first)
{
  int at = y * dec.frame.z + x;
  uvec4 l = texelFetch (labels, at);
  vec4 strength = SOFT != 0 ? vec4 (texelFetch (mattes, at)) * (1.0 / 255.0) : vec4 (1.0);
  bool borders = (style.choice.y & DRAW_CONTOURS) != 0;
  uvec4 is = borders ? border (l, x, y) : uvec4 (0u);
  for (int e = 0; e < 4; e++) {
    int s = first + (e >> HSUB);
    vec4 part = role (e & ((1 << HSUB) - 1));
    draw_pixel (s, part, SOFT != 0 ? 1u : l[e], strength[e]);
    if (borders)
      draw_border (s, part, is[e]);
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
