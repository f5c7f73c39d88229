#version 450
#extension GL_GOOGLE_include_directive : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// ArgMax and ArgMin of floats along one axis, four results an invocation; as in reduction.comp
// each result has a contiguous run of sources (RUN), or neighbours have neighbours, or neither.
#include "lib/store.glsl"
#include "lib/strided.glsl"

layout (constant_id = 3) const bool MINIMUM = false;
layout (constant_id = 4) const bool LAST = false; // of several that are equal
layout (constant_id = 5) const bool RUN = false;

#define EXTENT strided.operand[9]
#define STRIDE strided.operand[12]
#define TOTAL  strided.operand[17]

layout (binding = 0) uniform samplerBuffer source;
SEG_OUTPUT (1);

bvec4 better (vec4 v, vec4 best)
{
  if (MINIMUM)
    return LAST ? lessThanEqual (v, best) : lessThan (v, best);
  return LAST ? greaterThanEqual (v, best) : greaterThan (v, best);
}

vec4 fetch (int at[4], int delta)
{
  int a = at[0] + delta;
  vec4 v = texelFetch (source, a >> 2);
  if (STRIDED_MODE0 == STRIDED_VECTOR)
    return v;
  v.x = v[a & 3];
  if (STRIDED_MODE0 == STRIDED_SPLAT)
    return vec4 (v.x);
  for (int e = 1; e < 4; e++) {
    a = at[e] + delta;
    v[e] = texelFetch (source, a >> 2)[a & 3];
  }
  return v;
}

ivec4 lanes (int at[4])
{
  vec4 best = fetch (at, 0);
  ivec4 index = ivec4 (0);
  for (int k = 1; k < EXTENT; k++) {
    vec4 v = fetch (at, k * STRIDE);
    bvec4 b = better (v, best);
    best = mix (best, v, b);
    index = mix (index, ivec4 (k), b);
  }
  return index;
}

// A quarter in each component, then the best of the four.
int run (int first)
{
  int last = first + EXTENT;
  float none = uintBitsToFloat (MINIMUM ? 0x7f800000u : 0xff800000u);
  vec4 best = vec4 (none);
  ivec4 index = ivec4 (-1);
  for (int t = first >> 2; t <= (last - 1) >> 2; t++) {
    ivec4 k = ivec4 (4 * t) + ivec4 (0, 1, 2, 3);
    vec4 v = texelFetch (source, t);
    uvec4 inside = uvec4 (greaterThanEqual (k, ivec4 (first))) & uvec4 (lessThan (k, ivec4 (last)));
    uvec4 b = uvec4 (better (v, best)) | uvec4 (equal (index, ivec4 (-1)));
    bvec4 take = bvec4 (inside & b);
    best = mix (best, v, take);
    index = mix (index, k - first, take);
  }
  int found = -1;
  float top = 0.0;
  for (int e = 0; e < 4; e++) {
    bool beats = found < 0 || (MINIMUM ? best[e] < top : best[e] > top);
    bool ties = best[e] == top && (LAST ? index[e] > found : index[e] < found);
    if (index[e] >= 0 && (beats || ties)) {
      top = best[e];
      found = index[e];
    }
  }
  return found;
}

void main ()
{
  int i;
  if (!strided_begin (i))
    return;
  int at[4];
  for (int e = 0; e < 4; e++)
    at[e] = strided_element (0, RUN || STRIDED_MODE0 == STRIDED_GATHER ? e : 0);
  ivec4 index = ivec4 (0);
  if (!RUN)
    index = lanes (at);
  for (int e = 0; RUN && e < 4; e++) {
    bool exists = strided.out_pitch4 == 0 ? 4 * i + e < TOTAL
                                          : strided_coord[0][5] + e < strided.inner;
    if (exists)
      index[e] = run (at[e]);
  }
  store4 (strided_output (i), strided_mask4 (index));
}
