#version 450
#extension GL_GOOGLE_include_directive : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// Arithmetic of two floats, or of two integers (and logic, and their comparison).
#include "lib/binary-kinds.glsl"
#include "lib/store.glsl"
#include "lib/strided.glsl"

layout (constant_id = 3) const int KIND = 0;

#ifdef STORE_I32
layout (binding = 0) uniform isamplerBuffer left;
layout (binding = 1) uniform isamplerBuffer right;
SEG_OUTPUT (2);

ivec4 quotient (ivec4 x, ivec4 y)
{
  bvec4 zero = equal (y, ivec4 (0)), minus = equal (y, ivec4 (-1));
  ivec4 q = x / mix (mix (y, ivec4 (1), zero), ivec4 (1), minus);
  return mix (mix (q, -x, minus), ivec4 (0), zero);
}

// The divisor's sign (Python) or the dividend's (C).
ivec4 modulo (ivec4 x, ivec4 y, bool python)
{
  ivec4 r = mix (x - quotient (x, y) * y, ivec4 (0), equal (y, ivec4 (0)));
  if (!python)
    return r;
  bvec4 differ = lessThan (r ^ y, ivec4 (0));
  bvec4 rest = notEqual (r, ivec4 (0));
  return r + y * ivec4 (differ) * ivec4 (rest);
}

ivec4 apply (ivec4 x, ivec4 y)
{
  switch (KIND) {
  case BINARY_ADD: return x + y;
  case BINARY_SUB: return x - y;
  case BINARY_MUL: return x * y;
  case BINARY_DIV: return quotient (x, y);
  case BINARY_MIN: return min (x, y);
  case BINARY_MAX: return max (x, y);
  case BINARY_MOD: return modulo (x, y, true);
  case BINARY_FMOD: return modulo (x, y, false);
  case BINARY_PRELU: return mix (x, x * y, lessThan (x, ivec4 (0)));
  case BINARY_AND: return x & y;
  case BINARY_OR: return x | y;
  case BINARY_XOR: return x ^ y;
  case BINARY_EQUAL: return ivec4 (equal (x, y));
  case BINARY_GREATER: return ivec4 (greaterThan (x, y));
  case BINARY_GREATER_EQUAL: return ivec4 (greaterThanEqual (x, y));
  case BINARY_LESS: return ivec4 (lessThan (x, y));
  case BINARY_LESS_EQUAL: return ivec4 (lessThanEqual (x, y));
  }
  return x;
}
#else
#include "lib/epilogue.glsl"
layout (constant_id = 4) const float SCALE = 1.0;
layout (binding = 0) uniform samplerBuffer left;
layout (binding = 1) uniform samplerBuffer right;
SEG_OUTPUT (2);
layout (binding = 3) uniform samplerBuffer residual;

// As C's pow: GLSL's is not defined for a negative base, and has no exact cases.
vec4 power (vec4 x, vec4 y)
{
  const float inf = uintBitsToFloat (0x7f800000u), nan = uintBitsToFloat (0x7fc00000u);
  vec4 r = pow (abs (x), y);
  vec4 rest = mix (fract (0.5 * y), vec4 (0.0), isinf (y)); // 0: even; 1/2: odd
  vec4 negative = mix (mix (r, vec4 (nan), notEqual (rest, vec4 (0.0))), -r,
      equal (rest, vec4 (0.5)));
  negative = mix (negative, mix (r, -r, equal (rest, vec4 (0.5))), isinf (x));
  r = mix (r, negative, lessThan (x, vec4 (0.0)));
  r = mix (r, mix (vec4 (0.0), vec4 (inf), lessThan (y, vec4 (0.0))), equal (x, vec4 (0.0)));
  r = mix (r, x, equal (y, vec4 (1.0)));
  r = mix (r, x * x, equal (y, vec4 (2.0)));
  r = mix (mix (r, x, isnan (x)), y, isnan (y));
  r = mix (r, vec4 (1.0), equal (y, vec4 (0.0)));
  return mix (r, vec4 (1.0), equal (x, vec4 (1.0)));
}

vec4 remainder (vec4 x, vec4 y, bool python)
{
  vec4 a = abs (x), b = abs (y);
  precise vec4 r = a - b * floor (a / b);
  r = mix (r, r + b, lessThan (r, vec4 (0.0)));
  r = mix (r, r - b, greaterThanEqual (r, b));
  r = mix (r, a, isinf (b));
  r = mix (r, -r, lessThan (x, vec4 (0.0)));
  if (!python)
    return r;
  bvec4 differ = lessThan (r * y, vec4 (0.0));
  return mix (r, r + y, differ);
}

vec4 apply (vec4 x, vec4 y)
{
  switch (KIND) {
  case BINARY_ADD: return x + y;
  case BINARY_SUB: return x - y;
  case BINARY_MUL: return x * y;
  case BINARY_DIV: return x / y;
  case BINARY_POW: return power (x, y);
  case BINARY_MIN: return mix (mix (x, y, lessThan (y, x)), y, isnan (y));
  case BINARY_MAX: return mix (mix (x, y, greaterThan (y, x)), y, isnan (y));
  case BINARY_MOD: return remainder (x, y, true);
  case BINARY_FMOD: return remainder (x, y, false);
  case BINARY_PRELU: return mix (x, x * y, lessThan (x, vec4 (0.0)));
  }
  return x;
}
#endif

void main ()
{
  int i;
  if (!strided_begin (i))
    return;
#ifdef STORE_I32
  ivec4 v = apply (strided_fetch (left, 0), strided_fetch (right, 1));
#else
  vec4 r = vec4 (0.0);
  if (EPILOGUE_RESIDUAL)
    r = strided_fetch (residual, 2);
  vec4 v = apply (strided_fetch (left, 0), strided_fetch (right, 1)) * SCALE;
  v = epilogue (v, r);
#endif
  store4 (strided_output (i), strided_mask4 (v));
}
