/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/tensor.h"

#define MAX_ELEMS ((gint64) 1 << 40)

static const struct {
  const char *name;
  guint8 bytes;
  gboolean is_float;
} dtypes[] = {
  [SEG_DTYPE_UNDEFINED] = { "undefined", 0 },
  [SEG_DTYPE_F32] = { "float32", 4, TRUE },
  [SEG_DTYPE_U8] = { "uint8", 1 },
  [SEG_DTYPE_I8] = { "int8", 1 },
  [SEG_DTYPE_U16] = { "uint16", 2 },
  [SEG_DTYPE_I16] = { "int16", 2 },
  [SEG_DTYPE_I32] = { "int32", 4 },
  [SEG_DTYPE_I64] = { "int64", 8 },
  [SEG_DTYPE_STRING] = { "string", 0 },
  [SEG_DTYPE_BOOL] = { "bool", 1 },
  [SEG_DTYPE_F16] = { "float16", 2, TRUE },
  [SEG_DTYPE_F64] = { "float64", 8, TRUE },
  [SEG_DTYPE_U32] = { "uint32", 4 },
  [SEG_DTYPE_U64] = { "uint64", 8 },
  [14] = { "complex64", 0 },
  [15] = { "complex128", 0 },
  [SEG_DTYPE_BF16] = { "bfloat16", 2, TRUE },
};

const char *
seg_dtype_name (SegDType dtype)
{
  return (guint) dtype < G_N_ELEMENTS (dtypes) ? dtypes[dtype].name : "unknown";
}

gsize
seg_dtype_bytes (SegDType dtype)
{
  return (guint) dtype < G_N_ELEMENTS (dtypes) ? dtypes[dtype].bytes : 0;
}

gboolean
seg_dtype_is_float (SegDType dtype)
{
  return (guint) dtype < G_N_ELEMENTS (dtypes) && dtypes[dtype].is_float;
}

gint64
seg_desc_n_elems (const SegDesc *desc)
{
  gint64 n = 1;
  gboolean empty = FALSE;

  if (desc->rank > SEG_MAX_RANK)
    return -1;
  for (guint i = 0; i < desc->rank; i++) {
    if (desc->dims[i] < 0)
      return -1;
    empty |= desc->dims[i] == 0;
  }
  if (empty)
    return 0;
  for (guint i = 0; i < desc->rank; i++) {
    if (desc->dims[i] > MAX_ELEMS / n)
      return -1;
    n *= desc->dims[i];
  }
  return n;
}

gboolean
seg_desc_same_dims (const SegDesc *a, const SegDesc *b)
{
  if (a->rank != b->rank)
    return FALSE;
  for (guint i = 0; i < a->rank; i++)
    if (a->dims[i] != b->dims[i])
      return FALSE;
  return TRUE;
}

char *
seg_desc_to_string (const SegDesc *desc)
{
  GString *s = g_string_new (seg_dtype_name (desc->dtype));

  g_string_append_c (s, '[');
  for (guint i = 0; i < MIN (desc->rank, SEG_MAX_RANK); i++)
    g_string_append_printf (s, "%s%" G_GINT64_FORMAT, i ? "," : "", desc->dims[i]);
  g_string_append_c (s, ']');
  return g_string_free (s, FALSE);
}
