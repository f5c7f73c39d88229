#version 450
#extension GL_EXT_control_flow_attributes : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// Multiply and add in registers and nothing else: the most that a device does with what its
// driver compiles. Twelve chains hide latencies and still fit into 16 vector registers.
layout (local_size_x = 64) in;
layout (binding = 0) writeonly buffer Output { vec4 data[]; } seg_out;
layout (push_constant) uniform Push { int rounds; float factor, summand; } p;

void main ()
{
  vec4 a = vec4 (float (gl_LocalInvocationID.x)), b = a + 1.0, c = a + 2.0;
  for (int r = 0; r < p.rounds; r++)
    [[unroll]] for (int k = 0; k < 32; k++) {
      a = a * p.factor + p.summand;
      b = b * p.factor + p.summand;
      c = c * p.factor + p.summand;
    }
  seg_out.data[gl_GlobalInvocationID.x] = a + b + c;
}
