/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "graph/plan.h"

static gsize
align_up (gsize v, gsize align)
{
  return (v + align - 1) / align * align;
}

static gint
by_size_descending (gconstpointer a, gconstpointer b, gpointer data)
{
  const SegPlanItem *items = data;
  const SegPlanItem *x = &items[*(const guint *) a], *y = &items[*(const guint *) b];
  if (x->n_bytes != y->n_bytes)
    return x->n_bytes > y->n_bytes ? -1 : 1;
  return x->first < y->first ? -1 : x->first > y->first;
}

static gboolean
overlap_in_time (const SegPlanItem *a, const SegPlanItem *b)
{
  return a->first <= b->last && b->first <= a->last;
}

/* The smallest gap between the placed items that live at the same time; `placed` is sorted by
 * offset. */
static gsize
find_offset (const SegPlanItem *items, const guint *placed, guint n_placed,
    const SegPlanItem *item, gsize align)
{
  gsize best = G_MAXSIZE, best_gap = G_MAXSIZE, end = 0;
  for (guint i = 0; i < n_placed; i++) {
    const SegPlanItem *other = &items[placed[i]];
    if (!overlap_in_time (item, other))
      continue;
    if (other->offset > end) {
      gsize gap = other->offset - end;
      if (gap >= item->n_bytes && gap < best_gap) {
        best = end;
        best_gap = gap;
      }
    }
    end = MAX (end, align_up (other->offset + other->n_bytes, align));
  }
  return best != G_MAXSIZE ? best : end;
}

static void
insert_sorted (const SegPlanItem *items, guint *placed, guint n_placed, guint item)
{
  guint i = n_placed;
  for (; i > 0 && items[placed[i - 1]].offset > items[item].offset; i--)
    placed[i] = placed[i - 1];
  placed[i] = item;
}

gsize
seg_plan (SegPlanItem *items, guint n, gsize align)
{
  g_autofree guint *order = g_new (guint, n + 1);
  g_autofree guint *placed = g_new (guint, n + 1);
  gsize total = 0;
  for (guint i = 0; i < n; i++)
    order[i] = i;
  g_qsort_with_data (order, n, sizeof *order, by_size_descending, items);
  for (guint i = 0; i < n; i++) {
    SegPlanItem *item = &items[order[i]];
    item->offset = find_offset (items, placed, i, item, align);
    total = MAX (total, align_up (item->offset + item->n_bytes, align));
    insert_sorted (items, placed, i, order[i]);
  }
  return total;
}

gsize
seg_plan_peak (const SegPlanItem *items, guint n, gsize align)
{
  guint n_steps = 0;
  for (guint i = 0; i < n; i++)
    n_steps = MAX (n_steps, items[i].last + 1);
  gsize peak = 0;
  for (guint step = 0; step < n_steps; step++) {
    gsize sum = 0;
    for (guint i = 0; i < n; i++)
      if (items[i].first <= step && step <= items[i].last)
        sum += align_up (items[i].n_bytes, align);
    peak = MAX (peak, sum);
  }
  return peak;
}
