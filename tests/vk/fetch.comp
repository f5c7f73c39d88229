#version 450
// SPDX-License-Identifier: LGPL-2.1-or-later
// b[i] = a[i] + constant, four at a time, from a texel buffer.
layout (local_size_x = 16) in;
layout (constant_id = 0) const int ADDEND = 1;
layout (push_constant) uniform Push { uint n; } push;
layout (binding = 0) uniform isamplerBuffer a;
layout (binding = 1) writeonly buffer B { ivec4 data[]; } b;

void main ()
{
  uint i = gl_GlobalInvocationID.x;
  if (4 * i < push.n)
    b.data[i] = texelFetch (a, int (i)) + ADDEND;
}
