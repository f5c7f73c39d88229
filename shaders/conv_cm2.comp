#version 450
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma use_vulkan_memory_model
#extension GL_GOOGLE_include_directive : enable
#extension GL_EXT_control_flow_attributes : enable
#extension GL_EXT_shader_16bit_storage : enable
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : enable
#extension GL_KHR_cooperative_matrix : enable
#extension GL_KHR_memory_scope_semantics : enable
#extension GL_NV_cooperative_matrix2 : enable
// Convolution by VK_NV_cooperative_matrix2; spirv/README.md has how this file is compiled.
//
// As conv_cm1.comp, but the tile is one matrix of the whole workgroup: how it is shared out among
// subgroups and registers is the driver's business, and so nothing of the result goes through
// shared memory: each element is written by a function that is told its row and column.
//
// No driver that runs it was at hand when it was written: it has been compiled and validated
// (spirv-val), not run. The self-test (gst/engine/self-test.c) decides on each device.
#include "lib/conv-cm.glsl"

layout (binding = 3) writeonly buffer Halves { float16_t data[]; } halves;

coopmat<float, gl_ScopeWorkgroup, BM, BN, gl_MatrixUseAccumulator> sum;

void clear ()
{
  sum = coopmat<float, gl_ScopeWorkgroup, BM, BN, gl_MatrixUseAccumulator> (0.0);
}

void multiply ()
{
  coopmat<float16_t, gl_ScopeWorkgroup, BM, BK, gl_MatrixUseA> a;
  coopmat<float16_t, gl_ScopeWorkgroup, BK, BN, gl_MatrixUseB> b;
  coopMatLoad (a, tile_a, 0, ROW_A, gl_CooperativeMatrixLayoutRowMajor);
  coopMatLoad (b, tile_b, 0, ROW_B, gl_CooperativeMatrixLayoutRowMajor);
  sum = coopMatMulAdd (a, b, sum);
}

float write_element (const in uint row, const in uint column, const in float v, const in int m,
    const in int n)
{
  int pixel = m + int (row), c = n + int (column);
  if (pixel < p.n_pixels && c / 4 < p.out_c4) {
    int at = output_pixel (pixel);
    vec4 all = result (at, c / 4, vec4 (v));
    halves.data[(p.out_offset4 + at * p.out_pitch4) * 4 + c] = float16_t (all[c % 4]);
  }
  return v;
}

void finish (int m, int n, int split)
{
  if (SPLIT)
    coopMatStore (sum, sums.data, (split * p.sums_pixels + m) * p.sums_c4 * 4 + n, p.sums_c4 * 4,
        gl_CooperativeMatrixLayoutRowMajor);
  else
    coopMatPerElementNV (sum, sum, write_element, m, n);
}
