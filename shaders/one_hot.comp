#version 450
#extension GL_GOOGLE_include_directive : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// The second of two values where the index is the coordinate along the new axis, which is
// operand 1's "element"; the first elsewhere.
#include "lib/store.glsl"
#include "lib/strided.glsl"

layout (constant_id = 3) const int DEPTH = 1;

layout (binding = 0) uniform isamplerBuffer indices;
layout (binding = 1) uniform usamplerBuffer values;
SEG_OUTPUT (2);

void main ()
{
  int i;
  if (!strided_begin (i))
    return;
  ivec4 index = strided_fetch (indices, 0);
  ivec4 at = ivec4 (strided_element (1, 0), strided_element (1, 1), strided_element (1, 2),
      strided_element (1, 3));
  uvec4 pair = texelFetch (values, 0);
  bvec4 hot = equal (mix (index, index + DEPTH, lessThan (index, ivec4 (0))), at);
  store4 (strided_output (i), strided_mask4 (mix (pair.xxxx, pair.yyyy, hot)));
}
