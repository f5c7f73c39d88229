#version 450
#extension GL_GOOGLE_include_directive : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// The CANDIDATES boxes with the highest scores, in the order of their numbers; of equal scores the
// first. When there are more, the score of the last is found by a radix selection, 8 bits at a
// time. One workgroup; each invocation walks a stretch of the boxes.
#define SEG_INSTANCES 0
#define SEG_LIMITS 1
#include "lib/instances.glsl"

const int N = 128, BINS = 256;
layout (local_size_x = 128) in;
layout (binding = 2) uniform usamplerBuffer keys; // four boxes each
layout (binding = 3) writeonly buffer Candidates { uvec4 n; uvec2 data[]; } candidates;

shared uint bins[BINS], above[N], equal[N];
shared uint chosen, needed; // bits of the last score so far; how many of that score are still needed

int begin, end; // this invocation's texels
uint me;

// Sorts the scores that begin as `chosen` does into bins by the 8 bits from `shift` on.
void count_bins (int shift)
{
  uint prefix = shift == 24 ? 0u : chosen >> (shift + 8);
  for (uint b = me; b < BINS; b += N)
    bins[b] = 0u;
  barrier ();
  for (int t = begin; t < end; t++) {
    uvec4 k = texelFetch (keys, t);
    for (int e = 0; e < 4; e++)
      if (k[e] != 0u && (shift == 24 || k[e] >> (shift + 8) == prefix))
        atomicAdd (bins[k[e] >> shift & 255u], 1u);
  }
  barrier ();
}

// The bin that holds the needed-th score from above.
void choose_bin (int shift)
{
  if (me == 0u) {
    int b = BINS - 1;
    for (; b > 0 && bins[b] < needed; b--)
      needed -= bins[b];
    chosen |= uint (b) << shift;
  }
  barrier ();
}

uint count_all ()
{
  uint n = 0u;
  for (int t = begin; t < end; t++) {
    uvec4 k = min (texelFetch (keys, t), uvec4 (1u));
    n += k.x + k.y + k.z + k.w;
  }
  above[me] = n;
  barrier ();
  uint sum = 0u;
  for (int i = 0; i < N; i++)
    sum += above[i];
  barrier ();
  return sum;
}

void main ()
{
  me = gl_LocalInvocationID.x;
  int texels = (inst.shape.x + 3) / 4, each = (texels + N - 1) / N;
  begin = min (int (me) * each, texels);
  end = min (begin + each, texels);
  bool too_many = count_all () > uint (CANDIDATES);
  chosen = 0u;
  needed = too_many ? uint (CANDIDATES) : 0u;
  barrier ();
  if (too_many)
    for (int shift = 24; shift >= 0; shift -= 8) {
      count_bins (shift);
      choose_bin (shift);
    }
  uint last = chosen, of_last = needed, n_above = 0u, n_equal = 0u;
  for (int t = begin; t < end; t++) {
    uvec4 k = texelFetch (keys, t);
    for (int e = 0; e < 4; e++) {
      n_above += k[e] > last ? 1u : 0u;
      n_equal += k[e] == last ? 1u : 0u;
    }
  }
  above[me] = n_above;
  equal[me] = n_equal;
  barrier ();
  n_above = n_equal = 0u;
  for (uint i = 0u; i < me; i++) {
    n_above += above[i];
    n_equal += equal[i];
  }
  for (int t = begin; t < end; t++) {
    uvec4 k = texelFetch (keys, t);
    for (int e = 0; e < 4; e++) {
      if (k[e] > last || (k[e] == last && n_equal < of_last))
        candidates.data[n_above + min (n_equal, of_last)] = uvec2 (4 * t + e, k[e]);
      n_above += k[e] > last ? 1u : 0u;
      n_equal += k[e] == last ? 1u : 0u;
    }
  }
  if (int (me) == N - 1)
    candidates.n = uvec4 (n_above + min (n_equal, of_last), 0u, 0u, 0u);
}
