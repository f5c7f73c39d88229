#version 450
#extension GL_GOOGLE_include_directive : enable
#extension GL_EXT_control_flow_attributes : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// alpha * A B + beta * C for matrices (and batches of them) anywhere in memory; the result is
// dense. VECTOR: A's rows and B's rows are whole texels; an invocation makes ROWS rows of TEXELS
// texels. Else four neighbours in memory, element by element. LANES: a subgroup's invocations, 8 or
// more, have the same 8 rows; each reads of one and hands it round.
#include "lib/divide.glsl"
#include "lib/store.glsl"
#include "lib/epilogue.glsl"

layout (local_size_x = 64) in;
layout (constant_id = 0) const int VECTOR = 0;
layout (constant_id = 1) const int HAS_C = 0;
layout (constant_id = 2) const int ROWS = 4;
layout (constant_id = 3) const int TEXELS = 1; // divides those of a row

layout (binding = 0) uniform samplerBuffer a;
layout (binding = 1) uniform samplerBuffer b;
layout (binding = 2) uniform samplerBuffer c;
SEG_OUTPUT (3);
layout (binding = 4) uniform samplerBuffer residual;

struct Push {
  int rows, columns, depth, n_items;
  int batch[4]; // outermost first
  int a_offset, a_batch[4], a_row, a_depth; // strides in elements, 0 where broadcast
  int b_offset, b_batch[4], b_depth, b_column;
  int c_offset, c_row, c_column;
  int out_offset4, res_offset4;
  float alpha, beta;
};
layout (push_constant) uniform PushConstants {
  Push push;
};
Push p; // a copy; lib/strided.glsl says why

int a_at, b_at; // the current matrices

void find_matrices (int batch)
{
  a_at = p.a_offset;
  b_at = p.b_offset;
  [[unroll]] for (int i = 3; i >= 0; i--) {
    int q = divide (batch, p.batch[i]), at = batch - q * p.batch[i];
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
    int linear = 4 * item + e, line = divide (linear, p.columns), column = linear - line * p.columns;
    int batch = divide (line, p.rows), row = line - batch * p.rows;
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

#ifdef LANES
#extension GL_KHR_shader_subgroup_shuffle : enable
#include "lib/spread.glsl"
int own_row (int row)
{
  return row + int (gl_SubgroupInvocationID & 7u);
}

vec4 from_row (vec4 own, int at, int i)
{
  return spread (own, uint (i));
}
#else
int own_row (int row)
{
  return row;
}

vec4 from_row (vec4 own, int at, int i)
{
  return i == 0 ? own : texelFetch (a, at);
}
#endif

void tile (int item)
{
  int columns4 = p.columns >> 2, blocks_x = divide (columns4, TEXELS);
  int blocks_y = divide (p.rows + ROWS - 1, ROWS);
  int line = divide (item, blocks_x), column4 = (item - line * blocks_x) * TEXELS;
  int batch = divide (line, blocks_y), row = (line - batch * blocks_y) * ROWS;
  find_matrices (batch);
  int at[ROWS];
  [[unroll]] for (int i = 0; i < ROWS; i++)
    at[i] = (a_at + min (row + i, p.rows - 1) * p.a_row) >> 2;
  int own_at = (a_at + min (own_row (row), p.rows - 1) * p.a_row) >> 2;
  int b4 = (b_at >> 2) + column4, step = p.b_depth >> 2, n = p.depth >> 2;

  vec4 sum[ROWS][TEXELS];
  [[unroll]] for (int i = 0; i < ROWS; i++)
    [[unroll]] for (int c = 0; c < TEXELS; c++)
      sum[i][c] = vec4 (0);
  for (int k4 = 0; k4 < n; k4++) {
    vec4 f[4][TEXELS];
    [[unroll]] for (int j = 0; j < 4; j++)
      [[unroll]] for (int c = 0; c < TEXELS; c++)
        f[j][c] = texelFetch (b, b4 + (4 * k4 + j) * step + c);
    vec4 own = texelFetch (a, own_at + k4);
    [[unroll]] for (int i = 0; i < ROWS; i++) {
      vec4 t = from_row (own, at[i] + k4, i);
      [[unroll]] for (int c = 0; c < TEXELS; c++)
        sum[i][c] += t.x * f[0][c] + t.y * f[1][c] + t.z * f[2][c] + t.w * f[3][c];
    }
  }
  [[unroll]] for (int i = 0; i < ROWS; i++) {
    int to = min (row + i, p.rows - 1); // past the last row it is made again
    [[unroll]] for (int c = 0; c < TEXELS; c++) {
      vec4 v;
      [[unroll]] for (int e = 0; e < 4; e++)
        v[e] = add_c (sum[i][c][e], to, 4 * (column4 + c) + e);
      store ((batch * p.rows + to) * columns4 + column4 + c, v);
    }
  }
}

void main ()
{
  p = push;
  int item = int (gl_GlobalInvocationID.x + gl_GlobalInvocationID.y * gl_NumWorkGroups.x * 64u);
  if (VECTOR == 1) {
    if (item < p.n_items)
      tile (item);
  } else if (4 * item < p.n_items) {
    four_elements (item);
  }
}
