#version 450
#extension GL_GOOGLE_include_directive : enable
#extension GL_EXT_control_flow_attributes : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// alpha * A B + beta * C for matrices (and batches of them) anywhere in memory; the result is
// dense. VECTOR: A's rows and B's rows are whole texels; an invocation makes 4 x 4 elements.
// Else four neighbours in memory, element by element.
#include "lib/store.glsl"
#include "lib/epilogue.glsl"

layout (local_size_x = 64) in;
layout (constant_id = 0) const int VECTOR = 0;
layout (constant_id = 1) const int HAS_C = 0;

layout (binding = 0) uniform samplerBuffer a;
layout (binding = 1) uniform samplerBuffer b;
layout (binding = 2) uniform samplerBuffer c;
SEG_OUTPUT (3);
layout (binding = 4) uniform samplerBuffer residual;

layout (push_constant) uniform Push {
  int rows, columns, depth, n_items;
  int batch[4]; // outermost first
  int a_offset, a_batch[4], a_row, a_depth; // strides in elements, 0 where broadcast
  int b_offset, b_batch[4], b_depth, b_column;
  int c_offset, c_row, c_column;
  int out_offset4, res_offset4;
  float alpha, beta;
} p;

int a_at, b_at; // the current matrices

void find_matrices (int batch)
{
  a_at = p.a_offset;
  b_at = p.b_offset;
  for (int i = 3; i >= 0; i--) {
    int q = batch / p.batch[i], at = batch - q * p.batch[i];
    a_at += at * p.a_batch[i];
    b_at += at * p.b_batch[i];
    batch = q;
  }
}

float element (samplerBuffer memory, int i)
{
  return texelFetch (memory, i >> 2)[i & 3];
}

float add_c (float v, int row, int column)
{
  v *= p.alpha;
  if (HAS_C == 1)
    v += p.beta * element (c, p.c_offset + row * p.c_row + column * p.c_column);
  return v;
}

void store (int at4, vec4 v)
{
  vec4 r = vec4 (0);
  if (EPILOGUE_RESIDUAL)
    r = texelFetch (residual, p.res_offset4 + at4);
  store4 (p.out_offset4 + at4, epilogue (v, r));
}

void four_elements (int item)
{
  vec4 v = vec4 (0);
  for (int e = 0; e < 4; e++) {
    int linear = 4 * item + e, line = linear / p.columns, column = linear - line * p.columns;
    int batch = line / p.rows, row = line - batch * p.rows;
    find_matrices (batch);
    float sum = 0.0;
    for (int k = 0; k < p.depth; k++)
      sum += element (a, a_at + row * p.a_row + k * p.a_depth)
          * element (b, b_at + k * p.b_depth + column * p.b_column);
    v[e] = add_c (sum, row, column);
    if (linear + 1 == p.n_items)
      break; // the padding behind the last element
  }
  store (item, v);
}

void four_rows (int item)
{
  int columns4 = p.columns >> 2, rows4 = (p.rows + 3) >> 2;
  int block = item / columns4, column4 = item - block * columns4;
  int batch = block / rows4, row = (block - batch * rows4) * 4;
  find_matrices (batch);
  int at[4];
  [[unroll]] for (int i = 0; i < 4; i++)
    at[i] = (a_at + min (row + i, p.rows - 1) * p.a_row) >> 2;
  int b4 = (b_at >> 2) + column4, step = p.b_depth >> 2;

  vec4 sum[4] = vec4[4] (vec4 (0), vec4 (0), vec4 (0), vec4 (0));
  for (int k4 = 0; k4 < p.depth >> 2; k4++) {
    vec4 f[4];
    [[unroll]] for (int j = 0; j < 4; j++)
      f[j] = texelFetch (b, b4 + (4 * k4 + j) * step);
    [[unroll]] for (int i = 0; i < 4; i++) {
      vec4 t = texelFetch (a, at[i] + k4);
      sum[i] += t.x * f[0] + t.y * f[1] + t.z * f[2] + t.w * f[3];
    }
  }
  [[unroll]] for (int i = 0; i < 4; i++) {
    if (row + i >= p.rows)
      break;
    vec4 v;
    [[unroll]] for (int e = 0; e < 4; e++)
      v[e] = add_c (sum[i][e], row + i, 4 * column4 + e);
    store ((batch * p.rows + row + i) * columns4 + column4, v);
  }
}

void main ()
{
  int item = int (gl_GlobalInvocationID.x + gl_GlobalInvocationID.y * gl_NumWorkGroups.x * 64u);
  if (VECTOR == 1) {
    if (item < p.n_items)
      four_rows (item);
  } else if (4 * item < p.n_items) {
    four_elements (item);
  }
}
