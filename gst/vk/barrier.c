/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vk/barrier.h"

struct _SegHazards {
  GArray *accesses; /* SegAccess; few, since a network is mostly a chain */
};

SegHazards *
seg_hazards_new (void)
{
  SegHazards *h = g_new0 (SegHazards, 1);
  h->accesses = g_array_new (FALSE, FALSE, sizeof (SegAccess));
  return h;
}

void
seg_hazards_free (SegHazards *h)
{
  if (h == NULL)
    return;
  g_array_unref (h->accesses);
  g_free (h);
}

void
seg_hazards_clear (SegHazards *h)
{
  g_array_set_size (h->accesses, 0);
}

static gboolean
conflicts (const SegAccess *a, const SegAccess *b)
{
  return a->memory == b->memory && (a->write || b->write)
         && MAX (a->start, b->start) < MIN (a->end, b->end);
}

static gboolean
any_conflict (const SegHazards *h, const SegAccess *accesses, guint n)
{
  for (guint i = 0; i < h->accesses->len; i++)
    for (guint k = 0; k < n; k++)
      if (conflicts (&g_array_index (h->accesses, SegAccess, i), &accesses[k]))
        return TRUE;
  return FALSE;
}

/* Grows a known piece by a new one that touches or overlaps it, so that reads of the same
 * weights or writes side by side stay one piece. */
static gboolean
merge (SegHazards *h, const SegAccess *a)
{
  for (guint i = 0; i < h->accesses->len; i++) {
    SegAccess *known = &g_array_index (h->accesses, SegAccess, i);
    if (known->memory == a->memory && known->write == a->write && a->start <= known->end
        && known->start <= a->end) {
      known->start = MIN (known->start, a->start);
      known->end = MAX (known->end, a->end);
      return TRUE;
    }
  }
  return FALSE;
}

gboolean
seg_hazards_add (SegHazards *h, const SegAccess *accesses, guint n)
{
  gboolean barrier = any_conflict (h, accesses, n);
  if (barrier)
    seg_hazards_clear (h);
  for (guint k = 0; k < n; k++)
    if (accesses[k].start < accesses[k].end && !merge (h, &accesses[k]))
      g_array_append_val (h->accesses, accesses[k]);
  return barrier;
}
