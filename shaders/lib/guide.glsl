// SPDX-License-Identifier: LGPL-2.1-or-later
// Pictures at the size of a network's matte, four numbers a pixel, rows without padding. After lib/decode.glsl.
const int GUIDE_RADIUS = 2; // of the windows: 5 x 5
const int GUIDE_WINDOW = (2 * GUIDE_RADIUS + 1) * (2 * GUIDE_RADIUS + 1);

// What is outside of the frame, bars of a letterbox too, is as the pixels at its border: alpha of bars says nothing
// of the frame's colours.
int guide_place (ivec2 at)
{
  ivec2 last = dec.grid.xy - 1;
  ivec2 lo = clamp (ivec2 (ceil (dec.map.zw - 0.5 * dec.map.xy)), ivec2 (0), last);
  ivec2 hi = clamp (ivec2 (floor ((vec2 (dec.frame.xy) - 0.5) * dec.map.xy + dec.map.zw)), lo, last);
  at = clamp (at, lo, hi);
  return at.y * dec.grid.x + at.x;
}
