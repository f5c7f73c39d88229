#version 450
#extension GL_GOOGLE_include_directive : enable
#extension GL_EXT_control_flow_attributes : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// Convolution on GPUs without cooperative matrices; lib/conv-gemm.glsl has the idea. An invocation
// sums TM pixels x TN channels in registers.
//
// Shared memory holds fp32 rows of BK = 16 elements of K (4 texels), one row a pixel or channel,
// as they lie in memory: nothing is transposed, loads from shared memory are 16 bytes, and a row
// is 5 texels apart from the next, which spreads 8 neighbouring rows over all 32 banks
// (20 * i mod 32 = 0 20 8 28 16 4 24 12). An invocation's rows are BM / TM (BN / TN) apart, its
// neighbour's one, so that every load of a subgroup is free of conflicts or a broadcast.
//
// tile    invocations  TM x TN  shared   sums + held   loads of 16 bytes per 4 x TM x TN multiply-adds
// 128x64  128          8 x 8    15 KiB   64 + 36       16 per 256
// 64x64   128          8 x 4    10 KiB   32 + 36       12 per 128
// 32x32   64           4 x 4     5 KiB   16 + 20        8 per  64
// A core that has 64 KiB of shared memory and 64 Ki registers holds 4 of the large workgroups: 16
// subgroups of 32, which hide the latency of memory behind a step's 1024 multiply-adds each.
// 32x32 is for integrated chips, whose few lanes are busy with it and whose registers are scarce.
#include "lib/store.glsl"
#include "lib/load.glsl"
#include "lib/epilogue.glsl"
#include "lib/conv-gemm.glsl"

layout (local_size_x_id = 0) in; // (BM / TM) * (BN / TN)
layout (constant_id = 1) const int BM = 64;
layout (constant_id = 2) const int BN = 64;
layout (constant_id = 3) const int TM = 8;
layout (constant_id = 4) const int TN = 4;     // a multiple of 4
layout (constant_id = 5) const bool SPLIT = false;
const int BK4 = 4, ROW = BK4 + 1;
const int ROWS = BM / TM, COLUMNS = BN / TN, THREADS = ROWS * COLUMNS;
const int NA = BM * BK4 / THREADS, NB = BN * BK4 / THREADS; // texels that each one brings

SEG_INPUT (0, source);
SEG_INPUT (1, weights); // [channel tile][step][channel, see conv-sc.c][texel]
layout (binding = 2) uniform samplerBuffer bias;
SEG_OUTPUT (3); // with SPLIT the sums
layout (binding = 4) uniform samplerBuffer residual;

shared vec4 tile_a[BM * ROW], tile_b[BN * ROW];

float sum[TM][TN];
Pixel pixel[NA];
vec4 next_a[NA], next_b[NB];

void fetch (Tap tap, int w)
{
  [[unroll]] for (int i = 0; i < NA; i++) {
    int at = source_texel (pixel[i], tap);
    next_a[i] = vec4 (0);
    if (at >= 0)
      next_a[i] = load4 (source, at);
  }
  [[unroll]] for (int i = 0; i < NB; i++)
    next_b[i] = load4 (weights, w + i * THREADS);
}

void multiply (int row, int column)
{
  [[unroll]] for (int k = 0; k < BK4; k++) {
    vec4 a[TM];
    [[unroll]] for (int i = 0; i < TM; i++)
      a[i] = tile_a[(row + i * ROWS) * ROW + k];
    [[unroll]] for (int j = 0; j < TN; j++) {
      vec4 b = tile_b[(column + j * COLUMNS) * ROW + k];
      [[unroll]] for (int e = 0; e < 4; e++)
        [[unroll]] for (int i = 0; i < TM; i++)
          sum[i][j] = fma (a[i][e], b[e], sum[i][j]);
    }
  }
}

void write (int m, int c4, vec4 v, int split)
{
  if (SPLIT) {
    store4 ((split * p.sums_pixels + m) * p.sums_c4 + c4, v);
    return;
  }
  if (m >= p.n_pixels || c4 >= p.out_c4)
    return;
  int at = output_pixel (m);
  vec4 r = vec4 (0);
  if (EPILOGUE_RESIDUAL)
    r = texelFetch (residual, p.res_offset4 + at * p.res_pitch4 + c4);
  v = epilogue (v + texelFetch (bias, c4), r);
  store4 (p.out_offset4 + at * p.out_pitch4 + c4, real_channels (v, c4));
}

void main ()
{
  int t = int (gl_LocalInvocationID.x), split = int (gl_WorkGroupID.z);
  int tile = int (gl_WorkGroupID.x + gl_WorkGroupID.y * gl_NumWorkGroups.x);
  int tile_m = tile / p.tiles_n, tile_n = tile - tile_m * p.tiles_n;
  if (tile_m * BM >= p.n_pixels)
    return; // the last row of the grid
  int row = t / COLUMNS, column = t - row * COLUMNS;
  int step = split * p.split_steps, end = min (step + p.split_steps, p.steps);

  [[unroll]] for (int i = 0; i < NA; i++)
    pixel[i] = find_pixel (tile_m * BM + (t + i * THREADS) / BK4);
  [[unroll]] for (int i = 0; i < TM; i++)
    [[unroll]] for (int j = 0; j < TN; j++)
      sum[i][j] = 0.0;

  Tap tap = find_tap (step * BK4 + t % BK4);
  int w = (tile_n * p.steps + step) * BN * BK4 + t;
  fetch (tap, w);
  for (; step < end; step++) {
    barrier ();
    [[unroll]] for (int i = 0; i < NA; i++)
      tile_a[(t + i * THREADS) / BK4 * ROW + t % BK4] = next_a[i];
    [[unroll]] for (int i = 0; i < NB; i++)
      tile_b[(t + i * THREADS) / BK4 * ROW + t % BK4] = next_b[i];
    barrier ();
    if (step + 1 < end) {
      advance (tap, BK4);
      w += BN * BK4;
      fetch (tap, w);
    }
    multiply (row, column);
  }

  [[unroll]] for (int i = 0; i < TM; i++)
    [[unroll]] for (int j = 0; j < TN; j += 4)
      write (tile_m * BM + row + i * ROWS, (tile_n * BN + column * TN + j) / 4,
          vec4 (sum[i][j], sum[i][j + 1], sum[i][j + 2], sum[i][j + 3]), split);
}
