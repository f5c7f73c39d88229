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
// On an H100 it is as fast as conv_cm1.comp or up to a tenth slower (a quarter where K is short).
// Loads by tensor layouts from memory, without staging, took four times as long.
#include "lib/conv-cm.glsl"

layout (binding = 3) writeonly buffer Halves { float16_t data[]; } halves;

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

void main ()
{
  Walk walk;
  if (!begin (walk))
    return;
  coopmat<float, gl_ScopeWorkgroup, BM, BN, gl_MatrixUseAccumulator> sum =
      coopmat<float, gl_ScopeWorkgroup, BM, BN, gl_MatrixUseAccumulator> (0.0);

  while (step_forward (walk)) {
    coopmat<float16_t, gl_ScopeWorkgroup, BM, BK, gl_MatrixUseA> a;
    coopmat<float16_t, gl_ScopeWorkgroup, BK, BN, gl_MatrixUseB> b;
    coopMatLoad (a, tile, 0, ROW_A, gl_CooperativeMatrixLayoutRowMajor);
    coopMatLoad (b, tile, FIRST_B, ROW_B, gl_CooperativeMatrixLayoutRowMajor);
    sum = coopMatMulAdd (a, b, sum);
  }

  if (SPLIT)
    coopMatStore (sum, sums.data,
        (walk.split * p.sums_pixels + walk.m) * p.sums_c4 * 4 + walk.n, p.sums_c4 * 4,
        gl_CooperativeMatrixLayoutRowMajor);
  else
    coopMatPerElementNV (sum, sum, write_element, walk.m, walk.n);
}
