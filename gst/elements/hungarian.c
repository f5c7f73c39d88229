/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "elements/hungarian.h"

#include <math.h>

/* Index 0 of `to`-sided arrays is a column that stands for "none"; others are one more than theirs. */
typedef struct {
  const double *costs;
  guint n_from, n_to;
  gsize from_step, to_step;
  double *u, *v, *shortest;
  guint *match,
      *before; /* `from` of each `to`, 0 for none; the `to` before it on the path */
  gboolean *done;
} Problem;

static double
reduced_cost (const Problem *p, guint from, guint to)
{
  return p->costs[(from - 1) * p->from_step + (to - 1) * p->to_step] - p->u[from]
         - p->v[to];
}

/* Goes one step along the shortest path, to the nearest `to` that has not been reached. */
static guint
step (Problem *p, guint at)
{
  double least = INFINITY;
  guint next = 0;
  p->done[at] = TRUE;
  for (guint j = 1; j <= p->n_to; j++) {
    if (p->done[j])
      continue;
    double c = reduced_cost (p, p->match[at], j);
    if (c < p->shortest[j]) {
      p->shortest[j] = c;
      p->before[j] = at;
    }
    if (p->shortest[j] < least) {
      least = p->shortest[j];
      next = j;
    }
  }
  for (guint j = 0; j <= p->n_to; j++)
    if (p->done[j]) {
      p->u[p->match[j]] += least;
      p->v[j] -= least;
    } else {
      p->shortest[j] -= least;
    }
  return next;
}

static void
augment (Problem *p, guint from)
{
  guint at = 0;
  p->match[0] = from;
  for (guint j = 0; j <= p->n_to; j++) {
    p->shortest[j] = INFINITY;
    p->done[j] = FALSE;
  }
  do
    at = step (p, at);
  while (p->match[at] != 0);
  for (; at != 0; at = p->before[at])
    p->match[at] = p->match[p->before[at]];
}

void
seg_assign (const double *costs, guint n_rows, guint n_columns, gint *column_of)
{
  gboolean by_rows = n_rows <= n_columns;
  Problem p = { .costs = costs,
    .n_from = by_rows ? n_rows : n_columns,
    .n_to = by_rows ? n_columns : n_rows,
    .from_step = by_rows ? n_columns : 1,
    .to_step = by_rows ? 1 : n_columns };
  p.u = g_new0 (double, p.n_from + 1);
  p.v = g_new0 (double, p.n_to + 1);
  p.shortest = g_new (double, p.n_to + 1);
  p.match = g_new0 (guint, p.n_to + 1);
  p.before = g_new0 (guint, p.n_to + 1);
  p.done = g_new (gboolean, p.n_to + 1);
  for (guint i = 0; i < n_rows; i++)
    column_of[i] = -1;
  for (guint i = 1; i <= p.n_from; i++)
    augment (&p, i);
  for (guint j = 1; j <= p.n_to; j++)
    if (p.match[j] != 0)
      column_of[by_rows ? p.match[j] - 1 : j - 1] = (gint) (by_rows ? j : p.match[j]) - 1;
  g_free (p.u);
  g_free (p.v);
  g_free (p.shortest);
  g_free (p.match);
  g_free (p.before);
  g_free (p.done);
}
