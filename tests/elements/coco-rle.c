/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "coco-rle.h"

/* Groups of 5 bits, the lowest first; 32 says that another follows, 16 of the last is the sign. */
static gint64
next_number (const char **text)
{
  gint64 value = 0;
  guint shift = 0;
  gboolean more = TRUE;
  while (more && **text != '\0' && shift < 60) {
    gint64 c = *(*text)++ - 48;
    value |= (c & 31) << shift;
    more = (c & 32) != 0;
    shift += 5;
    if (!more && (c & 16) != 0)
      value |= -1 * ((gint64) 1 << shift);
  }
  return value;
}

gboolean
coco_rle_decode (const char *text, guint width, guint height, guint8 *pixels)
{
  gint64 before[2] = { 0,
    0 }; /* from the fourth on lengths are relative to the one before the last */
  gsize at = 0, n_pixels = (gsize) width * height;
  for (guint n = 0; *text != '\0'; n++) {
    gint64 count = next_number (&text) + (n > 2 ? before[n % 2] : 0);
    if (count < 0 || (gsize) count > n_pixels - at)
      return FALSE;
    before[n % 2] = count;
    for (gint64 k = 0; k < count; k++, at++)
      pixels[at % height * width + at / height] = n % 2 ? 255 : 0;
  }
  return at == n_pixels;
}
