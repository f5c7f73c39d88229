#version 450
#extension GL_GOOGLE_include_directive : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// PasteMasks: a step makes four neighbours in memory, which may be of two rows, or of two
// masks, unless WHOLE: a row is so many times four. gst/ops/paste-masks.c is the specification.
#include "lib/store.glsl"

layout (local_size_x = 64) in;
layout (constant_id = 0) const bool WHOLE = false;
layout (constant_id = 1) const int STEPS = 1; // texels of an invocation, 64 from one to the next

layout (binding = 0) uniform samplerBuffer masks;
layout (binding = 1) uniform isamplerBuffer boxes;
layout (binding = 2) uniform isamplerBuffer count; // of the masks, those that are there
SEG_OUTPUT (3);

layout (push_constant) uniform Push {
  int in_w, in_h, out_w, out_h, n_masks;
  int masks_offset, boxes_offset, out_offset4; // elements, elements, texels
  int n_texels;
} p;

float mask_at (int i)
{
  return texelFetch (masks, i >> 2)[i & 3];
}

// From the middle of pixel `at` of a box to a place in a mask of n pixels. Boxes may be anywhere:
// their differences are no integers.
float locate (int at, int first, int last, int n)
{
  float size = float (last) - float (first) + 1.0;
  float x = (float (at) - float (first) + 0.5) * float (n) / size - 0.5;
  return clamp (x, 0.0, float (n - 1));
}

// In a row of a mask, at pixel x of the picture.
float across (int first, ivec4 box, int x)
{
  float u = locate (x, box.x, box.z, p.in_w);
  int x0 = int (u), x1 = min (x0 + 1, p.in_w - 1);
  return mix (mask_at (first + x0), mask_at (first + x1), u - float (x0));
}

float sample_mask (int number, ivec4 box, int y, int x)
{
  float v = locate (y, box.y, box.w, p.in_h);
  int y0 = int (v), y1 = min (y0 + 1, p.in_h - 1);
  int first = p.masks_offset + number * p.in_h * p.in_w;
  return mix (across (first + y0 * p.in_w, box, x), across (first + y1 * p.in_w, box, x),
      v - float (y0));
}

bool is_in (ivec4 box, int y, int x)
{
  return x >= box.x && x <= box.z && y >= box.y && y <= box.w;
}

ivec4 box_of (int number)
{
  return texelFetch (boxes, (p.boxes_offset >> 2) + min (number, p.n_masks - 1));
}

// Most are outside of the box: a loop without a round is jumped over also where an `if` is not (on CPU
// drivers).
vec4 four_of_a_row (int number, int y, int x)
{
  ivec4 box = box_of (number);
  bool touches = y >= box.y && y <= box.w && x + 3 >= box.x && x <= box.z;
  vec4 v = vec4 (0);
  for (int i = 0, n = touches ? 4 : 0; i < n; i++)
    if (is_in (box, y, x + i))
      v[i] = sample_mask (number, box, y, x + i);
  return v;
}

vec4 any_four (int number, int y, int x)
{
  vec4 v = vec4 (0);
  for (int i = 0; i < 4; i++) {
    ivec4 box = box_of (number);
    if (number < p.n_masks && is_in (box, y, x))
      v[i] = sample_mask (number, box, y, x);
    if (++x < p.out_w)
      continue;
    x = 0;
    if (++y < p.out_h)
      continue;
    y = 0;
    number++;
  }
  return v;
}

void main ()
{
  int group = int (gl_WorkGroupID.x + gl_WorkGroupID.y * gl_NumWorkGroups.x);
  int first = group * 64 * STEPS, n = texelFetch (count, 0).x;
  int end = min (min (n, p.n_masks) * p.out_h * p.out_w, p.n_texels * 4) + 3 >> 2;
  end = min (end, first + 64 * STEPS);
  for (int texel = first + int (gl_LocalInvocationID.x); texel < end; texel += 64) {
    int row = texel * 4 / p.out_w, x = texel * 4 - row * p.out_w;
    int number = row / p.out_h, y = row - number * p.out_h;
    store4 (p.out_offset4 + texel,
        WHOLE ? four_of_a_row (number, y, x) : any_four (number, y, x));
  }
}
