#version 450
// SPDX-License-Identifier: LGPL-2.1-or-later
// Numbers become sums of those before them in their row; the sum of all goes to totals, and that of
// the last row to a count of rows. A workgroup takes a row.
layout (local_size_x = 128) in;
layout (push_constant) uniform Push { int n, rows; } push;
layout (binding = 0) buffer Numbers { uint data[]; } numbers;
layout (binding = 1) writeonly buffer Totals { uint data[]; } totals;
layout (binding = 2) writeonly buffer Count { ivec4 rows; } count;

const int LOCAL = 128;
shared uint sums[LOCAL];

void main ()
{
  int n = push.n, rows = push.rows;
  int row = int (gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x);
  int t = int (gl_LocalInvocationIndex), part = (n + LOCAL - 1) / LOCAL;
  if (row >= rows)
    return;
  int first = row * n + min (t * part, n), end = row * n + min (t * part + part, n);
  uint sum = 0u;
  for (int i = first; i < end; i++)
    sum += numbers.data[i];
  sums[t] = sum;
  barrier ();
  if (t == 0) {
    uint all = 0u;
    for (int i = 0; i < LOCAL; i++) {
      uint one = sums[i];
      sums[i] = all;
      all += one;
    }
    totals.data[row] = all;
    if (row == rows - 1)
      count.rows = ivec4 (int (all), 0, 0, 0);
  }
  barrier ();
  sum = sums[t];
  for (int i = first; i < end; i++) {
    uint one = numbers.data[i];
    numbers.data[i] = sum;
    sum += one;
  }
}
