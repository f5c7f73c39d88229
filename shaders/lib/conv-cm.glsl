// SPDX-License-Identifier: LGPL-2.1-or-later
// Convolution by the matrix units of a GPU: fp16 in and out, fp32 sums. What conv_cm1.comp and
// conv_cm2.comp share: a workgroup's walk along K; conv-gemm.glsl has the idea.
//
// Shared memory holds a step's A as BM rows of BK halves and its B as BK rows of BN halves, each
// row 16 bytes longer than that, so that those of a fragment begin in different banks.
#include "epilogue.glsl"
#include "conv-gemm.glsl"

layout (local_size_x_id = 0) in;
layout (constant_id = 1) const int BM = 64;
layout (constant_id = 2) const int BN = 64;
layout (constant_id = 7) const int TK = 16; // 8 or 16
layout (constant_id = 8) const bool SPLIT = false;
const int BK = 2 * TK;
// In units of 8 halves, 16 bytes: a tile's sides, rows of shared memory, what a step brings.
const int BK8 = BK / 8, BN8 = BN / 8, ROW_A = BK8 + 1, ROW_B = BN8 + 1;
const int IN_A = BM * BK8, IN_B = BK * BN8;
const int THREADS = int (gl_WorkGroupSize.x);
const int NA = (IN_A + THREADS - 1) / THREADS, NB = (IN_B + THREADS - 1) / THREADS;

layout (binding = 0) readonly buffer Source { uvec4 data[]; } source;
layout (binding = 1) readonly buffer Weights { uvec4 data[]; } weights; // [tile][step][k][channel]
layout (binding = 2) uniform samplerBuffer bias;
layout (binding = 3) writeonly buffer Dest { uvec2 data[]; } dest;
layout (binding = 3) writeonly buffer Sums { float data[]; } sums; // with SPLIT
layout (binding = 4) uniform samplerBuffer residual;

shared uvec4 tile_a[BM * ROW_A], tile_b[BK * ROW_B];

Pixel pixel[NA];
uvec4 next_a[NA], next_b[NB];

// What a kernel brings: its sums set to zero, a step's products added, and the sums of the tile
// whose first pixel and channel these are written.
void clear ();
void multiply ();
void finish (int m, int n, int split);

void fetch (Tap tap, int w, int t)
{
  [[unroll]] for (int i = 0; i < NA; i++) {
    int at = source_texel (pixel[i], tap);
    next_a[i] = uvec4 (0);
    if (at >= 0)
      next_a[i] = source.data[at / 2];
  }
  [[unroll]] for (int i = 0; i < NB; i++)
    if (t + i * THREADS < IN_B)
      next_b[i] = weights.data[w + t + i * THREADS];
}

void stage (int t)
{
  [[unroll]] for (int i = 0; i < NA; i++)
    if (t + i * THREADS < IN_A)
      tile_a[(t + i * THREADS) / BK8 * ROW_A + t % BK8] = next_a[i];
  [[unroll]] for (int i = 0; i < NB; i++) {
    int at = t + i * THREADS;
    if (at < IN_B)
      tile_b[at / BN8 * ROW_B + at % BN8] = next_b[i];
  }
}

vec4 result (int at, int c4, vec4 v)
{
  vec4 r = vec4 (0);
  if (EPILOGUE_RESIDUAL)
    r = texelFetch (residual, p.res_offset4 + at * p.res_pitch4 + c4);
  return real_channels (epilogue (v + texelFetch (bias, c4), r), c4);
}

void main ()
{
  int t = int (gl_LocalInvocationID.x), split = int (gl_WorkGroupID.z);
  int tile = int (gl_WorkGroupID.x + gl_WorkGroupID.y * gl_NumWorkGroups.x);
  int tile_m = tile / p.tiles_n, tile_n = tile - tile_m * p.tiles_n;
  if (tile_m * BM >= p.n_pixels)
    return; // the last row of the grid
  int step = split * p.split_steps, end = min (step + p.split_steps, p.steps);

  [[unroll]] for (int i = 0; i < NA; i++)
    pixel[i] = find_pixel (tile_m * BM + (t + i * THREADS) / BK8);
  clear ();

  Tap tap = find_tap ((step * BK8 + t % BK8) * 2);
  int w = (tile_n * p.steps + step) * IN_B;
  fetch (tap, w, t);
  for (; step < end; step++) {
    barrier ();
    stage (t);
    barrier ();
    if (step + 1 < end) {
      advance (tap, BK8 * 2);
      w += IN_B;
      fetch (tap, w, t);
    }
    multiply ();
  }
  finish (tile_m * BM, tile_n * BN, split);
}
