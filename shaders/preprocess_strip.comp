#version 450
#extension GL_GOOGLE_include_directive : enable
#extension GL_EXT_control_flow_attributes : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// As preprocess.comp does it, for CPU devices, where 16 pixels of the network are whole words of the
// frame's rows: an invocation makes a strip of 16. Rows are added up first, each word of them read once,
// and of these sums each pixel takes those that it reaches. As strips begin at the same place of a word,
// all of that, weights too, is known when the shader is compiled. Host side: gst/frame/strips.c.
#include "lib/frame.glsl"
#include "lib/store.glsl"

layout (local_size_x = 64) in;
layout (constant_id = 0) const int LIE = 0;    // what follows
layout (constant_id = 1) const int UNIT = 4;   // bytes that are read at once: 4 or 16
layout (constant_id = 2) const int INSIDE = 0; // the frame covers all of the network's input
layout (constant_id = 3) const int EDGES = 3;  // samples of luma or RGB (1), chroma (2) reach past left or right
// Of luma, of chroma: taps x | taps y << 8 | rows << 16 | bytes from a sample to the next << 24; 16ths of
// a sample from a pixel to the next; the first sample of the first pixel, 0 to 1; the byte of a unit in
// which the strip begins, of each component << 8.
layout (constant_id = 4) const int TAPS = 0;
layout (constant_id = 5) const int APART = 16;
layout (constant_id = 6) const float FIRST = 0.0;
layout (constant_id = 7) const int PHASE = 0;
layout (constant_id = 8) const int CHROMA_TAPS = 0;
layout (constant_id = 9) const int CHROMA_APART = 16;
layout (constant_id = 10) const float CHROMA_FIRST = 0.0;
layout (constant_id = 11) const int CHROMA_PHASE = 0;
const int LUMA = 0;   // nothing else
const int PAIR = 1;   // luma; both chroma components in the same words
const int PLANES = 2; // a plane each
const int RGB = 3;    // all in the same words

layout (std140, binding = 3) uniform Strips {
  ivec4 net;      // width, height, channels; strips
  ivec4 inside;   // x0, x1, y0, y1: what shows the frame
  ivec4 dest;     // in groups of 4 elements: offset, pixel pitch
  ivec4 place[3]; // of each component, in units: begin of the first strip, strip, row; how many there are
  ivec4 column;   // luma, chroma: the first of the first strip; how many there are
  vec4 map;       // y: frame = net * map.y + map.w
  vec4 mix_[3];   // channel c of the network = dot (mix_[c], vec4 (rgb, 1))
  vec4 fill;      // beside the frame
} strips;
SEG_OUTPUT (4);

const int MAX_BYTES = 384; // of a strip

// True, which compilers cannot know: see matte_draw.comp.
bool always;

float sums[MAX_BYTES]; // of a strip's bytes over the rows that its pixels reach

int count (float apart, int taps)
{
  return int (ceil (apart * (1.0 - 1.0 / float (taps)) - 1e-4)) + 2;
}

void sum_rows (int component, int taps, int n_rows, int n_bytes, ivec2 at)
{
  ivec4 place = strips.place[component];
  int sub = 1 << (frame.component[component].w >> 8);
  float middle = component == 0 ? 0.5 : frame.chroma.y;
  int n = (frame.size.y + sub - 1) / sub;
  float last = float (n - 1), apart = strips.map.y / float (taps * sub);
  float first = ((float (at.y) + 0.5 / float (taps)) * strips.map.y + strips.map.w) / float (sub) - middle;
  int from = int (clamp (first, 0.0, last)), unit = place.x + at.x * place.y;
  float share[8];
  int row[8];
  [[unroll]] for (int j = 0; j < n_rows; j++) {
    share[j] = 0.0;
    [[unroll]] for (int t = 0; t < taps; t++)
      share[j] += max (0.0, 1.0 - abs (clamp (first + float (t) * apart, 0.0, last) - float (from + j)));
    row[j] = min (from + j, n - 1) * place.z;
  }
  int n_units = (n_bytes + UNIT - 1) / UNIT;
  [[unroll]] for (int u = 0; u < n_units; u++) {
    vec4 sum[4];
    [[unroll]] for (int w = 0; w < UNIT / 4; w++)
      sum[w] = vec4 (0.0);
    [[unroll]] for (int j = 0; j < n_rows; j++) {
      uvec4 v = texelFetch (frame_words, clamp (unit + u + row[j], 0, place.w - 1));
      if (UNIT == 4)
        sum[0] += share[j] * vec4 (ivec4 (v));
      else
        [[unroll]] for (int w = 0; w < 4; w++)
          sum[w] += share[j] * vec4 (ivec4 (uvec4 (v[w], v[w] >> 8, v[w] >> 16, v[w] >> 24) & 255u));
    }
    [[unroll]] for (int b = 0; b < UNIT; b++)
      sums[UNIT * u + b] = sum[b >> 2][b & 3];
  }
}

// What is beyond an edge is as what is there.
void extend (int phase, int step_, int n_columns, int column, int n)
{
  [[unroll]] for (int k = 1; k < n_columns; k++)
    sums[phase + k * step_] = column + k < n ? sums[phase + k * step_] : sums[phase + (k - 1) * step_];
  [[unroll]] for (int k = n_columns - 2; k >= 0; k--)
    sums[phase + k * step_] = column + k >= 0 ? sums[phase + k * step_] : sums[phase + (k + 1) * step_];
}

void take (int phase, int step_, int taps, int reach, int apart16, float first, float scale,
           out vec4 means[4])
{
  float apart = float (apart16) * (1.0 / 16.0);
  [[unroll]] for (int e = 0; e < 16; e++) {
    int from = (int (first * 16.0 + 0.01) + e * apart16) >> 4;
    float mean = 0.0;
    [[unroll]] for (int j = 0; j < reach; j++) {
      float w = 0.0;
      [[unroll]] for (int t = 0; t < taps; t++)
        w += max (0.0, 1.0 - abs (first + apart * (float (e) + float (t) / float (taps)) - float (from + j)));
      mean += w * scale * sums[phase + (from + j) * step_];
    }
    means[e >> 2][e & 3] = mean;
  }
}

// Means of a component, or of two or three that lie together, for the pixels of a strip.
void means_of (int component, int n_components, ivec2 at, int taps, int apart16, float first, int phases,
               ivec2 column, out vec4 a[4], out vec4 b[4], out vec4 c[4])
{
  int taps_x = taps & 255, taps_y = (taps >> 8) & 255, step_ = taps >> 24;
  int reach = count (float (apart16) / 16.0, taps_x), n_columns = ((15 * apart16 + 16) >> 4) + reach;
  int phase = phases & 255, other = (phases >> 8) & 255, third = phases >> 16;
  float scale = 1.0 / float (taps_x * taps_y);
  sum_rows (component, taps_y, (taps >> 16) & 255, max (max (phase, other), third)
            + (n_columns - 1) * step_ + 1, at);
  int first_column = column.x + at.x * apart16;
  if ((EDGES & (component == 0 ? 1 : 2)) != 0) {
    extend (phase, step_, n_columns, first_column, column.y);
    if (n_components > 1)
      extend (other, step_, n_columns, first_column, column.y);
    if (n_components > 2)
      extend (third, step_, n_columns, first_column, column.y);
  }
  take (phase, step_, taps_x, reach, apart16, first, scale, a);
  if (n_components > 1)
    take (other, step_, taps_x, reach, apart16, first, scale, b);
  if (n_components > 2)
    take (third, step_, taps_x, reach, apart16, first, scale, c);
}

void main ()
{
  int i = int (gl_GlobalInvocationID.x + gl_GlobalInvocationID.y * gl_NumWorkGroups.x * 64u);
  always = i >= 0;
  ivec4 net = strips.net;
  int wide = net.x >> 4;
  ivec2 at = ivec2 (i % wide, i / wide);
  if (at.y >= net.y)
    return;
  vec4 y[4], u[4], v[4], none[4];
  means_of (0, LIE == RGB ? 3 : 1, at, TAPS, APART, FIRST, PHASE, strips.column.xy, y, u, v);
  if (LIE == PAIR)
    means_of (1, 2, at, CHROMA_TAPS, CHROMA_APART, CHROMA_FIRST, CHROMA_PHASE, strips.column.zw, u, v, none);
  if (LIE == PLANES) {
    means_of (1, 1, at, CHROMA_TAPS, CHROMA_APART, CHROMA_FIRST, CHROMA_PHASE & 255, strips.column.zw, u,
              none, none);
    means_of (2, 1, at, CHROMA_TAPS, CHROMA_APART, CHROMA_FIRST, CHROMA_PHASE >> 8, strips.column.zw, v,
              none, none);
  }
  int to = strips.dest.x + (at.y * net.x + 16 * at.x) * strips.dest.y;
  bool row_inside = at.y >= strips.inside.z && at.y < strips.inside.w;
  [[unroll]] for (int e = 0; e < 16; e++) {
    vec3 bytes = vec3 (y[e >> 2][e & 3], 0.0, 0.0);
    if (LIE != LUMA)
      bytes.yz = vec2 (u[e >> 2][e & 3], v[e >> 2][e & 3]);
    vec4 rgb = vec4 (frame_to_rgb (bytes), 1.0);
    vec3 p = vec3 (dot (strips.mix_[0], rgb), dot (strips.mix_[1], rgb), dot (strips.mix_[2], rgb));
    int x = 16 * at.x + e;
    if (INSIDE == 0)
      p = row_inside && x >= strips.inside.x && x < strips.inside.y ? p : strips.fill.xyz;
    p = always ? p : vec3 (0.0);
    vec4 texels[2] = { vec4 (p.x, net.z > 1 ? p.yz : vec2 (0.0), 0.0), vec4 (0.0) };
    [[unroll]] for (int t = 0; t < 2; t += STORE_TEXELS) {
      vec4 some[STORE_TEXELS];
      [[unroll]] for (int s = 0; s < STORE_TEXELS; s++)
        some[s] = texels[t + s];
      store_texels (to + e * strips.dest.y + t, some);
    }
  }
}
