#version 450
// SPDX-License-Identifier: LGPL-2.1-or-later
#extension GL_GOOGLE_include_directive : enable
#extension GL_EXT_control_flow_attributes : enable
#extension GL_KHR_shader_subgroup_shuffle : enable
#extension GL_KHR_shader_subgroup_vote : enable
// Convolution where a subgroup is a vector register: each lane sums TP neighbouring pixels of a
// row for TM channels, texels of four channels at a time. A block of weights is one texel a
// lane, spread by shuffles. Weights: [out block][kernel y][kernel x][in texel][TM].
// A tile is a lane's TP pixels; tiles are counted down the columns, so that a workgroup, a subgroup,
// is narrow and tall, and can skip whole taps that fall into the padding for all lanes.
#include "lib/store.glsl"
#include "lib/divide.glsl"
#include "lib/spread.glsl"

layout (local_size_x_id = 0) in;
layout (constant_id = 1) const int TM = 8;
layout (constant_id = 2) const int TP = 8;
layout (constant_id = 3) const int REUSE = 1;  // 1: taps of a row share the texels they read
layout (constant_id = 4) const int BORDER = 1; // 0: no tap ever falls outside
layout (constant_id = 5) const int KERNEL_W = 3; // these three only where REUSE
layout (constant_id = 6) const int STRIDE_X = 1;
layout (constant_id = 7) const int DILATION_X = 1;
layout (constant_id = 8) const int FACTOR = 0; // 1: weights times one number for each input channel
const int SPAN = (TP - 1) * STRIDE_X + (KERNEL_W - 1) * DILATION_X + 1;
const int ROW = REUSE == 1 ? SPAN : TP; // texels held at a time
const int TAPS = REUSE == 1 ? KERNEL_W : 1;

#include "lib/epilogue.glsl"

// Two ways to the same texels. llvmpipe puts texelFetch into a function, before whose call all registers
// are stored: short code, but slow. With IMAGES the code is in place, and all that hides behind it is
// in one block for LLVM to order.
#ifdef IMAGES
#ifdef STORE_F16
#define STORED rgba16f
#else
#define STORED rgba32f
#endif
layout (binding = 0, STORED) readonly uniform imageBuffer source;
layout (binding = 1, STORED) readonly uniform imageBuffer weights;
#define fetch(from, i) imageLoad (from, i)
const int TOGETHER = TAPS > 3 ? 1 : TAPS; // of the taps, while a sum is in a register
#else
layout (binding = 0) uniform samplerBuffer source;
layout (binding = 1) uniform samplerBuffer weights;
#define fetch(from, i) texelFetch (from, i)
const int TOGETHER = 1;
#endif
layout (binding = 2) uniform samplerBuffer bias;
SEG_OUTPUT (3);
layout (binding = 4) uniform samplerBuffer residual;
layout (binding = 5) uniform samplerBuffer factor;

struct Push {
  int in_w, in_h, out_w, out_h;
  int in_pitch4, in_offset4, out_pitch4, out_offset4, res_pitch4, res_offset4;
  int out_image, out_row, out_col; // output pixels from one to the next
  int in_c4;        // texels of a pixel that one block of output channels reads
  int group_blocks; // blocks of output channels that read the same texels
  int out_c, out_c4; // channels; texels of a pixel to write
  int kernel_h, kernel_w, stride_y, stride_x, dilation_y, dilation_x, pad_y, pad_x;
  int n_tiles;
  int folds; // of the workgroups of tiles, which are too many for one dimension
  int factor_offset4;
};
layout (push_constant) uniform PushConstants {
  Push push;
};
Push p; // a copy; lib/strided.glsl says why

vec4 sum[TP][TM / 4];
int at[ROW];
bool inside[ROW];

void find (int line, bool line_ok, int x, int first)
{
  [[unroll]] for (int q = 0; q < ROW; q++) {
    int ix = x + (REUSE == 1 ? q : q * p.stride_x);
    inside[q] = line_ok && uint (ix) < uint (p.in_w);
    at[q] = (line + clamp (ix, 0, p.in_w - 1)) * p.in_pitch4 + first;
  }
}

// 0, in a way that no compiler can see: LLVM makes two instructions of a shuffle by a constant, and lavapipe one
// of any other.
uint hidden_zero ()
{
#ifdef IMAGES
  return uint (p.folds >> 31);
#else
  return 0;
#endif
}

// Loops end in their conditions: llvmpipe only masks what follows a condition at the top, and would
// go through the body once more.
void accumulate (int w)
{
  int lane = int (gl_LocalInvocationID.x) & 7;
  uint zero = hidden_zero ();
  int c4 = 0;
  do {
    vec4 texel[ROW];
    [[unroll]] for (int q = 0; q < ROW; q++) {
      vec4 t = fetch (source, at[q] + c4);
      texel[q] = BORDER == 0 || inside[q] ? t : vec4 (0);
    }
    vec4 by;
    if (FACTOR == 1)
      by = texelFetch (factor, p.factor_offset4 + c4);
    [[unroll]] for (int tap = 0; tap < TAPS; tap += TOGETHER)
      [[unroll]] for (int m = 0; m < TM; m += 8) {
        vec4 mine[TOGETHER];
        [[unroll]] for (int k = 0; k < TOGETHER; k++) {
          mine[k] = fetch (weights, w + ((tap + k) * p.in_c4 + c4) * TM + m + lane);
          if (FACTOR == 1)
            mine[k] *= by;
        }
        [[unroll]] for (int i = 0; i < 8; i++)
          [[unroll]] for (int k = 0; k < TOGETHER; k++) {
            vec4 f = spread (mine[k], zero + uint (i));
            [[unroll]] for (int n = 0; n < TP; n++)
              sum[n][(m + i) / 4][i % 4] +=
                  dot (f, texel[REUSE == 1 ? n * STRIDE_X + (tap + k) * DILATION_X : n]);
          }
      }
  } while (++c4 < p.in_c4);
}

vec4 finish (int n, int i, int pixel, int c4)
{
  vec4 r = vec4 (0);
  if (EPILOGUE_RESIDUAL)
    r = texelFetch (residual, p.res_offset4 + pixel * p.res_pitch4 + c4);
  bvec4 real = lessThan (ivec4 (4 * c4) + ivec4 (0, 1, 2, 3), ivec4 (p.out_c));
  return mix (vec4 (0), epilogue (sum[n][i], r), real);
}

void main ()
{
  p = push;
  // Workgroups go through some blocks first, which all read the same pixels.
  int z = int (gl_WorkGroupID.z), turn = divide (z, p.folds), fold = z - turn * p.folds;
  int block = turn * int (gl_NumWorkGroups.x) + int (gl_WorkGroupID.x);
  int local = int (gl_WorkGroupSize.x);
  int tile = (int (gl_WorkGroupID.y) + fold * int (gl_NumWorkGroups.y)) * local
      + int (gl_LocalInvocationID.x);
  bool live = tile < p.n_tiles;
  tile = min (tile, p.n_tiles - 1);

  int column = divide (tile, p.out_h), y = tile - column * p.out_h;
  int columns = (p.out_w + TP - 1) / TP;
  int image = divide (column, columns), x0 = (column - image * columns) * TP;

  [[unroll]] for (int i = 0; i < TM / 4; i++) {
    vec4 b = texelFetch (bias, block * (TM / 4) + i);
    [[unroll]] for (int n = 0; n < TP; n++)
      sum[n][i] = b;
  }

  int channel4 = p.in_offset4 + divide (block, p.group_blocks) * p.in_c4;
  int w = block * p.kernel_h * p.kernel_w * p.in_c4 * TM;
  int ky = 0;
  do {
    int iy = y * p.stride_y + ky * p.dilation_y - p.pad_y;
    int line = (image * p.in_h + clamp (iy, 0, p.in_h - 1)) * p.in_w;
    bool line_ok = uint (iy) < uint (p.in_h);
    if (BORDER == 1 && !subgroupAny (line_ok))
      continue;
    int wy = w + ky * p.kernel_w * p.in_c4 * TM;
    if (REUSE == 1) {
      find (line, line_ok, x0 * STRIDE_X - p.pad_x, channel4);
      accumulate (wy);
      continue;
    }
    int kx = 0;
    do {
      int x = x0 * p.stride_x + kx * p.dilation_x - p.pad_x;
      bool some = line_ok && x + (TP - 1) * p.stride_x >= 0 && x < p.in_w;
      if (BORDER == 1 && !subgroupAny (some))
        continue;
      find (line, line_ok, x, channel4);
      accumulate (wy + kx * p.in_c4 * TM);
    } while (++kx < p.kernel_w);
  } while (++ky < p.kernel_h);

  [[unroll]] for (int n = 0; n < TP; n++) {
    if (!live || x0 + n >= p.out_w)
      continue;
    int pixel = image * p.out_image + y * p.out_row + (x0 + n) * p.out_col;
    [[unroll]] for (int i = 0; i < TM / 4; i += STORE_TEXELS) {
      int c4 = block * (TM / 4) + i;
      if (c4 >= p.out_c4)
        continue;
      vec4 v[STORE_TEXELS];
      [[unroll]] for (int k = 0; k < STORE_TEXELS; k++)
        v[k] = finish (n, i + k, pixel, c4 + k);
      store_texels (p.out_offset4 + pixel * p.out_pitch4 + c4, v);
    }
  }
}
