#version 450
#extension GL_GOOGLE_include_directive : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// Live rows as they are, by bits, and one value in all others; or that value everywhere.
#include "lib/rows.glsl"
#include "lib/store.glsl"

layout (local_size_x = 64) in;
layout (constant_id = 0) const uint FILL = 0;
layout (constant_id = 1) const bool ALL = false;
layout (push_constant) uniform Push { int n4, num, den, most; } push; // in elements
layout (binding = 0) uniform usamplerBuffer source;
layout (binding = 1) uniform isamplerBuffer live;
SEG_OUTPUT (2);

void main ()
{
  int n4 = push.n4, num = push.num, den = push.den, most = push.most;
  int i = int ((gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x) * 64u
               + gl_LocalInvocationIndex);
  if (i >= n4)
    return;
  uvec4 v = uvec4 (FILL);
  if (!ALL) {
    int n = live_rows (live, num, den, most);
    bvec4 inside = lessThan (ivec4 (4 * i) + ivec4 (0, 1, 2, 3), ivec4 (n));
    v = mix (v, texelFetch (source, i), inside);
  }
  store4 (i, v);
}
