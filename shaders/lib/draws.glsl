// SPDX-License-Identifier: LGPL-2.1-or-later
// How the frame's instances are drawn: what instance_style.comp makes of each once a frame, and
// instance_map.comp and instance_ink.comp read for each pixel. Host side: gst/frame/instancedraw.h.
// The including shader defines SEG_DRAWING, the binding.
layout (std140, binding = SEG_DRAWING) uniform Drawing {
  ivec4 frame;   // width, height; maps: words in a row; pixels of a box's line
  ivec4 text;    // height of a label, space beside its text, widths of "0." and of a digit
  ivec4 atlas;   // width, rows (0: no labels), classes, planes of the frame
  ivec4 choice;  // label of what is no instance; colours: 0 by class, 1 by instance
  vec4 amount;   // probability from which on a pixel is the instance's
  uvec4 dark[2]; // a bit per colour: text on it is dark
} drawing;

// An instance in memory, four words each; pixels are those of the frame, rectangles x0 y0 x1 y1:
const int DRAW_BOX = 0;
const int DRAW_LABEL = 1;  // empty: none
const int DRAW_TEXT = 2;   // row of the atlas, width of its text, score, class
const int DRAW_PLACE = 3;  // position in the mask = pixel * xy + zw; 0 is the middle of a pixel
const int DRAW_MASK = 4;   // offset, bytes of a row, width, height
const int DRAW_WORDS = 5;

const int MAX_DRAWN = 252;                       // SEG_MAX_DRAWN: the best ones
const int TEXT = 256, DARK = 258, INK = 259;     // colours: after INK those of the instances' text

// The frame in tiles, each as many pixels as a workgroup makes, and lists of those where something is.
// In memory: the lists' lengths, the lists, then for each tile and part a bit an instance.
const int TILE_WIDTH = 32, TILE_HEIGHT = 8, TILE_WORDS = 8;
const int TILES_OF_MAP = 0, TILES_OF_INK = 1;
const int PART_MASK = 0, PART_LINES = 1, PART_LABEL = 2;

int tiles_across ()
{
  return (4 * drawing.frame.z + TILE_WIDTH - 1) / TILE_WIDTH;
}

int tiles_down ()
{
  return (drawing.frame.y + TILE_HEIGHT - 1) / TILE_HEIGHT;
}

int tile_list (int list)
{
  return 4 + list * tiles_across () * tiles_down ();
}

int tile_bits (int tile, int part)
{
  return tile_list (2) + (3 * tile + part) * TILE_WORDS;
}

int draw_at (int i, int part)
{
  return 1 + DRAW_WORDS * i + part;
}
