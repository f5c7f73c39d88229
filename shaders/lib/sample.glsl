// SPDX-License-Identifier: LGPL-2.1-or-later
// Drawing into one plane of a frame, four samples at a time: whole words. A sample is a pixel's
// bytes, or, in chroma planes, those of several pixels, and gets the mean of what is drawn over
// them. The including shader defines SEG_PLANE and, if it draws classes, SEG_COLOURS, the bindings.
// Host side: gst/frame/compose.c.
layout (constant_id = 0) const int BYTES = 1; // of a sample
layout (constant_id = 1) const int HSUB = 0;  // log2 of the pixels that it covers
layout (constant_id = 2) const int VSUB = 0;
layout (constant_id = 3) const int PAIR = 0;    // a sample is two pixels: 1 YUY2, 2 UYVY; or WIDE
layout (constant_id = 4) const int CHANGED = 1; // bytes of a sample that are colour

const int WIDE = 3; // bytes come in pairs, lower and upper, whose upper 10 bits count

layout (std140, binding = SEG_PLANE) uniform Plane {
  ivec4 place; // in words: offset and stride of the source, of the result
  ivec4 size;  // groups of four samples in a row, rows
} plane;
#ifdef SEG_COLOURS
// A class each: up to three bytes as the plane stores them, and strength. YUY2: Y, U, V. WIDE: upper bytes.
layout (binding = SEG_COLOURS) uniform usamplerBuffer colours;
#endif

// What is drawn over each of four samples: sample * through + paint.
vec4 through[4], paint[4];

void sample_begin ()
{
  for (int s = 0; s < 4; s++) {
    through[s] = vec4 (1.0);
    paint[s] = vec4 (0.0);
  }
}

// How much of each byte of a sample belongs to its pixel dx.
vec4 sample_role (int dx)
{
  if (PAIR == 1)
    return dx == 0 ? vec4 (1.0, 0.5, 0.0, 0.5) : vec4 (0.0, 0.5, 1.0, 0.5);
  if (PAIR == 2)
    return dx == 0 ? vec4 (0.5, 1.0, 0.5, 0.0) : vec4 (0.5, 0.0, 0.5, 1.0);
  vec4 all = vec4 (1.0 / float (1 << (HSUB + VSUB)));
  return mix (vec4 (0.0), all, lessThan (ivec4 (0, 1, 2, 3), ivec4 (CHANGED)));
}

// A colour (YUY2: Y, U, V; WIDE: upper bytes) as the bytes of a sample.
vec4 sample_pair (vec4 v)
{
  if (PAIR == WIDE)
    return vec4 (0.0, v.x, 0.0, v.y);
  return PAIR == 1 ? v.xyxz : PAIR == 2 ? v.yxzx : v;
}

// One of the table.
vec4 sample_colour (uvec4 entry)
{
  return sample_pair (vec4 (entry));
}

// Draws a colour over pixel e of four neighbours, parts of samples `first` and on.
void sample_draw (int first, int e, vec4 colour, float a)
{
  int s = first + (e >> HSUB);
  vec4 part = sample_role (e & ((1 << HSUB) - 1)) * a;
  through[s] -= part;
  paint[s] += part * colour;
}

// Puts bytes 4b .. 4b+3 of another picture behind: where nothing was painted, but something taken away.
void sample_behind (int b, uvec4 v)
{
  for (int k = 0; k < 4; k++) {
    int s = (4 * b + k) / BYTES, c = (4 * b + k) % BYTES;
    paint[s][c] += (1.0 - through[s][c]) * float (v[k]);
  }
}

// Both bytes of each of two, rounded to what counts of them.
uint sample_wide (int b, uvec4 v)
{
  uint word = 0u;
  for (int k = 0; k < 4; k += 2) {
    int s = (4 * b + k) / BYTES, c = (4 * b + k) % BYTES;
    float was = float (v[k] | v[k + 1] << 8);
    float is = was * through[s][c] + paint[s][c] + 256.0 * paint[s][c + 1];
    uint bits = is == was ? uint (was) : min (uint (is * (1.0 / 64.0) + 0.5), 1023u) << 6;
    word |= bits << (8 * k);
  }
  return word;
}

// Bytes 4b .. 4b+3 of the group, which were v, as a word.
uint sample_word (int b, uvec4 v)
{
  if (PAIR == WIDE)
    return sample_wide (b, v);
  uint word = 0u;
  for (int k = 0; k < 4; k++) {
    int s = (4 * b + k) / BYTES, c = (4 * b + k) % BYTES;
    word |= uint (float (v[k]) * through[s][c] + paint[s][c] + 0.5) << (8 * k);
  }
  return word;
}
