#version 450
#extension GL_GOOGLE_include_directive : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// A video frame to a network's input: colour conversion, resize, normalisation, layout.
// An invocation makes four pixels (or, for ELEMENTS, four elements in memory order).
// Downscaling averages taps x taps bilinear samples spread over the output pixel, so that no
// source pixel is left out.
#include "lib/frame.glsl"
#include "lib/store.glsl"

layout (local_size_x = 64) in;
layout (constant_id = 0) const int KIND = 0;   // FRAME_*
layout (constant_id = 1) const int LAYOUT = 0; // what follows
layout (constant_id = 2) const int MIRROR = 0; // beyond its edges the frame goes on mirrored
// Where the scale is known: words (0: read sample by sample) and rows that samples of a pixel reach,
// pre.taps, bytes from a sample to the next; whether both chroma components are in the same words.
layout (constant_id = 3) const int WORDS = 0;
layout (constant_id = 4) const int ROWS = 0;
layout (constant_id = 5) const int CHROMA_WORDS = 0;
layout (constant_id = 6) const int CHROMA_ROWS = 0;
layout (constant_id = 7) const int TAPS_X = 1;
layout (constant_id = 8) const int TAPS_Y = 1;
layout (constant_id = 9) const int CHROMA_TAPS_X = 1;
layout (constant_id = 10) const int CHROMA_TAPS_Y = 1;
layout (constant_id = 11) const int STEP = 1;
layout (constant_id = 12) const int CHROMA_STEP = 1;
layout (constant_id = 13) const int SHARED = 0;
const int PIXELS = 0;   // channels of a pixel together, pitch a multiple of 4
const int TRIPLES = 1;  // three channels of a pixel together, no padding
const int PLANES = 2;   // a plane per channel, of a multiple of 4 elements, or one plane
const int ELEMENTS = 3; // a plane per channel of any size

layout (std140, binding = 3) uniform Preprocess {
  ivec4 net;    // width, height, channels
  ivec4 inside; // x0, x1, y0, y1: what shows the frame
  ivec4 taps;   // luma x, y, chroma x, y
  ivec4 dest;   // in groups of 4 elements: offset, pixel pitch, channel stride
  vec4 map;     // frame = net * map.xy + map.zw
  vec4 mix_[3]; // channel c of the network = dot (mix_[c], vec4 (rgb, 1))
  vec4 fill;    // beside the frame
} pre;
SEG_OUTPUT (4);

// Reflected at the frame's edges until it is inside.
vec2 inside (vec2 p)
{
  if (MIRROR == 0)
    return p;
  vec2 size = vec2 (frame.size.xy);
  p -= 2.0 * size * floor (p / (2.0 * size));
  return min (p, 2.0 * size - p);
}

// Means of components c and d over taps samples; both have samples at the same places, of every `step`
// bytes one each. Bilinear samples in a row and in a column make a weight for each column and row that
// they reach, so that each word is read once: words and rows at most reach.xy.
vec2 means (int c, int d, int step_, vec2 p, ivec2 taps, ivec2 reach, vec2 middle)
{
  ivec4 k = frame.component[c], l = frame.component[d];
  ivec2 sub = ivec2 (1) << ivec2 (k.w & 255, k.w >> 8), n = (frame.size.xy + sub - 1) / sub;
  vec2 last = vec2 (n - 1), apart = pre.map.xy / vec2 (taps * sub);
  vec2 first = (p + (0.5 / vec2 (taps) - 0.5) * pre.map.xy) / vec2 (sub) - middle;
  ivec2 from = ivec2 (clamp (first, vec2 (0.0), last));
  int begin = min (k.x, l.x), word = (begin + from.x * step_) >> 2;
  int last_word = (max (k.x, l.x) + (n.x - 1) * step_) >> 2;
  vec2 sum = vec2 (0.0);
  for (int i = 0; i < reach.x; i++) {
    ivec4 bytes = 4 * (word + i) + ivec4 (0, 1, 2, 3);
    vec4 column = floor (vec4 (bytes - begin) / float (step_)), part = vec4 (0.0);
    for (int t = 0; t < taps.x; t++)
      part += max (vec4 (0.0), 1.0 - abs (clamp (first.x + float (t) * apart.x, 0.0, last.x) - column));
    ivec4 at = bytes - ivec4 (column) * step_;
    vec4 a = step_ == 1 ? part : mix (vec4 (0.0), part, equal (at, ivec4 (k.x)));
    vec4 b = mix (vec4 (0.0), part, equal (at, ivec4 (l.x)));
    for (int j = 0; j < reach.y; j++) {
      float row = float (from.y + j), share = 0.0;
      for (int t = 0; t < taps.y; t++)
        share += max (0.0, 1.0 - abs (clamp (first.y + float (t) * apart.y, 0.0, last.y) - row));
      int y = min (from.y + j, n.y - 1);
      vec4 v = vec4 (texelFetch (frame_words, min (word + i, last_word) + y * (k.y >> 2)));
      sum += share * vec2 (dot (v, a), c == d ? 0.0 : dot (v, b));
    }
  }
  return sum / float (taps.x * taps.y);
}

vec3 from_words (vec2 p)
{
  ivec2 taps = ivec2 (TAPS_X, TAPS_Y), reach = ivec2 (WORDS, ROWS);
  ivec2 chroma_taps = ivec2 (CHROMA_TAPS_X, CHROMA_TAPS_Y);
  ivec2 chroma_reach = ivec2 (CHROMA_WORDS, CHROMA_ROWS);
  vec2 centre = vec2 (0.5);
  if (KIND == FRAME_RGB)
    return vec3 (means (0, 1, STEP, p, taps, reach, centre),
                 means (2, 2, STEP, p, taps, reach, centre).x);
  float luma = means (0, 0, STEP, p, taps, reach, centre).x;
  if (KIND != FRAME_YUV)
    return vec3 (luma, 0.0, 0.0);
  vec2 m = frame.chroma.xy;
  if (SHARED != 0)
    return vec3 (luma, means (1, 2, CHROMA_STEP, p, chroma_taps, chroma_reach, m));
  return vec3 (luma, means (1, 1, CHROMA_STEP, p, chroma_taps, chroma_reach, m).x,
               means (2, 2, CHROMA_STEP, p, chroma_taps, chroma_reach, m).x);
}

vec3 from_samples (vec2 p)
{
  // See not_uniform in lib/decode.glsl.
  ivec4 taps = pre.taps + int (gl_WorkGroupID.z);
  vec3 sum = vec3 (0.0);
  for (int j = 0; j < taps.y; j++)
    for (int i = 0; i < taps.x; i++) {
      vec2 at = (vec2 (i, j) + 0.5) / vec2 (pre.taps.xy) - 0.5;
      sum += frame_luma (KIND, inside (p + at * pre.map.xy));
    }
  vec3 bytes = sum / float (pre.taps.x * pre.taps.y);
  if (KIND != FRAME_YUV)
    return bytes;
  vec2 chroma = vec2 (0.0);
  for (int j = 0; j < taps.w; j++)
    for (int i = 0; i < taps.z; i++) {
      vec2 at = (vec2 (i, j) + 0.5) / vec2 (pre.taps.zw) - 0.5;
      chroma += frame_chroma (inside (p + at * pre.map.xy));
    }
  return vec3 (bytes.x, chroma / float (pre.taps.z * pre.taps.w));
}

vec3 resampled (vec2 p)
{
  return WORDS != 0 ? from_words (p) : from_samples (p);
}

vec3 net_pixel (int index)
{
  int y = index / pre.net.x;
  int x = index - y * pre.net.x;
  if (x < pre.inside.x || x >= pre.inside.y || y < pre.inside.z || y >= pre.inside.w)
    return pre.fill.xyz;
  vec3 bytes = resampled ((vec2 (x, y) + 0.5) * pre.map.xy + pre.map.zw);
  vec4 rgb = vec4 (frame_to_rgb (bytes), 1.0);
  return vec3 (dot (pre.mix_[0], rgb), dot (pre.mix_[1], rgb), dot (pre.mix_[2], rgb));
}

void store_elements (int i, int n_pixels)
{
  vec4 v = vec4 (0.0);
  for (int e = 0; e < 4; e++) {
    int c = (4 * i + e) / n_pixels;
    if (c < pre.net.z)
      v[e] = net_pixel (4 * i + e - c * n_pixels)[c];
  }
  store4 (pre.dest.x + i, v);
}

void main ()
{
  int i = int (gl_GlobalInvocationID.x + gl_GlobalInvocationID.y * gl_NumWorkGroups.x * 64u);
  int n_pixels = pre.net.x * pre.net.y;
  if (LAYOUT == ELEMENTS) {
    if (4 * i < pre.net.z * n_pixels)
      store_elements (i, n_pixels);
    return;
  }
  if (4 * i >= n_pixels)
    return;
  vec3 p[4];
  for (int e = 0; e < 4; e++)
    p[e] = 4 * i + e < n_pixels ? net_pixel (4 * i + e) : vec3 (0.0);

  if (LAYOUT == PIXELS) {
    for (int e = 0; e < 4; e++)
      if (4 * i + e < n_pixels) {
        int at = pre.dest.x + (4 * i + e) * pre.dest.y;
        store4 (at, vec4 (p[e].x, pre.net.z > 1 ? p[e].yz : vec2 (0.0), 0.0));
        store4 (at + 1, vec4 (0.0));
      }
  } else if (LAYOUT == TRIPLES) {
    int at = pre.dest.x + 3 * i;
    store4 (at, vec4 (p[0], p[1].x));
    if (4 * i + 1 < n_pixels)
      store4 (at + 1, vec4 (p[1].yz, p[2].xy));
    if (4 * i + 2 < n_pixels)
      store4 (at + 2, vec4 (p[2].z, p[3]));
  } else {
    for (int c = 0; c < 3; c++)
      if (c < pre.net.z)
        store4 (pre.dest.x + c * pre.dest.z + i, vec4 (p[0][c], p[1][c], p[2][c], p[3][c]));
  }
}
