#version 450
#extension GL_GOOGLE_include_directive : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// Last step of a transposed convolution: a cell of the source holds stride_y x stride_x output
// pixels, one after the other; they go to their places and through the epilogue. An invocation
// moves four channels of a pixel.
#include "lib/divide.glsl"
#include "lib/store.glsl"
#include "lib/epilogue.glsl"

layout (local_size_x = 64) in;

layout (binding = 0) uniform samplerBuffer cells; // [image][y][x][stride_y][stride_x][c4]
SEG_OUTPUT (1);
layout (binding = 2) uniform samplerBuffer residual;

struct Push {
  int cells_w, cells_h, out_w, out_h;
  int stride_y, stride_x, pad_y, pad_x;
  int out_pitch4, out_offset4, res_pitch4, res_offset4;
  int channels, c4; // of a pixel in a cell; c4 its texels
  int out_c4, n_items;
};
layout (push_constant) uniform PushConstants {
  Push push;
};
Push p; // a copy; lib/strided.glsl says why

void main ()
{
  p = push;
  int item = int (gl_GlobalInvocationID.x + gl_GlobalInvocationID.y * gl_NumWorkGroups.x * 64u);
  if (item >= p.n_items)
    return;
  int pixel = divide (item, p.out_c4), c4 = item - pixel * p.out_c4;
  int line = divide (pixel, p.out_w), x = pixel - line * p.out_w + p.pad_x;
  int image = divide (line, p.out_h), y = line - image * p.out_h + p.pad_y;
  int cy = divide (y, p.stride_y), cx = divide (x, p.stride_x);
  int cell = (image * p.cells_h + cy) * p.cells_w + cx;
  int phase = (y - cy * p.stride_y) * p.stride_x + x - cx * p.stride_x;
  int at = (cell * p.stride_y * p.stride_x + phase) * p.c4 + min (c4, p.c4 - 1);
  vec4 v = texelFetch (cells, at), r = vec4 (0);
  if (EPILOGUE_RESIDUAL)
    r = texelFetch (residual, p.res_offset4 + pixel * p.res_pitch4 + c4);
  bvec4 real = lessThan (ivec4 (4 * c4) + ivec4 (0, 1, 2, 3), ivec4 (p.channels));
  store4 (p.out_offset4 + pixel * p.out_pitch4 + c4, mix (vec4 (0), epilogue (v, r), real));
}
