#version 450
#extension GL_GOOGLE_include_directive : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// The class of each pixel of the frame, where it can be told without the scores: in cells of one
// class. Four pixels of a row an invocation, a byte each; the map is padded by repeating its
// edge. Groups that need the scores go on a list for refine.comp: on CPU devices code that a
// branch leaves out costs as much as code that runs.
#define SEG_DECODE 0
#define SEG_STYLE  1
#include "lib/decode.glsl"

layout (local_size_x = 64) in;
layout (constant_id = 0) const int SCORES = SOFTMAX;
layout (constant_id = 1) const int NEAREST = 0; // no interpolation

layout (binding = 2) uniform usamplerBuffer cells; // or, for NEAREST, labels
layout (binding = 3) writeonly buffer Output { uint data[]; } map;
layout (binding = 4) buffer List { uint n; uint groups[]; } list;

void main ()
{
  int i = int (gl_GlobalInvocationID.x + gl_GlobalInvocationID.y * gl_NumWorkGroups.x * 64u);
  if (i >= dec.region.z * dec.region.w)
    return;
  ivec2 word = region_word (i);
  int y = word.y;
  ivec4 x = min (ivec4 (4 * (word.x - y * dec.frame.z)) + ivec4 (0, 1, 2, 3), dec.frame.x - 1);
  vec4 px = clamp (vec4 (x) * dec.map.x + dec.map.z, 0.0, float (dec.grid.x - 1));
  float py = clamp (float (y) * dec.map.y + dec.map.w, 0.0, float (dec.grid.y - 1));
  ivec4 at = ivec4 (NEAREST != 0 ? floor (px + 0.5) : px)
      + int (NEAREST != 0 ? floor (py + 0.5) : py) * dec.grid.w * 4;
  uvec4 l = uvec4 (texelFetch (cells, at.x).x, texelFetch (cells, at.y).x,
                   texelFetch (cells, at.z).x, texelFetch (cells, at.w).x);
  bool mixed = any (equal (l, uvec4 (MIXED)));
  bool doubtful = SCORES != INDEX && style.amount.x > 0.0;

  uvec4 none = uvec4 (style.choice.x);
  bvec4 kept = bvec4 (style_keeps (int (l.x & 255u)), style_keeps (int (l.y & 255u)),
                      style_keeps (int (l.z & 255u)), style_keeps (int (l.w & 255u)));
  l = mix (none, l & 255u, kept);
  ivec4 in_x = ivec4 (greaterThanEqual (x, ivec4 (dec.inside.x)))
      * ivec4 (lessThan (x, ivec4 (dec.inside.y)));
  if (y < dec.inside.z || y >= dec.inside.w)
    in_x = ivec4 (0);
  l = mix (none, l, bvec4 (in_x));
  map.data[word.x] = l.x | l.y << 8 | l.z << 16 | l.w << 24;
  if (mixed || doubtful)
    list.groups[atomicAdd (list.n, 1u)] = uint (word.x);
}
