#version 450
#extension GL_GOOGLE_include_directive : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// Key and number of each element that is kept, in order. A chunk an invocation.
#include "lib/ranking.glsl"

layout (local_size_x = 64) in;
layout (binding = 2) uniform usamplerBuffer thresholds;
layout (binding = 3) uniform usamplerBuffer chunks; // how many there are before each
layout (binding = 4) writeonly buffer Pairs { uvec2 data[]; } pairs;

void main ()
{
  Ranking r = ranking_push.data;
  int i = int ((gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x) * 64u
               + gl_LocalInvocationIndex);
  int row = i / r.n_chunks, first = (i - row * r.n_chunks) * CHUNK;
  if (row >= r.rows)
    return;
  uint threshold = KEEP == KEEP_BEST ? texelFetch (thresholds, row >> 2)[row & 3] : 0u;
  int to = row * r.n + int (texelFetch (chunks, i >> 2)[i & 3]);
  int end = min (first + CHUNK, live_elements (r));
  for (int k = first; k < end; k++) {
    uint u = element (r, row, k);
    if (is_kept (r, u, threshold)) {
      pairs.data[to] = uvec2 (key_of (u), uint (k));
      to++;
    }
  }
}
