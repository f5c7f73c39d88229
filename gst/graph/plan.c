/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "graph/plan.h"

#include <string.h>

/* Of the search for a better order: it must not be felt when a network is loaded. */
#define MAX_COMPARISONS 50000000u
#define MIN_TRIES       8
#define MAX_TRIES       600

static gsize
align_up (gsize v, gsize align)
{
  return (v + align - 1) / align * align;
}

static gint
compare_down (gdouble x, gdouble y)
{
  return x > y ? -1 : x < y;
}

static gint
by_size (gconstpointer a, gconstpointer b, gpointer data)
{
  const SegPlanItem *items = data;
  const SegPlanItem *x = &items[*(const guint *) a], *y = &items[*(const guint *) b];
  if (x->n_bytes != y->n_bytes)
    return compare_down (x->n_bytes, y->n_bytes);
  return x->first < y->first ? -1 : x->first > y->first;
}

static gint
by_life (gconstpointer a, gconstpointer b, gpointer data)
{
  const SegPlanItem *items = data;
  const SegPlanItem *x = &items[*(const guint *) a], *y = &items[*(const guint *) b];
  guint of_x = x->last - x->first, of_y = y->last - y->first;
  return of_x != of_y ? compare_down (of_x, of_y) : by_size (a, b, data);
}

/* What lives long and is large is in the way of most. */
static gint
by_area (gconstpointer a, gconstpointer b, gpointer data)
{
  const SegPlanItem *items = data;
  const SegPlanItem *x = &items[*(const guint *) a], *y = &items[*(const guint *) b];
  double of_x = (double) x->n_bytes * (x->last - x->first + 1),
         of_y = (double) y->n_bytes * (y->last - y->first + 1);
  return of_x != of_y ? compare_down (of_x, of_y) : by_size (a, b, data);
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

/* Offsets for the items in this order of precedence; `placed` is room for n numbers. */
static gsize
place (SegPlanItem *items, const guint *order, guint n, gsize align, guint *placed)
{
  gsize total = 0;
  for (guint i = 0; i < n; i++) {
    SegPlanItem *item = &items[order[i]];
    item->offset = find_offset (items, placed, i, item, align);
    total = MAX (total, align_up (item->offset + item->n_bytes, align));
    insert_sorted (items, placed, i, order[i]);
  }
  return total;
}

/* The position in `order` of the item that reaches highest. */
static guint
highest (const SegPlanItem *items, const guint *order, guint n)
{
  guint best = 0;
  for (guint i = 1; i < n; i++) {
    const SegPlanItem *a = &items[order[best]], *b = &items[order[i]];
    if (b->offset + b->n_bytes > a->offset + a->n_bytes)
      best = i;
  }
  return best;
}

static void
move_forward (guint *order, guint from, guint to)
{
  guint item = order[from];
  memmove (&order[to + 1], &order[to], (from - to) * sizeof *order);
  order[to] = item;
}

/* Lets the item on top choose its place earlier, again and again; keeps what is no worse. */
static gsize
improve (SegPlanItem *items, guint *order, guint n, gsize align, gsize total, gsize peak)
{
  g_autofree guint *trial = g_new (guint, n);
  g_autofree guint *placed = g_new (guint, n);
  guint n_tries = CLAMP (MAX_COMPARISONS / ((guint64) n * n), MIN_TRIES, MAX_TRIES);
  guint32 random = 1; /* the same plan each time */
  for (guint t = 0; t < n_tries && total - peak > peak / 100; t++) {
    guint top = highest (items, order, n);
    if (top == 0)
      break;
    random = random * 1664525u + 1013904223u;
    memcpy (trial, order, n * sizeof *order);
    move_forward (trial, top, (random >> 8) % top);
    gsize now = place (items, trial, n, align, placed);
    if (now <= total) {
      total = now;
      memcpy (order, trial, n * sizeof *order);
    } else {
      place (items, order, n, align, placed);
    }
  }
  return total;
}

gsize
seg_plan (SegPlanItem *items, guint n, gsize align)
{
  static const GCompareDataFunc starts[] = { by_size, by_area, by_life };
  g_autofree guint *order = g_new (guint, n + 1);
  g_autofree guint *trial = g_new (guint, n + 1);
  g_autofree guint *placed = g_new (guint, n + 1);
  gsize total = G_MAXSIZE;
  if (n == 0)
    return 0;
  for (guint k = 0; k < G_N_ELEMENTS (starts); k++) {
    for (guint i = 0; i < n; i++)
      trial[i] = i;
    g_qsort_with_data (trial, n, sizeof *trial, starts[k], items);
    gsize now = place (items, trial, n, align, placed);
    if (now < total) {
      total = now;
      memcpy (order, trial, n * sizeof *order);
    }
  }
  place (items, order, n, align, placed);
  return improve (items, order, n, align, total, seg_plan_peak (items, n, align));
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
