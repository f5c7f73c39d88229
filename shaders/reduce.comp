#version 450
#extension GL_GOOGLE_include_directive : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// The network's scores, pixel by pixel of its own grid: which class wins (16 bits each), and one
// number that later steps interpolate. Four pixels of a row an invocation.
#define SEG_DECODE 1
#define SEG_STYLE  2
#include "lib/decode.glsl"
#ifdef STORE_I32
layout (binding = 0) uniform isamplerBuffer classes;
#else
#include "lib/scores.glsl"
#endif

layout (local_size_x = 64) in;
layout (constant_id = 1) const int SCORES = SOFTMAX;
layout (constant_id = 2) const int NUMBER = 0;
const int NUMBER_SUM = 0;    // log of the sum of exp of the scores, if a threshold asks for it
const int NUMBER_MARGIN = 1; // log odds of the foreground: its classes against the others
const int NUMBER_VALUE = 2;  // the first score as it is; nobody wins

layout (binding = 3) writeonly buffer Labels { uvec2 data[]; } labels;
layout (binding = 4) writeonly buffer Numbers { vec4 data[]; } numbers;

// The network has chosen: there is a class, and nothing between.
void choose (int v, out uint label, out float n)
{
  label = v < 0 || v >= dec.grid.z ? uint (style.choice.x) : uint (v);
  n = NUMBER == NUMBER_MARGIN && !style_is_foreground (int (label)) ? -20.0 : 20.0;
}

#ifndef STORE_I32
float weight_of (float v, float best)
{
  return SCORES == PROBABILITY ? max (v, 0.0) : exp (v - best);
}

float log_sum (int base, float best)
{
  float sum = 0.0;
  for (int c = 0; c < n_classes (); c++)
    sum += weight_of (score (base, c), best);
  return SCORES == PROBABILITY ? log (max (sum, 1e-20)) : best + log (sum);
}

float margin (int base, float best)
{
  float inside = 0.0, outside = 0.0, highest = -3.4e38;
  for (int c = 0; c < n_classes (); c++) {
    float v = score (base, c);
    bool foreground = style_is_foreground (c);
    if (foreground)
      highest = max (highest, v);
    if (SCORES != SIGMOID) {
      float w = weight_of (v, best);
      inside += foreground ? w : 0.0;
      outside += foreground ? 0.0 : w;
    }
  }
  if (SCORES == SIGMOID)
    return clamp (highest, -20.0, 20.0);
  return clamp (log (max (inside, 1e-20)) - log (max (outside, 1e-20)), -20.0, 20.0);
}

float number (int base, float best)
{
  if (NUMBER == NUMBER_MARGIN)
    return margin (base, best);
  return style_has_threshold () && SCORES == SOFTMAX ? log_sum (base, best) : 0.0;
}

void reduce (int x, int y, out uint label, out float n)
{
  int base = score_base (x, y);
  if (NUMBER == NUMBER_VALUE) {
    label = 0u;
    n = score (base, 0);
    return;
  }
  if (SCORES == INDEX) {
    choose (int (floor (score (base, 0) + 0.5)), label, n);
    return;
  }
  float best = -3.4e38;
  int at = 0;
  for (int c = 0; c < n_classes (); c += 4)
    best_of4 (scores4 (base, c), c, best, at);
  label = uint (at);
  n = number (base, best);
}
#else
void reduce (int x, int y, out uint label, out float n)
{
  int at = dec.view.x + x * dec.view.y + y * dec.view.z;
  choose (texelFetch (classes, at >> 2)[at & 3], label, n);
}
#endif

void main ()
{
  int i = int (gl_GlobalInvocationID.x + gl_GlobalInvocationID.y * gl_NumWorkGroups.x * 64u);
  if (i >= dec.grid.w * dec.grid.y)
    return;
  int y = i / dec.grid.w;
  int x = 4 * (i - y * dec.grid.w);
  uint l[4];
  vec4 n;
  for (int e = 0; e < 4; e++)
    reduce (min (x + e, dec.grid.x - 1), y, l[e], n[e]);
  if (NUMBER != NUMBER_VALUE)
    labels.data[i] = uvec2 (l[0] | l[1] << 16, l[2] | l[3] << 16);
  numbers.data[i] = n;
}
