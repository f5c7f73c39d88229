/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The linear assignment problem by shortest augmenting paths (Kuhn 1955, Munkres 1957, in the form
 * of Jonker and Volgenant 1987): costs[row * n_columns + column], any finite numbers. column_of[row]
 * becomes the row's column, or -1 for rows that are too many. The sum of costs is the least there
 * is. O(min^2 * max). */
void seg_assign (const double *costs, guint n_rows, guint n_columns, gint *column_of);

G_END_DECLS
