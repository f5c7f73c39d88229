// SPDX-License-Identifier: LGPL-2.1-or-later
// The scores of a grid pixel, four classes at a time. Binding 0; needs lib/decode.glsl.
layout (binding = 0) uniform samplerBuffer scores;
layout (constant_id = 0) const int BY_FOUR = 0; // classes lie side by side from multiples of 4

int score_base (int x, int y)
{
  return dec.view.x + x * dec.view.y + y * dec.view.z;
}

float score (int base, int c)
{
  int at = base + c * dec.view.w;
  return texelFetch (scores, at >> 2)[at & 3];
}

// Classes c .. c+3, c a multiple of 4; what is past the last is no candidate.
vec4 scores4 (int base, int c)
{
  vec4 v;
  if (BY_FOUR != 0)
    v = texelFetch (scores, (base + c) >> 2);
  else {
    int last = dec.grid.z - 1;
    v = vec4 (score (base, c), score (base, min (c + 1, last)), score (base, min (c + 2, last)),
              score (base, min (c + 3, last)));
  }
  return mix (vec4 (-3.4e38), v, lessThan (ivec4 (c) + ivec4 (0, 1, 2, 3), ivec4 (dec.grid.z)));
}

// Goes on with a search for the highest score; the first of equals wins.
void best_of4 (vec4 v, int c, inout float best, inout int label)
{
  for (int k = 0; k < 4; k++)
    if (v[k] > best) {
      best = v[k];
      label = c + k;
    }
}
