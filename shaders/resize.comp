#version 450
#extension GL_GOOGLE_include_directive : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// Resizes up to two axes, Y and X: a weighted sum of taps per axis; see gst/ops/resize.c.
// Operand 0 is the source without these axes, operand 1 has no memory.
#include "lib/store.glsl"
#include "lib/strided.glsl"

layout (constant_id = 3) const int Y_AXIS = -1; // among the loops; -1: one turn
layout (constant_id = 4) const int X_AXIS = -1;
layout (constant_id = 5) const int Y_PAIRS = 0; // of taps; 0: the axis is not resized
layout (constant_id = 6) const int X_PAIRS = 0;
layout (constant_id = 7) const float EXTRAPOLATION = 0.0;
layout (constant_id = 8) const bool HAS_OUTSIDE = false; // some taps are negative: take that

layout (binding = 0) uniform samplerBuffer source;
layout (binding = 1) uniform isamplerBuffer y_taps; // two offsets and two weights each
layout (binding = 2) uniform isamplerBuffer x_taps;
SEG_OUTPUT (3);

int coord (int e, int axis)
{
  if (axis < 0)
    return 0;
  return axis == 5 ? min (strided_coord[e][5], strided.inner - 1) : strided_coord[e][axis];
}

vec4 fetch (int at)
{
  vec4 v = texelFetch (source, at >> 2);
  return STRIDED_MODE0 == STRIDED_VECTOR ? v : vec4 (v[at & 3]);
}

// One row of taps along X.
vec4 sum_x (int at, int x)
{
  if (X_PAIRS == 0)
    return fetch (at);
  vec4 sum = vec4 (0.0);
  for (int k = 0; k < X_PAIRS; k++) {
    ivec4 tap = texelFetch (x_taps, x * X_PAIRS + k);
    vec2 weight = intBitsToFloat (tap.zw);
    sum += weight.x * fetch (at + tap.x) + weight.y * fetch (at + tap.y);
  }
  return sum;
}

vec4 resized (int e)
{
  int at = strided_element (0, e);
  int x = coord (e, X_AXIS), y = coord (e, Y_AXIS);
  if (HAS_OUTSIDE) {
    bool outside = X_PAIRS > 0 && texelFetch (x_taps, x * X_PAIRS).x < 0;
    if (outside || (Y_PAIRS > 0 && texelFetch (y_taps, y * Y_PAIRS).x < 0))
      return vec4 (EXTRAPOLATION);
  }
  if (Y_PAIRS == 0)
    return sum_x (at, x);
  vec4 sum = vec4 (0.0);
  for (int k = 0; k < Y_PAIRS; k++) {
    ivec4 tap = texelFetch (y_taps, y * Y_PAIRS + k);
    vec2 weight = intBitsToFloat (tap.zw);
    sum += weight.x * sum_x (at + tap.x, x) + weight.y * sum_x (at + tap.y, x);
  }
  return sum;
}

void main ()
{
  int i;
  if (!strided_begin (i))
    return;
  vec4 v = resized (0);
  if (STRIDED_MODE0 == STRIDED_GATHER)
    for (int e = 1; e < 4; e++)
      v[e] = resized (e).x;
  store4 (strided_output (i), strided_mask4 (v));
}
