// SPDX-License-Identifier: LGPL-2.1-or-later
#ifndef SEG_DIVIDE_GLSL
#define SEG_DIVIDE_GLSL

// n / d for n >= 0 and d > 0, by the reciprocal: the first quotient is off by at most 2^8, the
// second by 1. llvmpipe divides integers lane by lane.
int divide (int n, int d)
{
  float inverse = 1.0 / float (d);
  int q = int (float (n) * inverse);
  int rest = n - q * d;
  q += int (floor (float (rest) * inverse));
  rest = n - q * d;
  return q + (rest >= d ? 1 : 0) - (rest < 0 ? 1 : 0);
}
#endif
