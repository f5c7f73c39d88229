/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/tensor.h"

#include <string.h>

#define MAX_BYTES ((guint64) 2 << 30)

/* Bytes of a tensor, or -1 with the error set. */
static gint64
desc_bytes (const SegDesc *desc, GError **error)
{
  gint64 n_elems = seg_desc_n_elems (desc);
  gsize size = seg_dtype_bytes (desc->dtype);
  g_autofree char *text = NULL;

  if (n_elems >= 0 && size > 0)
    return n_elems * size;
  text = seg_desc_to_string (desc);
  g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL, "%s: %s", text,
      size == 0 ? "elements of this type have no size"
      : desc->rank > SEG_MAX_RANK
          ? "too many dimensions"
          : "a dimension is negative or the tensor is absurdly large");
  return -1;
}

static SegTensor *
wrap (const SegDesc *desc, gsize n_bytes, gpointer data, GBytes *owner)
{
  SegTensor *tensor = g_new0 (SegTensor, 1);

  tensor->desc = *desc;
  tensor->n_bytes = n_bytes;
  tensor->data = data;
  tensor->owner = owner;
  tensor->ref_count = 1;
  return tensor;
}

SegTensor *
seg_tensor_new (const SegDesc *desc, GError **error)
{
  gint64 n_bytes = desc_bytes (desc, error);
  gpointer data;

  if (n_bytes < 0)
    return NULL;
  /* An empty tensor has an address too: nobody needs to look out for NULL. */
  data = (guint64) n_bytes > MAX_BYTES ? NULL : g_try_malloc0 (MAX (n_bytes, 1));
  if (!data) {
    g_autofree char *text = seg_desc_to_string (desc);

    g_set_error (error, SEG_ERROR, SEG_ERROR_MEMORY,
        "no memory for %s: %" G_GINT64_FORMAT " bytes (at most 2 GiB are possible)", text,
        n_bytes);
    return NULL;
  }
  return wrap (desc, n_bytes, data, NULL);
}

/* Bools are kept as 0 or 1: who finds other bytes in a file must not share them. */
static gboolean
bools_are_clean (const guint8 *data, gsize n)
{
  for (gsize i = 0; i < n; i++)
    if (data[i] > 1)
      return FALSE;
  return TRUE;
}

static SegTensor *
copy_as_bools (const SegDesc *desc, const guint8 *data, gsize n, GError **error)
{
  SegTensor *copy = seg_tensor_new (desc, error);

  for (gsize i = 0; copy && i < n; i++)
    ((guint8 *) copy->data)[i] = data[i] != 0;
  return copy;
}

static SegTensor *
copy_bytes (const SegDesc *desc, gconstpointer data, gsize n, GError **error)
{
  SegTensor *copy = seg_tensor_new (desc, error);

  if (copy)
    memcpy (copy->data, data, n);
  return copy;
}

SegTensor *
seg_tensor_new_from_bytes (const SegDesc *desc, GBytes *bytes, GError **error)
{
  gint64 n_bytes = desc_bytes (desc, error);
  gsize size;
  gconstpointer data = g_bytes_get_data (bytes, &size);
  gboolean aligned;
  SegTensor *tensor;

  if (n_bytes < 0)
    return NULL;
  if ((guint64) n_bytes != size) {
    g_autofree char *text = seg_desc_to_string (desc);

    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL,
        "%s needs %" G_GINT64_FORMAT " bytes of data, but there are %" G_GSIZE_FORMAT,
        text, n_bytes, size);
    return NULL;
  }
  if (size == 0 || (desc->dtype == SEG_DTYPE_BOOL && !bools_are_clean (data, size)))
    return copy_as_bools (desc, data, size, error);
  aligned = (guintptr) data % seg_dtype_bytes (desc->dtype) == 0;
  if (!aligned && desc->dtype != SEG_DTYPE_F32) /* nobody reads those where they are */
    return copy_bytes (desc, data, size, error);
  tensor = wrap (desc, size, aligned ? (gpointer) data : NULL, g_bytes_ref (bytes));
  tensor->unaligned = aligned ? NULL : data;
  return tensor;
}

gconstpointer
seg_tensor_align (const SegTensor *tensor)
{
  gpointer *data = (gpointer *) &tensor->data;
  gpointer copy = g_memdup2 (tensor->unaligned, tensor->n_bytes);

  if (!g_atomic_pointer_compare_and_exchange (data, NULL, copy))
    g_free (copy); /* somebody else was faster */
  return g_atomic_pointer_get (data);
}

gconstpointer
seg_tensor_bytes (const SegTensor *tensor)
{
  return tensor->unaligned ? tensor->unaligned : tensor->data;
}

SegTensor *
seg_tensor_ref (SegTensor *tensor)
{
  g_atomic_int_inc (&tensor->ref_count);
  return tensor;
}

void
seg_tensor_unref (SegTensor *tensor)
{
  if (!tensor || !g_atomic_int_dec_and_test (&tensor->ref_count))
    return;
  if (!tensor->owner || tensor->unaligned)
    g_free (tensor->data);
  g_clear_pointer (&tensor->owner, g_bytes_unref);
  g_free (tensor);
}

static void
unref_tensor (gpointer tensor)
{
  seg_tensor_unref (tensor);
}

SegTensor *
seg_tensor_reshape (SegTensor *tensor, guint rank, const gint64 *dims, GError **error)
{
  SegDesc desc = { .dtype = tensor->desc.dtype, .rank = rank };
  GBytes *owner;

  if (rank <= SEG_MAX_RANK && rank > 0)
    memcpy (desc.dims, dims, rank * sizeof *dims);
  if (seg_desc_n_elems (&desc) != seg_desc_n_elems (&tensor->desc)) {
    g_autofree char *from = seg_desc_to_string (&tensor->desc);
    g_autofree char *to = seg_desc_to_string (&desc);

    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL, "cannot reshape %s to %s", from, to);
    return NULL;
  }
  if (seg_desc_same_dims (&desc, &tensor->desc))
    return seg_tensor_ref (tensor);
  /* Its copy, if there is to be one, serves both. */
  owner = g_bytes_new_with_free_func (
      seg_tensor_data (tensor), tensor->n_bytes, unref_tensor, seg_tensor_ref (tensor));
  return wrap (&desc, tensor->n_bytes, (gpointer) seg_tensor_data (tensor), owner);
}
