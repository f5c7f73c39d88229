#version 450
#extension GL_GOOGLE_include_directive : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// Keeps what lies on one side of a diagonal. Operand 1 has no memory: its "element" is column -
// row.
#include "lib/store.glsl"
#include "lib/strided.glsl"

layout (constant_id = 3) const bool UPPER = true;
layout (constant_id = 4) const int DIAGONAL = 0;

layout (binding = 0) uniform usamplerBuffer source;
SEG_OUTPUT (1);

bool keep (int e)
{
  int diagonal = strided_element (1, e);
  return UPPER ? diagonal >= DIAGONAL : diagonal <= DIAGONAL;
}

void main ()
{
  int i;
  if (!strided_begin (i))
    return;
  uvec4 v = strided_fetch (source, 0);
  v = mix (uvec4 (0), v, bvec4 (keep (0), keep (1), keep (2), keep (3)));
  store4 (strided_output (i), strided_mask4 (v));
}
