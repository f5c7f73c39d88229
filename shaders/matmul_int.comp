#version 450
#extension GL_GOOGLE_include_directive : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// Products of matrices of bytes (and batches of them) anywhere in memory, summed as integers; an
// invocation makes four neighbours of the dense result. What is a 1x1 convolution, conv_int.comp
// does faster.
#include "lib/quant.glsl"
#include "lib/store.glsl"

layout (local_size_x = 64) in;
layout (binding = 0) uniform usamplerBuffer a;
layout (binding = 1) uniform usamplerBuffer b;
layout (binding = 2) uniform usamplerBuffer a_zero;
layout (binding = 3) uniform usamplerBuffer b_zero; // one, or one for each column
layout (binding = 4) uniform samplerBuffer scale;   // for each column
SEG_OUTPUT (5);

layout (push_constant) uniform Push {
  int rows, columns, depth, n_items;
  int batch[4]; // outermost first
  int a_offset, a_batch[4], a_row, a_depth; // strides in elements, 0 where broadcast
  int b_offset, b_batch[4], b_depth, b_column;
  int out_offset4;
  int low, high, zero;
  uint signs; // a's, b's << 8
  int b_zero_step;
} p;

int element (usamplerBuffer memory, int i, uint sign)
{
  return int (texelFetch (memory, i >> 2)[i & 3] ^ sign);
}

int sum_of (int row, int column, int batch)
{
  uint a_sign = p.signs & 255u, b_sign = p.signs >> 8;
  int a_at = p.a_offset + row * p.a_row, b_at = p.b_offset + column * p.b_column;
  for (int i = 3; i >= 0; i--) {
    int q = batch / p.batch[i], at = batch - q * p.batch[i];
    a_at += at * p.a_batch[i];
    b_at += at * p.b_batch[i];
    batch = q;
  }
  int za = element (a_zero, 0, a_sign), zb = element (b_zero, column * p.b_zero_step, b_sign);
  int sum = 0;
  for (int k = 0; k < p.depth; k++)
    sum += (element (a, a_at + k * p.a_depth, a_sign) - za)
        * (element (b, b_at + k * p.b_depth, b_sign) - zb);
  return sum;
}

void main ()
{
  int item = int (gl_GlobalInvocationID.x + gl_GlobalInvocationID.y * gl_NumWorkGroups.x * 64u);
  if (4 * item >= p.n_items)
    return;
  ivec4 v = ivec4 (0);
  for (int e = 0; e < 4 && 4 * item + e < p.n_items; e++) {
    int linear = 4 * item + e, line = linear / p.columns, column = linear - line * p.columns;
    int batch = line / p.rows, row = line - batch * p.rows;
    v[e] = sum_of (row, column, batch);
#ifdef STORE_B8
    vec4 number = vec4 (float (v[e]) * texelFetch (scale, column >> 2)[column & 3]);
    v[e] = round_between (number, vec4 (p.low), vec4 (p.high)).x + p.zero;
#endif
  }
  store4 (p.out_offset4 + item, SEG_VEC4 (v));
}
