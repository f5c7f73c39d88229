#version 450
#extension GL_GOOGLE_include_directive : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// x / (bias + alpha / size * sum of x^2 over `size` neighbouring channels) ^ beta. Operand 1 is
// no memory: its element is the channel.
#include "lib/store.glsl"
#include "lib/strided.glsl"

layout (constant_id = 3) const int SIZE = 1;
layout (constant_id = 4) const float ALPHA_BY_SIZE = 0.0;
layout (constant_id = 5) const float BETA = 0.0;
layout (constant_id = 6) const float BIAS = 1.0;

#define CHANNELS strided.operand[14]
#define STRIDE   strided.operand[15]

layout (binding = 0) uniform samplerBuffer source;
SEG_OUTPUT (1);

float fetch (int at)
{
  return texelFetch (source, at >> 2)[at & 3];
}

void main ()
{
  int i;
  if (!strided_begin (i))
    return;
  vec4 v;
  for (int e = 0; e < 4; e++) {
    int at = strided_element (0, e), channel = strided_element (1, e);
    int first = max (channel - (SIZE - 1) / 2, 0);
    int last = min (channel + SIZE / 2, CHANNELS - 1);
    float sum = 0.0;
    for (int c = first; c <= last; c++) {
      float x = fetch (at + (c - channel) * STRIDE);
      sum += x * x;
    }
    v[e] = fetch (at) * pow (BIAS + ALPHA_BY_SIZE * sum, -BETA);
  }
  store4 (strided_output (i), strided_mask4 (v));
}
