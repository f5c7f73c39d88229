#version 450
#extension GL_GOOGLE_include_directive : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// The class of each pixel of the groups that classes.comp could not tell: scores interpolated
// between grid pixels, then the highest wins. A fixed number of invocations shares the list.
#define SEG_DECODE 1
#define SEG_STYLE  2
#include "lib/decode.glsl"
#include "lib/scores.glsl"

layout (local_size_x = 64) in;
layout (constant_id = 1) const int SCORES = SOFTMAX;
layout (constant_id = 2) const int NEAREST = 0; // no interpolation

layout (binding = 3) uniform samplerBuffer sums;
layout (binding = 4) writeonly buffer Output { uint data[]; } map;
layout (binding = 5) readonly buffer List { uint n; uint groups[]; } list;

float sum_at (int i)
{
  return texelFetch (sums, i >> 2)[i & 3];
}

struct Place {
  ivec4 base; // of the scores of the four corners
  ivec4 at;   // of the corners in the map of sums
  vec4 w;     // their weights
};

Place place (vec2 p)
{
  ivec2 a = ivec2 (p), b = min (a + 1, dec.grid.xy - 1);
  vec2 f = p - vec2 (a);
  int row0 = a.y * dec.grid.w * 4, row1 = b.y * dec.grid.w * 4;
  Place r;
  r.base = ivec4 (score_base (a.x, a.y), score_base (b.x, a.y), score_base (a.x, b.y),
                  score_base (b.x, b.y));
  r.at = ivec4 (row0 + a.x, row0 + b.x, row1 + a.x, row1 + b.x);
  r.w = vec4 ((1.0 - f.x) * (1.0 - f.y), f.x * (1.0 - f.y), (1.0 - f.x) * f.y, f.x * f.y);
  return r;
}

int winner (Place p)
{
  float best = -3.4e38;
  int label = 0;
  for (int c = 0; c < n_classes (); c += 4) {
    vec4 v = p.w.x * scores4 (p.base.x, c) + p.w.y * scores4 (p.base.y, c)
        + p.w.z * scores4 (p.base.z, c) + p.w.w * scores4 (p.base.w, c);
    best_of4 (v, c, best, label);
  }
  return label;
}

float probability (Place p, int label)
{
  float v = p.w.x * score (p.base.x, label) + p.w.y * score (p.base.y, label)
      + p.w.z * score (p.base.z, label) + p.w.w * score (p.base.w, label);
  if (SCORES == PROBABILITY)
    return v;
  if (SCORES == SIGMOID)
    return 1.0 / (1.0 + exp (-v));
  return exp (v - dot (p.w, vec4 (sum_at (p.at.x), sum_at (p.at.y), sum_at (p.at.z),
                                  sum_at (p.at.w))));
}

uint class_of (ivec2 at)
{
  vec2 g = clamp (vec2 (at) * dec.map.xy + dec.map.zw, vec2 (0.0), vec2 (dec.grid.xy - 1));
  Place p = place (NEAREST != 0 ? floor (g + 0.5) : g);
  int label = winner (p);
  bool keep = at.x >= dec.inside.x && at.x < dec.inside.y && at.y >= dec.inside.z
      && at.y < dec.inside.w && style_keeps (label);
  if (style_has_threshold ())
    keep = keep && probability (p, label) >= style.amount.x;
  return uint (keep ? label : style.choice.x);
}

void main ()
{
  uint n_workers = gl_NumWorkGroups.x * 64u;
  for (uint k = gl_GlobalInvocationID.x; k < list.n; k += n_workers) {
    int i = int (list.groups[k]);
    int y = i / dec.frame.z;
    int x = 4 * (i - y * dec.frame.z);
    uint word = 0u;
    for (int e = 0; e < 4; e++)
      word |= class_of (ivec2 (min (x + e, dec.frame.x - 1), y)) << (8 * e);
    map.data[i] = word;
  }
}
