/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ops/program.h"

G_BEGIN_DECLS

/* Of n items in the order of a value's rows, how many there are for each counted row; 0: not a whole
 * number. */
guint32 seg_rows_items (const SegRows *rows, guint64 n);

/* The same rows, with a den of 1. */
gboolean seg_rows_emit_whole (
    SegProgram *p, SegRows rows, SegRows *whole, GError **error);

/* Counts of rows that the data decides, made from others. Each appends a dispatch. */

/* Writes the count of `of`: rows [first, end) of those. */
gboolean seg_rows_emit_range (SegProgram *p, const SegValue *of, SegRows rows,
    guint32 first, guint32 end, GError **error);
/* The same: as many as an element of an integer tensor says, less `first`. */
gboolean seg_rows_emit_dim (SegProgram *p, const SegValue *of, const SegValue *shape,
    guint32 element, guint32 first, GError **error);
/* The same: all of those, or none where the condition (one bool) is `when`. */
gboolean seg_rows_emit_unless (SegProgram *p, const SegValue *of, SegRows rows,
    const SegValue *condition, gboolean when, GError **error);

/* `to` becomes a copy of v, which is ROWS and whose live part is a prefix, with `fill` (by bits) in
 * place of the garbage. v NULL: it becomes `fill` everywhere, n_elems of it. */
gboolean seg_rows_emit_fill (SegProgram *p, const SegValue *v, SegRef to, gsize n_elems,
    guint32 fill, GError **error);

/* v, which is ROWS and of integers, becomes first, first + 1, ... */
gboolean seg_rows_emit_numbers (
    SegProgram *p, const SegValue *v, gint32 first, GError **error);

G_END_DECLS
