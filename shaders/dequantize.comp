#version 450
#extension GL_GOOGLE_include_directive : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// DequantizeLinear: bytes (or int32, which have no zero point) to numbers.
#include "lib/quant.glsl"
#include "lib/store.glsl"
#include "lib/strided.glsl"

layout (constant_id = 3) const uint SIGN = 0u; // of the bytes and of the zero points

#ifdef READ_I32
layout (binding = 0) uniform isamplerBuffer source;
#else
layout (binding = 0) uniform usamplerBuffer source;
#endif
layout (binding = 1) uniform samplerBuffer scale;
layout (binding = 2) uniform usamplerBuffer zero;
SEG_OUTPUT (3);

void main ()
{
  int i;
  if (!strided_begin (i))
    return;
#ifdef READ_I32
  ivec4 q = strided_fetch (source, 0);
#else
  ivec4 q = byte_values (strided_fetch (source, 0), SIGN)
      - byte_values (strided_fetch (zero, 2), SIGN);
#endif
  store4 (strided_output (i), strided_mask4 (vec4 (q) * strided_fetch (scale, 1)));
}
