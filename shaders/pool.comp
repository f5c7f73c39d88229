#version 450
#extension GL_GOOGLE_include_directive : enable
#extension GL_EXT_control_flow_attributes : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// MaxPool, AveragePool and LpPool: an invocation makes four channels of a pixel, or eight (STORE_TEXELS).
// Of bytes there is only the maximum. Loops end in their conditions: conv_lp.comp says why.
#include "lib/divide.glsl"
#include "lib/store.glsl"

layout (local_size_x = 64) in;
layout (constant_id = 0) const int KIND = 0; // as in gst/ops/pool.c
layout (constant_id = 1) const int COUNT_PADDING = 0;
layout (constant_id = 2) const int NORM = 2;
const int POOL_MAX = 0, POOL_AVERAGE = 1, POOL_LP = 2;

#ifdef STORE_B8
layout (constant_id = 3) const uint SIGN = 0u; // 128: int8, which is ordered as its bits ^ 128 are
#define SAMPLER usamplerBuffer
#define VEC4 uvec4
#else
#define SAMPLER samplerBuffer
#define VEC4 vec4
#endif

layout (binding = 0) uniform SAMPLER source;
SEG_OUTPUT (1);

struct Push {
  int in_w, in_h, out_w, out_h;
  int in_pitch4, in_offset4, out_pitch4, out_offset4;
  int channels, items4, n_items; // items4: invocations for a pixel
  int kernel_h, kernel_w, stride_y, stride_x, dilation_y, dilation_x, pad_y, pad_x;
  int pad_end_y, pad_end_x;
};
layout (push_constant) uniform PushConstants {
  Push push;
};
Push p; // a copy; lib/strided.glsl says why

#ifdef STORE_B8
uvec4 start ()
{
  return uvec4 (0);
}

uvec4 add (uvec4 v, uvec4 t)
{
  return max (v, t ^ SIGN);
}

uvec4 finish (uvec4 v, int taps)
{
  return v ^ SIGN;
}
#else
vec4 norm (vec4 v)
{
  v = abs (v);
  return NORM == 1 ? v : NORM == 2 ? v * v : pow (v, vec4 (NORM));
}

vec4 root (vec4 v)
{
  return NORM == 1 ? v : NORM == 2 ? sqrt (v) : pow (v, vec4 (1.0 / float (NORM)));
}

vec4 larger (vec4 a, vec4 b)
{
  return mix (mix (a, b, greaterThan (b, a)), b, isnan (b)); // a NaN stays
}

vec4 start ()
{
  return vec4 (KIND == POOL_MAX ? uintBitsToFloat (0xff800000u) : 0.0);
}

vec4 add (vec4 v, vec4 t)
{
  return KIND == POOL_MAX ? larger (v, t) : KIND == POOL_AVERAGE ? v + t : v + norm (t);
}

vec4 finish (vec4 v, int taps)
{
  return KIND == POOL_LP ? root (v) : KIND == POOL_AVERAGE ? v / float (max (taps, 1)) : v;
}
#endif

int padded_taps (int first, int kernel, int dilation, int end)
{
  return min (divide (max (end - first + dilation - 1, 0), dilation), kernel);
}

void main ()
{
  p = push;
  int item = int (gl_GlobalInvocationID.x + gl_GlobalInvocationID.y * gl_NumWorkGroups.x * 64u);
  item = min (item, p.n_items - 1); // the last one may be made again
  int pixel = divide (item, p.items4), c4 = (item - pixel * p.items4) * STORE_TEXELS;
  int row = divide (pixel, p.out_w), x = pixel - row * p.out_w;
  int image = divide (row, p.out_h), y = row - image * p.out_h;
  int y0 = y * p.stride_y - p.pad_y, x0 = x * p.stride_x - p.pad_x;

  VEC4 v[STORE_TEXELS];
  [[unroll]] for (int k = 0; k < STORE_TEXELS; k++)
    v[k] = start ();
  int n = 0, ky = 0;
  do {
    int iy = y0 + ky * p.dilation_y, kx = 0;
    int line = (image * p.in_h + clamp (iy, 0, p.in_h - 1)) * p.in_w;
    do {
      int ix = x0 + kx * p.dilation_x;
      int at = (line + clamp (ix, 0, p.in_w - 1)) * p.in_pitch4 + p.in_offset4 + c4;
      bool inside = uint (iy) < uint (p.in_h) && uint (ix) < uint (p.in_w);
      [[unroll]] for (int k = 0; k < STORE_TEXELS; k++) {
        VEC4 more = add (v[k], texelFetch (source, at + k));
        v[k] = inside ? more : v[k];
      }
      n += int (inside);
    } while (++kx < p.kernel_w);
  } while (++ky < p.kernel_h);
  if (KIND == POOL_AVERAGE && COUNT_PADDING == 1)
    n = padded_taps (y0, p.kernel_h, p.dilation_y, p.in_h + p.pad_end_y)
        * padded_taps (x0, p.kernel_w, p.dilation_x, p.in_w + p.pad_end_x);
  [[unroll]] for (int k = 0; k < STORE_TEXELS; k++) {
    bvec4 real = lessThan (ivec4 (4 * (c4 + k)) + ivec4 (0, 1, 2, 3), ivec4 (p.channels));
    v[k] = mix (VEC4 (0), finish (v[k], n), real);
  }
  store_texels (p.out_offset4 + pixel * p.out_pitch4 + c4, v);
}
