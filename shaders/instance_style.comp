#version 450
#extension GL_GOOGLE_include_directive : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// Once a frame: where each instance's box, label and mask are drawn, and in which colour. One
// workgroup.
#define SEG_DRAWING 0
#include "lib/draws.glsl"
#include "lib/records.glsl"

layout (local_size_x = 64) in;
layout (binding = 1) uniform usamplerBuffer records;
layout (binding = 2) readonly buffer Widths { uint data[]; } widths; // of the atlas's texts
layout (binding = 3) readonly buffer Palette { uint data[]; } palette; // a plane: 512 colours
layout (binding = 4) writeonly buffer Draws { uvec4 data[]; } draws;
layout (binding = 5) writeonly buffer Colours { uint data[]; } colours; // the same for instances

// See not_uniform in lib/decode.glsl.
int n_planes ()
{
  return drawing.atlas.w + int (gl_WorkGroupID.z);
}

ivec4 label_place (ivec4 box, int text_width)
{
  if (drawing.atlas.y == int (gl_WorkGroupID.z))
    return ivec4 (0);
  ivec2 size = ivec2 (text_width + drawing.text.z + 2 * drawing.text.w + 3 * drawing.text.y,
                      drawing.text.x);
  int x = clamp (box.x, 0, max (drawing.frame.x - size.x, 0));
  int y = box.y >= size.y ? box.y - size.y : min (box.y, max (drawing.frame.y - size.y, 0));
  return ivec4 (x, y, min (ivec2 (x, y) + size, drawing.frame.xy));
}

void write_draw (int i)
{
  uvec4 r = texelFetch (records, record_at (i));
  vec4 b = uintBitsToFloat (texelFetch (records, record_at (i) + 1));
  uvec4 m = texelFetch (records, record_at (i) + 2);
  vec4 rect = uintBitsToFloat (texelFetch (records, record_at (i) + 3));
  ivec4 box = ivec4 (floor (b.xy), ceil (b.zw));
  box = clamp (box, ivec4 (0), drawing.frame.xyxy);
  int row = int (min (r.x + 1u, uint (max (drawing.atlas.y - 1, 0))));
  row = r.x < uint (drawing.atlas.z) ? row : 0;
  int width = row > 0 ? int (widths.data[row]) : 0;
  ivec4 label = label_place (box, width);
  vec2 scale = m.x > 0u ? vec2 (m.xy) / rect.zw : vec2 (0.0);
  draws.data[draw_at (i, DRAW_BOX)] = uvec4 (box);
  draws.data[draw_at (i, DRAW_LABEL)] = uvec4 (label);
  draws.data[draw_at (i, DRAW_TEXT)] = uvec4 (row, width, r.y, r.x);
  draws.data[draw_at (i, DRAW_PLACE)] =
      floatBitsToUint (vec4 (scale, (0.5 - rect.xy) * scale - 0.5));
  draws.data[draw_at (i, DRAW_MASK)] = uvec4 (r.zw, m.xy);
}

void main ()
{
  int me = int (gl_LocalInvocationID.x);
  int n = min (int (texelFetch (records, 0).x), MAX_DRAWN);
  if (me == 0)
    draws.data[0] = uvec4 (n, 0u, 0u, 0u);
  for (int i = me; i < n; i += 64) {
    write_draw (i);
    uint c = texelFetch (records, record_at (i)).x;
    int colour = int ((drawing.choice.y != 0 ? uint (i + 1) : c) & 255u);
    bool dark = (drawing.dark[colour >> 7][(colour >> 5) & 3] >> (colour & 31) & 1u) != 0u;
    for (int p = 0; p < n_planes (); p++) {
      colours.data[512 * p + i + 1] = palette.data[512 * p + colour];
      colours.data[512 * p + INK + i + 1] = palette.data[512 * p + (dark ? DARK : TEXT)];
    }
  }
  for (int p = me; p < n_planes (); p += 64)
    colours.data[512 * p] = 0u;
}
