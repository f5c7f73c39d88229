#version 450
#extension GL_GOOGLE_include_directive : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// Draws the classes into one plane of the frame, in the frame's own format. An invocation makes
// four samples; one that nothing touches keeps its bits.
#define SEG_STYLE 0
#define SEG_DECODE 1
#define SEG_PLANE 2
#define SEG_COLOURS 6
#include "lib/decode.glsl"
#include "lib/sample.glsl"

layout (local_size_x = 64) in;
layout (constant_id = 5) const int SOFT = 0;     // strength by the matte, colour of class 1
layout (constant_id = 6) const int CONTOURS = 0; // classes are outlined
layout (constant_id = 7) const int INKED = 0;    // over it come the boxes and labels of instances

layout (binding = 3) uniform usamplerBuffer source; // four bytes each
layout (binding = 4) uniform usamplerBuffer labels; // four pixels each
layout (binding = 5) uniform usamplerBuffer mattes; // four pixels each
layout (binding = 7) writeonly buffer Output { uint data[]; } result;
layout (binding = 8) uniform usamplerBuffer inks; // four pixels each: instance, text << 8

const int INK_TEXT = 259; // colours of the text of instances begin here

// The borders of classes: where the pixel to the right or below is of another. The class to
// outline + 1, or 0.
uvec4 border (uvec4 l, int x, int y)
{
  int row = y * dec.frame.z;
  int below = min (y + 1, dec.frame.y - 1) * dec.frame.z;
  uvec4 b = texelFetch (labels, below + x);
  uvec4 r = uvec4 (l.yzw, x + 1 < dec.frame.z ? texelFetch (labels, row + x + 1).x : l.w);
  uvec4 none = uvec4 (style.choice.x);
  uvec4 other = mix (r, b, notEqual (b, l));
  return mix (uvec4 (0u), mix (l, other, equal (l, none)) + 1u, notEqual (other, l));
}

// What is drawn of boxes and labels covers what is below.
void draw_ink (uint ink, int first, int e)
{
  int instance = int (ink & 255u);
  vec4 own = sample_colour (texelFetch (colours, instance));
  vec4 text = sample_colour (texelFetch (colours, INK_TEXT + instance));
  sample_draw (first, e, mix (own, text, float (ink >> 8) * (1.0 / 255.0)), 1.0);
}

// Pixels 4x .. 4x+3 of row y: parts of samples `first` and on.
void draw_four (int x, int y, int first)
{
  int at = y * dec.frame.z + x;
  uvec4 l = texelFetch (labels, at);
  vec4 strength = SOFT != 0 ? vec4 (texelFetch (mattes, at)) * (1.0 / 65025.0)
                            : vec4 (1.0 / 255.0);
  uvec4 is = CONTOURS != 0 ? border (l, x, y) : uvec4 (0u);
  uvec4 ink = INKED != 0 ? texelFetch (inks, at) : uvec4 (0u);
  for (int e = 0; e < 4; e++) {
    if (ink[e] != 0u) {
      draw_ink (ink[e], first, e);
      continue;
    }
    uint class_id = SOFT != 0 ? 1u : l[e];
    if (CONTOURS != 0 && is[e] != 0u)
      class_id = is[e] - 1u;
    uvec4 entry = texelFetch (colours, int (class_id));
    float a = CONTOURS != 0 && is[e] != 0u ? 1.0 : float (entry.w) * strength[e];
    sample_draw (first, e, sample_colour (entry), a);
  }
}

void main ()
{
  int i = int (gl_GlobalInvocationID.x + gl_GlobalInvocationID.y * gl_NumWorkGroups.x * 64u);
  if (i >= plane.size.x * plane.size.y)
    return;
  int y = i / plane.size.x;
  int x = i - y * plane.size.x;
  sample_begin ();
  for (int dy = 0; dy < 1 << VSUB; dy++)
    for (int h = 0; h < 1 << HSUB; h++)
      draw_four (min ((x << HSUB) + h, dec.frame.z - 1), min ((y << VSUB) + dy, dec.frame.y - 1),
                 h * (4 >> HSUB));
  int from = plane.place.x + y * plane.place.y + x * BYTES;
  int to = plane.place.z + y * plane.place.w + x * BYTES;
  for (int b = 0; b < BYTES; b++)
    result.data[to + b] = sample_word (b, texelFetch (source, from + b));
}
