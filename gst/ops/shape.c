/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shape and Size: known at load, whatever the input holds. */
#include "ops/ops.h"
#include "ops/program.h"
#include "shaders.h"

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

/* --- on the device, where the data decides --- */

static guint
shape_by_row (const SegNode *node)
{
  return seg_value_live_axis_of (seg_node_input (node, 0)) >= 0 ? 1 : 0;
}

static gboolean
shape_on_device (const SegNode *node)
{
  const SegValue *in = seg_node_input (node, 0), *out = seg_node_output (node, 0);
  return seg_value_live_axis_of (in) >= 0 && in->desc.rank <= SEG_MAX_RANK
         && seg_desc_n_elems (&in->desc) > 0 && seg_desc_n_elems (&in->desc) <= G_MAXINT32
         && seg_desc_n_elems (&out->desc) > 0;
}

static gboolean
shape_emit (const SegNode *node, SegProgram *p, GError **error)
{
  const SegValue *in = seg_node_input (node, 0), *out = seg_node_output (node, 0);
  SegRows rows = seg_program_rows (p, in);
  int live = seg_value_live_axis_of (in);
  guint start, n = shape_range (node, &start);
  SegDispatch d = {
    .shader = &seg_shader_rows_shape,
    .bindings = { { rows.ref, SEG_BIND_TEXEL },
        { seg_program_value (p, out), SEG_BIND_BUFFER_WRITE } },
    .n_bindings = 2,
    .push = { 1, 0, rows.num, rows.den, rows.most,
        seg_desc_n_elems (&in->desc) / in->desc.dims[live] },
    .n_push = 5 + 8,
    .groups = { 1, 1, 1 },
  };
  if (node->op->variant == SHAPE) {
    d.push[0] = n;
    d.push[1] = (guint32) (live - (int) start);
    for (guint i = 0; i < n; i++)
      d.push[5 + i] = (int) (start + i) == live ? 1 : (guint32) in->desc.dims[start + i];
  }
  return seg_program_dispatch (p, &d, error);
}

#define SHAPE_OP(NAME, VARIANT)                                                          \
  {                                                                                      \
    .name = NAME, .domain = "", .min_inputs = 1, .max_inputs = 1, .max_outputs = 1,      \
    .layout = SEG_OP_ANY, .flags = SEG_OP_DESC_ONLY | SEG_OP_ANY_LIVE_AXIS,              \
    .variant = VARIANT, .on_device = shape_on_device, .by_row = shape_by_row,            \
    .emit = shape_emit, .infer = shape_infer, .eval = shape_eval                         \
  }

const SegOp seg_op_shape = SHAPE_OP ("Shape", SHAPE);
const SegOp seg_op_size = SHAPE_OP ("Size", SIZE);
