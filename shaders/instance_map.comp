#version 450
#extension GL_GOOGLE_include_directive : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// For each pixel of the frame: the instance that it belongs to, and the largest of their
// probabilities. Masks are interpolated as probabilities; of several that reach the threshold the
// one wins whose probability times score is the largest (MaskFormer, Cheng et al. 2021). Four pixels
// of a row an invocation; a workgroup goes from tile to tile of those that masks touch. The rest of
// the maps is filled before.
//
// A CPU driver executes the body of a loop at least once, and both sides of an `if`: only what is
// not in the list costs nothing.
#define SEG_DRAWING 0
#include "lib/draws.glsl"

layout (local_size_x = 64) in;
layout (constant_id = 0) const int CLASSES = 0; // the map has classes, not numbers of instances
layout (constant_id = 1) const int NEAREST = 0;
layout (binding = 1) uniform usamplerBuffer draws;
layout (binding = 2) uniform usamplerBuffer tiles;
layout (binding = 3) uniform usamplerBuffer masks; // a pixel each
layout (binding = 4) writeonly buffer Map { uint data[]; } map;
layout (binding = 5) writeonly buffer Matte { uint data[]; } matte;
#include "lib/tiles.glsl"

uvec4 owners; // of the four pixels
vec4 probabilities, best;

// Two pixels of a row of the mask, at from + its byte.
float between (int from, int width, int x, float f)
{
  float a = float (texelFetch (masks, from + clamp (x, 0, width - 1)).x);
  float b = float (texelFetch (masks, from + clamp (x + 1, 0, width - 1)).x);
  return mix (a, b, f);
}

// Of four neighbours, in pixels of the mask: x, and y that they share.
vec4 mask_values (ivec4 mask, vec4 x, float y)
{
  if (NEAREST != 0)
    y = floor (y + 0.5);
  float low = floor (y), f = y - low;
  ivec2 rows = mask.x + mask.y * clamp (ivec2 (int (low)) + ivec2 (0, 1), 0, mask.w - 1);
  vec4 v;
  for (int e = 0; e < 4; e++) {
    float at = NEAREST != 0 ? floor (x[e] + 0.5) : x[e];
    float left = floor (at);
    v[e] = mix (between (rows.x, mask.z, int (left), at - left),
                between (rows.y, mask.z, int (left), at - left), f);
  }
  return v * (1.0 / 255.0);
}

void add_mask (int i, ivec4 px, int y)
{
  ivec4 box = ivec4 (texelFetch (draws, draw_at (i, DRAW_BOX)));
  ivec4 mask = ivec4 (texelFetch (draws, draw_at (i, DRAW_MASK)));
  vec4 place = uintBitsToFloat (texelFetch (draws, draw_at (i, DRAW_PLACE)));
  uvec4 text = texelFetch (draws, draw_at (i, DRAW_TEXT));
  uint name = CLASSES != 0 ? min (text.w, 254u) : uint (i + 1);
  float score = uintBitsToFloat (text.z);
  vec4 v = vec4 (1.0);
  if (mask.z > 0)
    v = mask_values (mask, vec4 (px) * place.x + place.z, float (y) * place.y + place.w);
  bool row_inside = y >= box.y && y < box.w;
  for (int e = 0; e < 4; e++) {
    bool inside = row_inside && px[e] >= box.x && px[e] < box.z;
    if (inside && v[e] >= drawing.amount.x && v[e] * score > best[e]) {
      owners[e] = name;
      best[e] = v[e] * score;
    }
    probabilities[e] = inside ? max (probabilities[e], v[e]) : probabilities[e];
  }
}

uint pack (uvec4 v)
{
  return v.x | v.y << 8 | v.z << 16 | v.w << 24;
}

void fill_tile (int tile)
{
  ivec2 at = tile_pixels (tile);
  // Past the end of a row its last pixel goes on: chroma samples reach there.
  ivec4 px = min (ivec4 (at.x) + ivec4 (0, 1, 2, 3), drawing.frame.x - 1);
  int n = int (texelFetch (draws, 0).x);
  owners = uvec4 (drawing.choice.x);
  probabilities = best = vec4 (0.0);
  for (int w = 0; 32 * w < n; w++)
    for (uint bits = tile_word (tile, PART_MASK, w); bits != 0u; bits &= bits - 1u)
      add_mask (32 * w + findLSB (bits), px, at.y);
  if (tile_has (at)) {
    map.data[tile_map_word (at)] = pack (owners);
    matte.data[tile_map_word (at)] = pack (uvec4 (probabilities * 255.0 + 0.5));
  }
}

void main ()
{
  int n_groups = int (gl_NumWorkGroups.x);
  for (int k = int (gl_WorkGroupID.x); k < tiles_in_list (TILES_OF_MAP); k += n_groups)
    fill_tile (tile_in_list (TILES_OF_MAP, k));
}
