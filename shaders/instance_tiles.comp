#version 450
#extension GL_GOOGLE_include_directive : enable
// SPDX-License-Identifier: LGPL-2.1-or-later
// For each tile of the frame which instances have their mask, lines or label there, and lists of the
// tiles that have some: instance_map.comp and instance_ink.comp look at nothing else. A tile an
// invocation; the lists' lengths are 0 before.
#define SEG_DRAWING 0
#include "lib/draws.glsl"

layout (local_size_x = 64) in;
layout (constant_id = 0) const int BOXES = 0;
layout (constant_id = 1) const int LABELS = 0;
layout (constant_id = 2) const int FILLED = 0; // what has no mask has all of its box
layout (binding = 1) uniform usamplerBuffer draws;
layout (binding = 2) buffer Tiles { uint data[]; } tiles;

bool meets (ivec4 tile, ivec4 r)
{
  return all (lessThan (tile.xy, r.zw)) && all (greaterThan (tile.zw, r.xy));
}

bool lies_within (ivec4 tile, ivec4 r)
{
  return all (greaterThanEqual (tile.xy, r.xy)) && all (lessThanEqual (tile.zw, r.zw));
}

// Instance i as a bit of: those with a mask here, with lines, with a label.
uvec3 parts_of (int i, ivec4 tile)
{
  ivec4 box = ivec4 (texelFetch (draws, draw_at (i, DRAW_BOX)));
  ivec4 label = ivec4 (texelFetch (draws, draw_at (i, DRAW_LABEL)));
  bool masked = FILLED != 0 || texelFetch (draws, draw_at (i, DRAW_MASK)).z > 0u;
  int w = drawing.frame.w;
  bvec3 is = bvec3 (masked && meets (tile, box),
                    BOXES != 0 && meets (tile, box)
                        && !lies_within (tile, box + ivec4 (w, w, -w, -w)),
                    LABELS != 0 && meets (tile, label));
  return mix (uvec3 (0u), uvec3 (1u << (i & 31)), is);
}

void main ()
{
  int at = int (gl_GlobalInvocationID.x + gl_GlobalInvocationID.y * gl_NumWorkGroups.x * 64u);
  int across = tiles_across (), n_tiles = across * tiles_down ();
  if (at >= n_tiles)
    return;
  ivec2 from = ivec2 (at % across * TILE_WIDTH, at / across * TILE_HEIGHT);
  ivec4 tile = ivec4 (from, from + ivec2 (TILE_WIDTH, TILE_HEIGHT));
  int n = int (texelFetch (draws, 0).x);
  uvec3 any_part = uvec3 (0u);
  for (int w = 0; w < TILE_WORDS; w++) {
    uvec3 bits = uvec3 (0u);
    for (int i = 32 * w; i < min (n, 32 * w + 32); i++)
      bits |= parts_of (i, tile);
    for (int part = 0; part < 3; part++)
      tiles.data[tile_bits (at, part) + w] = bits[part];
    any_part |= bits;
  }
  if (any_part.x != 0u)
    tiles.data[tile_list (TILES_OF_MAP) + atomicAdd (tiles.data[TILES_OF_MAP], 1u)] = uint (at);
  if ((any_part.y | any_part.z) != 0u)
    tiles.data[tile_list (TILES_OF_INK) + atomicAdd (tiles.data[TILES_OF_INK], 1u)] = uint (at);
}
