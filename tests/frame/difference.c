/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "difference.h"

typedef struct {
  gsize n, n_differ, first, last; /* bytes looked at, those that differ, where in a row */
  guint first_row, last_row;
  guint8 got, wanted; /* the first that differ */
  guint most;
} Difference;

static void
look_at_row (Difference *d, guint y, const guint8 *got, const guint8 *wanted, gsize n)
{
  for (gsize i = 0; i < n; i++) {
    if (got[i] == wanted[i])
      continue;
    if (d->n_differ++ == 0) {
      d->first = i;
      d->first_row = y;
      d->got = got[i];
      d->wanted = wanted[i];
    }
    d->last = i;
    d->last_row = y;
    d->most = MAX (d->most, (guint) ABS ((int) got[i] - (int) wanted[i]));
  }
  d->n += n;
}

static void
describe (const Difference *d, GString *s)
{
  g_string_append_printf (s,
      "row %u, byte %" G_GSIZE_FORMAT " is %u, wanted %u; %" G_GSIZE_FORMAT
      " of %" G_GSIZE_FORMAT " differ, by %u at most, the last is row %u, byte "
      "%" G_GSIZE_FORMAT,
      d->first_row, d->first, d->got, d->wanted, d->n_differ, d->n, d->most, d->last_row,
      d->last);
}

char *
bytes_difference (const guint8 *got, gsize n_got, const guint8 *wanted, gsize n_wanted)
{
  Difference d = { 0 };
  g_autoptr (GString) s = g_string_new (NULL);
  if (n_got != n_wanted)
    g_string_printf (
        s, "%" G_GSIZE_FORMAT " bytes, wanted %" G_GSIZE_FORMAT "; ", n_got, n_wanted);
  look_at_row (&d, 0, got, wanted, MIN (n_got, n_wanted));
  if (d.n_differ > 0)
    describe (&d, s);
  return s->len > 0 ? g_string_free (g_steal_pointer (&s), FALSE) : NULL;
}

char *
frame_difference (const SegFrame *frame, const guint8 *got, const guint8 *wanted)
{
  g_autoptr (GString) s = g_string_new (NULL);
  for (guint p = 0; p < seg_format_info (frame->format)->n_planes; p++) {
    Difference d = { 0 };
    for (guint y = 0; y < seg_frame_n_rows (frame, p); y++) {
      gsize at = frame->offset[p] + y * frame->stride[p];
      look_at_row (&d, y, got + at, wanted + at, seg_frame_row_bytes (frame, p));
    }
    if (d.n_differ == 0)
      continue;
    g_string_append_printf (s, "%splane %u: ", s->len > 0 ? "; " : "", p);
    describe (&d, s);
  }
  return s->len > 0 ? g_string_free (g_steal_pointer (&s), FALSE) : NULL;
}
