#version 450
#extension GL_GOOGLE_include_directive : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// Functions of one variable: floats by lib/act.glsl, integers and booleans by the few kinds
// that ONNX has for them. KIND is SegActKind, or one of UNARY_NOT .. for integers.
#include "lib/store.glsl"
#include "lib/strided.glsl"

layout (constant_id = 3) const int KIND = 0;

#ifdef STORE_I32
#include "lib/act-kinds.glsl"
layout (constant_id = 4) const int A = 0;
layout (constant_id = 5) const int B = 0;
layout (binding = 0) uniform isamplerBuffer source;
SEG_OUTPUT (1);

const int UNARY_NOT = 100, UNARY_NONZERO = 101;

ivec4 apply (ivec4 v)
{
  switch (KIND) {
  case ACT_RELU: return max (v, ivec4 (0));
  case ACT_CLIP: return min (max (v, ivec4 (A)), ivec4 (B));
  case ACT_ABS: return abs (v);
  case ACT_NEG: return -v;
  case ACT_SIGN: return sign (v);
  case UNARY_NOT: return ivec4 (equal (v, ivec4 (0)));
  case UNARY_NONZERO: return ivec4 (notEqual (v, ivec4 (0)));
  }
  return v;
}
#else
#include "lib/epilogue.glsl"
layout (constant_id = 4) const float A = 0.0;
layout (constant_id = 5) const float B = 0.0;
layout (binding = 0) uniform samplerBuffer source;
SEG_OUTPUT (1);
layout (binding = 2) uniform samplerBuffer residual;

vec4 apply (vec4 v)
{
  vec4 r = vec4 (0.0);
  if (EPILOGUE_RESIDUAL)
    r = strided_fetch (residual, 1);
  return epilogue (act_apply (v, KIND, A, B), r);
}
#endif

void main ()
{
  int i;
  if (!strided_begin (i))
    return;
  store4 (strided_output (i), strided_mask4 (apply (strided_fetch (source, 0))));
}
