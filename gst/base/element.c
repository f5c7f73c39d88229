/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Elements of tensors as numbers. Everything goes through blocks of doubles, or of 64-bit
 * integers between integer types, so that each type is spelled once per direction. */
#include "base/tensor.h"

#include <math.h>
#include <string.h>

#define BLOCK 512

static float
bf16_to_float (guint16 h)
{
  guint32 bits = (guint32) h << 16;
  float f;

  memcpy (&f, &bits, sizeof f);
  return f;
}

static guint16
bf16_from_float (float f)
{
  guint32 bits;

  memcpy (&bits, &f, sizeof bits);
  if (isnan (f))
    return bits >> 16 | 0x40;
  return (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}

/* Nearest or not, but with the last bit set when inexact ("round to odd"): a second rounding
 * to 16 bits then gives what one rounding would have. */
static float
float_to_odd (double v)
{
  float f = (float) v;
  guint32 bits;

  if ((double) f == v || !isfinite (f))
    return f;
  memcpy (&bits, &f, sizeof bits);
  if (fabs ((double) f) > fabs (v))
    bits--;
  bits |= 1;
  memcpy (&f, &bits, sizeof f);
  return f;
}

/* Towards zero; what does not fit becomes the nearest that does, NaN becomes 0. */
static gint64
saturate (double v, gint64 low, gint64 high)
{
  if (isnan (v))
    return 0;
  if (v <= (double) low)
    return low;
  return v >= (double) high ? high : (gint64) v;
}

static guint64
saturate_u64 (double v)
{
  if (!(v > 0))
    return 0;
  return v >= 18446744073709551616.0 ? G_MAXUINT64 : (guint64) v;
}

/* Runs STATEMENT for k in [0, n) with p pointing at element `first` of that type. */
#define EACH(ctype, statement)                                                           \
  do {                                                                                   \
    ctype *p = (ctype *) seg_tensor_data (tensor) + first;                               \
    for (gsize k = 0; k < n; k++) {                                                      \
      statement;                                                                         \
    }                                                                                    \
  } while (0)

static void
load_doubles (const SegTensor *tensor, gsize first, gsize n, double *out)
{
  switch ((int) tensor->desc.dtype) {
  case SEG_DTYPE_F32: EACH (const float, out[k] = p[k]); break;
  case SEG_DTYPE_F64: EACH (const double, out[k] = p[k]); break;
  case SEG_DTYPE_F16: EACH (const guint16, out[k] = seg_half_to_float (p[k])); break;
  case SEG_DTYPE_BF16: EACH (const guint16, out[k] = bf16_to_float (p[k])); break;
  case SEG_DTYPE_BOOL:
  case SEG_DTYPE_U8: EACH (const guint8, out[k] = p[k]); break;
  case SEG_DTYPE_I8: EACH (const gint8, out[k] = p[k]); break;
  case SEG_DTYPE_U16: EACH (const guint16, out[k] = p[k]); break;
  case SEG_DTYPE_I16: EACH (const gint16, out[k] = p[k]); break;
  case SEG_DTYPE_U32: EACH (const guint32, out[k] = p[k]); break;
  case SEG_DTYPE_I32: EACH (const gint32, out[k] = p[k]); break;
  case SEG_DTYPE_U64: EACH (const guint64, out[k] = (double) p[k]); break;
  case SEG_DTYPE_I64: EACH (const gint64, out[k] = (double) p[k]); break;
  default: g_return_if_reached ();
  }
}

static void
store_doubles (SegTensor *tensor, gsize first, gsize n, const double *in)
{
  switch ((int) tensor->desc.dtype) {
  case SEG_DTYPE_F32: EACH (float, p[k] = (float) in[k]); break;
  case SEG_DTYPE_F64: EACH (double, p[k] = in[k]); break;
  case SEG_DTYPE_F16:
    EACH (guint16, p[k] = seg_half_from_float (float_to_odd (in[k])));
    break;
  case SEG_DTYPE_BF16:
    EACH (guint16, p[k] = bf16_from_float (float_to_odd (in[k])));
    break;
  case SEG_DTYPE_BOOL: EACH (guint8, p[k] = in[k] != 0); break;
  case SEG_DTYPE_U8: EACH (guint8, p[k] = saturate (in[k], 0, G_MAXUINT8)); break;
  case SEG_DTYPE_I8: EACH (gint8, p[k] = saturate (in[k], G_MININT8, G_MAXINT8)); break;
  case SEG_DTYPE_U16: EACH (guint16, p[k] = saturate (in[k], 0, G_MAXUINT16)); break;
  case SEG_DTYPE_I16:
    EACH (gint16, p[k] = saturate (in[k], G_MININT16, G_MAXINT16));
    break;
  case SEG_DTYPE_U32: EACH (guint32, p[k] = saturate (in[k], 0, G_MAXUINT32)); break;
  case SEG_DTYPE_I32:
    EACH (gint32, p[k] = saturate (in[k], G_MININT32, G_MAXINT32));
    break;
  case SEG_DTYPE_U64: EACH (guint64, p[k] = saturate_u64 (in[k])); break;
  case SEG_DTYPE_I64:
    EACH (gint64, p[k] = saturate (in[k], G_MININT64, G_MAXINT64));
    break;
  default: g_return_if_reached ();
  }
}

static gint64
int_from_double (double v)
{
  return saturate (v, G_MININT64, G_MAXINT64);
}

static void
load_ints (const SegTensor *tensor, gsize first, gsize n, gint64 *out)
{
  switch ((int) tensor->desc.dtype) {
  case SEG_DTYPE_F32: EACH (const float, out[k] = int_from_double (p[k])); break;
  case SEG_DTYPE_F64: EACH (const double, out[k] = int_from_double (p[k])); break;
  case SEG_DTYPE_F16:
    EACH (const guint16, out[k] = int_from_double (seg_half_to_float (p[k])));
    break;
  case SEG_DTYPE_BF16:
    EACH (const guint16, out[k] = int_from_double (bf16_to_float (p[k])));
    break;
  case SEG_DTYPE_BOOL:
  case SEG_DTYPE_U8: EACH (const guint8, out[k] = p[k]); break;
  case SEG_DTYPE_I8: EACH (const gint8, out[k] = p[k]); break;
  case SEG_DTYPE_U16: EACH (const guint16, out[k] = p[k]); break;
  case SEG_DTYPE_I16: EACH (const gint16, out[k] = p[k]); break;
  case SEG_DTYPE_U32: EACH (const guint32, out[k] = p[k]); break;
  case SEG_DTYPE_I32: EACH (const gint32, out[k] = p[k]); break;
  case SEG_DTYPE_U64:
  case SEG_DTYPE_I64: EACH (const gint64, out[k] = p[k]); break;
  default: g_return_if_reached ();
  }
}

static void
store_ints (SegTensor *tensor, gsize first, gsize n, const gint64 *in)
{
  switch ((int) tensor->desc.dtype) {
  case SEG_DTYPE_F32: EACH (float, p[k] = (float) in[k]); break;
  case SEG_DTYPE_F64: EACH (double, p[k] = (double) in[k]); break;
  case SEG_DTYPE_F16:
    EACH (guint16, p[k] = seg_half_from_float (float_to_odd ((double) in[k])));
    break;
  case SEG_DTYPE_BF16:
    EACH (guint16, p[k] = bf16_from_float (float_to_odd ((double) in[k])));
    break;
  case SEG_DTYPE_BOOL: EACH (guint8, p[k] = in[k] != 0); break;
  case SEG_DTYPE_U8:
  case SEG_DTYPE_I8: EACH (guint8, p[k] = (guint8) in[k]); break;
  case SEG_DTYPE_U16:
  case SEG_DTYPE_I16: EACH (guint16, p[k] = (guint16) in[k]); break;
  case SEG_DTYPE_U32:
  case SEG_DTYPE_I32: EACH (guint32, p[k] = (guint32) in[k]); break;
  case SEG_DTYPE_U64:
  case SEG_DTYPE_I64: EACH (gint64, p[k] = in[k]); break;
  default: g_return_if_reached ();
  }
}

double
seg_tensor_get_double (const SegTensor *tensor, gsize i)
{
  double v = 0;

  load_doubles (tensor, i, 1, &v);
  return v;
}

gint64
seg_tensor_get_int (const SegTensor *tensor, gsize i)
{
  gint64 v = 0;

  load_ints (tensor, i, 1, &v);
  return v;
}

void
seg_tensor_set_double (SegTensor *tensor, gsize i, double v)
{
  store_doubles (tensor, i, 1, &v);
}

void
seg_tensor_set_int (SegTensor *tensor, gsize i, gint64 v)
{
  store_ints (tensor, i, 1, &v);
}

SegTensor *
seg_tensor_convert (SegTensor *tensor, SegDType dtype, GError **error)
{
  SegDesc desc = tensor->desc;
  gboolean ints = !seg_dtype_is_float (dtype) && !seg_dtype_is_float (desc.dtype);
  SegTensor *out;
  gsize n, first;

  if (dtype == desc.dtype)
    return seg_tensor_ref (tensor);
  desc.dtype = dtype;
  out = seg_tensor_new (&desc, error);
  if (!out)
    return NULL;
  n = seg_desc_n_elems (&desc);
  for (first = 0; first < n; first += BLOCK) {
    gsize count = MIN (BLOCK, n - first);
    double doubles[BLOCK];
    gint64 integers[BLOCK];

    if (ints) {
      load_ints (tensor, first, count, integers);
      store_ints (out, first, count, integers);
    } else {
      load_doubles (tensor, first, count, doubles);
      store_doubles (out, first, count, doubles);
    }
  }
  return out;
}
