#version 450
#extension GL_GOOGLE_include_directive : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// Moves elements, by bits, to some of the places of a tensor, which other dispatches fill up:
// operand 0 says where they come from, operand 1 where they go.
#include "lib/store1.glsl"
#include "lib/strided.glsl"

layout (binding = 0) uniform usamplerBuffer source;
SEG_ELEMENTS (1);

void main ()
{
  int i;
  if (!strided_begin (i))
    return;
  uvec4 v = strided_fetch (source, 0);
  int at0 = strided_element (1, 0);
  if (STRIDED_MODE1 == STRIDED_VECTOR) {
    store2 (at0, at0 + 1, v.xy)
    store2 (at0 + 2, at0 + 3, v.zw)
    return;
  }
  int at1 = strided_element (1, 1), at2 = strided_element (1, 2), at3 = strided_element (1, 3);
  int left = strided_total () - 4 * i;
  if (left >= 2)
    store2 (at0, at1, v.xy)
  else
    store1 (at0, v.x)
  if (left >= 4)
    store2 (at2, at3, v.zw)
  else if (left == 3)
    store1 (at2, v.z)
}
