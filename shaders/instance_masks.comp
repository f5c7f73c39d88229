#version 450
#extension GL_GOOGLE_include_directive : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// Masks: sigmoid (coefficients x prototypes) as bytes, for the instances that there are, where their
// boxes are (YOLACT, Bolya et al. 2019). Four pixels of a row at a time; a fixed number of
// invocations share the work.
#define SEG_INSTANCES 1
#define SEG_LIMITS 2
#include "lib/instances.glsl"
#include "lib/detections.glsl"
#include "lib/records.glsl"

layout (local_size_x = 64) in;
layout (constant_id = 0) const int BY_FOUR = 0; // coefficients of a pixel lie side by side
layout (binding = 3) uniform samplerBuffer prototypes;
layout (binding = 4) uniform usamplerBuffer records;
layout (binding = 5) writeonly buffer Masks { uint data[]; } masks;

int n_coefficients; // of a mask

float prototype (int at)
{
  return texelFetch (prototypes, at >> 2)[at & 3];
}

vec4 coefficients (int box, int m)
{
  vec4 v = vec4 (0.0);
  for (int k = 0; k < min (4, n_coefficients - m); k++)
    v[k] = detection (box, 4 + inst.shape.w + inst.shape.y + m + k);
  return v;
}

// Coefficients m .. m+3 of a pixel; those that are not there may be anything but not NaN.
vec4 prototype4 (int at, int m)
{
  if (BY_FOUR != 0)
    return texelFetch (prototypes, (at + m) >> 2);
  vec4 v = vec4 (0.0);
  for (int k = 0; k < min (4, n_coefficients - m); k++)
    v[k] = prototype (at + (m + k) * inst.proto.w);
  return v;
}

uint mask_byte (float logit)
{
  float p = 1.0 / (1.0 + exp (-clamp (logit, -80.0, 80.0)));
  bool is_nan = (floatBitsToUint (logit) & 0x7fffffffu) > 0x7f800000u;
  return is_nan ? 0u : uint (p * 255.0 + 0.5);
}

void four_pixels (int slot, int x, int y, ivec4 area, int box)
{
  vec4 sum = vec4 (0.0);
  for (int m = 0; m < n_coefficients; m += 4) {
    vec4 c = coefficients (box, m);
    for (int e = 0; e < 4; e++) {
      int px = min (x + e, inst.mask.x - 1);
      int at = inst.proto.x + px * inst.proto.y + y * inst.proto.z;
      sum[e] += dot (c, prototype4 (at, m));
    }
  }
  uint word = 0u;
  for (int e = 0; e < 4; e++)
    word |= (x + e >= area.x && x + e < area.x + area.z ? mask_byte (sum[e]) : 0u) << (8 * e);
  masks.data[(slot * inst.mask.w + y * inst.mask.z + x) >> 2] = word;
}

void main ()
{
  int n = int (texelFetch (records, 0).x);
  // Here and not in the loops: Mesa 26's CPU driver follows a null pointer where a loop is the first to
  // look at a uniform block, what comes after the loop looks at it too, and no invocation is there.
  n_coefficients = inst.shape.z;
  int step = int (gl_NumWorkGroups.x * gl_NumWorkGroups.y) * 64;
  int first = int (gl_GlobalInvocationID.x + gl_GlobalInvocationID.y * gl_NumWorkGroups.x * 64u);
  for (int slot = 0; slot < n; slot++) {
    uvec4 r = texelFetch (records, record_at (slot) + 2);
    ivec4 area = ivec4 (r.w & 0xffffu, r.w >> 16, r.xy);
    int from = area.x >> 2, width = ((area.x + area.z + 3) >> 2) - from;
    for (int i = first; i < width * area.w; i += step)
      four_pixels (slot, 4 * (from + i % width), area.y + i / width, area, int (r.z));
  }
}
