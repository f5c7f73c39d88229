/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Which bytes the commands since the last barrier touch, and whether the next command needs a
 * barrier before it: it does when it reads or writes bytes that one of them writes, or writes
 * bytes that one of them reads. Pure logic, no Vulkan. Not thread-safe. */

typedef struct {
  gconstpointer memory; /* which buffer: only compared */
  guint64 start, end;   /* bytes [start, end) */
  gboolean write;       /* also when it reads and writes */
} SegAccess;

typedef struct _SegHazards SegHazards;

SegHazards *seg_hazards_new (void);
void seg_hazards_free (SegHazards *h); /* NULL is allowed */
void seg_hazards_clear (SegHazards *h);

/* Adds a command that touches n pieces of memory. TRUE: a barrier has to go before it; then
 * everything earlier has been forgotten. Pieces of one command may overlap each other. */
gboolean seg_hazards_add (SegHazards *h, const SegAccess *accesses, guint n);

G_END_DECLS
