#version 450
#extension GL_GOOGLE_include_directive : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// The frame as RGBA or BGRA with the matte as its alpha (not premultiplied). Four pixels of a row
// an invocation.
#define SEG_DECODE 3
#define SEG_STYLE  4
#include "lib/frame.glsl"
#include "lib/decode.glsl"

layout (local_size_x = 64) in;
layout (constant_id = 0) const int KIND = 0; // FRAME_*
layout (constant_id = 1) const int SWAP = 0; // BGRA

layout (binding = 5) uniform usamplerBuffer mattes; // four pixels each
layout (binding = 6) writeonly buffer Output { uint data[]; } result;

// Component c of the four pixels at x, where every pixel has its own.
vec4 four_own (int c, ivec4 x, int y)
{
  ivec4 k = frame.component[c];
  ivec4 at = ivec4 (k.x + y * k.y) + x * k.z;
  return vec4 (texelFetch (frame_bytes, at.x).x, texelFetch (frame_bytes, at.y).x,
               texelFetch (frame_bytes, at.z).x, texelFetch (frame_bytes, at.w).x);
}

vec4 four_columns (int row, int step, ivec4 x)
{
  ivec4 at = row + x * step;
  return vec4 (texelFetch (frame_bytes, at.x).x, texelFetch (frame_bytes, at.y).x,
               texelFetch (frame_bytes, at.z).x, texelFetch (frame_bytes, at.w).x);
}

// Chroma of four pixels from the four columns about them: a column's weight is what linear
// interpolation gives. x is a multiple of 4.
vec4 four_chroma (int c, int x, int y)
{
  ivec4 k = frame.component[c];
  ivec2 n = ivec2 ((frame.size.x + 1) >> 1, (frame.size.y + (1 << (k.w >> 8)) - 1) >> (k.w >> 8));
  int y0, y1;
  float fy;
  float middle = k.w >> 8 != 0 ? frame.chroma.y : 0.5;
  frame_neighbours ((float (y) + 0.5) / float (1 << (k.w >> 8)) - middle, n.y, y0, y1, fy);
  ivec4 columns = clamp (ivec4 (x / 2 - 1) + ivec4 (0, 1, 2, 3), 0, n.x - 1);
  vec4 v = mix (four_columns (k.x + y0 * k.y, k.z, columns),
                four_columns (k.x + y1 * k.y, k.z, columns), fy);
  vec4 q = (vec4 (x) + vec4 (0.5, 1.5, 2.5, 3.5)) * 0.5 - frame.chroma.x;
  q = clamp (q, 0.0, float (n.x - 1)) - float (x / 2 - 1);
  vec4 r = vec4 (0.0);
  for (int j = 0; j < 4; j++)
    r += v[j] * max (1.0 - abs (q - float (j)), 0.0);
  return r;
}

void main ()
{
  int i = int (gl_GlobalInvocationID.x + gl_GlobalInvocationID.y * gl_NumWorkGroups.x * 64u);
  int groups = (dec.frame.x + 3) / 4;
  if (i >= groups * dec.frame.y)
    return;
  int y = i / groups;
  int x = 4 * (i - y * groups);
  ivec4 columns = min (ivec4 (x) + ivec4 (0, 1, 2, 3), dec.frame.x - 1);
  uvec4 alpha = texelFetch (mattes, y * dec.frame.z + x / 4);
  vec4 c[3];
  c[0] = c[1] = c[2] = vec4 (0.0);
  vec3 packed4[4];
  if (KIND == FRAME_PACKED4) {
    int row = (frame.component[0].x + y * frame.component[0].y) >> 2;
    for (int e = 0; e < 4; e++)
      packed4[e] = vec3 (texelFetch (frame_words, row + columns[e]).xyz);
  } else {
    c[0] = four_own (0, columns, y);
    if (KIND == FRAME_RGB) {
      c[1] = four_own (1, columns, y);
      c[2] = four_own (2, columns, y);
    } else if (KIND == FRAME_YUV) {
      c[1] = four_chroma (1, x, y);
      c[2] = four_chroma (2, x, y);
    }
  }
  for (int e = 0; e < 4; e++) {
    vec3 bytes = KIND == FRAME_PACKED4 ? packed4[e] : vec3 (c[0][e], c[1][e], c[2][e]);
    uvec3 rgb = uvec3 (frame_to_rgb (bytes) * 255.0 + 0.5);
    if (SWAP != 0)
      rgb = rgb.zyx;
    result.data[4 * i + e] = rgb.x | rgb.y << 8 | rgb.z << 16 | alpha[e] << 24;
  }
}
