#version 450
#extension GL_GOOGLE_include_directive : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// DynamicQuantizeLinear: the scale (as it is stored, and exactly) and the zero point for a range.
#include "lib/quant.glsl"
#include "lib/store.glsl"

layout (local_size_x = 1) in;
layout (binding = 0) uniform samplerBuffer least;
layout (binding = 1) uniform samplerBuffer most;
SEG_OUTPUT (2);
layout (binding = 3) writeonly buffer Exact { vec4 scale; } exact;
layout (binding = 4) writeonly buffer Zero { uint zero; } zero;

void main ()
{
  float low = min (texelFetch (least, 0).x, 0.0), high = max (texelFetch (most, 0).x, 0.0);
  float scale = low == high ? 1.0 : (high - low) / 255.0;
  store4 (0, vec4 (scale, 0, 0, 0));
  exact.scale = vec4 (scale, 0, 0, 0);
  zero.zero = uint (round_between (vec4 (-low / scale), vec4 (0), vec4 (255)).x);
}
