#version 450
#extension GL_GOOGLE_include_directive : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// Pixels of each class. An invocation walks 256 pixels of a row and adds up runs of one class, so
// that there are few atomic additions.
#define SEG_DECODE 0
#define SEG_STYLE  3
#include "lib/decode.glsl"

layout (local_size_x = 64) in;
layout (binding = 1) uniform usamplerBuffer map; // 16 pixels each
layout (binding = 2) buffer Counts { uint data[]; } counts;

uint run_class = 0u, run_length = 0u;

void add (uint label, uint n)
{
  if (label != run_class) {
    if (run_length != 0u)
      atomicAdd (counts.data[run_class], run_length);
    run_class = label;
    run_length = 0u;
  }
  run_length += n;
}

void main ()
{
  int i = int (gl_GlobalInvocationID.x + gl_GlobalInvocationID.y * gl_NumWorkGroups.x * 64u);
  int per_row = (dec.frame.x + 255) / 256;
  int y = i / per_row;
  if (y >= dec.frame.y)
    return;
  int first = 256 * (i - y * per_row);
  int end = min (first + 256, dec.frame.x);
  for (int x = first; x < end; x += 16) {
    uvec4 w = texelFetch (map, (y * dec.frame.z * 4 + x) >> 4);
    uint label = w.x & 255u;
    if (w == uvec4 (label * 0x01010101u) && x + 16 <= end)
      add (label, 16u);
    else
      for (int k = 0; k < min (16, end - x); k++)
        add (w[k >> 2] >> (8 * (k & 3)) & 255u, 1u);
  }
  if (run_length != 0u)
    atomicAdd (counts.data[run_class], run_length);
}
