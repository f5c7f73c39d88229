/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Results in the Test Anything Protocol, which meson reads. One thread. */
typedef struct {
  guint n, n_failed, n_skipped;
} SegTap;

/* One result; `detail` (may be NULL, may have many lines) is printed as a comment. */
void seg_tap_result (SegTap *tap, gboolean ok, const char *name, const char *detail);
void seg_tap_skip (SegTap *tap, const char *name, const char *reason);
void seg_tap_comment (const char *format, ...) G_GNUC_PRINTF (1, 2);
/* Prints the plan; the exit status. */
int seg_tap_finish (const SegTap *tap);
/* Skips everything: prints the reason; the exit status. */
int seg_tap_skip_all (const char *reason);

G_END_DECLS
