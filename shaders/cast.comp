#version 450
#extension GL_GOOGLE_include_directive : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// Between floats and integers. To integers: a cast, or a question with the answer 0 or 1.
#include "lib/store.glsl"
#include "lib/strided.glsl"

#ifdef STORE_I32
layout (constant_id = 3) const int KIND = 0; // SegCastKind of gst/ops/cast.c
const int CAST_TRUNCATE = 0, CAST_NONZERO = 1, CAST_IS_NAN = 2, CAST_IS_INF = 3;
const int CAST_IS_POSITIVE_INF = 4, CAST_IS_NEGATIVE_INF = 5;
layout (binding = 0) uniform samplerBuffer source;
SEG_OUTPUT (1);

// Saturates; NaN becomes 0.
ivec4 truncate (vec4 v)
{
  bvec4 inside = lessThan (abs (v), vec4 (2147483648.0));
  ivec4 i = ivec4 (mix (vec4 (0.0), v, inside));
  i = mix (i, ivec4 (0x7fffffff), greaterThanEqual (v, vec4 (2147483648.0)));
  return mix (i, ivec4 (0x80000000u), lessThanEqual (v, vec4 (-2147483648.0)));
}

ivec4 apply (vec4 v)
{
  uvec4 bits = floatBitsToUint (v), size = bits & 0x7fffffffu;
  switch (KIND) {
  case CAST_NONZERO: return ivec4 (notEqual (size, uvec4 (0)));
  case CAST_IS_NAN: return ivec4 (greaterThan (size, uvec4 (0x7f800000u)));
  case CAST_IS_INF: return ivec4 (equal (size, uvec4 (0x7f800000u)));
  case CAST_IS_POSITIVE_INF: return ivec4 (equal (bits, uvec4 (0x7f800000u)));
  case CAST_IS_NEGATIVE_INF: return ivec4 (equal (bits, uvec4 (0xff800000u)));
  }
  return truncate (v);
}
#else
layout (binding = 0) uniform isamplerBuffer source;
SEG_OUTPUT (1);

vec4 apply (ivec4 v)
{
  return vec4 (v);
}
#endif

void main ()
{
  int i;
  if (!strided_begin (i))
    return;
  store4 (strided_output (i), strided_mask4 (apply (strided_fetch (source, 0))));
}
