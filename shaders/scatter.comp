#version 450
#extension GL_GOOGLE_include_directive : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// Elements, by bits, to places that indices say: operand 0 is where they come from, operand 1
// the destination without the indexed axes, operand 2 the indices.
#include "lib/rows.glsl"
#include "lib/store1.glsl"
#include "lib/strided.glsl"
#include "lib/indexed.glsl"

layout (binding = 0) uniform usamplerBuffer source;
SEG_ELEMENTS (2);
layout (constant_id = 15) const int OF_ROW = 0; // elements of the updates for a counted row
layout (binding = 3) uniform isamplerBuffer live;

// -1: nowhere, the index is outside.
int place (int e)
{
  int tuple = strided_element (2, e);
  return indexed_inside (tuple) ? strided_element (1, e) + indexed_offset (tuple) : -1;
}

void put (int e, uint v)
{
  int at = place (e);
  if (at >= 0)
    store1 (at, v)
}

void main ()
{
  int i;
  if (!strided_begin (i) || is_past_rows (live, OF_ROW, 4 * i))
    return;
  uvec4 v = strided_fetch (source, 0);
  int left = strided_total () - 4 * i;
  if (OF_ROW != 0)
    left = min (left, texelFetch (live, 0).x * OF_ROW - 4 * i);
  put (0, v.x);
  if (left > 1)
    put (1, v.y);
  if (left > 2)
    put (2, v.z);
  if (left > 3)
    put (3, v.w);
}
