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

uint pixel (int x, int y, uint alpha)
{
  vec2 p = vec2 (x, y) + 0.5;
  vec3 bytes = frame_luma (KIND, p);
  if (KIND == FRAME_YUV)
    bytes.yz = frame_chroma (p);
  uvec3 rgb = uvec3 (floor (frame_to_rgb (bytes) * 255.0 + 0.5));
  if (SWAP != 0)
    rgb = rgb.zyx;
  return rgb.x | rgb.y << 8 | rgb.z << 16 | alpha << 24;
}

void main ()
{
  int i = int (gl_GlobalInvocationID.x + gl_GlobalInvocationID.y * gl_NumWorkGroups.x * 64u);
  int groups = (dec.frame.x + 3) / 4;
  if (i >= groups * dec.frame.y)
    return;
  int y = i / groups;
  int x = i - y * groups;
  uvec4 alpha = texelFetch (mattes, y * dec.frame.z + x);
  for (int e = 0; e < 4; e++)
    result.data[4 * i + e] = pixel (min (4 * x + e, dec.frame.x - 1), y, alpha[e]);
}
