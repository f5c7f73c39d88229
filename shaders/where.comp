#version 450
#extension GL_GOOGLE_include_directive : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lib/store.glsl"
#include "lib/strided.glsl"

layout (binding = 0) uniform isamplerBuffer condition;
#ifdef STORE_I32
layout (binding = 1) uniform isamplerBuffer yes;
layout (binding = 2) uniform isamplerBuffer no;
#else
layout (binding = 1) uniform samplerBuffer yes;
layout (binding = 2) uniform samplerBuffer no;
#endif
SEG_OUTPUT (3);

void main ()
{
  int i;
  if (!strided_begin (i))
    return;
  bvec4 c = notEqual (strided_fetch (condition, 0), ivec4 (0));
  store4 (strided_output (i),
      strided_mask4 (mix (strided_fetch (no, 2), strided_fetch (yes, 1), c)));
}
