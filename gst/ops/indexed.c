/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops/indexed.h"

static gboolean
check_type (const SegDesc *indices, GError **error)
{
  if (indices->dtype == SEG_DTYPE_I32 || indices->dtype == SEG_DTYPE_I64)
    return TRUE;
  g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL, "indices are %s, not int32 or int64",
      seg_dtype_name (indices->dtype));
  return FALSE;
}

static gboolean
misfit (const SegDesc *data, const SegDesc *indices, GError **error)
{
  g_autofree char *a = seg_desc_to_string (data), *b = seg_desc_to_string (indices);
  g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL, "indices %s do not fit data %s", b, a);
  return FALSE;
}

gboolean
seg_indexed_init_axis (SegIndexed *x, SegIndexedKind kind, gint64 axis,
    const SegDesc *data, const SegDesc *indices, GError **error)
{
  *x = (SegIndexed){ .kind = kind, .tuple = 1, .index_rank = indices->rank };
  if (!check_type (indices, error)
      || !seg_axis_normalize (axis, data->rank, &x->axis, error))
    return FALSE;
  x->rank = kind == SEG_INDEXED_ELEMENTS ? data->rank : data->rank - 1 + indices->rank;
  if (kind != SEG_INDEXED_ELEMENTS)
    return TRUE;
  if (indices->rank != data->rank)
    return misfit (data, indices, error);
  for (guint i = 0; i < data->rank; i++)
    if (i != x->axis && indices->dims[i] > data->dims[i])
      return misfit (data, indices, error);
  return TRUE;
}

gboolean
seg_indexed_init_nd (SegIndexed *x, gint64 batch, const SegDesc *data,
    const SegDesc *indices, GError **error)
{
  if (!check_type (indices, error))
    return FALSE;
  gint64 tuple = indices->rank > 0 ? indices->dims[indices->rank - 1] : -1;
  if (tuple < 1 || tuple > data->rank || batch < 0 || batch + tuple > data->rank
      || batch >= indices->rank)
    return misfit (data, indices, error);
  for (guint i = 0; i < batch; i++)
    if (data->dims[i] != indices->dims[i])
      return misfit (data, indices, error);
  *x = (SegIndexed){ .kind = SEG_INDEXED_ND,
    .axis = (guint) batch,
    .tuple = (guint) tuple,
    .rank = indices->rank - 1 + data->rank - (guint) (batch + tuple),
    .index_rank = indices->rank };
  return TRUE;
}

gboolean
seg_indexed_elements (const SegIndexed *x, const SegDesc *data, const SegDesc *indices,
    SegDesc *elements, GError **error)
{
  if (x->rank > SEG_MAX_RANK) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED,
        "has %u dimensions; at most %d are supported", x->rank, SEG_MAX_RANK);
    return FALSE;
  }
  *elements = (SegDesc){ .dtype = data->dtype };
  guint n_before = x->kind == SEG_INDEXED_AXIS ? x->axis : 0;
  guint n_index = x->kind == SEG_INDEXED_ND ? indices->rank - 1 : indices->rank;
  guint n_after = x->rank - n_before - n_index;
  for (guint i = 0; i < n_before; i++)
    elements->dims[elements->rank++] = data->dims[i];
  for (guint i = 0; i < n_index; i++)
    elements->dims[elements->rank++] = indices->dims[i];
  for (guint i = 0; i < n_after; i++)
    elements->dims[elements->rank++] = data->dims[data->rank - n_after + i];
  return TRUE;
}

void
seg_indexed_steps (const SegIndexed *x, const guint32 *data, const guint32 *indices,
    guint32 data_steps[SEG_MAX_RANK], guint32 index_steps[SEG_MAX_RANK])
{
  guint first = x->kind == SEG_INDEXED_AXIS ? x->axis : 0;
  guint n_index = x->kind == SEG_INDEXED_ND ? x->index_rank - 1 : x->index_rank;
  for (guint i = 0; i < x->rank; i++) {
    gboolean indexed = i >= first && i < first + n_index;
    index_steps[i] = indexed ? indices[i - first] : 0;
    if (x->kind == SEG_INDEXED_ELEMENTS)
      data_steps[i] = i == x->axis ? 0 : data[i];
    else if (i < x->axis)
      data_steps[i] = data[i];
    else
      data_steps[i] = indexed ? 0 : data[i - first - n_index + x->axis + x->tuple];
  }
}

/* --- on the host --- */

static void
row_strides (const SegDesc *desc, guint32 strides[SEG_MAX_RANK])
{
  guint32 stride = 1;
  for (guint i = desc->rank; i-- > 0;) {
    strides[i] = stride;
    stride *= (guint32) desc->dims[i];
  }
}

/* Adds what a tuple of indices says. */
static gboolean
add_indices (const SegIndexed *x, const SegDesc *data, const guint32 *strides,
    const SegTensor *indices, gsize at, gsize *place, GError **error)
{
  for (guint k = 0; k < x->tuple; k++) {
    gint64 extent = data->dims[x->axis + k];
    gint64 index = seg_tensor_get_int (indices, at + k);
    if (index < -extent || index >= extent) {
      g_set_error (error, SEG_ERROR, SEG_ERROR_INPUT,
          "index %" G_GINT64_FORMAT " is outside an extent of %" G_GINT64_FORMAT, index,
          extent);
      return FALSE;
    }
    *place += (index < 0 ? index + extent : index) * strides[x->axis + k];
  }
  return TRUE;
}

gsize *
seg_indexed_places (const SegIndexed *x, const SegDesc *data, const SegTensor *indices,
    const SegDesc *elements, GError **error)
{
  guint32 data_strides[SEG_MAX_RANK], index_strides[SEG_MAX_RANK];
  guint32 data_steps[SEG_MAX_RANK], index_steps[SEG_MAX_RANK];
  gint64 n = seg_desc_n_elems (elements);
  g_autofree gsize *places = g_try_new (gsize, n + 1);
  if (places == NULL) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_MEMORY, "not enough memory for the indices");
    return NULL;
  }
  row_strides (data, data_strides);
  row_strides (&indices->desc, index_strides);
  seg_indexed_steps (x, data_strides, index_strides, data_steps, index_steps);
  for (gint64 i = 0; i < n; i++) {
    gsize at = 0, index_at = 0, rest = i;
    for (guint axis = elements->rank; axis-- > 0; rest /= elements->dims[axis]) {
      at += rest % elements->dims[axis] * data_steps[axis];
      index_at += rest % elements->dims[axis] * index_steps[axis];
    }
    if (!add_indices (x, data, data_strides, indices, index_at, &at, error))
      return NULL;
    places[i] = at;
  }
  return g_steal_pointer (&places);
}

/* --- on the device --- */

void
seg_indexed_fill (const SegIndexed *x, const SegView *data, const SegView *indices,
    SegDispatch *dispatch)
{
  dispatch->n_spec = 5 + 2 * SEG_INDEXED_TUPLE;
  dispatch->spec[3] = x->tuple;
  dispatch->spec[4] = x->kind == SEG_INDEXED_ND ? indices->strides[indices->rank - 1] : 0;
  for (guint k = 0; k < x->tuple; k++) {
    dispatch->spec[5 + 2 * k] = data->dims[x->axis + k];
    dispatch->spec[6 + 2 * k] = data->strides[x->axis + k];
  }
}
