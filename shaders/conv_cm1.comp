#version 450
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma use_vulkan_memory_model
#extension GL_GOOGLE_include_directive : enable
#extension GL_EXT_control_flow_attributes : enable
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : enable
#extension GL_KHR_cooperative_matrix : enable
#extension GL_KHR_memory_scope_semantics : enable
#extension GL_KHR_shader_subgroup_basic : enable
// Convolution by VK_KHR_cooperative_matrix; spirv/README.md has how this file is compiled.
//
// A workgroup's tile is shared out among subgroups, WM pixels x WN channels each, and these parts
// are made of fragments of TM x TN, the shape that the device multiplies. A step of K is two
// fragments.
//
// tile     subgroups  part   sums a lane  shared  fragments loaded per multiplied
// 128x128  4          64x64  128          23 KiB  8 per 16
// 128x64   4          64x32   64          19 KiB  6 per  8
//  64x64   4          32x32   32          14 KiB  4 per  4
// 128x32   4          32x32   32          17 KiB  4 per  4
//  64x32   2          32x32   32          10 KiB  4 per  4
//  32x32   4          16x16    8           9 KiB  2 per  1
// with fragments of 16x16x16 and subgroups of 32.
#include "lib/conv-cm.glsl"

layout (constant_id = 3) const int WM = 32;
layout (constant_id = 4) const int WN = 32;
layout (constant_id = 5) const int TM = 16; // 8 or 16
layout (constant_id = 6) const int TN = 16;
const int ACROSS = BN / WN, WAVES = BM / WM * ACROSS;
const int FM = WM / TM, FN = WN / TN; // fragments

shared vec4 fragments[WAVES * TM * TN / 4]; // a subgroup's, on its way out

coopmat<float, gl_ScopeSubgroup, TM, TN, gl_MatrixUseAccumulator> sum[FM * FN];

// The subgroup's part of the tile.
int row ()
{
  return int (gl_SubgroupID) / ACROSS * WM;
}

int column ()
{
  return int (gl_SubgroupID) % ACROSS * WN;
}

void clear ()
{
  [[unroll]] for (int i = 0; i < FM * FN; i++)
    sum[i] = coopmat<float, gl_ScopeSubgroup, TM, TN, gl_MatrixUseAccumulator> (0.0);
}

void multiply ()
{
  [[unroll]] for (int k = 0; k < BK; k += TK) {
    coopmat<float16_t, gl_ScopeSubgroup, TM, TK, gl_MatrixUseA> a[FM];
    [[unroll]] for (int i = 0; i < FM; i++)
      coopMatLoad (a[i], tile_a, (row () + i * TM) * ROW_A + k / 8, ROW_A,
          gl_CooperativeMatrixLayoutRowMajor);
    [[unroll]] for (int j = 0; j < FN; j++) {
      coopmat<float16_t, gl_ScopeSubgroup, TK, TN, gl_MatrixUseB> b;
      coopMatLoad (b, tile_b, k * ROW_B + (column () + j * TN) / 8, ROW_B,
          gl_CooperativeMatrixLayoutRowMajor);
      [[unroll]] for (int i = 0; i < FM; i++)
        sum[i * FN + j] = coopMatMulAdd (a[i], b, sum[i * FN + j]);
    }
  }
}

// Which lane has which element of a fragment is the device's business, so they go through shared
// memory to lanes that know their pixel and channels.
void write_fragment (int f, int m, int n)
{
  int first = int (gl_SubgroupID) * (TM * TN / 4);
  coopMatStore (sum[f], fragments, first, TN / 4, gl_CooperativeMatrixLayoutRowMajor);
  subgroupBarrier ();
  for (int i = int (gl_SubgroupInvocationID); i < TM * TN / 4; i += int (gl_SubgroupSize)) {
    int pixel = m + i / (TN / 4), c4 = n / 4 + i % (TN / 4);
    if (pixel >= p.n_pixels || c4 >= p.out_c4)
      continue;
    int at = output_pixel (pixel);
    vec4 v = result (at, c4, fragments[first + i]);
    dest.data[p.out_offset4 + at * p.out_pitch4 + c4] =
        uvec2 (packHalf2x16 (v.xy), packHalf2x16 (v.zw));
  }
  subgroupBarrier ();
}

void finish (int m, int n, int split)
{
  [[unroll]] for (int i = 0; i < FM; i++)
    [[unroll]] for (int j = 0; j < FN; j++) {
      int mi = m + row () + i * TM, nj = n + column () + j * TN;
      if (SPLIT)
        coopMatStore (sum[i * FN + j], sums.data,
            (split * p.sums_pixels + mi) * p.sums_c4 * 4 + nj, p.sums_c4 * 4,
            gl_CooperativeMatrixLayoutRowMajor);
      else
        write_fragment (i * FN + j, mi, nj);
    }
}
