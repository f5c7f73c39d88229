#version 450
#extension GL_GOOGLE_include_directive : enable
#extension GL_EXT_control_flow_attributes : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// The guided filter's second half: alpha of each pixel of the frame, and the label map, from the pixel's
// colour by the lines of guide_mean.comp, interpolated. A word of four pixels of a row an invocation.
#define SEG_DECODE 3
#define SEG_STYLE  4
#include "lib/frame.glsl"
#include "lib/decode.glsl"
#include "lib/matte.glsl"

layout (local_size_x = 64) in;
layout (constant_id = 0) const int KIND = 0;    // FRAME_*
layout (constant_id = 1) const int CUT = 0;     // below the threshold the matte is 0
layout (constant_id = 2) const int COLUMNS = 5; // of the grid that four pixels can lie between
// Components that are a word for four pixels: 0 none; 1 the first; 2 the first and, for 2x2 pixels each and
// beside each other, the two of chroma; 3 these the other way round.
layout (constant_id = 3) const int WORDS = 0;
layout (constant_id = 4) const int RAGGED = 1; // rows of the map are longer than the frame's

layout (binding = 5) uniform samplerBuffer lines;
layout (binding = 6) writeonly buffer Matte { uint data[]; } matte;
layout (binding = 7) writeonly buffer Labels { uint data[]; } labels;

uvec4 word_at (int c, int row, int word)
{
  ivec4 k = frame.component[c];
  return texelFetch (frame_words, ((k.x + (row >> (k.w >> 8)) * k.y) >> 2) + word);
}

// The components of pixels 4 * word to 4 * word + 3 of a row.
void read_four (int word, int row, out vec3 four[4])
{
  int last = dec.frame.x - 1;
  [[unroll]] for (int e = 0; e < 4; e++) {
    ivec2 at = ivec2 (min (4 * word + e, last), row);
    four[e] = vec3 (0.0);
    if (WORDS == 0)
      four[e] = frame_pixel (KIND, at);
    else if (WORDS == 1 && KIND != FRAME_GRAY)
      four[e].yz = vec2 (frame_byte (1, at), frame_byte (2, at));
  }
  if (WORDS == 0)
    return;
  word = min (word, last >> 2);
  uvec4 y = word_at (0, row, word), c = uvec4 (0u);
  if (WORDS >= 2)
    c = word_at (1, row, word);
  if (WORDS == 3)
    c = c.yxwz;
  [[unroll]] for (int e = 0; e < 4; e++) {
    four[e].x = float (y[e]);
    if (WORDS >= 2)
      four[e].yz = vec2 (e < 2 ? c.xy : c.zw);
  }
}

// Past the row's end they are the last one's, as positions are.
void four_pixels (int word, int row, out vec3 four[4])
{
  read_four (word, row, four);
  if (RAGGED == 0)
    return;
  int last = dec.frame.x - 1, n = last & 3;
  vec3 end = n < 2 ? (n == 0 ? four[0] : four[1]) : (n == 2 ? four[2] : four[3]);
  [[unroll]] for (int e = 0; e < 4; e++)
    four[e] = mix (four[e], end, bvec3 (4 * word + e > last));
}

void main ()
{
  int i = int (gl_GlobalInvocationID.x + gl_GlobalInvocationID.y * gl_NumWorkGroups.x * 64u);
  int row = i / dec.frame.z, word = i - row * dec.frame.z;
  if (row >= dec.frame.w)
    return;
  vec2 last = vec2 (dec.grid.xy - 1);
  float y = clamp (float (row) * dec.map.y + dec.map.w, 0.0, last.y);
  int y0 = int (y) * dec.grid.x, y1 = min (int (y) + 1, dec.grid.y - 1) * dec.grid.x;
  ivec4 column = min (ivec4 (4 * word) + ivec4 (0, 1, 2, 3), dec.frame.x - 1);
  vec4 x = clamp (vec4 (column) * dec.map.x + dec.map.z, 0.0, last.x);
  int first = int (x.x);
  vec4 line[4] = vec4[4] (vec4 (0.0), vec4 (0.0), vec4 (0.0), vec4 (0.0));
  [[unroll]] for (int k = 0; k < COLUMNS; k++) {
    int at = min (first + k, dec.grid.x - 1);
    vec4 l = mix (texelFetch (lines, y0 + at), texelFetch (lines, y1 + at), fract (y));
    vec4 share = max (1.0 - abs (x - float (first + k)), 0.0);
    [[unroll]] for (int e = 0; e < 4; e++)
      line[e] += share[e] * l;
  }
  vec3 colour[4];
  four_pixels (word, row, colour);
  vec4 v;
  [[unroll]] for (int e = 0; e < 4; e++)
    v[e] = dot (line[e], vec4 (colour[e] / 255.0, 1.0));
  uvec2 words = matte_words (word, row, v, CUT != 0);
  matte.data[i] = words.x;
  labels.data[i] = words.y;
}
