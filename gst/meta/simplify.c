/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "meta/simplify.h"

typedef struct {
  guint from, to; /* `to` may be n, which is point 0 again */
} Span;

/* Squared distance of a point from the line through a and b, from a when they are one. */
static gdouble
distance2 (GstVkSegPoint p, GstVkSegPoint a, GstVkSegPoint b)
{
  gdouble bx = b.x - a.x, by = b.y - a.y, px = p.x - a.x, py = p.y - a.y;
  gdouble length2 = bx * bx + by * by;
  gdouble t = length2 > 0.0 ? CLAMP ((px * bx + py * by) / length2, 0.0, 1.0) : 0.0;
  px -= t * bx;
  py -= t * by;
  return px * px + py * py;
}

static guint
farthest (const GstVkSegPoint *points, guint n, Span s, gdouble *d2)
{
  guint best = s.from;
  *d2 = -1.0;
  for (guint i = s.from + 1; i < s.to; i++) {
    gdouble d = distance2 (points[i], points[s.from], points[s.to % n]);
    if (d > *d2) {
      *d2 = d;
      best = i;
    }
  }
  return best;
}

static guint
keep_marked (GstVkSegPoint *points, guint n, const gboolean *keep)
{
  guint kept = 0;
  for (guint i = 0; i < n; i++)
    if (keep[i])
      points[kept++] = points[i];
  return kept;
}

guint
seg_simplify (GstVkSegPoint *points, guint n, gdouble tolerance)
{
  if (n <= 3)
    return n;
  g_autofree gboolean *keep = g_new0 (gboolean, n);
  GArray *stack = g_array_new (FALSE, FALSE, sizeof (Span));
  gdouble d2;
  Span all = { 0, n };
  guint opposite = farthest (points, n, all, &d2);
  Span a = { 0, opposite }, b = { opposite, n };
  guint n_kept = 2;
  keep[0] = keep[opposite] = TRUE;
  g_array_append_val (stack, a);
  g_array_append_val (stack, b);
  while (stack->len > 0) {
    Span s = g_array_index (stack, Span, stack->len - 1);
    g_array_set_size (stack, stack->len - 1);
    guint at = farthest (points, n, s, &d2);
    /* A third corner, whatever the tolerance. */
    if (d2 < 0.0 || (d2 <= tolerance * tolerance && !(n_kept < 3 && d2 > 0.0)))
      continue;
    keep[at] = TRUE;
    n_kept++;
    Span left = { s.from, at }, right = { at, s.to };
    g_array_append_val (stack, left);
    g_array_append_val (stack, right);
  }
  g_array_free (stack, TRUE);
  return keep_marked (points, n, keep);
}
