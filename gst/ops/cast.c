/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cast, CastLike, and the operators that turn a tensor into booleans: IsNaN, IsInf, Not. */
#include "graph/act.h"
#include "ops/elementwise.h"
#include "ops/ops.h"
#include "shaders.h"

#include <math.h>
#include <string.h>

/* What shaders/cast.comp does on the way from float to int, with its numbers. */
typedef enum {
  CAST_TRUNCATE = 0,
  CAST_NONZERO,
  CAST_IS_NAN,
  CAST_IS_INF,
  CAST_IS_POSITIVE_INF,
  CAST_IS_NEGATIVE_INF,
  CAST_NEVER, /* IsInf that looks for neither */
} SegCastKind;

/* Integers to integers, in shaders/unary.comp. */
enum { UNARY_NOT = 100, UNARY_NONZERO = 101 };

/* --- Cast ---------------------------------------------------------------------------------- */

static gboolean
cast_infer (SegNode *node, GError **error)
{
  const SegValue *like = seg_node_input (node, 1);
  SegDesc *out = &seg_node_output (node, 0)->desc;
  *out = seg_node_input (node, 0)->desc;
  out->dtype =
      like != NULL ? like->desc.dtype : (SegDType) seg_node_attr_int (node, "to", 0);
  if (seg_dtype_bytes (out->dtype) > 0)
    return TRUE;
  g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED, "cannot make elements of type %d",
      out->dtype);
  return FALSE;
}

static gboolean
cast_eval (const SegNode *node, SegTensor *const *in, SegTensor **out, GError **error)
{
  g_autoptr (SegTensor) t = seg_tensor_convert (in[0], out[0]->desc.dtype, error);
  if (t == NULL)
    return FALSE;
  memcpy (out[0]->data, seg_tensor_data (t), out[0]->n_bytes);
  return TRUE;
}

static gboolean
emit_step (const SegNode *node, SegProgram *p, const SegShader *shader, guint kind,
    GError **error)
{
  SegOperand in = seg_operand (p, seg_node_input (node, 0));
  SegOperand out = seg_operand (p, seg_node_output (node, 0));
  SegDispatch d = { .shader = shader, .spec = { [3] = kind } };
  return seg_elementwise (p, node, &d, &in, 1, &out, SEG_EPILOGUE_NONE, error);
}

static gboolean
cast_emit (const SegNode *node, SegProgram *p, GError **error)
{
  const SegValue *in = seg_node_input (node, 0), *out = seg_node_output (node, 0);
  SegStorage from = seg_program_storage (p, in), to = seg_program_storage (p, out);
  gboolean to_bool = out->desc.dtype == SEG_DTYPE_BOOL;
  if (from == SEG_STORAGE_I32 && to == SEG_STORAGE_I32 && to_bool)
    return emit_step (node, p, &seg_shader_unary_i32, UNARY_NONZERO, error);
  if ((from == SEG_STORAGE_I32) == (to == SEG_STORAGE_I32))
    return seg_copy_emit (node, p, error);
  if (to == SEG_STORAGE_I32)
    return emit_step (
        node, p, &seg_shader_cast_i32, to_bool ? CAST_NONZERO : CAST_TRUNCATE, error);
  return emit_step (node, p,
      to == SEG_STORAGE_F16 ? &seg_shader_cast_f16 : &seg_shader_cast_f32, 0, error);
}

/* --- IsNaN, IsInf, Not ---------------------------------------------------------------------- */

typedef struct {
  SegCastKind kind;
} QuestionParams;

static gboolean
question_parse (SegNode *node, GError **error)
{
  QuestionParams *params = node->params;
  gboolean positive = seg_node_attr_int (node, "detect_positive", 1) != 0;
  gboolean negative = seg_node_attr_int (node, "detect_negative", 1) != 0;
  params->kind = node->op->variant;
  if (params->kind == CAST_IS_INF && !(positive && negative))
    params->kind = positive   ? CAST_IS_POSITIVE_INF
                   : negative ? CAST_IS_NEGATIVE_INF
                              : CAST_NEVER;
  return TRUE;
}

static gboolean
question_infer (SegNode *node, GError **error)
{
  const SegDesc *in = &seg_node_input (node, 0)->desc;
  SegDesc *out = &seg_node_output (node, 0)->desc;
  gboolean is_not = node->op->variant == CAST_NONZERO;
  if (is_not ? in->dtype != SEG_DTYPE_BOOL : !seg_dtype_is_float (in->dtype)) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL, "is not defined for %s",
        seg_dtype_name (in->dtype));
    return FALSE;
  }
  *out = *in;
  out->dtype = SEG_DTYPE_BOOL;
  return TRUE;
}

static gboolean
question_eval (const SegNode *node, SegTensor *const *in, SegTensor **out, GError **error)
{
  const QuestionParams *params = node->params;
  gsize n = seg_desc_n_elems (&in[0]->desc);
  for (gsize i = 0; i < n; i++) {
    double x = seg_tensor_get_double (in[0], i);
    gboolean yes = FALSE;
    switch (params->kind) {
    case CAST_NONZERO: yes = x == 0; break; /* Not */
    case CAST_IS_NAN: yes = isnan (x); break;
    case CAST_IS_INF: yes = isinf (x); break;
    case CAST_IS_POSITIVE_INF: yes = x == INFINITY; break;
    case CAST_IS_NEGATIVE_INF: yes = x == -INFINITY; break;
    default: break;
    }
    seg_tensor_set_int (out[0], i, yes);
  }
  return TRUE;
}

static gboolean
question_on_device (const SegNode *node)
{
  const QuestionParams *params = node->params;
  return seg_node_device_types (node) && params->kind != CAST_NEVER;
}

static gboolean
question_emit (const SegNode *node, SegProgram *p, GError **error)
{
  const QuestionParams *params = node->params;
  if (params->kind == CAST_NONZERO)
    return emit_step (node, p, &seg_shader_unary_i32, UNARY_NOT, error);
  return emit_step (node, p, &seg_shader_cast_i32, params->kind, error);
}

/* --- operators ------------------------------------------------------------------------------ */

#define CAST(id, onnx, n_in)                                                             \
  const SegOp seg_op_##id = {                                                            \
    .name = onnx,                                                                        \
    .domain = "",                                                                        \
    .min_inputs = n_in,                                                                  \
    .max_inputs = n_in,                                                                  \
    .max_outputs = 1,                                                                    \
    .layout = SEG_OP_ANY,                                                                \
    .storage = SEG_OP_RECOMPUTES,                                                        \
    .flags = SEG_OP_ANY_LIVE_AXIS,                                                       \
    .infer = cast_infer,                                                                 \
    .eval = cast_eval,                                                                   \
    .emit = cast_emit,                                                                   \
    .by_row = seg_rows_of_first,                                                         \
  };
CAST (cast, "Cast", 1)
CAST (cast_like, "CastLike", 2)

#define QUESTION(id, onnx, kind)                                                         \
  const SegOp seg_op_##id = {                                                            \
    .name = onnx,                                                                        \
    .domain = "",                                                                        \
    .min_inputs = 1,                                                                     \
    .max_inputs = 1,                                                                     \
    .max_outputs = 1,                                                                    \
    .layout = SEG_OP_ANY,                                                                \
    .storage = SEG_OP_RECOMPUTES,                                                        \
    .variant = kind,                                                                     \
    .params_size = sizeof (QuestionParams),                                              \
    .parse = question_parse,                                                             \
    .infer = question_infer,                                                             \
    .eval = question_eval,                                                               \
    .on_device = question_on_device,                                                     \
    .emit = question_emit,                                                               \
    .by_row = seg_rows_of_first,                                                         \
  };
QUESTION (is_inf, "IsInf", CAST_IS_INF)
QUESTION (is_nan, "IsNaN", CAST_IS_NAN)
QUESTION (not, "Not", CAST_NONZERO)
