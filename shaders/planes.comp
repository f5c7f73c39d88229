#version 450
#extension GL_GOOGLE_include_directive : enable
#extension GL_EXT_control_flow_attributes : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// Moves pixels with their channels together to planes of a channel each (NHWC to NCHW, or any transposition
// of rows). An invocation turns four channels of 4 x STORE_TEXELS neighbouring pixels, so that each
// texel of the source is read once; those of a subgroup write planes from front to back, and what they
// read beside it the next reads from the first cache. The host side is gst/ops/planes.c.
#include "lib/divide.glsl"
#include "lib/store.glsl"

layout (local_size_x = 64) in;

#ifdef STORE_B32
layout (binding = 0) uniform usamplerBuffer source;
#define VEC uvec4
#else
layout (binding = 0) uniform samplerBuffer source;
#define VEC vec4
#endif
SEG_OUTPUT (1);

const int NEXT = 4 * STORE_TEXELS; // pixels of an invocation
const int TURN = 8;                // invocations beside each other

struct Push {
  int channels, c4;                // c4: texels of a pixel
  int pixels;                      // of a plane, a multiple of NEXT
  int offset4, pixel4, image4;     // of the source, in texels
  int blocks, n;                   // of TURN invocations: for a texel of an image; in all
};
layout (push_constant) uniform PushConstants {
  Push push;
};
Push p; // a copy; lib/strided.glsl says why

void main ()
{
  p = push;
  int item = int (gl_GlobalInvocationID.x + gl_GlobalInvocationID.y * gl_NumWorkGroups.x * 64u);
  int turn = min (item / TURN, p.n - 1); // the last ones may be made again
  int block = divide (turn, p.c4), c = turn - block * p.c4;
  int image = divide (block, p.blocks);
  int first = ((block - image * p.blocks) * TURN + (item & (TURN - 1))) * NEXT;
  first = min (first, p.pixels - NEXT);
  int from = p.offset4 + image * p.image4 + first * p.pixel4 + c;
  VEC t[NEXT];
  [[unroll]] for (int i = 0; i < NEXT; i++)
    t[i] = texelFetch (source, from + i * p.pixel4);
  int to = ((image * p.channels + 4 * c) * p.pixels + first) / 4;
  [[unroll]] for (int k = 0; k < 4; k++) {
    VEC v[STORE_TEXELS];
    [[unroll]] for (int i = 0; i < STORE_TEXELS; i++)
      v[i] = VEC (t[4 * i][k], t[4 * i + 1][k], t[4 * i + 2][k], t[4 * i + 3][k]);
    if (4 * c + k < p.channels)
      store_texels (to + k * (p.pixels / 4), v);
  }
}
