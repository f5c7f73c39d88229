#version 450
#extension GL_GOOGLE_include_directive : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// Which classes the legend lists: those that cover enough of the frame, the largest if there are
// too many, in the order of their numbers. One that is listed stays until it covers a quarter of
// what it took to come in, so that the list does not flicker. One workgroup.
#define SEG_DECODE 0
#define SEG_STYLE  1
#define SEG_LEGEND 2
#define SEG_ROWS 4
#include "lib/decode.glsl"
#include "lib/legend.glsl"

layout (local_size_x = 64) in;
layout (binding = 3) readonly buffer Counts { uint data[]; } counts;

// Of a type that no buffer's array has: glslang gives both the same with its layout, and in shared memory
// variables of an explicit layout may lie on top of each other (VUID-StandaloneSpirv-None-10684).
shared uvec2 candidate[256]; // area, 0: none; whether it is shown

void main ()
{
  int me = int (gl_LocalInvocationID.x);
  int n = min (legend.limit.y, 256) + not_uniform ();
  float pixels = float (dec.frame.x) * float (dec.frame.y);
  uint enough = uint (max (style.amount.z * pixels, 1.0));
  for (int v = me; v < n; v += 64) {
    uint pixels_of_it = counts.data[v];
    uint need = rows.listed[v] != 0u ? max (enough / 4u, 1u) : enough;
    candidate[v].x = v != style.choice.x && pixels_of_it >= need ? pixels_of_it : 0u;
  }
  barrier ();
  for (int v = me; v < n; v += 64) {
    uint area = candidate[v].x;
    int larger = 0;
    for (int k = 0; k < n; k++)
      larger += candidate[k].x > area || (candidate[k].x == area && k < v) ? 1 : 0;
    candidate[v].y = area > 0u && larger < legend.limit.x ? 1u : 0u;
    rows.listed[v] = candidate[v].y;
  }
  barrier ();
  for (int v = me; v < n; v += 64) {
    uint before = 0u;
    for (int k = 0; k < v; k++)
      before += candidate[k].y;
    if (candidate[v].y != 0u)
      rows.values[before] = uint (v);
    if (v == n - 1)
      rows.n = before + candidate[v].y;
  }
}
