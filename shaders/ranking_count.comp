#version 450
#extension GL_GOOGLE_include_directive : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// How many elements of each chunk of a row are kept. A chunk an invocation.
#include "lib/ranking.glsl"

layout (local_size_x = 64) in;
layout (binding = 2) uniform usamplerBuffer thresholds;
layout (binding = 3) writeonly buffer Chunks { uint data[]; } chunks;

void main ()
{
  Ranking r = ranking_push.data;
  int i = int ((gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x) * 64u
               + gl_LocalInvocationIndex);
  int row = i / r.n_chunks, first = (i - row * r.n_chunks) * CHUNK;
  if (row >= r.rows)
    return;
  uint threshold = KEEP == KEEP_BEST ? texelFetch (thresholds, row >> 2)[row & 3] : 0u;
  int end = min (first + CHUNK, live_elements (r));
  uint n = 0u;
  for (int k = first; k < end; k++)
    n += is_kept (r, element (r, row, k), threshold) ? 1u : 0u;
  chunks.data[i] = n;
}
