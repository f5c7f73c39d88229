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

vec3 resampled (vec2 p)
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
