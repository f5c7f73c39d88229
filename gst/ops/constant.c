/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operators that make tensors out of attributes and constants: Constant, ConstantOfShape,
 * Range, EyeLike. All are done at load. */
#include "ops/ops.h"
#include "ops/rows.h"

#include <math.h>
#include <string.h>

static const SegAttr *
find_attr (const SegNode *node, const char *name)
{
  return node->model != NULL ? seg_model_node_attr (node->model, name) : NULL;
}

/* --- Constant --- */

static const char *const constant_forms[] = { "value", "value_float", "value_floats",
  "value_int", "value_ints" };

static const SegAttr *
constant_attr (const SegNode *node)
{
  for (guint i = 0; i < G_N_ELEMENTS (constant_forms); i++) {
    const SegAttr *attr = find_attr (node, constant_forms[i]);
    if (attr != NULL)
      return attr;
  }
  return NULL;
}

static gboolean
constant_infer (SegNode *node, GError **error)
{
  const SegAttr *attr = constant_attr (node);
  SegDesc *out = &seg_node_output (node, 0)->desc;
  switch (attr != NULL ? attr->type : SEG_ATTR_OTHER) {
  case SEG_ATTR_TENSOR: *out = attr->t->desc; break;
  case SEG_ATTR_FLOAT: *out = (SegDesc){ .dtype = SEG_DTYPE_F32 }; break;
  case SEG_ATTR_INT: *out = (SegDesc){ .dtype = SEG_DTYPE_I64 }; break;
  case SEG_ATTR_FLOATS:
    *out = (SegDesc){ .dtype = SEG_DTYPE_F32, .rank = 1, .dims = { attr->n } };
    break;
  case SEG_ATTR_INTS:
    *out = (SegDesc){ .dtype = SEG_DTYPE_I64, .rank = 1, .dims = { attr->n } };
    break;
  default:
    g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED,
        "has no dense numeric value; sparse tensors and strings are not supported");
    return FALSE;
  }
  return TRUE;
}

static gboolean
constant_eval (const SegNode *node, SegTensor *const *in, SegTensor **out, GError **error)
{
  const SegAttr *attr = constant_attr (node);
  const void *from = NULL;
  switch (attr->type) {
  case SEG_ATTR_TENSOR: from = seg_tensor_data (attr->t); break;
  case SEG_ATTR_FLOAT: from = &attr->f; break;
  case SEG_ATTR_INT: from = &attr->i; break;
  case SEG_ATTR_FLOATS: from = attr->floats; break;
  case SEG_ATTR_INTS: from = attr->ints; break;
  default: g_return_val_if_reached (FALSE);
  }
  if (out[0]->n_bytes > 0)
    memcpy (out[0]->data, from, out[0]->n_bytes);
  return TRUE;
}

const SegOp seg_op_constant = {
  .name = "Constant",
  .domain = "",
  .max_outputs = 1,
  .layout = SEG_OP_ANY,
  .infer = constant_infer,
  .eval = constant_eval,
};

/* --- ConstantOfShape --- */

static gboolean
constant_of_shape_infer (SegNode *node, GError **error)
{
  SegDesc *out = &seg_node_output (node, 0)->desc;
  const SegAttr *value = find_attr (node, "value");
  g_autofree gint64 *shape = NULL;
  guint n;
  if (!seg_node_const_ints (node, 0, "shape", &shape, &n, error))
    return FALSE;
  if (value != NULL
      && (value->type != SEG_ATTR_TENSOR || seg_desc_n_elems (&value->t->desc) != 1)) {
    g_set_error (
        error, SEG_ERROR, SEG_ERROR_MODEL, "value is not a tensor of one element");
    return FALSE;
  }
  if (n > SEG_MAX_RANK) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED,
        "makes %u dimensions; at most %d are supported", n, SEG_MAX_RANK);
    return FALSE;
  }
  *out = (SegDesc){ .dtype = value != NULL ? value->t->desc.dtype : SEG_DTYPE_F32,
    .rank = n };
  for (guint i = 0; i < n; i++)
    out->dims[i] = shape[i];
  if (seg_desc_n_elems (out) < 0) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL, "the shape is negative or too large");
    return FALSE;
  }
  return TRUE;
}

static gboolean
constant_of_shape_eval (
    const SegNode *node, SegTensor *const *in, SegTensor **out, GError **error)
{
  const SegAttr *value = find_attr (node, "value");
  gsize size = seg_dtype_bytes (out[0]->desc.dtype);
  guint8 *data = out[0]->data;
  if (value != NULL)
    for (gsize at = 0; at < out[0]->n_bytes; at += size)
      memcpy (data + at, seg_tensor_data (value->t), size);
  return TRUE;
}

/* On the device where the data decides how many rows there are. */
static guint
constant_of_shape_by_row (const SegNode *node)
{
  return seg_value_live_axis_of (seg_node_output (node, 0)) >= 0;
}

static gboolean
constant_of_shape_emit (const SegNode *node, SegProgram *p, GError **error)
{
  const SegValue *out = seg_node_output (node, 0);
  const SegAttr *value = find_attr (node, "value");
  SegRef to = seg_program_value (p, out);
  SegStorage storage = seg_program_ref_storage (p, to);
  double fill = 0;
  guint32 bits = 0;
  if (value != NULL)
    fill =
        seg_dtype_is_float (out->desc.dtype)
            ? seg_tensor_get_double (value->t, 0)
            : (double) CLAMP (seg_tensor_get_int (value->t, 0), G_MININT32, G_MAXINT32);
  float f = (float) fill;
  if (storage == SEG_STORAGE_I32)
    bits = (guint32) (gint32) fill;
  else if (storage == SEG_STORAGE_F16)
    bits = seg_half_from_float (f);
  else
    memcpy (&bits, &f, sizeof f);
  return seg_rows_emit_fill (p, NULL, to, seg_desc_n_elems (&out->desc), bits, error)
         && seg_rows_emit_dim (p, out, seg_node_input (node, 0),
             (guint32) seg_value_live_axis_of (out), 0, error);
}

static gboolean
constant_of_shape_counts (const SegNode *node)
{
  return seg_value_live_axis_of (seg_node_output (node, 0)) >= 0;
}

static gboolean
constant_of_shape_on_device (const SegNode *node)
{
  return constant_of_shape_counts (node) && seg_node_device_types (node);
}

const SegOp seg_op_constant_of_shape = {
  .name = "ConstantOfShape",
  .domain = "",
  .min_inputs = 1,
  .max_inputs = 1,
  .max_outputs = 1,
  .flags = SEG_OP_ANY_LIVE_AXIS,
  .storage = SEG_OP_MOVES,
  .infer = constant_of_shape_infer,
  .eval = constant_of_shape_eval,
  .on_device = constant_of_shape_on_device,
  .emit = constant_of_shape_emit,
  .by_row = constant_of_shape_by_row,
  .counts = constant_of_shape_counts,
};

/* --- Range --- */

static gboolean
range_infer (SegNode *node, GError **error)
{
  static const char *const names[] = { "start", "limit", "delta" };
  SegDType dtype = seg_node_input (node, 0)->desc.dtype;
  const SegTensor *v[3];
  for (guint i = 0; i < 3; i++) {
    const SegValue *input = seg_node_input (node, i);
    v[i] = input->constant;
    if (v[i] == NULL || input->desc.dtype != dtype
        || seg_desc_n_elems (&input->desc) != 1) {
      g_set_error (error, SEG_ERROR, v[i] == NULL ? SEG_ERROR_RUN_TIME : SEG_ERROR_MODEL,
          v[i] == NULL ? "%s is computed at run time"
                       : "%s is not a scalar of start's type",
          names[i]);
      return FALSE;
    }
  }
  double n = ceil ((seg_tensor_get_double (v[1], 0) - seg_tensor_get_double (v[0], 0))
                   / seg_tensor_get_double (v[2], 0));
  if (!(fabs (n) < 1e12)) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL, "the range never ends: delta is %g",
        seg_tensor_get_double (v[2], 0));
    return FALSE;
  }
  seg_node_output (node, 0)->desc =
      (SegDesc){ .dtype = dtype, .rank = 1, .dims = { (gint64) MAX (n, 0) } };
  return TRUE;
}

static gboolean
range_eval (const SegNode *node, SegTensor *const *in, SegTensor **out, GError **error)
{
  gint64 n = out[0]->desc.dims[0];
  gboolean is_float = seg_dtype_is_float (out[0]->desc.dtype);
  for (gint64 i = 0; i < n; i++) {
    if (is_float)
      seg_tensor_set_double (out[0], i,
          seg_tensor_get_double (in[0], 0)
              + (double) i * seg_tensor_get_double (in[2], 0));
    else
      seg_tensor_set_int (
          out[0], i, seg_tensor_get_int (in[0], 0) + i * seg_tensor_get_int (in[2], 0));
  }
  return TRUE;
}

/* On the device: whole numbers from a known one on, up to what the data decides. */
static gboolean
range_counts (const SegNode *node)
{
  const SegValue *start = seg_node_input (node, 0), *delta = seg_node_input (node, 2);
  return seg_value_live_axis_of (seg_node_output (node, 0)) == 0
         && !seg_dtype_is_float (start->desc.dtype) && start->constant != NULL
         && delta->constant != NULL && seg_tensor_get_int (delta->constant, 0) == 1
         && seg_tensor_get_int (start->constant, 0) >= 0
         && seg_tensor_get_int (start->constant, 0)
                <= G_MAXINT32 - seg_node_output (node, 0)->desc.dims[0];
}

static guint
range_by_row (const SegNode *node)
{
  return range_counts (node);
}

static gboolean
range_on_device (const SegNode *node)
{
  return range_counts (node) && seg_node_device_types (node);
}

static gboolean
range_emit (const SegNode *node, SegProgram *p, GError **error)
{
  const SegValue *out = seg_node_output (node, 0);
  gint32 first = seg_tensor_get_int (seg_node_input (node, 0)->constant, 0);
  return seg_rows_emit_numbers (p, out, first, error)
         && seg_rows_emit_dim (p, out, seg_node_input (node, 1), 0, first, error);
}

const SegOp seg_op_range = {
  .name = "Range",
  .domain = "",
  .min_inputs = 3,
  .max_inputs = 3,
  .max_outputs = 1,
  .flags = SEG_OP_ANY_LIVE_AXIS,
  .infer = range_infer,
  .eval = range_eval,
  .on_device = range_on_device,
  .emit = range_emit,
  .by_row = range_by_row,
  .counts = range_counts,
};

/* --- EyeLike --- */

static gboolean
eye_like_infer (SegNode *node, GError **error)
{
  const SegDesc *in = &seg_node_input (node, 0)->desc;
  SegDesc *out = &seg_node_output (node, 0)->desc;
  *out = *in;
  out->dtype = (SegDType) seg_node_attr_int (node, "dtype", in->dtype);
  if (in->rank != 2 || seg_dtype_bytes (out->dtype) == 0) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL,
        in->rank != 2 ? "input has %u dimensions, not 2" : "dtype %u has no elements",
        in->rank != 2 ? in->rank : out->dtype);
    return FALSE;
  }
  return TRUE;
}

static gboolean
eye_like_eval (const SegNode *node, SegTensor *const *in, SegTensor **out, GError **error)
{
  gint64 k = seg_node_attr_int (node, "k", 0);
  gint64 rows = out[0]->desc.dims[0], columns = out[0]->desc.dims[1];
  for (gint64 i = 0; i < rows; i++)
    if (k >= -i && k < columns - i)
      seg_tensor_set_int (out[0], i * columns + i + k, 1);
  return TRUE;
}

const SegOp seg_op_eye_like = {
  .name = "EyeLike",
  .domain = "",
  .min_inputs = 1,
  .max_inputs = 1,
  .max_outputs = 1,
  .layout = SEG_OP_ANY,
  .flags = SEG_OP_DESC_ONLY,
  .infer = eye_like_infer,
  .eval = eye_like_eval,
};
