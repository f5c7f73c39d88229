// SPDX-License-Identifier: LGPL-2.1-or-later
// Going from tile to tile: what instance_tiles.comp wrote, and this invocation's four pixels of one.
// Needs lib/draws.glsl, and `tiles`, a usamplerBuffer.
uint tiles_at (int word)
{
  return texelFetch (tiles, word >> 2)[word & 3];
}

int tiles_in_list (int list)
{
  return int (tiles_at (list));
}

int tile_in_list (int list, int k)
{
  return int (tiles_at (tile_list (list) + k));
}

// A bit for each of instances 32 w .. 32 w + 31.
uint tile_word (int tile, int part, int w)
{
  return tiles_at (tile_bits (tile, part) + w);
}

// The first of the four; workgroups are of 64.
ivec2 tile_pixels (int tile)
{
  int me = int (gl_LocalInvocationID.x), across = tiles_across ();
  return ivec2 (tile % across * TILE_WIDTH + me % (TILE_WIDTH / 4) * 4,
                tile / across * TILE_HEIGHT + me / (TILE_WIDTH / 4));
}

// They are in the maps, which have whole words past the end of a row.
bool tile_has (ivec2 at)
{
  return at.x < 4 * drawing.frame.z && at.y < drawing.frame.y;
}

int tile_map_word (ivec2 at)
{
  return at.y * drawing.frame.z + (at.x >> 2);
}
