// SPDX-License-Identifier: LGPL-2.1-or-later
// The detections, binding 0: for each box its four numbers, maybe a score of "any object", a score
// for each class, the coefficients of its mask. Needs lib/instances.glsl.
layout (binding = 0) uniform samplerBuffer detections;

float detection (int box, int value)
{
  int at = inst.view.x + box * inst.view.y + value * inst.view.z;
  return texelFetch (detections, at >> 2)[at & 3];
}

vec4 detection_box (int box)
{
  return vec4 (detection (box, 0), detection (box, 1), detection (box, 2), detection (box, 3));
}
