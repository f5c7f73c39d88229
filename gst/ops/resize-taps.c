/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops/resize-taps.h"

#include <math.h>

/* Where output element i lies on the input's axis, with element centres at whole numbers. */
static double
input_position (const SegResizeKind *kind, const SegResizeAxis *a, gint64 i)
{
  double half_pixel = (i + 0.5) / a->scale - 0.5;
  double last = (double) a->in - 1;
  switch (kind->coords) {
  case SEG_RESIZE_HALF_PIXEL: return half_pixel;
  case SEG_RESIZE_HALF_PIXEL_SYMMETRIC:
    return a->in / 2.0 * (1 - a->out / a->length) + half_pixel;
  case SEG_RESIZE_PYTORCH_HALF_PIXEL: return a->out > 1 ? half_pixel : 0;
  case SEG_RESIZE_ALIGN_CORNERS: return a->length == 1 ? 0 : i * last / (a->length - 1);
  case SEG_RESIZE_ASYMMETRIC: return i / a->scale;
  case SEG_RESIZE_TF_HALF_PIXEL_FOR_NN: return (i + 0.5) / a->scale;
  case SEG_RESIZE_TF_CROP_AND_RESIZE:
    if (a->out == 1)
      return 0.5 * (a->roi_start + a->roi_end) * last;
    return a->roi_start * last + i * (a->roi_end - a->roi_start) * last / (a->length - 1);
  }
  return 0;
}

/* A position a rounding error away from a whole number or a half is meant to be there; other
 * implementations compute in single precision, where it is. */
static gint64
nearest_index (SegResizeNearest mode, double x)
{
  const double slack = 1e-5;
  switch (mode) {
  case SEG_RESIZE_ROUND_PREFER_FLOOR: return (gint64) ceil (x - 0.5 - slack);
  case SEG_RESIZE_ROUND_PREFER_CEIL: return (gint64) floor (x + 0.5 + slack);
  case SEG_RESIZE_FLOOR: return (gint64) floor (x + slack);
  case SEG_RESIZE_CEIL: return (gint64) ceil (x - slack);
  }
  return 0;
}

static double
linear_weight (double x)
{
  return MAX (1 - fabs (x), 0);
}

static double
cubic_weight (double x, double a)
{
  x = fabs (x);
  if (x <= 1)
    return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}

static double
weight_at (const SegResizeKind *kind, double x)
{
  return kind->mode == SEG_RESIZE_LINEAR ? linear_weight (x)
                                         : cubic_weight (x, kind->cubic_a);
}

/* The filter is stretched by this where an antialiased axis gets shorter. */
static double
filter_shrink (const SegResizeKind *kind, const SegResizeAxis *a)
{
  return kind->antialias ? MIN (a->scale, 1) : 1;
}

/* Input elements that make an output element. */
static double
taps_per_element (const SegResizeKind *kind, const SegResizeAxis *a)
{
  if (kind->mode == SEG_RESIZE_NEAREST)
    return 1;
  double support = kind->mode == SEG_RESIZE_LINEAR ? 1 : 2;
  return 2 * ceil (support / filter_shrink (kind, a));
}

double
seg_taps_entries (const SegResizeKind *kind, const SegResizeAxis *a)
{
  return taps_per_element (kind, a) * (double) a->out;
}

static void
fill_weights (SegTaps *t, const SegResizeKind *kind, const SegResizeAxis *a,
    double shrink, gint64 i, double x)
{
  gint64 first = (gint64) floor (x) - (gint64) t->n / 2 + 1;
  double sum = 0;
  for (guint k = 0; k < t->n; k++) {
    gint64 at = first + k;
    gboolean inside = at >= 0 && at < a->in;
    double w = weight_at (kind, (at - x) * shrink);
    t->index[i * t->n + k] = (gint32) CLAMP (at, 0, a->in - 1);
    t->weight[i * t->n + k] = inside || !kind->exclude_outside ? w : 0;
    sum += t->weight[i * t->n + k];
  }
  for (guint k = 0; k < t->n && sum != 0; k++)
    t->weight[i * t->n + k] /= sum;
}

static gboolean
is_identity (const SegTaps *t, const SegResizeAxis *a)
{
  if (a->in != a->out || t->any_outside)
    return FALSE;
  for (gint64 i = 0; i < a->out; i++)
    for (guint k = 0; k < t->n; k++)
      if (t->weight[i * t->n + k] != 0 && t->index[i * t->n + k] != i)
        return FALSE;
  return TRUE;
}

void
seg_taps_make (SegTaps *t, const SegResizeKind *kind, const SegResizeAxis *a)
{
  double shrink = filter_shrink (kind, a);
  *t = (SegTaps){ .n = (guint) taps_per_element (kind, a) };
  t->index = g_new0 (gint32, a->out * t->n + 1);
  t->weight = g_new0 (double, a->out * t->n + 1);
  t->outside = g_new0 (gboolean, a->out + 1);
  for (gint64 i = 0; i < a->out; i++) {
    double x = input_position (kind, a, i);
    if (kind->coords == SEG_RESIZE_TF_CROP_AND_RESIZE
        && (x < 0 || x > (double) a->in - 1))
      t->outside[i] = t->any_outside = TRUE;
    x = CLAMP (x, -1e9, 1e9);
    if (kind->mode == SEG_RESIZE_NEAREST) {
      t->index[i] = (gint32) CLAMP (nearest_index (kind->nearest, x), 0, a->in - 1);
      t->weight[i] = 1;
    } else {
      fill_weights (t, kind, a, shrink, i, x);
    }
  }
  t->identity = is_identity (t, a);
}

void
seg_taps_clear (SegTaps *t)
{
  g_clear_pointer (&t->index, g_free);
  g_clear_pointer (&t->weight, g_free);
  g_clear_pointer (&t->outside, g_free);
}
