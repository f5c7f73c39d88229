// SPDX-License-Identifier: LGPL-2.1-or-later
// The small picture of what is behind the foreground: pixel (x, y) covers SIZE x SIZE pixels of the
// frame. Host side: gst/frame/backdrop.c.
ivec2 backdrop_size (ivec2 frame_size, int size)
{
  return (frame_size + size - 1) / size;
}

// Where nothing but foreground is in reach, that is blurred: the weight is never 0.
vec4 backdrop_weighted (vec3 v, float weight)
{
  return vec4 (v, 1.0) * (weight + 1.0 / 1024.0);
}
