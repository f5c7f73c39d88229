// SPDX-License-Identifier: LGPL-2.1-or-later
// Where the legend is and which classes it lists. Host side: gst/frame/legend.h. The including
// shader defines SEG_LEGEND and SEG_ROWS, the bindings.
layout (std140, binding = SEG_LEGEND) uniform Legend {
  ivec4 box;   // x, y, width, height of a row
  ivec4 parts; // margin, side of a swatch, x of the text, width of the atlas
  ivec4 limit; // rows at most, values in the atlas, rows of pixels
} legend;
layout (binding = SEG_ROWS) buffer Rows { uint n; uint values[256]; uint listed[256]; } rows;
