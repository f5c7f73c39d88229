#version 450
#extension GL_GOOGLE_include_directive : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// Comparison of two floats; of integers it is in binary.comp.
#include "lib/binary-kinds.glsl"
#include "lib/store.glsl"
#include "lib/strided.glsl"

layout (constant_id = 3) const int KIND = 0;
layout (binding = 0) uniform samplerBuffer left;
layout (binding = 1) uniform samplerBuffer right;
SEG_OUTPUT (2);

bvec4 compare (vec4 x, vec4 y)
{
  switch (KIND) {
  case BINARY_EQUAL: return equal (x, y);
  case BINARY_GREATER: return greaterThan (x, y);
  case BINARY_GREATER_EQUAL: return greaterThanEqual (x, y);
  case BINARY_LESS: return lessThan (x, y);
  }
  return lessThanEqual (x, y);
}

void main ()
{
  int i;
  if (!strided_begin (i))
    return;
  bvec4 v = compare (strided_fetch (left, 0), strided_fetch (right, 1));
  store4 (strided_output (i), strided_mask4 (ivec4 (v)));
}
