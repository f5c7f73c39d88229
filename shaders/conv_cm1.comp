#version 450
#pragma use_vulkan_memory_model
#extension GL_GOOGLE_include_directive : enable
#extension GL_EXT_control_flow_attributes : enable
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : enable
#extension GL_KHR_cooperative_matrix : enable
#extension GL_KHR_memory_scope_semantics : enable
#extension GL_KHR_shader_subgroup_basic : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// Convolution by the matrix units of a GPU (VK_KHR_cooperative_matrix): fp16 in and out, fp32
// sums; lib/conv-gemm.glsl has the idea, spirv/README.md how this file is compiled.
//
// A workgroup's tile is shared out among subgroups, WM pixels x WN channels each, and these parts
// are made of fragments of TM x TN, the shape that the device multiplies. A step of K is BK, two
// fragments. Shared memory holds the step's A as BM rows of BK halves and its B as BK rows of BN
// halves, each row 16 bytes longer than that, so that a fragment's begin in different banks.
//
// tile     subgroups  part   sums a lane  shared  fragments loaded per multiplied
// 128x128  4          64x64  128          23 KiB  8 per 16
// 128x64   4          64x32   64          19 KiB  6 per  8
//  64x64   4          32x32   32          14 KiB  4 per  4
// 128x32   4          32x32   32          17 KiB  4 per  4
//  64x32   2          32x32   32          10 KiB  4 per  4
//  32x32   4          16x16    8           9 KiB  2 per  1
// with fragments of 16x16x16 and subgroups of 32.
#define STORE_F16
#include "lib/store.glsl"
#include "lib/epilogue.glsl"
#include "lib/conv-gemm.glsl"

layout (local_size_x_id = 0) in; // (BM / WM) * (BN / WN) subgroups
layout (constant_id = 1) const int BM = 64;
layout (constant_id = 2) const int BN = 64;
layout (constant_id = 3) const int WM = 32;
layout (constant_id = 4) const int WN = 32;
layout (constant_id = 5) const int TM = 16; // 8 or 16
layout (constant_id = 6) const int TN = 16;
layout (constant_id = 7) const int TK = 16; // 8 or 16
layout (constant_id = 8) const bool SPLIT = false;
const int BK = 2 * TK;
// In units of 8 halves, 16 bytes: a tile's sides, rows of shared memory, what a step brings.
const int BK8 = BK / 8, BN8 = BN / 8, ROW_A = BK8 + 1, ROW_B = BN8 + 1;
const int IN_A = BM * BK8, IN_B = BK * BN8;
const int THREADS = int (gl_WorkGroupSize.x), WAVES = (BM / WM) * (BN / WN);
const int NA = (IN_A + THREADS - 1) / THREADS, NB = (IN_B + THREADS - 1) / THREADS;
const int FM = WM / TM, FN = WN / TN; // fragments

layout (binding = 0) readonly buffer Source { uvec4 data[]; } source;
layout (binding = 1) readonly buffer Weights { uvec4 data[]; } weights; // [tile][step][k][channel]
layout (binding = 2) uniform samplerBuffer bias;
SEG_OUTPUT (3);
layout (binding = 3) writeonly buffer Sums { float data[]; } sums; // with SPLIT
layout (binding = 4) uniform samplerBuffer residual;

shared uvec4 tile_a[BM * ROW_A], tile_b[BK * ROW_B];
shared vec4 fragments[WAVES * TM * TN / 4]; // a subgroup's, on its way out

Pixel pixel[NA];
uvec4 next_a[NA], next_b[NB];
coopmat<float, gl_ScopeSubgroup, TM, TN, gl_MatrixUseAccumulator> sum[FM * FN];

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

void multiply (int row, int column)
{
  [[unroll]] for (int k = 0; k < BK; k += TK) {
    coopmat<float16_t, gl_ScopeSubgroup, TM, TK, gl_MatrixUseA> a[FM];
    [[unroll]] for (int i = 0; i < FM; i++)
      coopMatLoad (a[i], tile_a, (row + i * TM) * ROW_A + k / 8, ROW_A,
          gl_CooperativeMatrixLayoutRowMajor);
    [[unroll]] for (int j = 0; j < FN; j++) {
      coopmat<float16_t, gl_ScopeSubgroup, TK, TN, gl_MatrixUseB> b;
      coopMatLoad (b, tile_b, k * ROW_B + (column + j * TN) / 8, ROW_B,
          gl_CooperativeMatrixLayoutRowMajor);
      [[unroll]] for (int i = 0; i < FM; i++)
        sum[i * FN + j] = coopMatMulAdd (a[i], b, sum[i * FN + j]);
    }
  }
}

void write (int m, int c4, vec4 v)
{
  if (m >= p.n_pixels || c4 >= p.out_c4)
    return;
  int at = output_pixel (m);
  vec4 r = vec4 (0);
  if (EPILOGUE_RESIDUAL)
    r = texelFetch (residual, p.res_offset4 + at * p.res_pitch4 + c4);
  v = epilogue (v + texelFetch (bias, c4), r);
  store4 (p.out_offset4 + at * p.out_pitch4 + c4, real_channels (v, c4));
}

// Which lane has which element of a fragment is the device's business, so they go through shared
// memory to lanes that know their pixel and channels.
void write_fragment (int f, int m, int n)
{
  int first = int (gl_SubgroupID) * (TM * TN / 4);
  coopMatStore (sum[f], fragments, first, TN / 4, gl_CooperativeMatrixLayoutRowMajor);
  subgroupBarrier ();
  for (int i = int (gl_SubgroupInvocationID); i < TM * TN / 4; i += int (gl_SubgroupSize))
    write (m + i / (TN / 4), n / 4 + i % (TN / 4), fragments[first + i]);
  subgroupBarrier ();
}

void main ()
{
  int t = int (gl_LocalInvocationID.x), split = int (gl_WorkGroupID.z);
  int tile = int (gl_WorkGroupID.x + gl_WorkGroupID.y * gl_NumWorkGroups.x);
  int tile_m = tile / p.tiles_n, tile_n = tile - tile_m * p.tiles_n;
  if (tile_m * BM >= p.n_pixels)
    return; // the last row of the grid
  int wave = int (gl_SubgroupID), part = wave / (BN / WN);
  int row = part * WM, column = (wave - part * (BN / WN)) * WN;
  int step = split * p.split_steps, end = min (step + p.split_steps, p.steps);

  [[unroll]] for (int i = 0; i < NA; i++)
    pixel[i] = find_pixel (tile_m * BM + (t + i * THREADS) / BK8);
  [[unroll]] for (int i = 0; i < FM * FN; i++)
    sum[i] = coopmat<float, gl_ScopeSubgroup, TM, TN, gl_MatrixUseAccumulator> (0.0);

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
    multiply (row, column);
  }

  int m = tile_m * BM + row, n = tile_n * BN + column;
  [[unroll]] for (int i = 0; i < FM; i++)
    [[unroll]] for (int j = 0; j < FN; j++)
      if (SPLIT)
        coopMatStore (sum[i * FN + j], sums.data,
            ((split * p.sums_pixels + m + i * TM) * p.sums_c4) * 4 + n + j * TN, p.sums_c4 * 4,
            gl_CooperativeMatrixLayoutRowMajor);
      else
        write_fragment (i * FN + j, m + i * TM, n + j * TN);
}
