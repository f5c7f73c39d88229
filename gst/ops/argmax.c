/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ArgMax and ArgMin. */
#include "ops/ops.h"
#include "ops/reduction.h"
#include "shaders.h"

#include <math.h>
#include <string.h>

typedef struct {
  guint axis;
  gboolean keep_dims, last;
} ArgParams;

enum { VARIANT_MAX, VARIANT_MIN };

static gboolean
arg_parse (SegNode *node, GError **error)
{
  ArgParams *params = node->params;
  params->keep_dims = seg_node_attr_int (node, "keepdims", 1) != 0;
  params->last = seg_node_attr_int (node, "select_last_index", 0) != 0;
  return seg_axis_normalize (seg_node_attr_int (node, "axis", 0),
      seg_node_input (node, 0)->desc.rank, &params->axis, error);
}

static gboolean
arg_infer (SegNode *node, GError **error)
{
  const ArgParams *params = node->params;
  const SegDesc *in = &seg_node_input (node, 0)->desc;
  SegDesc *out = &seg_node_output (node, 0)->desc;
  if (in->dims[params->axis] == 0) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL, "axis %u is empty", params->axis);
    return FALSE;
  }
  *out = (SegDesc){ .dtype = SEG_DTYPE_I64 };
  for (guint i = 0; i < in->rank; i++)
    if (i != params->axis || params->keep_dims)
      out->dims[out->rank++] = i == params->axis ? 1 : in->dims[i];
  return TRUE;
}

/* --- host ---------------------------------------------------------------------------------- */

/* Integers are compared as such: int64 does not fit a double. */
static gboolean
is_better (const SegNode *node, const SegTensor *t, gsize i, gsize best)
{
  const ArgParams *params = node->params;
  gboolean minimum = node->op->variant == VARIANT_MIN;
  if (seg_dtype_is_float (t->desc.dtype)) {
    double x = seg_tensor_get_double (t, i), y = seg_tensor_get_double (t, best);
    return (minimum ? x < y : x > y) || (params->last && x == y);
  }
  gint64 x = seg_tensor_get_int (t, i), y = seg_tensor_get_int (t, best);
  gboolean less = t->desc.dtype == SEG_DTYPE_U64 ? (guint64) x < (guint64) y : x < y;
  return x == y ? params->last : minimum == less;
}

static gboolean
arg_eval (const SegNode *node, SegTensor *const *in, SegTensor **out, GError **error)
{
  const ArgParams *params = node->params;
  const SegDesc *d = &in[0]->desc;
  gsize n = seg_desc_n_elems (&out[0]->desc), extent = d->dims[params->axis], inner = 1;
  for (guint i = params->axis + 1; i < d->rank; i++)
    inner *= d->dims[i];
  for (gsize o = 0; o < n; o++) {
    gsize first = o / inner * inner * extent + o % inner, best = 0;
    for (gsize k = 1; k < extent; k++)
      if (is_better (node, in[0], first + k * inner, first + best * inner))
        best = k;
    seg_tensor_set_int (out[0], o, best);
  }
  return TRUE;
}

/* --- device -------------------------------------------------------------------------------- */

static gboolean
arg_on_device (const SegNode *node)
{
  return seg_node_device_types (node)
         && seg_dtype_is_float (seg_node_input (node, 0)->desc.dtype);
}

static gboolean
arg_emit (const SegNode *node, SegProgram *p, GError **error)
{
  const ArgParams *params = node->params;
  SegOperand in = seg_operand (p, seg_node_input (node, 0));
  SegOperand out = seg_operand (p, seg_node_output (node, 0));
  SegView steps = seg_reduce_steps (&in.view, 1u << params->axis, &out.view);
  guint32 extent = in.view.dims[params->axis], stride = in.view.strides[params->axis];
  gboolean run = stride == 1;
  SegStrided s;
  if (!seg_strided_plan (&s, &out.view, &steps, 1, error))
    return FALSE;
  SegDispatch d = {
    .shader = &seg_shader_argmax_i32,
    .bindings = { { in.ref, SEG_BIND_TEXEL }, { out.ref, SEG_BIND_BUFFER_WRITE } },
    .n_bindings = 2,
  };
  seg_strided_fill (&s, &d);
  if (run || (d.spec[0] == SEG_STRIDED_VECTOR && stride % 4 != 0))
    d.spec[0] = SEG_STRIDED_GATHER;
  d.spec[3] = node->op->variant == VARIANT_MIN;
  d.spec[4] = params->last;
  d.spec[5] = run;
  d.n_spec = 6;
  d.push[10 + 9] = extent;
  d.push[10 + 12] = stride;
  d.push[10 + 17] = seg_desc_n_elems (&seg_node_output (node, 0)->desc);
  d.n_push = 10 + 18;
  return seg_program_dispatch (p, &d, error);
}

static gboolean
arg_align (const SegNode *node, guint axis, SegAlign *align)
{
  const ArgParams *params = node->params;
  align->in_axis = axis + (axis >= params->axis && !params->keep_dims);
  return axis != params->axis || !params->keep_dims;
}

#define ARG(id, onnx, which)                                                             \
  const SegOp seg_op_##id = {                                                            \
    .name = onnx,                                                                        \
    .domain = "",                                                                        \
    .min_inputs = 1,                                                                     \
    .max_inputs = 1,                                                                     \
    .max_outputs = 1,                                                                    \
    .layout = SEG_OP_ANY,                                                                \
    .storage = SEG_OP_RECOMPUTES,                                                        \
    .variant = which,                                                                    \
    .params_size = sizeof (ArgParams),                                                   \
    .parse = arg_parse,                                                                  \
    .infer = arg_infer,                                                                  \
    .eval = arg_eval,                                                                    \
    .on_device = arg_on_device,                                                          \
    .emit = arg_emit,                                                                    \
    .align = arg_align,                                                                  \
  };
ARG (argmax, "ArgMax", VARIANT_MAX)
ARG (argmin, "ArgMin", VARIANT_MIN)
