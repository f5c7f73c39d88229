/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The operators that are a function of one variable: one for each SegActKind that ONNX has.
 * Only Relu, Clip, Abs, Neg and Sign exist for integers. */
#include "ops/elementwise.h"
#include "ops/ops.h"
#include "shaders.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* --- parameters ---------------------------------------------------------------------------- */

typedef struct {
  SegAct act;
  gint64 low, high; /* Clip of integers */
  gboolean bounds_at_run_time;
} UnaryParams;

static const struct {
  SegActKind kind;
  const char *name_a;
  float a;
  const char *name_b;
  float b;
} attributes[] = {
  { SEG_ACT_LEAKY_RELU, "alpha", 0.01f },
  { SEG_ACT_ELU, "alpha", 1 },
  { SEG_ACT_SELU, "alpha", 1.67326319217681884765625f, "gamma",
      1.05070102214813232421875f },
  { SEG_ACT_CELU, "alpha", 1 },
  { SEG_ACT_THRESHOLDED_RELU, "alpha", 1 },
  { SEG_ACT_HARD_SIGMOID, "alpha", 0.2f, "beta", 0.5f },
};

static gboolean
unary_parse (SegNode *node, GError **error)
{
  UnaryParams *params = node->params;
  params->act.kind = node->op->variant;
  for (guint i = 0; i < G_N_ELEMENTS (attributes); i++) {
    if (attributes[i].kind != params->act.kind)
      continue;
    params->act.a = seg_node_attr_float (node, attributes[i].name_a, attributes[i].a);
    if (attributes[i].name_b != NULL)
      params->act.b = seg_node_attr_float (node, attributes[i].name_b, attributes[i].b);
  }
  return TRUE;
}

static gboolean
gelu_parse (SegNode *node, GError **error)
{
  UnaryParams *params = node->params;
  const char *how = seg_node_attr_string (node, "approximate", "none");
  params->act.kind = strcmp (how, "tanh") == 0 ? SEG_ACT_GELU_TANH : SEG_ACT_GELU_ERF;
  if (strcmp (how, "tanh") == 0 || strcmp (how, "none") == 0)
    return TRUE;
  g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL,
      "approximate is 'none' or 'tanh', not '%s'", how);
  return FALSE;
}

/* A bound of Clip from opset 11 on; absent leaves the default. */
static gboolean
read_bound (SegNode *node, guint i, float *f, gint64 *n, GError **error)
{
  UnaryParams *params = node->params;
  const SegValue *v = seg_node_input (node, i);
  if (v == NULL)
    return TRUE;
  if (v->desc.dtype != seg_node_input (node, 0)->desc.dtype
      || seg_desc_n_elems (&v->desc) != 1) {
    g_autofree char *desc = seg_desc_to_string (&v->desc);
    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL,
        "%s must be one number of the input's type, is %s", i == 1 ? "min" : "max", desc);
    return FALSE;
  }
  if (v->constant == NULL) {
    params->bounds_at_run_time = TRUE;
    return TRUE;
  }
  *f = seg_tensor_get_double (v->constant, 0);
  *n = seg_tensor_get_int (v->constant, 0);
  return TRUE;
}

static gboolean
clip_parse (SegNode *node, GError **error)
{
  UnaryParams *params = node->params;
  params->act = (SegAct){ SEG_ACT_CLIP, -INFINITY, INFINITY };
  params->low = G_MININT64;
  params->high = G_MAXINT64;
  if (node->opset < 11) {
    params->act.a = seg_node_attr_float (node, "min", -FLT_MAX);
    params->act.b = seg_node_attr_float (node, "max", FLT_MAX);
    return TRUE;
  }
  return read_bound (node, 1, &params->act.a, &params->low, error)
         && read_bound (node, 2, &params->act.b, &params->high, error);
}

static gboolean
has_integers (int kind)
{
  return kind == SEG_ACT_RELU || kind == SEG_ACT_CLIP || kind == SEG_ACT_ABS
         || kind == SEG_ACT_NEG || kind == SEG_ACT_SIGN;
}

static gboolean
unary_infer (SegNode *node, GError **error)
{
  const SegDesc *in = &seg_node_input (node, 0)->desc;
  if (!seg_dtype_is_float (in->dtype)
      && (!has_integers (node->op->variant) || in->dtype == SEG_DTYPE_BOOL)) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED, "is not defined for %s",
        seg_dtype_name (in->dtype));
    return FALSE;
  }
  seg_node_output (node, 0)->desc = *in;
  return TRUE;
}

static gboolean
unary_as_act (const SegNode *node, SegAct *act)
{
  const UnaryParams *params = node->params;
  *act = params->act;
  return seg_dtype_is_float (seg_node_input (node, 0)->desc.dtype)
         && !params->bounds_at_run_time;
}

/* --- host ---------------------------------------------------------------------------------- */

static gint64
apply_int (const UnaryParams *params, gint64 x)
{
  switch (params->act.kind) {
  case SEG_ACT_RELU: return MAX (x, 0);
  case SEG_ACT_CLIP: return MIN (MAX (x, params->low), params->high);
  case SEG_ACT_ABS: return x < 0 ? (gint64) (0 - (guint64) x) : x;
  case SEG_ACT_NEG: return (gint64) (0 - (guint64) x);
  default: return (x > 0) - (x < 0);
  }
}

/* uint64 past the range of int64. */
static guint64
apply_u64 (const UnaryParams *params, guint64 x)
{
  switch (params->act.kind) {
  case SEG_ACT_CLIP:
    x = params->low == G_MININT64 ? x : MAX (x, (guint64) params->low);
    return params->high == G_MAXINT64 ? x : MIN (x, (guint64) params->high);
  case SEG_ACT_NEG: return 0 - x;
  case SEG_ACT_SIGN: return x > 0;
  default: return x;
  }
}

static UnaryParams
params_for_eval (const SegNode *node, SegTensor *const *in)
{
  UnaryParams params = *(const UnaryParams *) node->params;
  if (!params.bounds_at_run_time)
    return params;
  if (seg_node_input (node, 1) != NULL) {
    params.act.a = seg_tensor_get_double (in[1], 0);
    params.low = seg_tensor_get_int (in[1], 0);
  }
  if (seg_node_input (node, 2) != NULL) {
    params.act.b = seg_tensor_get_double (in[2], 0);
    params.high = seg_tensor_get_int (in[2], 0);
  }
  return params;
}

static gboolean
unary_eval (const SegNode *node, SegTensor *const *in, SegTensor **out, GError **error)
{
  UnaryParams params = params_for_eval (node, in);
  SegDType dtype = in[0]->desc.dtype;
  gsize n = seg_desc_n_elems (&in[0]->desc);
  for (gsize i = 0; i < n; i++) {
    if (seg_dtype_is_float (dtype))
      seg_tensor_set_double (
          out[0], i, seg_act_apply (params.act, seg_tensor_get_double (in[0], i)));
    else if (dtype == SEG_DTYPE_U64)
      seg_tensor_set_int (out[0], i, apply_u64 (&params, seg_tensor_get_int (in[0], i)));
    else
      seg_tensor_set_int (out[0], i, apply_int (&params, seg_tensor_get_int (in[0], i)));
  }
  return TRUE;
}

/* --- device -------------------------------------------------------------------------------- */

static gboolean
unary_on_device (const SegNode *node)
{
  const UnaryParams *params = node->params;
  return seg_node_device_types (node) && !params->bounds_at_run_time;
}

static gboolean
unary_emit (const SegNode *node, SegProgram *p, GError **error)
{
  const UnaryParams *params = node->params;
  const SegValue *result = seg_node_output (node, 0);
  SegOperand in = seg_operand (p, seg_node_input (node, 0)),
             out = seg_operand (p, result);
  SegStorage storage = seg_program_storage (p, result);
  SegDispatch d = { .spec = { [3] = params->act.kind } };
  if (storage == SEG_STORAGE_I32) {
    d.shader = &seg_shader_unary_i32;
    d.spec[4] = CLAMP (params->low, G_MININT32, G_MAXINT32);
    d.spec[5] = CLAMP (params->high, G_MININT32, G_MAXINT32);
    return seg_elementwise (p, node, &d, &in, 1, &out, SEG_EPILOGUE_NONE, error);
  }
  d.shader = storage == SEG_STORAGE_F16 ? &seg_shader_unary_f16 : &seg_shader_unary_f32;
  d.spec[4] = seg_float_bits (params->act.a);
  d.spec[5] = seg_float_bits (params->act.b);
  return seg_elementwise (p, node, &d, &in, 1, &out, SEG_EPILOGUE_LAST, error);
}

/* --- operators ----------------------------------------------------------------------------- */

#define UNARY_FULL(id, onnx, kind, n_in, parser, where)                                  \
  const SegOp seg_op_##id = {                                                            \
    .name = onnx,                                                                        \
    .domain = where,                                                                     \
    .min_inputs = 1,                                                                     \
    .max_inputs = n_in,                                                                  \
    .max_outputs = 1,                                                                    \
    .layout = SEG_OP_ANY,                                                                \
    .storage = SEG_OP_RECOMPUTES,                                                        \
    .flags = SEG_OP_EPILOGUE_ACT | SEG_OP_EPILOGUE_RESIDUAL,                             \
    .variant = kind,                                                                     \
    .params_size = sizeof (UnaryParams),                                                 \
    .parse = parser,                                                                     \
    .infer = unary_infer,                                                                \
    .eval = unary_eval,                                                                  \
    .on_device = unary_on_device,                                                        \
    .emit = unary_emit,                                                                  \
    .by_row = seg_rows_of_first,                                                         \
    .as_act = unary_as_act,                                                              \
    .permute = seg_permute_elementwise,                                                  \
  };
#define UNARY(id, onnx, kind) UNARY_FULL (id, onnx, kind, 1, unary_parse, "")

UNARY (abs, "Abs", SEG_ACT_ABS)
UNARY (acos, "Acos", SEG_ACT_ACOS)
UNARY (acosh, "Acosh", SEG_ACT_ACOSH)
UNARY (asin, "Asin", SEG_ACT_ASIN)
UNARY (asinh, "Asinh", SEG_ACT_ASINH)
UNARY (atan, "Atan", SEG_ACT_ATAN)
UNARY (atanh, "Atanh", SEG_ACT_ATANH)
UNARY (ceil, "Ceil", SEG_ACT_CEIL)
UNARY (celu, "Celu", SEG_ACT_CELU)
UNARY_FULL (clip, "Clip", SEG_ACT_CLIP, 3, clip_parse, "")
UNARY (cos, "Cos", SEG_ACT_COS)
UNARY (cosh, "Cosh", SEG_ACT_COSH)
UNARY (elu, "Elu", SEG_ACT_ELU)
UNARY (erf, "Erf", SEG_ACT_ERF)
UNARY (exp, "Exp", SEG_ACT_EXP)
UNARY (floor, "Floor", SEG_ACT_FLOOR)
UNARY_FULL (gelu, "Gelu", SEG_ACT_GELU_ERF, 1, gelu_parse, "")
UNARY_FULL (ms_gelu, "Gelu", SEG_ACT_GELU_ERF, 1, unary_parse, "com.microsoft")
UNARY (hard_sigmoid, "HardSigmoid", SEG_ACT_HARD_SIGMOID)
UNARY (hard_swish, "HardSwish", SEG_ACT_HARD_SWISH)
UNARY (leaky_relu, "LeakyRelu", SEG_ACT_LEAKY_RELU)
UNARY (log, "Log", SEG_ACT_LOG)
UNARY (mish, "Mish", SEG_ACT_MISH)
UNARY (neg, "Neg", SEG_ACT_NEG)
UNARY (reciprocal, "Reciprocal", SEG_ACT_RECIPROCAL)
UNARY (relu, "Relu", SEG_ACT_RELU)
UNARY (round, "Round", SEG_ACT_ROUND)
UNARY (selu, "Selu", SEG_ACT_SELU)
UNARY (sigmoid, "Sigmoid", SEG_ACT_SIGMOID)
UNARY (sign, "Sign", SEG_ACT_SIGN)
UNARY (sin, "Sin", SEG_ACT_SIN)
UNARY (sinh, "Sinh", SEG_ACT_SINH)
UNARY (softplus, "Softplus", SEG_ACT_SOFTPLUS)
UNARY (softsign, "Softsign", SEG_ACT_SOFTSIGN)
UNARY (sqrt, "Sqrt", SEG_ACT_SQRT)
UNARY (tan, "Tan", SEG_ACT_TAN)
UNARY (tanh, "Tanh", SEG_ACT_TANH)
UNARY (thresholded_relu, "ThresholdedRelu", SEG_ACT_THRESHOLDED_RELU)
