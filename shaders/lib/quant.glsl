// SPDX-License-Identifier: LGPL-2.1-or-later
// Bytes of quantised networks; the host side is gst/ops/quant.h. A byte is fetched as its bits;
// `sign` is 128 where they are an int8, else 0.

ivec4 byte_values (uvec4 bits, uint sign)
{
  return ivec4 (bits ^ sign) - int (sign);
}

// round (v), half to even, between low and high; NaN becomes low.
ivec4 round_between (vec4 v, vec4 low, vec4 high)
{
  v = roundEven (v);
  v = mix (low, v, greaterThanEqual (v, low));
  return ivec4 (min (v, high));
}
