/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Where tensors lie in one arena, so that those alive at the same time never overlap.
 * Greedy by size (Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net
 * Inference", 2020): largest first, each into the smallest gap that holds it; or first what lives
 * longest, or what is both, whichever is best. That order is then improved by local search until the
 * arena is within 1 % of the peak or bounded work is done. */
typedef struct {
  gsize n_bytes;
  guint first, last; /* steps between which it is alive, both included */
  gsize offset;      /* result, a multiple of the alignment */
} SegPlanItem;

/* Fills in the offsets; returns the size of the arena. */
gsize seg_plan (SegPlanItem *items, guint n, gsize align);
/* The largest sum of items alive at one step: no plan can be smaller. */
gsize seg_plan_peak (const SegPlanItem *items, guint n, gsize align);

G_END_DECLS
