#version 450
#extension GL_GOOGLE_include_directive : enable
#extension GL_EXT_control_flow_attributes : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// Puts another background behind one plane of the frame, in the frame's own format: of each sample as
// much stays as the matte says, the rest comes from a picture that lies as the frame does, or from
// the small one that backdrop_blur.comp has made. An invocation makes four samples, or groups of as many as are four words.
#define SEG_DECODE 0
#define SEG_STYLE  7
#define SEG_PLANE  1
#include "lib/decode.glsl"
#include "lib/sample.glsl"
#include "lib/backdrop.glsl"

layout (local_size_x = 64) in;
layout (constant_id = 5) const int SIZE = 0; // of the small picture; 0: the other
// Which component of the small picture each byte of a sample is.
layout (constant_id = 6) const int FIRST = 0;
layout (constant_id = 7) const int SECOND = 1;
layout (constant_id = 8) const int THIRD = 2;
layout (constant_id = 9) const int GROUPS = 1; // groups of four samples; if more, four words

layout (binding = 2) uniform usamplerBuffer source;   // four bytes each
layout (binding = 3) uniform usamplerBuffer mattes;   // four pixels each
layout (binding = 4) uniform usamplerBuffer picture;  // as source
layout (binding = 5) uniform samplerBuffer small;
layout (binding = 6) writeonly buffer Output { uint data[]; } result;
layout (binding = 8) writeonly buffer Output4 { uvec4 data[]; } result4; // the same

vec4 small_row (ivec2 n, int x0, int x1, float part, int y)
{
  return mix (texelFetch (small, y * n.x + x0), texelFetch (small, y * n.x + x1), part);
}

// The small picture at a position of the frame: the bytes of a sample there.
vec4 behind (vec2 at)
{
  ivec2 n = backdrop_size (dec.frame.xy, SIZE);
  vec2 q = clamp (at / float (SIZE) - 0.5, vec2 (0.0), vec2 (n - 1));
  ivec2 a = ivec2 (q), b = min (a + 1, n - 1);
  vec2 f = q - vec2 (a);
  vec4 v = mix (small_row (n, a.x, b.x, f.x, a.y), small_row (n, a.x, b.x, f.x, b.y), f.y);
  vec4 bytes = vec4 (v[FIRST], v[SECOND], v[THIRD], 0.0);
  return PAIR != 0 ? sample_pair (bytes) : bytes;
}

// Pixels 4x .. 4x+3 of row y: parts of samples `first` and on.
void draw_four (int x, int y, int first)
{
  vec4 away = 1.0 - vec4 (texelFetch (mattes, y * dec.frame.z + x)) * (1.0 / 255.0);
  vec4 left = vec4 (0.0), right = vec4 (0.0);
  if (SIZE != 0) { // four pixels are hardly more than one of the small picture
    left = behind (vec2 (4 * x, y) + 0.5);
    right = behind (vec2 (4 * x + 3, y) + 0.5);
  }
  for (int e = 0; e < 4; e++)
    sample_draw (first, e, mix (left, right, float (e) * (1.0 / 3.0)), away[e]);
}

// Group x of row y.
void draw_group (int x, int y)
{
  sample_begin ();
  for (int dy = 0; dy < 1 << VSUB; dy++)
    for (int h = 0; h < 1 << HSUB; h++)
      draw_four (min ((x << HSUB) + h, dec.frame.z - 1), min ((y << VSUB) + dy, dec.frame.y - 1),
                 h * (4 >> HSUB));
}

uint word_of (int b, int at)
{
  if (SIZE == 0)
    sample_behind (b, texelFetch (picture, at));
  return sample_word (b, texelFetch (source, at));
}

void main ()
{
  int i = int (gl_GlobalInvocationID.x + gl_GlobalInvocationID.y * gl_NumWorkGroups.x * 64u);
  int in_row = plane.size.x / GROUPS;
  if (i >= in_row * plane.size.y)
    return;
  int y = i / in_row;
  int x = (i - y * in_row) * GROUPS;
  int from = plane.place.x + y * plane.place.y + x * BYTES;
  int to = plane.place.z + y * plane.place.w + x * BYTES;
  uint words[4];
  [[unroll]] for (int g = 0; g < GROUPS; g++) {
    draw_group (x + g, y);
    [[unroll]] for (int b = 0; b < BYTES; b++)
      words[g * BYTES + b] = word_of (b, from + g * BYTES + b);
  }
  if (GROUPS * BYTES == 4)
    result4.data[to >> 2] = uvec4 (words[0], words[1], words[2], words[3]);
  else
    for (int b = 0; b < BYTES; b++)
      result.data[to + b] = words[b];
}
