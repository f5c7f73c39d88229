#version 450
// SPDX-License-Identifier: LGPL-2.1-or-later
#extension GL_GOOGLE_include_directive : enable
#extension GL_EXT_control_flow_attributes : enable
#extension GL_KHR_shader_subgroup_shuffle : enable
#extension GL_EXT_shader_subgroup_extended_types_int64 : enable
// A 1x1 convolution over a row of pixels, as conv_lp.comp does it (a lane sums TP pixels and TM channels), but
// nothing at the end is under a condition, so that its stores may be cheap (lib/uniform.glsl). The last tiles are moved
// back, and make some pixels again, perhaps on another thread: the same bytes, by the same operations. TM divides
// the output channels. Weights: [out block][in texel][TM].
#include "lib/store.glsl"
#include "lib/spread.glsl"

layout (local_size_x = 8) in;
layout (constant_id = 0) const int TM = 16;
layout (constant_id = 1) const int TP = 4;
layout (constant_id = 2) const int FACTOR = 0; // 1: weights times one number for each input channel

#include "lib/epilogue.glsl"

layout (binding = 0) uniform samplerBuffer source;
layout (binding = 1) uniform samplerBuffer weights;
layout (binding = 2) uniform samplerBuffer bias;
SEG_OUTPUT (3);
layout (binding = 4) uniform samplerBuffer residual;
layout (binding = 5) uniform samplerBuffer factor;

struct Push {
  int in_pitch4, in_offset4, out_pitch4, out_offset4, res_pitch4, res_offset4;
  int in_c4; // texels of a pixel
  int n_pixels; // TP at least
  int factor_offset4;
};
layout (push_constant) uniform PushConstants {
  Push push;
  int push_digits[16];
};
Push p; // a copy; lib/strided.glsl says why
#include "lib/uniform.glsl"

vec4 sum[TP][TM / 4];

// From the pixel whose first texel is at `from`, and the weights at w.
void accumulate (int from, int w)
{
  int lane = int (gl_LocalInvocationID.x);
  int c4 = 0;
  do {
    vec4 texel[TP];
    [[unroll]] for (int n = 0; n < TP; n++)
      texel[n] = texelFetch (source, from + n * p.in_pitch4 + c4);
    vec4 by;
    if (FACTOR == 1)
      by = texelFetch (factor, p.factor_offset4 + c4);
    [[unroll]] for (int m = 0; m < TM; m += 8) {
      vec4 mine = texelFetch (weights, w + c4 * TM + m + lane);
      if (FACTOR == 1)
        mine *= by;
      [[unroll]] for (int i = 0; i < 8; i++) {
        vec4 f = spread (mine, uint (i));
        [[unroll]] for (int n = 0; n < TP; n++)
          sum[n][(m + i) / 4][i % 4] += dot (f, texel[n]);
      }
    }
  } while (++c4 < p.in_c4);
}

// A lane's tile begins at this pixel.
int start_of (int lane)
{
  return min (lane * TP, p.n_pixels - TP);
}

// The bias comes last: llvmpipe would prepare bare sums for the store within the loop.
STORE_PAIR finish (int n, int i, int pixel, int c4, vec4 b[2])
{
  vec4 v[2];
  [[unroll]] for (int k = 0; k < 2; k++) {
    vec4 r = vec4 (0);
    if (EPILOGUE_RESIDUAL)
      r = texelFetch (residual, p.res_offset4 + pixel * p.res_pitch4 + c4 + k);
    v[k] = epilogue (sum[n][i + k] + b[k], r);
  }
  return store_pair (v);
}

void main ()
{
  p = push;
  int block = int (gl_WorkGroupID.z * gl_NumWorkGroups.x + gl_WorkGroupID.x);
  int group = int (gl_WorkGroupID.y), c4 = block * (TM / 4);
  int pixel = start_of (group * 8 + int (gl_LocalInvocationID.x));
  [[unroll]] for (int i = 0; i < TM / 4; i++)
    [[unroll]] for (int n = 0; n < TP; n++)
      sum[n][i] = vec4 (0);
  accumulate (p.in_offset4 + pixel * p.in_pitch4, block * p.in_c4 * TM);

  int first = uniform_int (group, 4) * 8, pitch = p.out_pitch4 / 2;
  int to[8];
  [[unroll]] for (int lane = 0; lane < 8; lane++)
    to[lane] = (p.out_offset4 + uniform_int (block, 2) * (TM / 4)) / 2 + start_of (first + lane) * pitch;
  [[unroll]] for (int i = 0; i < TM / 4; i += 2) {
    vec4 b[2];
    [[unroll]] for (int k = 0; k < 2; k++)
      b[k] = texelFetch (bias, c4 + i + k);
    [[unroll]] for (int n = 0; n < TP; n++) {
      STORE_PAIR mine = finish (n, i, pixel + n, c4 + i, b);
      [[unroll]] for (int lane = 0; lane < 8; lane++)
        seg_out.data[to[lane] + n * pitch + i / 2] = subgroupShuffle (mine, lane);
    }
  }
  // Never. Without a store of the other kind LLVM does not align its stack to vectors.
  if (p.n_pixels < TP)
    seg_out.data[pixel] = STORE_PAIR (0);
}
