/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/compare.h"

#include <math.h>

#define HALF_MAX 65504.0

static double
largest (const SegTensor *t, gsize n)
{
  double max = 0;

  for (gsize i = 0; i < n; i++) {
    double v = fabs (seg_tensor_get_double (t, i));
    if (isfinite (v) && v > max)
      max = v;
  }
  return max;
}

static gboolean
matches (double got, double want, double scale, const SegTolerance *t)
{
  if (isnan (want) || isnan (got))
    return isnan (want) && isnan (got);
  if (t->half && fabs (want) >= HALF_MAX)
    return fabs (got) >= HALF_MAX && signbit (got) == signbit (want);
  if (isinf (want) || isinf (got))
    return got == want;
  return fabs (got - want)
         <= t->absolute + t->relative * (t->to_largest ? scale : fabs (want));
}

static char *
index_to_string (const SegDesc *desc, gsize index)
{
  GString *s = g_string_new (NULL);
  gsize at[SEG_MAX_RANK];

  for (guint axis = desc->rank; axis-- > 0; index /= desc->dims[axis])
    at[axis] = index % desc->dims[axis];
  for (guint axis = 0; axis < desc->rank; axis++)
    g_string_append_printf (s, "%s%" G_GSIZE_FORMAT, axis > 0 ? "," : "", at[axis]);
  return g_string_free (s, FALSE);
}

static char *
describe (const SegTensor *got, const SegTensor *want, gsize first, gsize n_bad, gsize n,
    double max_error)
{
  g_autofree char *at = index_to_string (&want->desc, first);

  if (seg_dtype_is_float (want->desc.dtype))
    return g_strdup_printf ("at [%s]: got %.9g, expected %.9g; %" G_GSIZE_FORMAT
                            " of %" G_GSIZE_FORMAT " differ, largest error %.3g",
        at, seg_tensor_get_double (got, first), seg_tensor_get_double (want, first),
        n_bad, n, max_error);
  return g_strdup_printf ("at [%s]: got %" G_GINT64_FORMAT ", expected %" G_GINT64_FORMAT
                          "; %" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT " differ",
      at, seg_tensor_get_int (got, first), seg_tensor_get_int (want, first), n_bad, n);
}

char *
seg_compare (const SegTensor *got, const SegTensor *want, const SegTolerance *tolerance)
{
  gsize n = (gsize) seg_desc_n_elems (&want->desc), n_bad = 0, first = 0;
  gboolean is_float = seg_dtype_is_float (want->desc.dtype);
  double max_error = 0, scale;

  if (got->desc.dtype != want->desc.dtype
      || !seg_desc_same_dims (&got->desc, &want->desc)) {
    g_autofree char *a = seg_desc_to_string (&got->desc);
    g_autofree char *b = seg_desc_to_string (&want->desc);
    return g_strdup_printf ("got %s, expected %s", a, b);
  }
  scale = is_float && tolerance->to_largest ? largest (want, n) : 0;
  if (scale == 0)
    scale = 1;
  for (gsize i = 0; i < n; i++) {
    gboolean ok;
    if (is_float) {
      double a = seg_tensor_get_double (got, i), b = seg_tensor_get_double (want, i);
      ok = matches (a, b, scale, tolerance);
      if (!ok && fabs (a - b) > max_error)
        max_error = fabs (a - b);
    } else {
      ok = seg_tensor_get_int (got, i) == seg_tensor_get_int (want, i);
    }
    if (!ok && n_bad++ == 0)
      first = i;
  }
  return n_bad > 0 ? describe (got, want, first, n_bad, n, max_error) : NULL;
}
