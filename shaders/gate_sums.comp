#version 450
// SPDX-License-Identifier: LGPL-2.1-or-later
// Sums of parts of a map, for gate.comp: an invocation adds up one texel of channels of `each` pixels.
layout (local_size_x = 64) in;
layout (binding = 0) uniform samplerBuffer map;
layout (binding = 1) writeonly buffer Sums { vec4 data[]; } sums; // [part][texel]

struct Push {
  int n, pitch4, offset4, c4, n_parts, each;
};
layout (push_constant) uniform PushConstants {
  Push push;
};

void main ()
{
  Push p = push;
  int i = int (gl_GlobalInvocationID.x), part = i / p.c4, c4 = i - part * p.c4;
  int at = part * p.each, end = min (at + p.each, p.n);
  vec4 sum = vec4 (0.0);
  do {
    vec4 v = texelFetch (map, p.offset4 + min (at, p.n - 1) * p.pitch4 + c4);
    sum += at < end ? v : vec4 (0.0);
  } while (++at < end);
  if (part < p.n_parts)
    sums.data[i] = sum;
}
