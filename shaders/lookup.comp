#version 450
#extension GL_GOOGLE_include_directive : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// A function of one byte, as a table of 256.
#include "lib/store.glsl"
#include "lib/strided.glsl"

layout (binding = 0) uniform usamplerBuffer source;
layout (binding = 1) uniform usamplerBuffer table;
SEG_OUTPUT (2);

uint entry (uint bits)
{
  return texelFetch (table, int (bits >> 2))[bits & 3u];
}

void main ()
{
  int i;
  if (!strided_begin (i))
    return;
  uvec4 v = strided_fetch (source, 0);
  uvec4 to = uvec4 (entry (v.x), entry (v.y), entry (v.z), entry (v.w));
  store4 (strided_output (i), strided_mask4 (to));
}
