#version 450
#extension GL_GOOGLE_include_directive : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// A reduction over up to three merged axes: four results an invocation. The host side is
// gst/ops/reduction.c. Four neighbouring results have neighbouring sources, or (RUN) each
// result has a contiguous run of sources, or neither. Workgroup z takes a part of the sources
// and writes part z of a temporary. Sums go by blocks, so that errors stay small.
#include "lib/store.glsl"
#include "lib/strided.glsl"

layout (constant_id = 3) const int PRE = 0;
layout (constant_id = 4) const int COMBINE = 0;
layout (constant_id = 5) const int POST = 0;
layout (constant_id = 6) const bool RUN = false;
const int PRE_NONE = 0, PRE_ABS = 1, PRE_SQUARE = 2, PRE_CENTRED_SQUARE = 3, PRE_EXP = 4;
const int COMBINE_SUM = 0, COMBINE_PROD = 1, COMBINE_MAX = 2, COMBINE_MIN = 3;
const int POST_LOG_PLUS = 4;
const int BLOCK = 64;

// In the slots of the operands that a reduction does not have.
#define EXTENT(axis) strided.operand[7 + axis]
#define STRIDE(axis) strided.operand[10 + axis]
#define CHUNK0       strided.operand[13] // part of axis 0, 0: all
#define CHUNK2       strided.operand[14] // part of axis 2, 0: all
#define SCALE        intBitsToFloat (strided.operand[15])
#define EPSILON      intBitsToFloat (strided.operand[16])
#define TOTAL        strided.operand[17] // results

#ifdef STORE_I32
#define VEC ivec4
layout (binding = 0) uniform isamplerBuffer source;
#else
#define VEC vec4
layout (binding = 0) uniform samplerBuffer source;
#endif
SEG_OUTPUT (1);
#ifndef STORE_I32
layout (binding = 2) uniform samplerBuffer centre; // in the order of the results
#endif

#ifdef STORE_I32
VEC identity ()
{
  return ivec4 (COMBINE == COMBINE_PROD ? 1 : COMBINE == COMBINE_MAX ? -0x7fffffff - 1
      : COMBINE == COMBINE_MIN ? 0x7fffffff : 0);
}
#else
VEC identity ()
{
  float inf = uintBitsToFloat (0x7f800000u);
  return vec4 (COMBINE == COMBINE_PROD ? 1.0 : COMBINE == COMBINE_MAX ? -inf
      : COMBINE == COMBINE_MIN ? inf : 0.0);
}
#endif

VEC combine (VEC a, VEC b)
{
  if (COMBINE == COMBINE_SUM)
    return a + b;
  if (COMBINE == COMBINE_PROD)
    return a * b;
  bvec4 better = COMBINE == COMBINE_MAX ? greaterThan (b, a) : lessThan (b, a);
#ifndef STORE_I32
  better = bvec4 (uvec4 (better) | uvec4 (isnan (b)));
#endif
  return mix (a, b, better);
}

VEC prepare (VEC v, vec4 c)
{
  if (PRE == PRE_ABS)
    return abs (v);
  if (PRE == PRE_SQUARE)
    return v * v;
#ifndef STORE_I32
  if (PRE == PRE_CENTRED_SQUARE)
    return (v - c) * (v - c);
  if (PRE == PRE_EXP)
    return exp (v - c);
#endif
  return v;
}

VEC fetch (int at[4], int delta)
{
  int a = at[0] + delta;
  VEC v = texelFetch (source, a >> 2);
  if (STRIDED_MODE0 == STRIDED_VECTOR)
    return v;
  v.x = v[a & 3];
  if (STRIDED_MODE0 == STRIDED_SPLAT)
    return VEC (v.x);
  for (int e = 1; e < 4; e++) {
    a = at[e] + delta;
    v[e] = texelFetch (source, a >> 2)[a & 3];
  }
  return v;
}

// Sources at + [first, last) * STRIDE (2), for four results.
VEC lanes (int at[4], int delta, int first, int last, vec4 c)
{
  VEC sum = identity ();
  for (int block = first; block < last; block += BLOCK) {
    VEC part = identity ();
    for (int k = block; k < min (block + BLOCK, last); k++)
      part = combine (part, prepare (fetch (at, delta + k * STRIDE (2)), c));
    sum = combine (sum, part);
  }
  return sum;
}

// Sources [first, last), for one result: a quarter of it in each component.
VEC run (int first, int last, vec4 c)
{
  VEC sum = identity ();
  for (int block = first >> 2; block <= (last - 1) >> 2; block += BLOCK) {
    VEC part = identity ();
    for (int t = block; t <= min (block + BLOCK - 1, (last - 1) >> 2); t++) {
      ivec4 index = ivec4 (4 * t) + ivec4 (0, 1, 2, 3);
      bvec4 inside = bvec4 (uvec4 (greaterThanEqual (index, ivec4 (first)))
          & uvec4 (lessThan (index, ivec4 (last))));
      part = combine (part, mix (identity (), prepare (texelFetch (source, t), c), inside));
    }
    sum = combine (sum, part);
  }
  return sum;
}

VEC finish (VEC v, vec4 c)
{
#ifndef STORE_I32
  switch (POST) { // SegReducePost
  case 1: return v * SCALE;
  case 2: return sqrt (v);
  case 3: return log (v);
  case POST_LOG_PLUS: return log (v) + c;
  case 5: return 1.0 / sqrt (v * SCALE + EPSILON);
  case 6: return 1.0 / (sqrt (v * SCALE) + EPSILON);
  case 7: return mix (1.0 / v, vec4 (0.0), equal (v, vec4 (0.0)));
  case 8: return mix (1.0 / sqrt (v), vec4 (0.0), equal (v, vec4 (0.0)));
  }
#endif
  return v;
}

// All the sources of four results at[] or, with RUN, of one at[0].
VEC all (int at[4], vec4 c)
{
  int z = int (gl_WorkGroupID.z);
  ivec2 range0 = CHUNK0 == 0 ? ivec2 (0, EXTENT (0)) : min (ivec2 (z, z + 1) * CHUNK0, EXTENT (0));
  ivec2 range2 = CHUNK2 == 0 ? ivec2 (0, EXTENT (2)) : min (ivec2 (z, z + 1) * CHUNK2, EXTENT (2));
  VEC sum = identity ();
  for (int i0 = range0.x; i0 < range0.y; i0++)
    for (int i1 = 0; i1 < EXTENT (1); i1++) {
      int delta = i0 * STRIDE (0) + i1 * STRIDE (1);
      VEC part = RUN ? run (at[0] + delta + range2.x, at[0] + delta + range2.y, c)
                     : lanes (at, delta, range2.x, range2.y, c);
      sum = combine (sum, part);
    }
  return sum;
}

VEC all_runs (int i, int at[4], vec4 c)
{
  VEC result = VEC (0);
  for (int e = 0; e < 4; e++) {
    bool exists = strided.out_pitch4 == 0 ? 4 * i + e < TOTAL
                                          : strided_coord[0][5] + e < strided.inner;
    if (!exists)
      break;
    at[0] = at[e];
    VEC v = all (at, vec4 (c[e]));
    v.xy = combine (v, v.zwxy).xy;
    result[e] = combine (v, v.yxzw).x;
  }
  return result;
}

void main ()
{
  int i;
  if (!strided_begin (i))
    return;
  vec4 c = vec4 (0.0);
#ifndef STORE_I32
  if (PRE == PRE_CENTRED_SQUARE || PRE == PRE_EXP || POST == POST_LOG_PLUS)
    c = texelFetch (centre, i);
  if (PRE == PRE_EXP || POST == POST_LOG_PLUS)
    c = mix (c, vec4 (0.0), isinf (c));
#endif
  int at[4];
  for (int e = 0; e < 4; e++)
    at[e] = strided_element (0, RUN || STRIDED_MODE0 == STRIDED_GATHER ? e : 0);
  VEC v = RUN ? all_runs (i, at, c) : all (at, c);
  store4 (strided_output (i) + int (gl_WorkGroupID.z) * strided.n4, strided_mask4 (finish (v, c)));
}
