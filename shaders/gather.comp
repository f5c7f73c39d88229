#version 450
#extension GL_GOOGLE_include_directive : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// Elements, by bits, at places that indices say: operand 0 is the data without the indexed axes,
// operand 1 the indices, TUPLE of them to an element. An index outside its extent is clamped.
#include "lib/store.glsl"
#include "lib/strided.glsl"

layout (constant_id = 3) const int TUPLE = 1;
layout (constant_id = 4) const int TUPLE_STEP = 0; // from one index of a tuple to the next
layout (constant_id = 5) const int EXTENT0 = 1;
layout (constant_id = 6) const int STEP0 = 0;
layout (constant_id = 7) const int EXTENT1 = 1;
layout (constant_id = 8) const int STEP1 = 0;
layout (constant_id = 9) const int EXTENT2 = 1;
layout (constant_id = 10) const int STEP2 = 0;
layout (constant_id = 11) const int EXTENT3 = 1;
layout (constant_id = 12) const int STEP3 = 0;
layout (constant_id = 13) const int EXTENT4 = 1;
layout (constant_id = 14) const int STEP4 = 0;

layout (binding = 0) uniform usamplerBuffer source;
layout (binding = 1) uniform isamplerBuffer indices;
SEG_OUTPUT (2);

int indexed (int at, int extent, int step)
{
  int index = texelFetch (indices, at >> 2)[at & 3];
  index = index < 0 ? index + extent : index;
  return clamp (index, 0, extent - 1) * step;
}

int place (int e)
{
  int at = strided_element (0, e);
  int tuple = strided_element (1, e);
  at += indexed (tuple, EXTENT0, STEP0);
  if (TUPLE > 1)
    at += indexed (tuple + TUPLE_STEP, EXTENT1, STEP1);
  if (TUPLE > 2)
    at += indexed (tuple + 2 * TUPLE_STEP, EXTENT2, STEP2);
  if (TUPLE > 3)
    at += indexed (tuple + 3 * TUPLE_STEP, EXTENT3, STEP3);
  if (TUPLE > 4)
    at += indexed (tuple + 4 * TUPLE_STEP, EXTENT4, STEP4);
  return at;
}

void main ()
{
  int i;
  if (!strided_begin (i))
    return;
  int at = place (0);
  uvec4 v = texelFetch (source, at >> 2);
  if (STRIDED_MODE0 == STRIDED_GATHER) {
    v.x = v[at & 3];
    for (int e = 1; e < 4; e++) {
      at = place (e);
      v[e] = texelFetch (source, at >> 2)[at & 3];
    }
  }
  store4 (strided_output (i), strided_mask4 (v));
}
