// SPDX-License-Identifier: LGPL-2.1-or-later
// Reads pixels of a video frame in any format, 8 bits of each component (of P010 the upper): its byte is at
// offset + (y >> vsub) * stride + (x >> hsub) * step. Host side: gst/frame/params.h.
// Bindings 0..2. Positions are continuous: pixel i covers [i, i + 1).
layout (std140, binding = 0) uniform FrameBlock {
  ivec4 component[3]; // offset, stride, step, hsub | vsub << 8
  ivec4 size;         // width, height in pixels
  vec4 chroma;        // x, y: middle of the first chroma sample, in chroma samples
  vec4 matrix[3];     // rgb[c] = dot (matrix[c], vec4 (bytes, 1)), 0..1
} frame;
layout (binding = 1) uniform usamplerBuffer frame_bytes; // one byte each
layout (binding = 2) uniform usamplerBuffer frame_words; // four bytes each

const int FRAME_GRAY = 0, FRAME_RGB = 1, FRAME_YUV = 2;
const int FRAME_PACKED4 = 3; // RGB with 4-byte pixels: matrix is for bytes 0..2 as they lie

// The two neighbours of a position q (in samples, 0 is the middle of the first) and the
// second's weight; clamped to n samples.
void frame_neighbours (float q, int n, out int i0, out int i1, out float f)
{
  q = clamp (q, 0.0, float (n - 1));
  i0 = int (q);
  i1 = min (i0 + 1, n - 1);
  f = q - float (i0);
}

float frame_component (int c, vec2 p, vec2 middle)
{
  ivec4 k = frame.component[c];
  ivec2 sub = ivec2 (k.w & 255, k.w >> 8);
  ivec2 n = (frame.size.xy + (ivec2 (1) << sub) - 1) >> sub;
  vec2 q = p / vec2 (ivec2 (1) << sub) - middle;
  int x0, x1, y0, y1;
  float fx, fy;
  frame_neighbours (q.x, n.x, x0, x1, fx);
  frame_neighbours (q.y, n.y, y0, y1, fy);
  int row0 = k.x + y0 * k.y, row1 = k.x + y1 * k.y;
  float a = float (texelFetch (frame_bytes, row0 + x0 * k.z).x);
  float b = float (texelFetch (frame_bytes, row0 + x1 * k.z).x);
  float c0 = float (texelFetch (frame_bytes, row1 + x0 * k.z).x);
  float c1 = float (texelFetch (frame_bytes, row1 + x1 * k.z).x);
  return mix (mix (a, b, fx), mix (c0, c1, fx), fy);
}

vec3 frame_packed (vec2 p)
{
  int x0, x1, y0, y1;
  float fx, fy;
  frame_neighbours (p.x - 0.5, frame.size.x, x0, x1, fx);
  frame_neighbours (p.y - 0.5, frame.size.y, y0, y1, fy);
  int row0 = (frame.component[0].x + y0 * frame.component[0].y) >> 2;
  int row1 = (frame.component[0].x + y1 * frame.component[0].y) >> 2;
  vec3 a = vec3 (texelFetch (frame_words, row0 + x0).xyz);
  vec3 b = vec3 (texelFetch (frame_words, row0 + x1).xyz);
  vec3 c = vec3 (texelFetch (frame_words, row1 + x0).xyz);
  vec3 d = vec3 (texelFetch (frame_words, row1 + x1).xyz);
  return mix (mix (a, b, fx), mix (c, d, fx), fy);
}

// Luma or RGB at p; chroma is left 0.
vec3 frame_luma (int kind, vec2 p)
{
  if (kind == FRAME_PACKED4)
    return frame_packed (p);
  vec3 v = vec3 (frame_component (0, p, vec2 (0.5)), 0.0, 0.0);
  if (kind == FRAME_RGB) {
    v.y = frame_component (1, p, vec2 (0.5));
    v.z = frame_component (2, p, vec2 (0.5));
  }
  return v;
}

vec2 frame_chroma (vec2 p)
{
  return vec2 (frame_component (1, p, frame.chroma.xy), frame_component (2, p, frame.chroma.xy));
}

// The components of a pixel of the frame, as they lie.
float frame_byte (int c, ivec2 at)
{
  ivec4 k = frame.component[c];
  return float (texelFetch (frame_bytes, k.x + (at.y >> (k.w >> 8)) * k.y + (at.x >> (k.w & 255)) * k.z).x);
}

vec3 frame_pixel (int kind, ivec2 at)
{
  if (kind == FRAME_PACKED4)
    return vec3 (texelFetch (frame_words,
                             ((frame.component[0].x + at.y * frame.component[0].y) >> 2) + at.x).xyz);
  vec3 v = vec3 (frame_byte (0, at), 0.0, 0.0);
  if (kind != FRAME_GRAY)
    v.yz = vec2 (frame_byte (1, at), frame_byte (2, at));
  return v;
}

vec3 frame_to_rgb (vec3 bytes)
{
  vec4 v = vec4 (bytes, 1.0);
  return clamp (vec3 (dot (frame.matrix[0], v), dot (frame.matrix[1], v),
                      dot (frame.matrix[2], v)), 0.0, 1.0);
}
