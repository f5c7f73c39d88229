#version 450
#extension GL_GOOGLE_include_directive : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// Moves a tensor between layouts and storages: the source is read as floats (or integers) by
// strides, the result stored in its own layout. b32, b16 and b8 move bits as they are.
#include "lib/store.glsl"
#include "lib/strided.glsl"

#ifdef STORE_I32
layout (binding = 0) uniform isamplerBuffer source;
#elif defined(STORE_B32) || defined(STORE_B16) || defined(STORE_B8)
layout (binding = 0) uniform usamplerBuffer source;
#else
layout (binding = 0) uniform samplerBuffer source;
#endif
SEG_OUTPUT (1);

void main ()
{
  int i;
  if (!strided_begin (i))
    return;
  store4 (strided_output (i), strided_mask4 (strided_fetch (source, 0)));
}
