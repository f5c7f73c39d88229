#version 450
#extension GL_GOOGLE_include_directive : enable
#extension GL_EXT_control_flow_attributes : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// Resizes maps whose channels lie together by two taps along each axis, four channels of a pixel an
// invocation, or eight (STORE_TEXELS): what resize.comp does for any layout and number of taps.
#include "lib/divide.glsl"
#include "lib/store.glsl"

layout (local_size_x = 64) in;

layout (binding = 0) uniform samplerBuffer source;
layout (binding = 1) uniform isamplerBuffer y_taps; // a row's: two offsets in texels, two weights
layout (binding = 2) uniform isamplerBuffer x_taps; // a column's
SEG_OUTPUT (3);

struct Push {
  int in_image4, in_offset4; // texels from an image to the next; of the first
  int out_w, out_h, out_pitch4, out_offset4;
  int channels, items4, n_items; // items4: invocations for a pixel
};
layout (push_constant) uniform PushConstants {
  Push push;
};
Push p; // a copy; lib/strided.glsl says why

vec4 across (int at, ivec4 x)
{
  vec2 weight = intBitsToFloat (x.zw);
  return weight.x * texelFetch (source, at + x.x) + weight.y * texelFetch (source, at + x.y);
}

void main ()
{
  p = push;
  int item = int (gl_GlobalInvocationID.x + gl_GlobalInvocationID.y * gl_NumWorkGroups.x * 64u);
  item = min (item, p.n_items - 1); // the last one may be made again
  int pixel = divide (item, p.items4), c4 = (item - pixel * p.items4) * STORE_TEXELS;
  int line = divide (pixel, p.out_w), image = divide (line, p.out_h);
  ivec4 x = texelFetch (x_taps, pixel - line * p.out_w);
  ivec4 y = texelFetch (y_taps, line - image * p.out_h);
  vec2 weight = intBitsToFloat (y.zw);
  int at = image * p.in_image4 + p.in_offset4 + c4;
  vec4 v[STORE_TEXELS];
  [[unroll]] for (int k = 0; k < STORE_TEXELS; k++) {
    bvec4 real = lessThan (ivec4 (4 * (c4 + k)) + ivec4 (0, 1, 2, 3), ivec4 (p.channels));
    vec4 sum = weight.x * across (at + y.x + k, x) + weight.y * across (at + y.y + k, x);
    v[k] = mix (vec4 (0), sum, real);
  }
  store_texels (p.out_offset4 + pixel * p.out_pitch4 + c4, v);
}
