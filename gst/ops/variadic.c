/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sum, Mean, Min and Max of any number of tensors, two at a time. */
#include "ops/binary.h"
#include "ops/ops.h"

#include <math.h>

#define MAX_INPUTS 256

typedef struct {
  guint n; /* inputs in the file: a pass may add a residual */
  SegBinaryKind kind;
  gboolean mean;
} VariadicParams;

enum { VARIANT_SUM, VARIANT_MEAN, VARIANT_MIN, VARIANT_MAX };

static gboolean
variadic_parse (SegNode *node, GError **error)
{
  VariadicParams *params = node->params;
  params->n = node->inputs->len;
  params->mean = node->op->variant == VARIANT_MEAN;
  params->kind = node->op->variant == VARIANT_MIN   ? SEG_BINARY_MIN
                 : node->op->variant == VARIANT_MAX ? SEG_BINARY_MAX
                                                    : SEG_BINARY_ADD;
  return TRUE;
}

static gboolean
variadic_infer (SegNode *node, GError **error)
{
  const VariadicParams *params = node->params;
  SegDesc out = seg_node_input (node, 0)->desc;
  gboolean any_type = params->kind != SEG_BINARY_ADD && out.dtype != SEG_DTYPE_BOOL;
  for (guint i = 0; i < params->n; i++) {
    const SegValue *v = seg_node_input (node, i);
    if (v == NULL) {
      g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL, "input %u is missing", i);
      return FALSE;
    }
    if (v->desc.dtype != out.dtype || (!any_type && !seg_dtype_is_float (out.dtype))) {
      g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL, "is not defined for %s and %s",
          seg_dtype_name (out.dtype), seg_dtype_name (v->desc.dtype));
      return FALSE;
    }
    if (!seg_broadcast (&out, &v->desc, &out, error))
      return FALSE;
  }
  seg_node_output (node, 0)->desc = out;
  return TRUE;
}

/* Rounds once, at the end: sums are kept in double. */
static gboolean
variadic_eval (const SegNode *node, SegTensor *const *in, SegTensor **out, GError **error)
{
  const VariadicParams *params = node->params;
  SegDesc desc = out[0]->desc;
  gsize n = seg_desc_n_elems (&desc);
  if (seg_dtype_is_float (desc.dtype))
    desc.dtype = SEG_DTYPE_F64;
  g_autoptr (SegTensor) sum = seg_tensor_new (&desc, error);
  if (sum == NULL)
    return FALSE;
  const SegDesc *first = &in[0]->desc;
  SegWalk w;
  seg_walk_init (&w, &desc, &first, 1);
  for (gsize i = 0; i < n; i++, seg_walk_next (&w)) {
    if (desc.dtype == SEG_DTYPE_F64)
      seg_tensor_set_double (sum, i, seg_tensor_get_double (in[0], w.at[0]));
    else
      seg_tensor_set_int (sum, i, seg_tensor_get_int (in[0], w.at[0]));
  }
  for (guint k = 1; k < params->n; k++)
    seg_binary_eval (params->kind, sum, in[k], sum);
  for (gsize i = 0; i < n; i++) {
    if (desc.dtype == SEG_DTYPE_F64)
      seg_tensor_set_double (
          out[0], i, seg_tensor_get_double (sum, i) / (params->mean ? params->n : 1));
    else
      seg_tensor_set_int (out[0], i, seg_tensor_get_int (sum, i));
  }
  return TRUE;
}

/* Max with a constant number is Relu's relative; Min likewise. */
static gboolean
variadic_as_act (const SegNode *node, SegAct *act)
{
  const VariadicParams *params = node->params;
  const SegValue *x = seg_node_input (node, 0), *y = seg_node_input (node, 1);
  if (params->n != 2 || params->kind == SEG_BINARY_ADD || y->constant == NULL
      || seg_desc_n_elems (&y->desc) != 1 || !seg_dtype_is_float (x->desc.dtype)
      || !seg_desc_same_dims (&x->desc, &seg_node_output (node, 0)->desc))
    return FALSE;
  float bound = seg_tensor_get_double (y->constant, 0);
  gboolean max = params->kind == SEG_BINARY_MAX;
  *act = (SegAct){ SEG_ACT_CLIP, max ? bound : -INFINITY, max ? INFINITY : bound };
  return TRUE;
}

static gboolean
variadic_emit (const SegNode *node, SegProgram *p, GError **error)
{
  const VariadicParams *params = node->params;
  const SegValue *result = seg_node_output (node, 0);
  SegOperand out = seg_operand (p, result),
             sum = seg_operand (p, seg_node_input (node, 0));
  SegStorage storage = seg_program_storage (p, result);
  /* A single input is the larger of itself and itself. */
  guint n = MAX (params->n, 2);
  SegBinaryStep step = { .kind = params->n == 1 ? SEG_BINARY_MAX : params->kind,
    .in_storage = storage };
  for (guint k = 1; k < n; k++) {
    gboolean last = k + 1 == n;
    SegOperand ins[] = { sum,
      params->n == 1 ? sum : seg_operand (p, seg_node_input (node, k)) };
    step.scale = last && params->mean ? 1.0f / params->n : 1;
    step.epilogue = last ? SEG_EPILOGUE_LAST : SEG_EPILOGUE_UNUSED;
    step.storage = last || storage == SEG_STORAGE_I32 ? storage : SEG_STORAGE_F32;
    if (!last)
      sum = seg_operand_temp (p, &out.view, step.storage);
    if (!seg_binary_emit (p, node, &step, ins, last ? &out : &sum, error))
      return FALSE;
  }
  return TRUE;
}

static guint
variadic_by_row (const SegNode *node)
{
  const VariadicParams *params = node->params;
  return params->n == 2   ? seg_binary_by_row (node)
         : params->n == 1 ? seg_rows_of_first (node)
                          : 0;
}

#define VARIADIC(id, onnx, which, act)                                                   \
  const SegOp seg_op_##id = {                                                            \
    .name = onnx,                                                                        \
    .domain = "",                                                                        \
    .min_inputs = 1,                                                                     \
    .max_inputs = MAX_INPUTS,                                                            \
    .max_outputs = 1,                                                                    \
    .layout = SEG_OP_ANY,                                                                \
    .storage = SEG_OP_RECOMPUTES,                                                        \
    .flags = SEG_OP_EPILOGUE_ACT,                                                        \
    .variant = which,                                                                    \
    .params_size = sizeof (VariadicParams),                                              \
    .parse = variadic_parse,                                                             \
    .infer = variadic_infer,                                                             \
    .eval = variadic_eval,                                                               \
    .emit = variadic_emit,                                                               \
    .by_row = variadic_by_row,                                                           \
    .as_act = act,                                                                       \
  };
VARIADIC (max, "Max", VARIANT_MAX, variadic_as_act)
VARIADIC (mean, "Mean", VARIANT_MEAN, NULL)
VARIADIC (min, "Min", VARIANT_MIN, variadic_as_act)
VARIADIC (sum, "Sum", VARIANT_SUM, NULL)
