/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops/quant.h"

#include <math.h>

float
seg_quant_scale (const SegTensor *scale, gsize i)
{
  gboolean one = seg_desc_n_elems (&scale->desc) == 1;
  return (float) seg_tensor_get_double (scale, one ? 0 : i);
}

gint64
seg_quant_zero (const SegTensor *zero, gsize i)
{
  if (zero == NULL)
    return 0;
  return seg_tensor_get_int (zero, seg_desc_n_elems (&zero->desc) == 1 ? 0 : i);
}

void
seg_quant_limits (SegDType dtype, gint64 *low, gint64 *high)
{
  guint bits = 8 * seg_dtype_bytes (dtype);
  gboolean is_signed =
      dtype == SEG_DTYPE_I8 || dtype == SEG_DTYPE_I16 || dtype == SEG_DTYPE_I32;
  *low = is_signed ? -(G_GINT64_CONSTANT (1) << (bits - 1)) : 0;
  *high = (G_GINT64_CONSTANT (1) << (is_signed ? bits - 1 : bits)) - 1;
}

gboolean
seg_quant_is_byte (SegDType dtype)
{
  return dtype == SEG_DTYPE_U8 || dtype == SEG_DTYPE_I8;
}

gint16 *
seg_quant_centred (const SegTensor *t, const SegTensor *zero, guint axis)
{
  gsize n = seg_desc_n_elems (&t->desc), inner = 1;
  for (guint i = axis + 1; i < t->desc.rank; i++)
    inner *= t->desc.dims[i];
  gsize channels = t->desc.rank > axis ? t->desc.dims[axis] : 1;
  gint16 *out = g_new (gint16, n + 1);
  for (gsize i = 0; i < n; i++)
    out[i] = seg_tensor_get_int (t, i) - seg_quant_zero (zero, i / inner % channels);
  return out;
}

float *
seg_quant_multipliers (
    const SegTensor *x, const SegTensor *w, const SegTensor *y, gsize n)
{
  if (y == NULL)
    return NULL;
  float *out = g_new (float, n + 1);
  for (gsize i = 0; i < n; i++)
    out[i] = seg_quant_scale (x, 0) * seg_quant_scale (w, i) / seg_quant_scale (y, 0);
  return out;
}

gint64
seg_quantise (float v, gint64 zero, SegDType dtype)
{
  gint64 low, high;
  seg_quant_limits (dtype, &low, &high);
  double rounded = rint (v);
  if (!(rounded >= (double) (low - zero)))
    return low;
  return rounded <= (double) (high - zero) ? (gint64) rounded + zero : high;
}

static gboolean
fits (const SegDesc *d, const SegDesc *x, guint axis)
{
  if (d->rank == 0 || (d->rank == 1 && d->dims[0] == 1))
    return TRUE;
  return d->rank == 1 && axis < x->rank && d->dims[0] == x->dims[axis];
}

gboolean
seg_quant_check (const SegNode *node, guint scale, guint zero, SegDType dtype,
    const SegDesc *x, guint axis, GError **error)
{
  const SegValue *s = seg_node_input (node, scale), *z = seg_node_input (node, zero);
  gboolean has_scale = scale != G_MAXUINT;
  if (has_scale
      && (s == NULL || !seg_dtype_is_float (s->desc.dtype)
          || s->desc.dtype == SEG_DTYPE_F64)) {
    g_set_error (
        error, SEG_ERROR, SEG_ERROR_MODEL, "input %u is not a scale: no float", scale);
    return FALSE;
  }
  if (z != NULL && z->desc.dtype != dtype) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL, "zero point %u is %s, not %s", zero,
        seg_dtype_name (z->desc.dtype), seg_dtype_name (dtype));
    return FALSE;
  }
  if ((has_scale && !fits (&s->desc, x, axis))
      || (z != NULL && !fits (&z->desc, x, axis))) {
    g_autofree char *of = seg_desc_to_string (x);
    g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED,
        "scales or zero points do not go with %s: neither one for all nor one for each "
        "channel",
        of);
    return FALSE;
  }
  return TRUE;
}

gboolean
seg_quant_known (const SegNode *node, guint scale, guint zero, SegQuant *out)
{
  const SegValue *s = seg_node_input (node, scale), *z = seg_node_input (node, zero);
  if (s == NULL || s->constant == NULL || seg_desc_n_elems (&s->desc) != 1
      || (z != NULL && (z->constant == NULL || seg_desc_n_elems (&z->desc) != 1)))
    return FALSE;
  out->scale = seg_quant_scale (s->constant, 0);
  out->zero = z != NULL ? seg_quant_zero (z->constant, 0) : 0;
  return TRUE;
}

SegRef
seg_quant_zero_ref (SegProgram *p, const SegValue *zero)
{
  static const guint8 none[4];
  return zero != NULL ? seg_program_value (p, zero) : seg_program_bytes (p, none, 4);
}

guint32
seg_quant_sign (SegDType dtype)
{
  return dtype == SEG_DTYPE_I8 ? 128 : 0;
}

void
seg_quant_output (guint32 spec[3], SegDType dtype, gint32 zero)
{
  gint64 low, high;
  seg_quant_limits (dtype, &low, &high);
  spec[0] = (guint32) (low - zero);
  spec[1] = (guint32) (high - zero);
  spec[2] = (guint32) zero;
}
