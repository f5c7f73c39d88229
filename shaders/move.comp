#version 450
#extension GL_GOOGLE_include_directive : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// Moves elements, by bits, to some of the places of a tensor, which other dispatches fill up:
// operand 0 says where they come from, operand 1 where they go.
#include "lib/strided.glsl"

layout (binding = 0) uniform usamplerBuffer source;
layout (binding = 1) buffer Output { uint words[]; } dest;

#ifdef STORE_B16
// Two elements share a word; the other half may be another invocation's.
void store1 (int at, uint v)
{
  uint shift = uint (at & 1) * 16u;
  atomicAnd (dest.words[at >> 1], 0xffff0000u >> shift);
  atomicOr (dest.words[at >> 1], v << shift);
}

void store2 (int at0, int at1, uvec2 v)
{
  if ((at0 & 1) == 0 && at1 == at0 + 1) {
    dest.words[at0 >> 1] = v.x | v.y << 16;
  } else {
    store1 (at0, v.x);
    store1 (at1, v.y);
  }
}
#else
void store1 (int at, uint v)
{
  dest.words[at] = v;
}

void store2 (int at0, int at1, uvec2 v)
{
  store1 (at0, v.x);
  store1 (at1, v.y);
}
#endif

void main ()
{
  int i;
  if (!strided_begin (i))
    return;
  uvec4 v = strided_fetch (source, 0);
  if (STRIDED_MODE1 == STRIDED_VECTOR) {
    int at = strided_element (1, 0);
    store2 (at, at + 1, v.xy);
    store2 (at + 2, at + 3, v.zw);
    return;
  }
  int left = strided.dims[0] * strided.dims[1] * strided.dims[2] * strided.dims[3]
      * strided.dims[4] * strided.dims[5] - 4 * i;
  if (left >= 2)
    store2 (strided_element (1, 0), strided_element (1, 1), v.xy);
  else
    store1 (strided_element (1, 0), v.x);
  if (left >= 4)
    store2 (strided_element (1, 2), strided_element (1, 3), v.zw);
  else if (left == 3)
    store1 (strided_element (1, 2), v.z);
}
