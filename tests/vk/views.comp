#version 450
// SPDX-License-Identifier: LGPL-2.1-or-later
// Every kind of view, one specialisation constant and one push constant in a dispatch: output
// word i is what binding i's element at the invocation is, so that the test can tell them apart.
layout (local_size_x = 8) in;
layout (constant_id = 0) const int FACTOR = 0;
layout (constant_id = 1) const float ADDEND = 0.0;
layout (push_constant) uniform Push { int n; int bias; } push;

layout (binding = 0) readonly buffer Input { int data[]; } storage_in;
layout (binding = 1) buffer Sum { int data[]; } storage_inout;
layout (binding = 2) uniform Params { ivec4 value; } params;
layout (binding = 3) uniform samplerBuffer f32x4;
layout (binding = 4) uniform samplerBuffer f16x4;
layout (binding = 5) uniform isamplerBuffer i32x4;
layout (binding = 6) uniform usamplerBuffer u32x4;
layout (binding = 7) uniform usamplerBuffer u16x4;
layout (binding = 8) uniform usamplerBuffer u8x1;
layout (binding = 9) uniform usamplerBuffer u8x4;
layout (binding = 10) uniform usamplerBuffer u16x1;
layout (binding = 11) writeonly buffer Output { vec4 data[]; } storage_out;

void main ()
{
  int i = int (gl_GlobalInvocationID.x);
  if (i >= push.n)
    return;
  storage_inout.data[i] += FACTOR * storage_in.data[i] + push.bias;
  storage_out.data[10 * i] = vec4 (params.value);
  storage_out.data[10 * i + 1] = texelFetch (f32x4, i) + ADDEND;
  storage_out.data[10 * i + 2] = texelFetch (f16x4, i);
  storage_out.data[10 * i + 3] = vec4 (texelFetch (i32x4, i));
  storage_out.data[10 * i + 4] = vec4 (texelFetch (u32x4, i));
  storage_out.data[10 * i + 5] = vec4 (texelFetch (u16x4, i));
  storage_out.data[10 * i + 6] = vec4 (texelFetch (u8x1, i));
  storage_out.data[10 * i + 7] = vec4 (texelFetch (u8x4, i));
  storage_out.data[10 * i + 8] = vec4 (texelFetch (u16x1, i));
  storage_out.data[10 * i + 9] = vec4 (FACTOR);
}
