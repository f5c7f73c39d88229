// SPDX-License-Identifier: LGPL-2.1-or-later
// Pictures at the size of a network's matte, four numbers a pixel, rows without padding. After lib/decode.glsl.
const int GUIDE_RADIUS = 2; // of the windows: 5 x 5
const int GUIDE_WINDOW = (2 * GUIDE_RADIUS + 1) * (2 * GUIDE_RADIUS + 1);

// Outside are the pixels at the border.
int guide_place (ivec2 at)
{
  at = clamp (at, ivec2 (0), dec.grid.xy - 1);
  return at.y * dec.grid.x + at.x;
}
