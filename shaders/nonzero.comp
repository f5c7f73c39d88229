#version 450
#extension GL_GOOGLE_include_directive : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// The coordinates of the elements that are kept, in order, an axis a row of the output; what is left
// of the rows becomes the least number, which as an index is nowhere. A chunk an invocation.
#include "lib/ranking.glsl"

layout (local_size_x = 64) in;
layout (constant_id = 3) const int RANK = 1;
layout (constant_id = 4) const int STEP0 = 1; // elements from one coordinate of an axis to the next
layout (constant_id = 5) const int STEP1 = 1;
layout (constant_id = 6) const int STEP2 = 1;
layout (constant_id = 7) const int STEP3 = 1;
layout (constant_id = 8) const int STEP4 = 1;
layout (constant_id = 9) const int STEP5 = 1;
layout (binding = 2) uniform usamplerBuffer chunks;
layout (binding = 3) uniform usamplerBuffer totals;
layout (binding = 4) writeonly buffer Output { int data[]; } coordinates;

#define PUT(AXIS, STEP)                                                                        \
  if (AXIS < RANK) {                                                                           \
    int c = rest / STEP;                                                                       \
    coordinates.data[AXIS * n + to] = c;                                                       \
    rest -= c * STEP;                                                                          \
  }

void put (int n, int to, int rest)
{
  PUT (0, STEP0)
  PUT (1, STEP1)
  PUT (2, STEP2)
  PUT (3, STEP3)
  PUT (4, STEP4)
  PUT (5, STEP5)
}

void main ()
{
  Ranking r = ranking_push.data;
  int i = int ((gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x) * 64u
               + gl_LocalInvocationIndex);
  int first = i * CHUNK;
  if (i >= r.n_chunks)
    return;
  int to = int (texelFetch (chunks, i >> 2)[i & 3]), total = int (texelFetch (totals, 0).x);
  int end = min (first + CHUNK, live_elements (r));
  for (int k = first; k < end; k++)
    if (is_kept (r, element (r, 0, k), 0u)) {
      put (r.n, to, k);
      to++;
    }
  for (int k = max (first, total); k < min (first + CHUNK, r.n); k++)
    for (int axis = 0; axis < RANK; axis++)
      coordinates.data[axis * r.n + k] = -2147483647 - 1;
}
