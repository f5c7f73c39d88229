#version 450
// SPDX-License-Identifier: LGPL-2.1-or-later
// b[i] = a[i] + constant: a step of a chain.
layout (local_size_x = 64) in;
layout (constant_id = 0) const int ADDEND = 1;
layout (push_constant) uniform Push { uint n; } push;
layout (binding = 0) readonly buffer A { int data[]; } a;
layout (binding = 1) writeonly buffer B { int data[]; } b;

void main ()
{
  uint i = gl_GlobalInvocationID.x;
  if (i < push.n)
    b.data[i] = a.data[i] + ADDEND;
}
