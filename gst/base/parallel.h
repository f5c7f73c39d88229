/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Calls f (i, data) for each i below n, on as many threads as there are processors (this one among them),
 * in any order, and returns when all are done. Where no thread can be had it does them itself. */
void seg_parallel (guint n, void (*f) (guint i, gpointer data), gpointer data);

G_END_DECLS
