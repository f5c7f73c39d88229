// SPDX-License-Identifier: LGPL-2.1-or-later
// How the frame's instances are drawn: what instance_style.comp makes of each once a frame, and
// instance_map.comp reads for each pixel. Host side: gst/frame/instancedraw.h. The including shader
// defines SEG_DRAWING, the binding.
layout (std140, binding = SEG_DRAWING) uniform Drawing {
  ivec4 frame;   // width, height; maps: words in a row; pixels of a box's line
  ivec4 text;    // height of a label, space beside its text, widths of "0." and of a digit
  ivec4 atlas;   // width, rows (0: no labels), classes, planes of the frame
  ivec4 choice;  // label of what is no instance; colours: 0 by class, 1 by instance
  vec4 amount;   // probability from which on a pixel is the instance's
  uvec4 dark[2]; // a bit per colour: text on it is dark
} drawing;

// An instance in memory, four words each; pixels are those of the frame, rectangles x0 y0 x1 y1:
const int DRAW_EXTENT = 0; // all that is touched
const int DRAW_BOX = 1;
const int DRAW_LABEL = 2;  // empty: none
const int DRAW_TEXT = 3;   // row of the atlas, width of its text, score, class
const int DRAW_PLACE = 4;  // position in the mask = pixel * xy + zw; 0 is the middle of a pixel
const int DRAW_MASK = 5;   // offset, bytes of a row, width, height
const int DRAW_WORDS = 6;

const int MAX_DRAWN = 252;                       // SEG_MAX_DRAWN: the best ones
const int TEXT = 256, DARK = 258, INK = 259;     // colours: after INK those of the instances' text

int draw_at (int i, int part)
{
  return 1 + DRAW_WORDS * i + part;
}
