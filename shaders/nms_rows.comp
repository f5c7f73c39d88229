#version 450
// SPDX-License-Identifier: LGPL-2.1-or-later
// Batch, class and box of each that was kept, one batch and class behind the other; what is left of
// the rows becomes the least number, which as an index is nowhere. A row an invocation.
layout (local_size_x = 64) in;
layout (push_constant) uniform Push { int rows, classes, limit; } push;
layout (binding = 0) uniform usamplerBuffer kept;
layout (binding = 1) uniform usamplerBuffer before; // how many there are of earlier ones
layout (binding = 2) uniform usamplerBuffer total;
layout (binding = 3) writeonly buffer Output { int data[]; } found;

void put (int to, int batch, int label, int box)
{
  found.data[3 * to] = batch;
  found.data[3 * to + 1] = label;
  found.data[3 * to + 2] = box;
}

int first_of (int row, int rows)
{
  return int (row < rows ? texelFetch (before, row >> 2)[row & 3] : texelFetch (total, 0).x);
}

void main ()
{
  int rows = push.rows, classes = push.classes, limit = push.limit;
  int i = int ((gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x) * 64u
               + gl_LocalInvocationIndex);
  int row = i / limit, j = i - row * limit, nowhere = -2147483647 - 1;
  if (row >= rows)
    return;
  int to = first_of (row, rows) + j;
  if (to < first_of (row + 1, rows))
    put (to, row / classes, row % classes, int (texelFetch (kept, i >> 2)[i & 3]));
  if (i >= int (texelFetch (total, 0).x))
    put (i, nowhere, nowhere, nowhere);
}
