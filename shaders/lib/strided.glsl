// SPDX-License-Identifier: LGPL-2.1-or-later
// Addressing for kernels that take any layout; the host side is gst/ops/strided.h.
// Use: declare the operands as samplerBuffer, isamplerBuffer or usamplerBuffer, then
//   int i; if (!strided_begin (i)) return;            // i: which four elements
//   vec4 a = strided_fetch (operand0, 0);             // operand's values for them
//   ...; store4 (strided_output (i), strided_mask4 (v));
// Specialisation constants 0..2 are the operands' modes; a shader's own start at 3.
layout (local_size_x = 64) in;
layout (constant_id = 0) const int STRIDED_MODE0 = 0;
layout (constant_id = 1) const int STRIDED_MODE1 = 0;
layout (constant_id = 2) const int STRIDED_MODE2 = 0;

const int STRIDED_GATHER = 0, STRIDED_VECTOR = 1, STRIDED_SPLAT = 2;

layout (push_constant) uniform StridedPush {
  int dims[6];    // loop extents, outermost first; the last is padded to 8 in CHANNELS_LAST
  int inner;      // extent of the last axis without its padding
  int n4;         // groups of four elements in all
  int out_pitch4; // from one pixel to the next; 0: dense
  int out_offset4;
  int operand[21]; // per operand: offset, strides[6]
} strided;

int strided_coord[4][6]; // of the four elements; only [0] where a fetch needs no more

bool strided_needs_all ()
{
  return STRIDED_MODE0 == STRIDED_GATHER || STRIDED_MODE1 == STRIDED_GATHER
      || STRIDED_MODE2 == STRIDED_GATHER;
}

void strided_split (int e, int linear)
{
  for (int axis = 5; axis >= 0; axis--) {
    int d = strided.dims[axis];
    if (d == 1) {
      strided_coord[e][axis] = 0;
      continue;
    }
    int q = linear / d;
    strided_coord[e][axis] = linear - q * d;
    linear = q;
  }
}

bool strided_begin (out int i)
{
  i = int (gl_GlobalInvocationID.x + gl_GlobalInvocationID.y * gl_NumWorkGroups.x * 64u);
  if (i >= strided.n4)
    return false;
  strided_split (0, 4 * i);
  if (strided_needs_all ())
    for (int e = 1; e < 4; e++)
      strided_split (e, 4 * i + e);
  return true;
}

int strided_element (int k, int e)
{
  int at = strided.operand[7 * k];
  for (int axis = 0; axis < 5; axis++)
    at += strided_coord[e][axis] * strided.operand[7 * k + 1 + axis];
  at += min (strided_coord[e][5], strided.inner - 1) * strided.operand[7 * k + 6];
  return at;
}

int strided_mode (int k)
{
  return k == 0 ? STRIDED_MODE0 : k == 1 ? STRIDED_MODE1 : STRIDED_MODE2;
}

#define STRIDED_FETCH(SAMPLER, VEC)                                                            \
  VEC strided_fetch (SAMPLER operand, int k)                                                   \
  {                                                                                            \
    int at = strided_element (k, 0);                                                           \
    VEC v = texelFetch (operand, at >> 2);                                                     \
    if (strided_mode (k) == STRIDED_VECTOR)                                                    \
      return v;                                                                                \
    if (strided_mode (k) == STRIDED_SPLAT)                                                     \
      return VEC (v[at & 3]);                                                                  \
    VEC r;                                                                                     \
    r.x = v[at & 3];                                                                           \
    for (int e = 1; e < 4; e++) {                                                              \
      at = strided_element (k, e);                                                             \
      r[e] = texelFetch (operand, at >> 2)[at & 3];                                            \
    }                                                                                          \
    return r;                                                                                  \
  }
STRIDED_FETCH (samplerBuffer, vec4)
STRIDED_FETCH (isamplerBuffer, ivec4)
STRIDED_FETCH (usamplerBuffer, uvec4)

// Which of the four are elements and not channel padding.
bvec4 strided_valid ()
{
  return lessThan (ivec4 (strided_coord[0][5]) + ivec4 (0, 1, 2, 3), ivec4 (strided.inner));
}

#define STRIDED_MASK(VEC, SCALAR)                                                              \
  VEC strided_mask4 (VEC v)                                                                    \
  {                                                                                            \
    if (strided.out_pitch4 == 0)                                                               \
      return v;                                                                                \
    return mix (VEC (SCALAR (0)), v, strided_valid ());                                        \
  }
STRIDED_MASK (vec4, float)
STRIDED_MASK (ivec4, int)
STRIDED_MASK (uvec4, uint)

// Where the four elements go, in units of four elements.
int strided_output (int i)
{
  if (strided.out_pitch4 == 0)
    return i;
  int inner4 = strided.dims[5] >> 2;
  int pixel = i / inner4;
  return pixel * strided.out_pitch4 + (i - pixel * inner4) + strided.out_offset4;
}
