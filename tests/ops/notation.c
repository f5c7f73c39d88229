/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "notation.h"

#include <math.h>
#include <string.h>

gboolean
seg_scan_fail (const SegScan *scan, GError **error, const char *expected)
{
  g_set_error (error, SEG_ERROR, SEG_ERROR_INPUT, "expected %s at '%s' of '%s'", expected,
      scan->p, scan->text);
  return FALSE;
}

void
seg_scan_spaces (SegScan *scan)
{
  while (*scan->p == ' ')
    scan->p++;
}

gboolean
seg_scan_number (SegScan *scan, double *out, gboolean *is_float, GError **error)
{
  char *end;

  *out = g_ascii_strtod (scan->p, &end);
  if (end == scan->p)
    return seg_scan_fail (scan, error, "a number");
  for (const char *c = scan->p; c < end; c++)
    if (strchr (".eEnN", *c) != NULL)
      *is_float = TRUE;
  scan->p = end;
  return TRUE;
}

gboolean
seg_scan_list (
    SegScan *scan, char open, char close, GArray *out, gboolean *is_float, GError **error)
{
  if (*scan->p++ != open) {
    scan->p--;
    return seg_scan_fail (scan, error, "an opening bracket");
  }
  while (*scan->p != close) {
    double v;
    if (out->len > 0) {
      if (*scan->p != ',')
        return seg_scan_fail (scan, error, "',' or the closing bracket");
      scan->p++;
    }
    seg_scan_spaces (scan);
    if (!seg_scan_number (scan, &v, is_float, error))
      return FALSE;
    g_array_append_val (out, v);
  }
  scan->p++;
  return TRUE;
}

static gboolean
scan_dtype (SegScan *scan, SegDType *out, GError **error)
{
  static const struct {
    const char *name;
    SegDType dtype;
  } names[] = {
    { "f32", SEG_DTYPE_F32 },
    { "f16", SEG_DTYPE_F16 },
    { "f64", SEG_DTYPE_F64 },
    { "bf16", SEG_DTYPE_BF16 },
    { "i8", SEG_DTYPE_I8 },
    { "i16", SEG_DTYPE_I16 },
    { "i32", SEG_DTYPE_I32 },
    { "i64", SEG_DTYPE_I64 },
    { "u8", SEG_DTYPE_U8 },
    { "u16", SEG_DTYPE_U16 },
    { "u32", SEG_DTYPE_U32 },
    { "u64", SEG_DTYPE_U64 },
    { "bool", SEG_DTYPE_BOOL },
  };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    gsize n = strlen (names[i].name);
    if (strncmp (scan->p, names[i].name, n) == 0 && strchr ("[{=", scan->p[n]) != NULL) {
      scan->p += n;
      *out = names[i].dtype;
      return TRUE;
    }
  }
  return seg_scan_fail (
      scan, error, "a type (f32 f16 f64 bf16 i8 .. u64 bool) and [ { or =");
}

static void
fill_random (SegScan *scan, SegTensor *t, double low, double high)
{
  gsize n = (gsize) seg_desc_n_elems (&t->desc);

  for (gsize i = 0; i < n; i++) {
    double u = g_rand_double (scan->rand);
    if (t->desc.dtype == SEG_DTYPE_BOOL) {
      seg_tensor_set_int (t, i, u < 0.5);
    } else if (!seg_dtype_is_float (t->desc.dtype)) {
      seg_tensor_set_int (t, i, (gint64) floor (low + u * (high - low + 1)));
    } else {
      double v = low + u * (high - low);
      if (scan->half)
        v = seg_half_to_float (seg_half_from_float ((float) v));
      seg_tensor_set_double (t, i, v);
    }
  }
}

static gboolean
new_filled (const SegDesc *desc, const GArray *values, SegTensor **out, GError **error)
{
  if ((*out = seg_tensor_new (desc, error)) == NULL)
    return FALSE;
  for (guint i = 0; i < values->len; i++)
    seg_tensor_set_double (*out, i, g_array_index (values, double, i));
  return TRUE;
}

/* "{1,2,3}", as many as there are elements. */
static gboolean
scan_list_of (SegScan *scan, const SegDesc *desc, SegTensor **out, GError **error)
{
  g_autoptr (GArray) values = g_array_new (FALSE, FALSE, sizeof (double));
  gboolean is_float = FALSE;
  if (!seg_scan_list (scan, '{', '}', values, &is_float, error))
    return FALSE;
  if (seg_desc_n_elems (desc) != values->len)
    return seg_scan_fail (scan, error, "as many values as elements before");
  return new_filled (desc, values, out, error);
}

static gboolean
scan_random (
    SegScan *scan, SegDesc *desc, SegTensor **out, gboolean *is_init, GError **error)
{
  g_autoptr (GArray) dims = g_array_new (FALSE, FALSE, sizeof (double));
  g_autoptr (GArray) range = g_array_new (FALSE, FALSE, sizeof (double));
  gboolean real = seg_dtype_is_float (desc->dtype), is_float = FALSE, ignored = FALSE;
  gboolean is_unsigned = desc->dtype == SEG_DTYPE_U8 || desc->dtype == SEG_DTYPE_U16
                         || desc->dtype == SEG_DTYPE_U32 || desc->dtype == SEG_DTYPE_U64;
  double low = real ? -2 : is_unsigned ? 0 : -8, high = real ? 2 : 8;

  if (!seg_scan_list (scan, '[', ']', dims, &is_float, error))
    return FALSE;
  if (is_float || dims->len > SEG_MAX_RANK)
    return seg_scan_fail (scan, error, "at most 8 whole dimensions before");
  desc->rank = dims->len;
  for (guint i = 0; i < dims->len; i++)
    desc->dims[i] = (gint64) g_array_index (dims, double, i);
  if (*scan->p == '{') {
    *is_init = TRUE;
    return scan_list_of (scan, desc, out, error);
  }
  if (*scan->p == '(') {
    if (!seg_scan_list (scan, '(', ')', range, &ignored, error))
      return FALSE;
    if (range->len != 2)
      return seg_scan_fail (scan, error, "a range (low,high) before");
    low = g_array_index (range, double, 0);
    high = g_array_index (range, double, 1);
  }
  if ((*is_init = *scan->p == '!'))
    scan->p++;
  if ((*out = seg_tensor_new (desc, error)) == NULL)
    return FALSE;
  fill_random (scan, *out, low, high);
  return TRUE;
}

static gboolean
scan_values (SegScan *scan, SegDesc *desc, SegTensor **out, GError **error)
{
  g_autoptr (GArray) values = g_array_new (FALSE, FALSE, sizeof (double));
  gboolean is_float = FALSE;

  if (*scan->p == '{') {
    if (!seg_scan_list (scan, '{', '}', values, &is_float, error))
      return FALSE;
    desc->rank = 1;
    desc->dims[0] = values->len;
  } else {
    double v;
    scan->p++; /* '=' */
    if (!seg_scan_number (scan, &v, &is_float, error))
      return FALSE;
    g_array_append_val (values, v);
    desc->rank = 0;
  }
  return new_filled (desc, values, out, error);
}

gboolean
seg_scan_tensor (SegScan *scan, SegTensor **tensor, gboolean *is_init, GError **error)
{
  SegDesc desc = { 0 };

  if (!scan_dtype (scan, &desc.dtype, error))
    return FALSE;
  if (*scan->p == '[')
    return scan_random (scan, &desc, tensor, is_init, error);
  *is_init = TRUE;
  return scan_values (scan, &desc, tensor, error);
}
