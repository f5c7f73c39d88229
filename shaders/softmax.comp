#version 450
#extension GL_GOOGLE_include_directive : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// Softmax and LogSoftmax. In one pass over rows that an invocation has to itself: four
// neighbouring rows by columns (LANES), or one contiguous row (RUN). Rows that fit neither are
// reduced first by reduction.comp; APPLY finishes element by element.
#include "lib/store.glsl"
#include "lib/strided.glsl"

const int APPLY = 0, LANES = 1, RUN = 2;
layout (constant_id = 3) const int MODE = 0;
layout (constant_id = 4) const bool LOG = false;

// LANES and RUN: operand 0 is the start of the row in the source, operand 1 in the output.
#define EXTENT  strided.operand[14]
#define TEXELS  strided.operand[15] // RUN: to write, with channel padding
#define STRIDE4 strided.operand[16] // LANES: of the source
#define OUT4    strided.operand[17] // LANES: of the output

layout (binding = 0) uniform samplerBuffer source;
SEG_OUTPUT (1);
layout (binding = 2) uniform samplerBuffer largest; // APPLY
layout (binding = 3) uniform samplerBuffer sums;

// top: the largest of the row; sum: of exp (x - top)
vec4 value (vec4 v, vec4 top, vec4 sum)
{
  return LOG ? v - top - log (sum) : exp (v - top) / sum;
}

void lanes ()
{
  int from = strided_element (0, 0) >> 2;
  // strided_element stays inside the channels; the padding is written too.
  int beyond = max (strided_coord[0][5] - (strided.inner - 1), 0);
  int to = (strided_element (1, 0) + beyond * strided.operand[13]) >> 2;
  vec4 top = texelFetch (source, from), sum = vec4 (0.0);
  for (int k = 1; k < EXTENT; k++)
    top = max (top, texelFetch (source, from + k * STRIDE4));
  for (int k = 0; k < EXTENT; k++)
    sum += exp (texelFetch (source, from + k * STRIDE4) - top);
  for (int k = 0; k < EXTENT; k++) {
    vec4 v = value (texelFetch (source, from + k * STRIDE4), top, sum);
    store4 (to + k * OUT4, strided_mask4 (v));
  }
}

bvec4 inside (int t)
{
  return lessThan (ivec4 (4 * t) + ivec4 (0, 1, 2, 3), ivec4 (EXTENT));
}

void run ()
{
  int from = strided_element (0, 0) >> 2, to = strided_element (1, 0) >> 2;
  int n = (EXTENT + 3) >> 2;
  vec4 top4 = vec4 (texelFetch (source, from).x), sum4 = vec4 (0.0);
  for (int t = 0; t < n; t++)
    top4 = mix (top4, max (top4, texelFetch (source, from + t)), inside (t));
  vec4 top = vec4 (max (max (top4.x, top4.y), max (top4.z, top4.w)));
  for (int t = 0; t < n; t++)
    sum4 += mix (vec4 (0.0), exp (texelFetch (source, from + t) - top), inside (t));
  vec4 sum = vec4 ((sum4.x + sum4.y) + (sum4.z + sum4.w));
  for (int t = 0; t < TEXELS; t++) {
    vec4 v = value (texelFetch (source, from + min (t, n - 1)), top, sum);
    store4 (to + t, mix (vec4 (0.0), v, inside (t)));
  }
}

void main ()
{
  int i;
  if (!strided_begin (i))
    return;
  if (MODE == LANES)
    lanes ();
  if (MODE == RUN)
    run ();
  if (MODE == APPLY) {
    vec4 top = strided_fetch (largest, 1), sum = strided_fetch (sums, 1);
    store4 (strided_output (i), strided_mask4 (value (strided_fetch (source, 0), top, sum)));
  }
}
