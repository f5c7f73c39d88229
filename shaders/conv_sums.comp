#version 450
#extension GL_GOOGLE_include_directive : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// The end of a convolution whose K was split: adds the splits' sums of a texel, then bias and
// epilogue. Always in the same order, so that a network gives the same answer every time.
#include "lib/store.glsl"
#include "lib/epilogue.glsl"
#include "lib/conv-gemm.glsl"

layout (local_size_x = 64) in;

layout (binding = 0) uniform samplerBuffer sums; // [split][pixel][channel]
layout (binding = 1) uniform samplerBuffer bias;
SEG_OUTPUT (2);
layout (binding = 3) uniform samplerBuffer residual;

void main ()
{
  int item = int (gl_GlobalInvocationID.x + gl_GlobalInvocationID.y * gl_NumWorkGroups.x * 64u);
  int m = item / p.out_c4, c4 = item - m * p.out_c4;
  if (m >= p.n_pixels)
    return;
  vec4 v = texelFetch (bias, c4);
  for (int i = 0; i < p.splits; i++)
    v += texelFetch (sums, (i * p.sums_pixels + m) * p.sums_c4 + c4);
  int at = output_pixel (m);
  vec4 r = vec4 (0);
  if (EPILOGUE_RESIDUAL)
    r = texelFetch (residual, p.res_offset4 + at * p.res_pitch4 + c4);
  store4 (p.out_offset4 + at * p.out_pitch4 + c4, real_channels (epilogue (v, r), c4));
}
