/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* com.microsoft's QLinearConcat: Y_scale, Y_zero, then X, X_scale, X_zero for each tensor. For a
 * device graph/quantise.c makes a Requantize for each X and a Concat of it. */
#include "ops/ops.h"
#include "ops/quant.h"

#define FIRST(I) (2 + 3 * (I))

typedef struct {
  guint axis, n;
} Params;

static gboolean
check_input (
    const SegNode *node, guint i, const SegDesc *like, guint axis, GError **error)
{
  const SegValue *x = seg_node_input (node, FIRST (i));
  gboolean fits = x != NULL && x->desc.dtype == like->dtype && x->desc.rank == like->rank;
  for (guint k = 0; fits && k < like->rank; k++)
    fits = k == axis || x->desc.dims[k] == like->dims[k];
  if (fits)
    return seg_quant_check (
        node, FIRST (i) + 1, FIRST (i) + 2, like->dtype, like, G_MAXUINT, error);
  g_autofree char *a = seg_desc_to_string (like);
  g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL,
      "tensor %u does not go with %s along axis %u", i, a, axis);
  return FALSE;
}

static gboolean
quant_concat_infer (SegNode *node, GError **error)
{
  Params *params = node->params;
  params->n = (node->inputs->len - 2) / 3;
  const SegValue *first = seg_node_input (node, FIRST (0));
  if (node->inputs->len % 3 != 2 || first == NULL
      || !seg_quant_is_byte (first->desc.dtype)) {
    g_set_error_literal (error, SEG_ERROR, SEG_ERROR_MODEL,
        "takes uint8 or int8, each with a scale and a zero point");
    return FALSE;
  }
  SegDesc y = first->desc;
  if (!seg_axis_normalize (
          seg_node_attr_int (node, "axis", 1), y.rank, &params->axis, error))
    return FALSE;
  y.dims[params->axis] = 0;
  for (guint i = 0; i < params->n; i++) {
    if (!check_input (node, i, &first->desc, params->axis, error))
      return FALSE;
    y.dims[params->axis] += seg_node_input (node, FIRST (i))->desc.dims[params->axis];
  }
  seg_node_output (node, 0)->desc = y;
  return seg_quant_check (node, 0, 1, y.dtype, &y, G_MAXUINT, error);
}

static gsize
block_elems (const SegDesc *d, guint axis)
{
  gsize n = 1;
  for (guint i = axis; i < d->rank; i++)
    n *= d->dims[i];
  return n;
}

static gboolean
quant_concat_eval (
    const SegNode *node, SegTensor *const *in, SegTensor **out, GError **error)
{
  const Params *params = node->params;
  float scale = seg_quant_scale (in[0], 0);
  gint64 zero = seg_quant_zero (in[1], 0);
  gsize start = 0, whole = block_elems (&out[0]->desc, params->axis);
  for (guint t = 0; t < params->n; t++) {
    const SegTensor *x = in[FIRST (t)];
    float x_scale = seg_quant_scale (in[FIRST (t) + 1], 0);
    gint64 x_zero = seg_quant_zero (in[FIRST (t) + 2], 0);
    gsize n = seg_desc_n_elems (&x->desc), block = block_elems (&x->desc, params->axis);
    for (gsize i = 0; i < n; i++) {
      float v = (float) (seg_tensor_get_int (x, i) - x_zero) * x_scale / scale;
      seg_tensor_set_int (out[0], i / block * whole + start + i % block,
          seg_quantise (v, zero, out[0]->desc.dtype));
    }
    start += block;
  }
  return TRUE;
}

const SegOp seg_op_qlinear_concat = {
  .name = "QLinearConcat",
  .domain = "com.microsoft",
  .min_inputs = 2,
  .max_inputs = G_MAXUINT,
  .max_outputs = 1,
  .layout = SEG_OP_ROWS,
  .params_size = sizeof (Params),
  .infer = quant_concat_infer,
  .eval = quant_concat_eval,
};
