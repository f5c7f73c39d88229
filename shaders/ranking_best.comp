#version 450
#extension GL_GOOGLE_include_directive : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// The worst key that may be among the best k of a row, to 22 of its bits: a histogram of the upper
// eleven, then of the next among those that the k-th falls in. A workgroup takes a row.
#include "lib/ranking.glsl"

layout (local_size_x = 256) in;
layout (binding = 2) writeonly buffer Thresholds { uint data[]; } thresholds;

const int BINS = 2048, LOCAL = 256;
shared uint bins[BINS];
shared uint sums[LOCAL];
shared uint found, before; // the bin of the k-th, and how many are in those before

void count_keys (Ranking r, int row, int shift, uint prefix)
{
  int n = live_elements (r);
  for (int i = int (gl_LocalInvocationIndex); i < n; i += LOCAL) {
    uint key = key_of (element (r, row, i));
    if (shift == 21 || key >> 21 == prefix)
      atomicAdd (bins[key >> shift & 2047u], 1u);
  }
}

void find_bin (uint k)
{
  uint sum = 0u;
  int part = 0;
  for (; part < LOCAL - 1 && sum + sums[part] < k; part++)
    sum += sums[part];
  int b = part * (BINS / LOCAL);
  for (; b < part * (BINS / LOCAL) + BINS / LOCAL - 1 && sum + bins[b] < k; b++)
    sum += bins[b];
  found = uint (b);
  before = sum;
}

void main ()
{
  Ranking r = ranking_push.data;
  int row = int (gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x);
  int t = int (gl_LocalInvocationIndex);
  if (row >= r.rows)
    return;
  uint k = uint (r.k), prefix = 0u;
  for (int shift = 21; shift >= 10; shift -= 11) {
    for (int i = t; i < BINS; i += LOCAL)
      bins[i] = 0u;
    barrier ();
    count_keys (r, row, shift, prefix);
    barrier ();
    uint sum = 0u;
    for (int i = 0; i < BINS / LOCAL; i++)
      sum += bins[t * (BINS / LOCAL) + i];
    sums[t] = sum;
    barrier ();
    if (t == 0)
      find_bin (k);
    barrier ();
    k -= before;
    prefix = prefix << 11 | found;
    barrier ();
  }
  if (t == 0)
    thresholds.data[row] = prefix << 10 | 1023u;
}
