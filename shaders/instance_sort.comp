#version 450
#extension GL_GOOGLE_include_directive : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// Brings the candidates into the order of their scores, the best first: a candidate's place is the
// number of those that are better. Of equals the one with the lower number is.
#define SEG_INSTANCES 1
#define SEG_LIMITS 2
#include "lib/instances.glsl"
#include "lib/detections.glsl"

layout (local_size_x = 64) in;
layout (binding = 3) uniform usamplerBuffer candidates; // n, then two each: number and score
layout (binding = 4) writeonly buffer Boxes { vec4 data[]; } boxes; // x0 y0 x1 y1 in net pixels
layout (binding = 5) writeonly buffer Sorted { uvec4 data[]; } sorted; // class, score, number

uvec2 candidate (int i)
{
  uvec4 two = texelFetch (candidates, 1 + (i >> 1));
  return (i & 1) != 0 ? two.zw : two.xy;
}

int best_class (int box)
{
  float best = 0.0;
  int label = 0;
  for (int c = 0; c < inst.shape.y; c++) {
    float v = detection (box, 4 + inst.shape.w + c);
    if (keeps_class (c) && v > best) {
      best = v;
      label = c;
    }
  }
  return label;
}

void main ()
{
  int i = int (gl_GlobalInvocationID.x);
  int n = int (texelFetch (candidates, 0).x);
  if (i >= n)
    return;
  uvec2 me = candidate (i);
  int place = 0;
  for (int k = 0; k < n; k++) {
    uint score = candidate (k).y;
    place += score > me.y || (score == me.y && k < i) ? 1 : 0;
  }
  boxes.data[place] = box_in_net (detection_box (int (me.x)));
  sorted.data[place] = uvec4 (best_class (int (me.x)), me.y, me.x, 0u);
}
