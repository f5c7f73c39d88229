#version 450
// SPDX-License-Identifier: LGPL-2.1-or-later
#extension GL_GOOGLE_include_directive : enable
#extension GL_EXT_control_flow_attributes : enable
// Means of a map's channels, mixed to fewer numbers and these to the result: squeeze and excitation, as
// gst/ops/gate.c says. One workgroup; steps hand numbers on through shared memory. What is added up are pixels,
// or sums of parts that gate_sums.comp has made. Loops run once at least, as llvmpipe likes them.
#include "lib/store.glsl"
#include "lib/epilogue.glsl"

layout (local_size_x_id = 0) in;
layout (constant_id = 1) const int SLICES = 1; // lanes that share a texel of the means
layout (constant_id = 2) const int HIDDEN_EACH = 1; // numbers that a lane makes at once
layout (constant_id = 3) const int OUT_EACH = 1;
layout (constant_id = 4) const int ACT = 0;
layout (constant_id = 5) const float ACT_A = 0.0;
layout (constant_id = 6) const float ACT_B = 0.0;
layout (constant_id = 7) const bool TWO = false; // maps

layout (binding = 0) uniform samplerBuffer first;
layout (binding = 1) uniform samplerBuffer second;
layout (binding = 2) uniform samplerBuffer weights_hidden; // [texel of inputs][output]
layout (binding = 3) uniform samplerBuffer weights_out;
layout (binding = 4) uniform samplerBuffer biases;
SEG_OUTPUT (5);
layout (binding = 6) uniform samplerBuffer residual;

struct Push {
  int n, pitch4, offset4, n_second, pitch4_second, offset4_second; // of the maps
  int c4, hidden4, hidden_padded, out_padded, out_c, out_offset4;
  float scale, scale_second;
};
layout (push_constant) uniform PushConstants {
  Push push;
};
Push p; // a copy; lib/strided.glsl says why

shared float outer[1024 + 512]; // means, then the result; lanes write past what is wanted
shared float hidden[512 + 512];
shared vec4 parts[128];

int lane, local;

// Every SLICES-th pixel of a texel of channels. In turns of 32, which loses less to rounding.
#define SUM(MAP, N, PITCH4, OFFSET4, C4, FROM, RESULT)                                         \
  {                                                                                            \
    int at = FROM;                                                                             \
    do {                                                                                       \
      vec4 some = vec4 (0.0);                                                                  \
      int end = min (at + 32 * SLICES, N);                                                     \
      do {                                                                                     \
        vec4 v = texelFetch (MAP, OFFSET4 + min (at, N - 1) * PITCH4 + C4);                    \
        some += at < end ? v : vec4 (0.0);                                                     \
        at += SLICES;                                                                          \
      } while (at < end);                                                                      \
      RESULT += some;                                                                          \
    } while (at < N);                                                                          \
  }

vec4 mean (int c4, int slice)
{
  vec4 a = vec4 (0.0), b = vec4 (0.0);
  SUM (first, p.n, p.pitch4, p.offset4, c4, slice, a)
  if (!TWO)
    return a * p.scale;
  SUM (second, p.n_second, p.pitch4_second, p.offset4_second, c4, slice, b)
  return a * p.scale + b * p.scale_second;
}

void keep (int c4, vec4 v)
{
  [[unroll]] for (int e = 0; e < 4; e++)
    outer[4 * c4 + e] = v[e];
}

void find_means ()
{
  if (SLICES == 1) {
    int c4 = lane;
    do {
      vec4 v = mean (min (c4, p.c4 - 1), 0);
      if (c4 < p.c4)
        keep (c4, v);
      c4 += local;
    } while (c4 < p.c4);
    return;
  }
  int slice = lane / p.c4, c4 = lane - slice * p.c4;
  parts[lane] = mean (c4, slice);
  barrier ();
  if (slice == 0) {
    vec4 v = parts[c4];
    [[unroll]] for (int s = 1; s < SLICES; s++)
      v += parts[c4 + s * p.c4];
    keep (c4, v);
  }
}

#define MIX(FROM, N4, WEIGHTS, EACH, PADDED, FIRST, SUM_OF)                                    \
  {                                                                                            \
    [[unroll]] for (int m = 0; m < EACH; m++)                                                  \
      SUM_OF[m] = 0.0;                                                                         \
    int k = 0;                                                                                 \
    do {                                                                                       \
      vec4 x = vec4 (FROM[4 * k], FROM[4 * k + 1], FROM[4 * k + 2], FROM[4 * k + 3]);          \
      [[unroll]] for (int m = 0; m < EACH; m++)                                                \
        SUM_OF[m] += dot (x, texelFetch (WEIGHTS, k * PADDED + FIRST + m * local));            \
    } while (++k < N4);                                                                        \
  }

void find_hidden ()
{
  int begin = 0;
  do {
    float sum[4];
    MIX (outer, p.c4, weights_hidden, HIDDEN_EACH, p.hidden_padded, begin + lane, sum)
    [[unroll]] for (int m = 0; m < HIDDEN_EACH; m++) {
      int o = begin + m * local + lane;
      hidden[o] = act_apply (vec4 (sum[m] + texelFetch (biases, o).x), ACT, ACT_A, ACT_B).x;
    }
    begin += HIDDEN_EACH * local;
  } while (begin < p.hidden_padded);
}

void find_result ()
{
  int begin = 0;
  do {
    float sum[4];
    MIX (hidden, p.hidden4, weights_out, OUT_EACH, p.out_padded, begin + lane, sum)
    [[unroll]] for (int m = 0; m < OUT_EACH; m++)
      outer[begin + m * local + lane] = sum[m];
    begin += OUT_EACH * local;
  } while (begin < p.out_padded);
}

void main ()
{
  p = push;
  lane = int (gl_LocalInvocationID.x);
  local = int (gl_WorkGroupSize.x);
  find_means ();
  barrier ();
  find_hidden ();
  barrier ();
  find_result ();
  barrier ();
  int c4 = lane, out_c4 = (p.out_c + 7) / 8 * 2;
  do {
    int at = min (4 * c4, p.out_c);
    vec4 v = vec4 (outer[at], outer[at + 1], outer[at + 2], outer[at + 3]);
    v = epilogue (v + texelFetch (biases, p.hidden_padded + min (c4, out_c4 - 1)), vec4 (0.0));
    v = mix (vec4 (0.0), v, lessThan (ivec4 (4 * c4) + ivec4 (0, 1, 2, 3), ivec4 (p.out_c)));
    if (c4 < out_c4)
      store4 (p.out_offset4 + c4, v);
    c4 += local;
  } while (c4 < out_c4);
}
