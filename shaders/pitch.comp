#version 450
// SPDX-License-Identifier: LGPL-2.1-or-later
// Rows of words from one pitch to another: a plane of somebody else's buffer to where shaders look at
// frames. A row a line of workgroups.
layout (local_size_x = 64) in;
layout (binding = 0) readonly buffer From { uint data[]; } from;
layout (binding = 1) writeonly buffer To { uint data[]; } to;
layout (push_constant) uniform Push { uint n, first, from_pitch, to_pitch; } push; // in words

void main ()
{
  uint n = push.n, first = push.first, from_pitch = push.from_pitch, to_pitch = push.to_pitch;
  uint x = gl_GlobalInvocationID.x, y = gl_GlobalInvocationID.y;
  if (x < n)
    to.data[y * to_pitch + x] = from.data[first + y * from_pitch + x];
}
