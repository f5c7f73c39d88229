/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/tap.h"

#include <stdio.h>

void
seg_tap_comment (const char *format, ...)
{
  va_list args;

  va_start (args, format);
  g_autofree char *text = g_strdup_vprintf (format, args);
  va_end (args);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    if (lines[i][0] != '\0')
      printf ("# %s\n", lines[i]);
  fflush (stdout);
}

void
seg_tap_result (SegTap *tap, gboolean ok, const char *name, const char *detail)
{
  tap->n++;
  if (!ok)
    tap->n_failed++;
  printf ("%s %u - %s\n", ok ? "ok" : "not ok", tap->n, name);
  if (detail != NULL)
    seg_tap_comment ("%s", detail);
  fflush (stdout);
}

void
seg_tap_skip (SegTap *tap, const char *name, const char *reason)
{
  tap->n++;
  tap->n_skipped++;
  printf ("ok %u - %s # SKIP %s\n", tap->n, name, reason);
  fflush (stdout);
}

int
seg_tap_finish (const SegTap *tap)
{
  printf ("1..%u\n", tap->n);
  return tap->n_failed > 0 ? 1 : 0;
}

int
seg_tap_skip_all (const char *reason)
{
  printf ("1..0 # SKIP %s\n", reason);
  return 0;
}
