#version 450
#extension GL_GOOGLE_include_directive : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// Elements, by bits, to places that indices say: operand 0 is where they come from, operand 1
// the destination without the indexed axes, operand 2 the indices.
#include "lib/store1.glsl"
#include "lib/strided.glsl"
#include "lib/indexed.glsl"

layout (binding = 0) uniform usamplerBuffer source;
SEG_ELEMENTS (2);

int place (int e)
{
  return strided_element (1, e) + indexed_offset (strided_element (2, e));
}

void main ()
{
  int i;
  if (!strided_begin (i))
    return;
  uvec4 v = strided_fetch (source, 0);
  int left = strided_total () - 4 * i;
  store1 (place (0), v.x)
  if (left > 1)
    store1 (place (1), v.y)
  if (left > 2)
    store1 (place (2), v.z)
  if (left > 3)
    store1 (place (3), v.w)
}
