#version 450
#extension GL_GOOGLE_include_directive : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// QuantizeLinear: numbers to bytes, with a scale and a zero point each.
#include "lib/quant.glsl"
#include "lib/store.glsl"
#include "lib/strided.glsl"

layout (constant_id = 3) const uint SIGN = 0u; // of the result and of the zero points

layout (binding = 0) uniform samplerBuffer source;
layout (binding = 1) uniform samplerBuffer scale;
layout (binding = 2) uniform usamplerBuffer zero;
SEG_OUTPUT (3);

void main ()
{
  int i;
  if (!strided_begin (i))
    return;
  vec4 v = strided_fetch (source, 0) / strided_fetch (scale, 1);
  ivec4 z = byte_values (strided_fetch (zero, 2), SIGN);
  vec4 low = vec4 (-float (SIGN)) - vec4 (z);
  ivec4 q = round_between (v, low, low + 255.0) + z;
  store4 (strided_output (i), strided_mask4 (uvec4 (q) & 255u));
}
