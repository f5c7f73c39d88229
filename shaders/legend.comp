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

shared uint area[256];   // of the candidates; 0: none
shared uint shown[256];

void main ()
{
  int me = int (gl_LocalInvocationID.x);
  int n = min (legend.limit.y, 256) + not_uniform ();
  float pixels = float (dec.frame.x) * float (dec.frame.y);
  uint enough = uint (max (style.amount.z * pixels, 1.0));
  for (int v = me; v < n; v += 64) {
    uint pixels_of_it = counts.data[v];
    uint need = rows.listed[v] != 0u ? max (enough / 4u, 1u) : enough;
    area[v] = v != style.choice.x && pixels_of_it >= need ? pixels_of_it : 0u;
  }
  barrier ();
  for (int v = me; v < n; v += 64) {
    int larger = 0;
    for (int k = 0; k < n; k++)
      larger += area[k] > area[v] || (area[k] == area[v] && k < v) ? 1 : 0;
    shown[v] = area[v] > 0u && larger < legend.limit.x ? 1u : 0u;
    rows.listed[v] = shown[v];
  }
  barrier ();
  for (int v = me; v < n; v += 64) {
    uint before = 0u;
    for (int k = 0; k < v; k++)
      before += shown[k];
    if (shown[v] != 0u)
      rows.values[before] = uint (v);
    if (v == n - 1)
      rows.n = before + shown[v];
  }
}
