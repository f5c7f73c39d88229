// SPDX-License-Identifier: LGPL-2.1-or-later
// A network's output ("grid": w x h pixels of C scores) and how it lies over the frame. Host
// side: gst/frame/decode.h. The including shader defines SEG_DECODE and SEG_STYLE, the bindings.
layout (std140, binding = SEG_DECODE) uniform Decode {
  ivec4 grid;   // width, height, classes, groups of 4 pixels in a row of the maps made from it
  ivec4 view;   // of the scores, in elements: offset, steps along x, y and class
  ivec4 frame;  // width, height; label map: words in a row, rows
  ivec4 inside; // x0, x1, y0, y1: frame pixels that the network sees
  vec4 map;     // position on the grid = (x, y) * map.xy + map.zw; 0 is the middle of a pixel
  ivec4 region; // what this grid decides of the label map: first word, first row, words, rows
} dec;

layout (std140, binding = SEG_STYLE) uniform Style {
  uvec4 keep[2]; // a bit per class
  vec4 amount;   // threshold; the same for label maps of mattes; share of the frame from which
                 // on the legend lists a class; how much mattes stay as they were
  ivec4 choice;  // label of what is no class
} style;

// Word i of the region: its place in the label map, and the place's row.
ivec2 region_word (int i)
{
  int row = i / dec.region.z;
  int y = dec.region.y + row;
  return ivec2 (y * dec.frame.z + dec.region.x + i - row * dec.region.z, y);
}

// Mesa's lavapipe makes a shader anew, and keeps it for ever, each time that one runs whose loops or
// branches depend on nothing but a uniform block. With this 0 they do not.
int not_uniform ()
{
  return int (gl_WorkGroupID.z);
}

int n_classes ()
{
  return dec.grid.z + not_uniform ();
}

bool style_has_threshold ()
{
  return style.amount.x > float (not_uniform ());
}

const int SOFTMAX = 0, SIGMOID = 1, PROBABILITY = 2, INDEX = 3; // what the scores are
const uint MIXED = 0xffffu; // a cell whose corners are of several classes

bool style_keeps (int label)
{
  return (style.keep[label >> 7][(label >> 5) & 3] >> (label & 31) & 1u) != 0u;
}

bool style_is_foreground (int label)
{
  return label != style.choice.x && style_keeps (label);
}
