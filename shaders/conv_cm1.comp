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
// are made of fragments of TM x TN, the shape that the device multiplies.
//
// tile     subgroups  part   sums a lane  fragments loaded per multiplied
// 160x128   8         80x32  80            7 per 10
// 128x128  16         32x32  32            4 per  4
//  96x128   8         48x32  48            5 per  6
// 192x64    8         48x32  48            5 per  6
// 128x64    8         32x32  32            4 per  4
//  80x64    4         80x16  40            6 per  5
//  64x64    8         32x16  16            3 per  2
//  64x32    4         32x16  16            3 per  2
//  32x32    4         16x16   8            2 per  1
// with fragments of 16x16x16 and subgroups of 32. Shared memory with BK = 64: 144 bytes a pixel, 128 a
// channel and 1 KiB, 39.5 KiB for 160x128.
//
// On an H100, where this multiplies 640 TFLOPS in registers alone, 256 channels of 3x3 taps at
// 200x200 and 128x128: 419 with fragments from shared memory, 342 with the two barriers of a step, 286
// with what is written in between, 235 with what comes from memory.
#include "lib/conv-cm.glsl"

layout (constant_id = 3) const int WM = 32;
layout (constant_id = 4) const int WN = 32;
layout (constant_id = 5) const int TM = 16; // 8 or 16
layout (constant_id = 6) const int TN = 16;
const int ACROSS = BN / WN, WAVES = BM / WM * ACROSS;
const int FM = WM / TM, FN = WN / TN; // fragments

// Which lane has which element of a fragment is the device's business, so they go through shared
// memory, where steps were before, to lanes that know their pixel and channels: OUT4 of four each.
const int ROW4 = TN / 4, PLACES = TM * ROW4, LANES = int (gl_WorkGroupSize.x) / WAVES;
const int OUT4 = (PLACES + LANES - 1) / LANES;

int at[OUT4]; // output pixels

void find_outputs (int m)
{
  [[unroll]] for (int e = 0; e < OUT4; e++)
    at[e] = output_pixel (m + (int (gl_SubgroupInvocationID) + e * LANES) / ROW4);
}

// A fragment, from shared memory.
void write (int first, int m, int n)
{
  [[unroll]] for (int e = 0; e < OUT4; e++) {
    int place = int (gl_SubgroupInvocationID) + e * LANES, c4 = n / 4 + place % ROW4;
    if (place >= PLACES || m + place / ROW4 >= p.n_pixels || c4 >= p.out_c4)
      continue;
    vec4 v = result (at[e], c4, uintBitsToFloat (tile[first + place]));
    dest.data[p.out_offset4 + at[e] * p.out_pitch4 + c4] =
        uvec2 (packHalf2x16 (v.xy), packHalf2x16 (v.zw));
  }
}

void main ()
{
  int row = int (gl_SubgroupID) / ACROSS * WM, column = int (gl_SubgroupID) % ACROSS * WN;
  Walk walk;
  if (!begin (walk))
    return;
  coopmat<float, gl_ScopeSubgroup, TM, TN, gl_MatrixUseAccumulator> sum[FM * FN];
  [[unroll]] for (int i = 0; i < FM * FN; i++)
    sum[i] = coopmat<float, gl_ScopeSubgroup, TM, TN, gl_MatrixUseAccumulator> (0.0);

  while (step_forward (walk))
    [[unroll]] for (int k = 0; k < BK; k += TK) {
      coopmat<float16_t, gl_ScopeSubgroup, TM, TK, gl_MatrixUseA> a[FM];
      [[unroll]] for (int i = 0; i < FM; i++)
        coopMatLoad (a[i], tile, (row + i * TM) * ROW_A + k / 8, ROW_A,
            gl_CooperativeMatrixLayoutRowMajor);
      [[unroll]] for (int j = 0; j < FN; j++) {
        coopmat<float16_t, gl_ScopeSubgroup, TK, TN, gl_MatrixUseB> b;
        coopMatLoad (b, tile, FIRST_B + k * ROW_B + (column + j * TN) / 8, ROW_B,
            gl_CooperativeMatrixLayoutRowMajor);
        [[unroll]] for (int i = 0; i < FM; i++)
          sum[i * FN + j] = coopMatMulAdd (a[i], b, sum[i * FN + j]);
      }
    }

  int m = walk.m + row, n = walk.n + column, first = int (gl_SubgroupID) * PLACES;
  [[unroll]] for (int i = 0; i < FM; i++) {
    find_outputs (m + i * TM);
    [[unroll]] for (int j = 0; j < FN; j++)
      if (SPLIT) {
        coopMatStore (sum[i * FN + j], sums.data,
            (walk.split * p.sums_pixels + m + i * TM) * p.sums_c4 * 4 + n + j * TN,
            p.sums_c4 * 4, gl_CooperativeMatrixLayoutRowMajor);
      } else {
        coopMatStore (
            sum[i * FN + j], tile, first, ROW4, gl_CooperativeMatrixLayoutRowMajor);
        subgroupBarrier ();
        write (first, m + i * TM, n + j * TN);
        subgroupBarrier ();
      }
  }
}
