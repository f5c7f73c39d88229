#version 450
#extension GL_GOOGLE_include_directive : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// A network's mattes from frame to frame: where a number is about what it was, it is drawn to that,
// so that edges do not flicker; where it is another, something has moved, and it is taken as it
// is. Numbers become probabilities. Four of the grid an invocation.
#define SEG_DECODE 0
#define SEG_STYLE  1
#include "lib/decode.glsl"

layout (local_size_x = 64) in;
layout (constant_id = 0) const int SCORES = PROBABILITY;

layout (binding = 2) buffer Numbers { vec4 data[]; } numbers;
layout (binding = 3) buffer Before { vec4 data[]; } before; // as they left last time; less than 0: unknown

void main ()
{
  int i = int (gl_GlobalInvocationID.x + gl_GlobalInvocationID.y * gl_NumWorkGroups.x * 64u);
  if (i >= dec.grid.w * dec.grid.y)
    return;
  vec4 now = numbers.data[i], was = before.data[i];
  if (SCORES != PROBABILITY)
    now = 1.0 / (1.0 + exp (-now));
  now = clamp (now, 0.0, 1.0);
  vec4 near = max (1.0 - 2.0 * abs (now - was), 0.0);
  bvec4 known = bvec4 (ivec4 (greaterThanEqual (was, vec4 (0.0))) * ivec4 (lessThanEqual (was, vec4 (1.0))));
  vec4 mixed = mix (now, mix (now, was, style.amount.w * near), known);
  numbers.data[i] = mixed;
  before.data[i] = mixed;
}
