#version 450
// SPDX-License-Identifier: LGPL-2.1-or-later
// Brings the pairs of a row into the order of their keys; equals stay in theirs. A radix sort, four
// bits at a time, by one workgroup a row: each invocation has a run of pairs and counters of its own.
layout (local_size_x = 128) in;
layout (push_constant) uniform Push { int n, rows; } push;
layout (binding = 0) uniform usamplerBuffer totals; // how many pairs there are
layout (binding = 1) coherent buffer Pairs { uvec2 data[]; } pairs;
layout (binding = 2) coherent buffer Other { uvec2 data[]; } other;

const int LOCAL = 128, DIGITS = 16;
shared uint counters[DIGITS * LOCAL]; // by digit, then by invocation
shared uint sums[LOCAL];

uvec2 pair (bool flip, int i)
{
  return flip ? other.data[i] : pairs.data[i];
}

// Counters become places: of all counters those before.
void scan (int t)
{
  uint sum = 0u;
  for (int i = 0; i < DIGITS; i++)
    sum += counters[t * DIGITS + i];
  sums[t] = sum;
  barrier ();
  if (t == 0) {
    uint all = 0u;
    for (int i = 0; i < LOCAL; i++) {
      uint one = sums[i];
      sums[i] = all;
      all += one;
    }
  }
  barrier ();
  sum = sums[t];
  for (int i = 0; i < DIGITS; i++) {
    uint one = counters[t * DIGITS + i];
    counters[t * DIGITS + i] = sum;
    sum += one;
  }
}

void move_pairs (bool flip, int shift, int first, int from, int end)
{
  int t = int (gl_LocalInvocationIndex);
  for (int i = from; i < end; i++) {
    uvec2 p = pair (flip, first + i);
    uint c = (p.x >> shift & 15u) * uint (LOCAL) + uint (t);
    uint to = counters[c];
    counters[c] = to + 1u;
    if (flip)
      pairs.data[first + int (to)] = p;
    else
      other.data[first + int (to)] = p;
  }
}

void main ()
{
  int n = push.n, rows = push.rows;
  int row = int (gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x);
  int t = int (gl_LocalInvocationIndex);
  if (row >= rows)
    return;
  int total = int (texelFetch (totals, row >> 2)[row & 3]), part = (total + LOCAL - 1) / LOCAL;
  int first = row * n, from = min (t * part, total), end = min (from + part, total);
  bool flip = false;
  for (int shift = 0; shift < 32; shift += 4) {
    for (int d = 0; d < DIGITS; d++)
      counters[d * LOCAL + t] = 0u;
    barrier ();
    for (int i = from; i < end; i++)
      counters[int (pair (flip, first + i).x >> shift & 15u) * LOCAL + t]++;
    barrier ();
    scan (t);
    barrier ();
    move_pairs (flip, shift, first, from, end);
    memoryBarrierBuffer ();
    barrier ();
    flip = !flip;
  }
}
