#version 450
#extension GL_GOOGLE_include_directive : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// QLinearAdd and QLinearMul: two bytes to one.
#include "lib/quant.glsl"
#include "lib/store.glsl"
#include "lib/strided.glsl"

layout (constant_id = 3) const int KIND = 0; // as in gst/ops/quant-binary.c
layout (constant_id = 4) const uint SIGN = 0u;
const int ADD = 0, MUL = 1;

layout (binding = 0) uniform usamplerBuffer left;
layout (binding = 1) uniform usamplerBuffer right;
layout (binding = 2) uniform samplerBuffer numbers; // factors, zeros; low, high, zero
SEG_OUTPUT (3);

void main ()
{
  int i;
  if (!strided_begin (i))
    return;
  vec4 operands = texelFetch (numbers, 0), result = texelFetch (numbers, 1);
  vec4 a = vec4 (byte_values (strided_fetch (left, 0), SIGN)) - operands.z;
  vec4 b = vec4 (byte_values (strided_fetch (right, 1), SIGN)) - operands.w;
  precise vec4 l = (KIND == MUL ? a * b : a) * operands.x;
  precise vec4 r = b * operands.y;
  precise vec4 v = KIND == MUL ? l : l + r;
  ivec4 q = round_between (v, vec4 (result.x), vec4 (result.y)) + int (result.z);
  store4 (strided_output (i), strided_mask4 (uvec4 (q) & 255u));
}
