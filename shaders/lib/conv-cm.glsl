// SPDX-License-Identifier: LGPL-2.1-or-later
// Convolution by the matrix units of a GPU: fp16 in and out, fp32 sums. What conv_cm1.comp and
// conv_cm2.comp share: a workgroup's walk along K; conv-gemm.glsl has the idea. A kernel's main:
//
//   Walk walk;
//   if (!begin (walk)) return;
//   sums = 0;
//   while (step_forward (walk))
//     sums += the step's A times its B, in shared memory;
//   write the sums
//
// Matrices stay in main: NVIDIA's driver (580) keeps arrays of them that other functions see, or that
// are indexed by what is no constant, in memory, at a tenth of the speed.
//
// Shared memory holds a step's A as BM rows of BK halves and its B as BK rows of BN halves, each
// row 16 bytes longer than that, so that those of a fragment begin in different banks.
//
// With WHOLE_TAPS a step lies within a tap, all taps of a chunk of BK channels follow each other, and
// what they have of the same pixels is found in the first cache: 2 to 5 % on an H100. It is for
// inputs whose channels come in whole chunks; others would be filled up with too many zeros, and
// have steps that span taps.
#include "epilogue.glsl"
#include "conv-gemm.glsl"

layout (local_size_x_id = 0) in;
layout (constant_id = 1) const int BM = 64;
layout (constant_id = 2) const int BN = 64;
layout (constant_id = 7) const int TK = 16; // 8 or 16
layout (constant_id = 8) const bool SPLIT = false;
layout (constant_id = 16) const int BK = 32; // a multiple of TK
layout (constant_id = 17) const bool WHOLE_TAPS = false;
// In units of 8 halves, 16 bytes: a tile's sides, rows of shared memory, what a step brings.
const int BK8 = BK / 8, BN8 = BN / 8, ROW_A = BK8 + 1, ROW_B = BN8 + 1;
const int IN_A = BM * BK8, IN_B = BK * BN8;
const int THREADS = int (gl_WorkGroupSize.x);
const int NA = (IN_A + THREADS - 1) / THREADS, NB = (IN_B + THREADS - 1) / THREADS;

layout (binding = 0) readonly buffer Source { uvec4 data[]; } source;
layout (binding = 1) readonly buffer Weights { uvec4 data[]; } weights; // [tile][step][k][channel]
layout (binding = 2) uniform samplerBuffer bias;
layout (binding = 3) writeonly buffer Dest { uvec2 data[]; } dest;
layout (binding = 3) writeonly buffer Sums { float data[]; } sums; // with SPLIT
layout (binding = 4) uniform samplerBuffer residual;

// A's rows, and B's from FIRST_B on; after the last step whatever a kernel puts there.
shared uvec4 tile[BM * ROW_A + BK * ROW_B];
const int FIRST_B = BM * ROW_A;

Pixel pixel[NA];
uvec4 next_a[NA], next_b[NB];

void fetch (Tap tap, int w, int t)
{
  [[unroll]] for (int i = 0; i < NA; i++) {
    int at = source_texel (pixel[i], tap);
    next_a[i] = uvec4 (0);
    if (at >= 0)
      next_a[i] = source.data[at / 2];
  }
  [[unroll]] for (int i = 0; i < NB; i++)
    if (t + i * THREADS < IN_B)
      next_b[i] = weights.data[w + t + i * THREADS];
}

// The tap of what an invocation brings in a step, and in the one after it.
Tap first_tap (int step, int t)
{
  if (!WHOLE_TAPS)
    return find_tap ((step * BK8 + t % BK8) * 2);
  int taps = p.kernel_h * p.kernel_w, chunk = step / taps, tap = step - chunk * taps;
  int ky = tap / p.kernel_w;
  return Tap (ky, tap - ky * p.kernel_w, (chunk * BK8 + t % BK8) * 2);
}

void next_tap (inout Tap tap)
{
  if (!WHOLE_TAPS) {
    advance (tap, BK8 * 2);
    return;
  }
  if (++tap.kx == p.kernel_w) {
    tap.kx = 0;
    tap.ky++;
  }
  if (tap.ky == p.kernel_h) {
    tap.ky = 0;
    tap.c4 += BK8 * 2;
  }
}

void stage (int t)
{
  [[unroll]] for (int i = 0; i < NA; i++)
    if (t + i * THREADS < IN_A)
      tile[(t + i * THREADS) / BK8 * ROW_A + t % BK8] = next_a[i];
  [[unroll]] for (int i = 0; i < NB; i++) {
    int at = t + i * THREADS;
    if (at < IN_B)
      tile[FIRST_B + at / BN8 * ROW_B + at % BN8] = next_b[i];
  }
}

// Bias and epilogue, for the output pixel that lies at `at`.
vec4 result (int at, int c4, vec4 v)
{
  vec4 r = vec4 (0);
  if (EPILOGUE_RESIDUAL)
    r = texelFetch (residual, p.res_offset4 + at * p.res_pitch4 + c4);
  return real_channels (epilogue (v + texelFetch (bias, c4), r), c4);
}

struct Walk {
  int m, n, split; // the tile's first pixel and channel, and which part of K
  int step, end;   // of K; the step that is on its way
  int w;           // where its B lies
  Tap tap;
};

// Sends for the first step. FALSE: there is no such tile, in the last row of the grid.
bool begin (out Walk walk)
{
  int t = int (gl_LocalInvocationID.x);
  int tile_mn = int (gl_WorkGroupID.x + gl_WorkGroupID.y * gl_NumWorkGroups.x);
  int tile_m = tile_mn / p.tiles_n, tile_n = tile_mn - tile_m * p.tiles_n;
  walk.m = tile_m * BM;
  walk.n = tile_n * BN;
  walk.split = int (gl_WorkGroupID.z);
  walk.step = walk.split * p.split_steps;
  walk.end = min (walk.step + p.split_steps, p.steps);
  walk.w = (tile_n * p.steps + walk.step) * IN_B;
  walk.tap = first_tap (walk.step, t);
  if (walk.m >= p.n_pixels)
    return false;
  [[unroll]] for (int i = 0; i < NA; i++)
    pixel[i] = find_pixel (walk.m + (t + i * THREADS) / BK8);
  fetch (walk.tap, walk.w, t);
  return true;
}

// Puts the step that was sent for into shared memory, and sends for the next. FALSE: there was none.
bool step_forward (inout Walk walk)
{
  int t = int (gl_LocalInvocationID.x);
  barrier ();
  if (walk.step == walk.end)
    return false;
  stage (t);
  barrier ();
  if (++walk.step < walk.end) {
    next_tap (walk.tap);
    walk.w += IN_B;
    fetch (walk.tap, walk.w, t);
  }
  return true;
}
