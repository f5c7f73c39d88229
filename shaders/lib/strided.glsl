// SPDX-License-Identifier: LGPL-2.1-or-later
// Addressing for kernels that take any layout; the host side is gst/ops/strided.h.
// Use: declare the operands as samplerBuffer, isamplerBuffer or usamplerBuffer, then
//   int i; if (!strided_begin (i)) return;            // i: which four elements
//   vec4 a = strided_fetch (operand0, 0);             // operand's values for them
//   ...; store4 (strided_output (i), strided_mask4 (v));
// Specialisation constants 0..2 are the operands' modes; a shader's own start at 3.
// Written without loops and integer division, which cost a CPU driver most of the time.
#include "divide.glsl"

layout (local_size_x = 64) in;
layout (constant_id = 0) const int STRIDED_MODE0 = 0;
layout (constant_id = 1) const int STRIDED_MODE1 = 0;
layout (constant_id = 2) const int STRIDED_PACKED = 0;
const int STRIDED_MODE2 = STRIDED_PACKED & 255;
const int STRIDED_LOOPS = STRIDED_PACKED >> 8; // the innermost of the six axes

const int STRIDED_GATHER = 0, STRIDED_VECTOR = 1, STRIDED_SPLAT = 2;

struct Strided {
  int dims[6];    // loop extents, outermost first; the last is padded to 8 in CHANNELS_LAST
  int inner;      // extent of the last axis without its padding
  int n4;         // groups of four elements in all
  int out_pitch4; // from one pixel to the next; 0: dense
  int out_offset4;
  int operand[21]; // per operand: offset, strides[6]
};
layout (push_constant) uniform StridedPush {
  Strided data;
} strided_push;
// A copy, made before anything else: under a condition (and a return is one for what follows)
// llvmpipe reads a push constant with some 40 instructions at each place, else with two.
Strided strided;

int strided_coord[4][6]; // of the four elements; only [0] where a fetch needs no more
int strided_pixel;       // of the first: its place without the last axis

bool strided_needs_all ()
{
  return STRIDED_MODE0 == STRIDED_GATHER || STRIDED_MODE1 == STRIDED_GATHER
      || STRIDED_MODE2 == STRIDED_GATHER;
}

// Takes an axis' coordinate off `linear`; the outermost keeps what is left, which is past its
// end only behind the last element.
#define STRIDED_SPLIT(AXIS)                                                                    \
  if (STRIDED_LOOPS > 6 - AXIS) {                                                              \
    int q = divide (linear, strided.dims[AXIS]);                                       \
    strided_coord[0][AXIS] = linear - q * strided.dims[AXIS];                                  \
    linear = q;                                                                                \
  } else if (STRIDED_LOOPS == 6 - AXIS) {                                                      \
    strided_coord[0][AXIS] = min (linear, strided.dims[AXIS] - 1);                             \
    linear = 0;                                                                                \
  } else {                                                                                     \
    strided_coord[0][AXIS] = 0;                                                                \
  }

void strided_split (int linear)
{
  STRIDED_SPLIT (5)
  strided_pixel = linear;
  STRIDED_SPLIT (4)
  STRIDED_SPLIT (3)
  STRIDED_SPLIT (2)
  STRIDED_SPLIT (1)
  STRIDED_SPLIT (0)
}

#define STRIDED_STEP(AXIS)                                                                     \
  if (STRIDED_LOOPS >= 6 - AXIS) {                                                             \
    int c = strided_coord[e - 1][AXIS] + carry;                                                \
    carry = c >= strided.dims[AXIS] ? 1 : 0;                                                   \
    strided_coord[e][AXIS] = carry != 0 ? 0 : c;                                               \
  } else {                                                                                     \
    strided_coord[e][AXIS] = 0;                                                                \
  }

// The element behind e - 1; the one behind the last is the first.
void strided_step (int e)
{
  int carry = 1;
  STRIDED_STEP (5)
  STRIDED_STEP (4)
  STRIDED_STEP (3)
  STRIDED_STEP (2)
  STRIDED_STEP (1)
  STRIDED_STEP (0)
}

bool strided_begin (out int i)
{
  strided = strided_push.data;
  i = int (gl_GlobalInvocationID.x + gl_GlobalInvocationID.y * gl_NumWorkGroups.x * 64u);
  if (i >= strided.n4)
    return false;
  strided_split (4 * i);
  if (strided_needs_all ()) {
    strided_step (1);
    strided_step (2);
    strided_step (3);
  }
  return true;
}

// All elements of the loop; the last group of four may hold less.
int strided_total ()
{
  return strided.dims[0] * strided.dims[1] * strided.dims[2] * strided.dims[3] * strided.dims[4]
      * strided.dims[5];
}

int strided_axis (int k, int e, int axis)
{
  return STRIDED_LOOPS >= 6 - axis
      ? strided_coord[e][axis] * strided.operand[7 * k + 1 + axis]
      : 0;
}

// Where element e of the four lies in operand k.
int strided_element (int k, int e)
{
  return strided.operand[7 * k] + strided_axis (k, e, 0) + strided_axis (k, e, 1)
      + strided_axis (k, e, 2) + strided_axis (k, e, 3) + strided_axis (k, e, 4)
      + min (strided_coord[e][5], strided.inner - 1) * strided.operand[7 * k + 6];
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
    int at1 = strided_element (k, 1), at2 = strided_element (k, 2);                            \
    int at3 = strided_element (k, 3);                                                          \
    return VEC (v[at & 3], texelFetch (operand, at1 >> 2)[at1 & 3],                            \
        texelFetch (operand, at2 >> 2)[at2 & 3], texelFetch (operand, at3 >> 2)[at3 & 3]);     \
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
    bvec4 keep = strided_valid ();                                                             \
    return mix (VEC (SCALAR (0)), v, bvec4 (keep.x || strided.out_pitch4 == 0,                 \
        keep.y || strided.out_pitch4 == 0, keep.z || strided.out_pitch4 == 0,                  \
        keep.w || strided.out_pitch4 == 0));                                                   \
  }
STRIDED_MASK (vec4, float)
STRIDED_MASK (ivec4, int)
STRIDED_MASK (uvec4, uint)

// Where the four elements go, in units of four elements.
int strided_output (int i)
{
  return strided.out_pitch4 == 0
      ? i
      : strided_pixel * strided.out_pitch4 + (strided_coord[0][5] >> 2) + strided.out_offset4;
}
