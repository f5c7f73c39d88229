#version 450
#extension GL_GOOGLE_include_directive : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// Elements, by bits, from places that indices say: operand 0 is the data without the indexed
// axes, operand 1 the indices.
#include "lib/store.glsl"
#include "lib/strided.glsl"
#include "lib/indexed.glsl"

layout (binding = 0) uniform usamplerBuffer source;
SEG_OUTPUT (2);

int place (int e)
{
  return strided_element (0, e) + indexed_offset (strided_element (1, e));
}

uint gather1 (int at)
{
  return texelFetch (source, at >> 2)[at & 3];
}

void main ()
{
  int i;
  if (!strided_begin (i))
    return;
  int at = place (0);
  uvec4 v;
  if (STRIDED_MODE0 == STRIDED_GATHER)
    v = uvec4 (gather1 (at), gather1 (place (1)), gather1 (place (2)), gather1 (place (3)));
  else
    v = texelFetch (source, at >> 2);
  store4 (strided_output (i), strided_mask4 (v));
}
