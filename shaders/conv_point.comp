#version 450
// SPDX-License-Identifier: LGPL-2.1-or-later
#extension GL_GOOGLE_include_directive : enable
#extension GL_EXT_control_flow_attributes : enable
#extension GL_KHR_shader_subgroup_shuffle : enable
// conv_lp.comp for a map of one pixel, which is a matrix times a vector: a lane sums TM / 8 output channels of
// its own, so that no weight has to be spread. A workgroup is a subgroup and makes TM channels; lanes
// beyond the eighth repeat the others. Weights as there: [out block][in texel][TM].
#include "lib/store.glsl"
#include "lib/epilogue.glsl"

layout (local_size_x_id = 0) in;
layout (constant_id = 1) const int TM = 16;

layout (binding = 0) uniform samplerBuffer source;
layout (binding = 1) uniform samplerBuffer weights;
layout (binding = 2) uniform samplerBuffer bias;
SEG_OUTPUT (3);
layout (binding = 4) uniform samplerBuffer residual;

struct Push {
  int in_offset4, out_offset4, res_offset4, in_c4, out_c, out_c4; // as in conv_lp.comp
};
layout (push_constant) uniform PushConstants {
  Push push;
};
Push p; // a copy; lib/strided.glsl says why

float sum[TM / 8]; // of channels lane, lane + 8, ...

void accumulate (int w)
{
  vec4 part[TM / 8];
  [[unroll]] for (int m = 0; m < TM / 8; m++)
    part[m] = vec4 (0);
  int c4 = 0;
  do {
    vec4 x = texelFetch (source, p.in_offset4 + c4);
    [[unroll]] for (int m = 0; m < TM / 8; m++)
      part[m] += texelFetch (weights, w + c4 * TM + 8 * m) * x;
  } while (++c4 < p.in_c4);
  [[unroll]] for (int m = 0; m < TM / 8; m++)
    sum[m] = dot (part[m], vec4 (1));
}

// Texel k of the block, gathered from four lanes.
vec4 finish (int block, int k)
{
  int first = 4 * k % 8, c4 = block * (TM / 4) + k;
  float own = sum[4 * k / 8];
  vec4 v = texelFetch (bias, c4)
      + vec4 (subgroupShuffle (own, uint (first)), subgroupShuffle (own, uint (first + 1)),
          subgroupShuffle (own, uint (first + 2)), subgroupShuffle (own, uint (first + 3)));
  vec4 r = vec4 (0);
  if (EPILOGUE_RESIDUAL)
    r = texelFetch (residual, p.res_offset4 + min (c4, p.out_c4 - 1));
  bvec4 real = lessThan (ivec4 (4 * c4) + ivec4 (0, 1, 2, 3), ivec4 (p.out_c));
  return mix (vec4 (0), epilogue (v, r), real);
}

void main ()
{
  p = push;
  int block = int (gl_WorkGroupID.x), lane = int (gl_LocalInvocationID.x);
  accumulate (block * p.in_c4 * TM + (lane & 7));
  vec4 v[TM / 4];
  [[unroll]] for (int k = 0; k < TM / 4; k++)
    v[k] = finish (block, k);
  [[unroll]] for (int k = 0; k < TM / 4; k += STORE_TEXELS) {
    int c4 = block * (TM / 4) + k;
    vec4 t[STORE_TEXELS];
    [[unroll]] for (int i = 0; i < STORE_TEXELS; i++)
      t[i] = v[k + i];
    if (lane == 0 && c4 < p.out_c4)
      store_texels (p.out_offset4 + c4, t);
  }
}
