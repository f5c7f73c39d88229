/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shape and Size: known at load, whatever the input holds. */
#include "ops/ops.h"

enum { SHAPE, SIZE };

/* The dimensions [start, end) that Shape gives. */
static guint
shape_range (const SegNode *node, guint *start)
{
  gint64 rank = seg_node_input (node, 0)->desc.rank;
  gint64 first = seg_node_attr_int (node, "start", 0);
  gint64 end = seg_node_attr_int (node, "end", rank);
  first = CLAMP (first < 0 ? first + rank : first, 0, rank);
  end = CLAMP (end < 0 ? end + rank : end, 0, rank);
  *start = (guint) first;
  return (guint) MAX (end - first, 0);
}

static gboolean
shape_infer (SegNode *node, GError **error)
{
  guint start;
  SegDesc *out = &seg_node_output (node, 0)->desc;
  *out = (SegDesc){ .dtype = SEG_DTYPE_I64 };
  if (node->op->variant == SHAPE) {
    out->rank = 1;
    out->dims[0] = shape_range (node, &start);
  }
  return TRUE;
}

static gboolean
shape_eval (const SegNode *node, SegTensor *const *in, SegTensor **out, GError **error)
{
  const SegDesc *desc = &seg_node_input (node, 0)->desc;
  gint64 *data = out[0]->data;
  if (node->op->variant == SIZE) {
    data[0] = seg_desc_n_elems (desc);
    return TRUE;
  }
  guint start, n = shape_range (node, &start);
  for (guint i = 0; i < n; i++)
    data[i] = desc->dims[start + i];
  return TRUE;
}

#define SHAPE_OP(NAME, VARIANT)                                                          \
  {                                                                                      \
    .name = NAME, .domain = "", .min_inputs = 1, .max_inputs = 1, .max_outputs = 1,      \
    .layout = SEG_OP_ANY, .flags = SEG_OP_DESC_ONLY, .variant = VARIANT,                 \
    .infer = shape_infer, .eval = shape_eval                                             \
  }

const SegOp seg_op_shape = SHAPE_OP ("Shape", SHAPE);
const SegOp seg_op_size = SHAPE_OP ("Size", SIZE);
