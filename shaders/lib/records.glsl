// SPDX-License-Identifier: LGPL-2.1-or-later
// The frame's instances in memory: four words of which the first is their number, then from
// record_at (i) on four times four words each:
//   class, score, offset of the mask in bytes, bytes of its rows
//   box in the frame: x0 y0 x1 y1
//   width and height of the mask, number of the box, where in its slot the mask begins: x | y << 16
//   rectangle of the frame that the mask covers: x, y, width, height
// Host side: gst/frame/instances.c.
int record_at (int i)
{
  return 4 + 4 * i;
}
