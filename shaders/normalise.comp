#version 450
#extension GL_GOOGLE_include_directive : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// (x - mean) * inverse * scale + bias, each of them broadcast or absent. mean and inverse lie
// alike, and so do scale and bias. The residual goes where mean and inverse would be.
#include "lib/epilogue.glsl"
#include "lib/store.glsl"
#include "lib/strided.glsl"

layout (constant_id = 3) const int PARTS = 0; // SegNormPart of gst/ops/normalise.h
const int MEAN = 1, INVERSE = 2, SCALE = 4, BIAS = 8;

layout (binding = 0) uniform samplerBuffer source;
layout (binding = 1) uniform samplerBuffer mean;
layout (binding = 2) uniform samplerBuffer inverse;
layout (binding = 3) uniform samplerBuffer scale;
layout (binding = 4) uniform samplerBuffer bias;
SEG_OUTPUT (5);
layout (binding = 6) uniform samplerBuffer residual;

void main ()
{
  int i;
  if (!strided_begin (i))
    return;
  vec4 v = strided_fetch (source, 0), r = vec4 (0.0);
  if ((PARTS & MEAN) != 0)
    v -= strided_fetch (mean, 1);
  if ((PARTS & INVERSE) != 0)
    v *= strided_fetch (inverse, 1);
  if ((PARTS & SCALE) != 0)
    v *= strided_fetch (scale, 2);
  if ((PARTS & BIAS) != 0)
    v += strided_fetch (bias, 2);
  if (EPILOGUE_RESIDUAL)
    r = strided_fetch (residual, 1);
  store4 (strided_output (i), strided_mask4 (epilogue (v, r)));
}
