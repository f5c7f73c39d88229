/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/tensor.h"

#include <string.h>

guint16
seg_half_from_float (float f)
{
  guint32 bits, sign, mantissa;
  int exponent, shift;

  memcpy (&bits, &f, sizeof bits);
  sign = bits >> 16 & 0x8000;
  bits &= 0x7fffffff;
  if (bits > 0x7f800000) /* NaN: quiet, with what fits of its payload */
    return sign | 0x7e00 | (bits >> 13 & 0x1ff);
  if (bits >= 0x477ff000) /* 65520 and more rounds past 65504 */
    return sign | 0x7c00;

  exponent = (int) (bits >> 23) - 127;
  if (exponent < -25)
    return sign;
  mantissa = (bits & 0x7fffff) | 0x800000;
  shift = exponent < -14 ? -exponent - 1 : 13;
  /* A carry out of the mantissa raises the exponent, which is just right. */
  bits = exponent < -14 ? mantissa >> shift
                        : ((guint32) (exponent + 14) << 10) + (mantissa >> shift);
  mantissa &= (1u << shift) - 1;
  if (mantissa > 1u << (shift - 1) || (mantissa == 1u << (shift - 1) && (bits & 1)))
    bits++;
  return sign | bits;
}

float
seg_half_to_float (guint16 h)
{
  guint32 sign = (guint32) (h & 0x8000) << 16, exponent = h >> 10 & 0x1f,
          mantissa = h & 0x3ff;
  guint32 bits;
  float f;

  if (exponent == 0x1f) {
    bits = sign | 0x7f800000 | mantissa << 13;
  } else if (exponent) {
    bits = sign | (exponent + 112) << 23 | mantissa << 13;
  } else {
    f = (float) mantissa / 16777216.0f; /* 2^-24 each, exact */
    memcpy (&bits, &f, sizeof bits);
    bits |= sign;
  }
  memcpy (&f, &bits, sizeof f);
  return f;
}
