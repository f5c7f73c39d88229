// SPDX-License-Identifier: LGPL-2.1-or-later
// Rows of elements of which some are kept and brought into an order; the host side is
// gst/ops/ranking.h. Each row has its elements `inner` apart; those past the live ones are garbage.
#include "rows.glsl"

layout (constant_id = 0) const int KEEP = 0;
layout (constant_id = 1) const int KIND = 0;
layout (constant_id = 2) const bool SMALLEST = false;

const int KEEP_ALL = 0, KEEP_NONZERO = 1, KEEP_NUMBER = 2, KEEP_ABOVE = 3, KEEP_BEST = 4;
const int KIND_F32 = 0, KIND_F16 = 1, KIND_I32 = 2;
const int CHUNK = 32; // elements that one invocation counts

struct Ranking {
  int n, rows, inner; // elements of a row, as many as there can be
  int num, den;       // of the live ones
  int n_chunks, k;
  float above;
};
layout (push_constant) uniform RankingPush {
  Ranking data;
} ranking_push;

layout (binding = 0) uniform usamplerBuffer source;
layout (binding = 1) uniform isamplerBuffer live;

int live_elements (Ranking r)
{
  return live_rows (live, r.num, r.den, r.n);
}

uint element (Ranking r, int row, int i)
{
  int outer = row / r.inner;
  int at = outer * r.n * r.inner + (row - outer * r.inner) + i * r.inner;
  return texelFetch (source, at >> 2)[at & 3];
}

uint float_bits (uint u)
{
  return KIND == KIND_F16 ? floatBitsToUint (unpackHalf2x16 (u).x) : u;
}

bool is_nan (uint bits)
{
  return (bits & 0x7fffffffu) > 0x7f800000u;
}

// The less, the better; a NaN is the worst of all.
uint key_of (uint u)
{
  uint key = u ^ 0x80000000u;
  if (KIND != KIND_I32) {
    u = float_bits (u);
    if (is_nan (u))
      return 0xffffffffu;
    u = (u << 1) == 0u ? 0u : u; // both zeros are equal
    key = (u >> 31) != 0u ? ~u : u | 0x80000000u;
  }
  return SMALLEST ? key : ~key;
}

// threshold: of KEEP_BEST, the worst key that is kept.
bool is_kept (Ranking r, uint u, uint threshold)
{
  if (KEEP == KEEP_NONZERO)
    return KIND == KIND_I32 ? u != 0u : (float_bits (u) << 1) != 0u;
  if (KEEP == KEEP_BEST)
    return key_of (u) <= threshold;
  uint bits = float_bits (u);
  if (KEEP == KEEP_NUMBER)
    return !is_nan (bits);
  if (KEEP == KEEP_ABOVE)
    return !is_nan (bits) && uintBitsToFloat (bits) > r.above;
  return true;
}
