#version 450
#extension GL_GOOGLE_include_directive : enable
#extension GL_EXT_control_flow_attributes : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// The guided filter's first half (He, Sun, Tang: Guided Image Filtering, 2013, eq. 14 and 15; at the size of
// the matte as in He, Sun: Fast Guided Filter, 2015): in the window around each pixel of the grid, alpha as
// the linear function of the guide's colour that fits best: alpha = dot (line.xyz, colour) + line.w.
#define SEG_DECODE 0
#define SEG_STYLE  1
#include "lib/decode.glsl"
#include "lib/guide.glsl"

layout (local_size_x = 64) in;
const float EPSILON = 1e-4; // variance of a colour, 0..1, below which it says nothing

layout (binding = 2) uniform samplerBuffer guide; // of guide.comp
layout (binding = 3) writeonly buffer Output { vec4 data[]; } result;

void main ()
{
  int i = int (gl_GlobalInvocationID.x + gl_GlobalInvocationID.y * gl_NumWorkGroups.x * 64u);
  int y = i / dec.grid.x, x = i - y * dec.grid.x;
  if (y >= dec.grid.y)
    return;
  // Colours count from the middle's, so that little is lost when squares of means are subtracted.
  vec3 middle = texelFetch (guide, i).xyz;
  vec4 mean = vec4 (0.0);                                      // colour, alpha
  vec3 with = vec3 (0.0), square = vec3 (0.0), mixed = vec3 (0.0); // products: alpha's; xx yy zz; xy xz yz
  for (int v = -GUIDE_RADIUS; v <= GUIDE_RADIUS; v++)
    [[unroll]] for (int u = -GUIDE_RADIUS; u <= GUIDE_RADIUS; u++) {
      vec4 g = texelFetch (guide, guide_place (ivec2 (x + u, y + v)));
      g.xyz -= middle;
      mean += g;
      with += g.xyz * g.w;
      square += g.xyz * g.xyz;
      mixed += g.xxy * g.yzz;
    }
  const float each = 1.0 / float (GUIDE_WINDOW);
  mean *= each;
  with = with * each - mean.xyz * mean.w;
  square = square * each - mean.xyz * mean.xyz + EPSILON;
  mixed = mixed * each - mean.xxy * mean.yzz;

  // (covariance + EPSILON) a = with, by LDL^T
  float l10 = mixed.x / square.x, l20 = mixed.y / square.x;
  float d1 = max (square.y - l10 * mixed.x, EPSILON), t = mixed.z - l10 * mixed.y, l21 = t / d1;
  float d2 = max (square.z - l20 * mixed.y - l21 * t, EPSILON);
  float z1 = with.y - l10 * with.x, z2 = with.z - l20 * with.x - l21 * z1;
  vec3 a;
  a.z = z2 / d2;
  a.y = z1 / d1 - l21 * a.z;
  a.x = with.x / square.x - l10 * a.y - l20 * a.z;
  result.data[i] = vec4 (a, mean.w - dot (a, mean.xyz + middle));
}
