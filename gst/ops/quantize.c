/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* QuantizeLinear and DequantizeLinear. */
#include "ops/elementwise.h"
#include "ops/ops.h"
#include "ops/quant.h"
#include "shaders.h"

enum { X, SCALE, ZERO };

typedef struct {
  guint axis; /* of a scale for each channel; G_MAXUINT: one for all */
} Params;

/* --- shapes -------------------------------------------------------------------------------- */

static gboolean
find_axis (const SegNode *node, Params *params, GError **error)
{
  const SegDesc *x = &seg_node_input (node, X)->desc;
  const SegDesc *scale = &seg_node_input (node, SCALE)->desc;
  params->axis = G_MAXUINT;
  if (seg_node_attr_int (node, "block_size", 0) != 0) {
    g_set_error_literal (
        error, SEG_ERROR, SEG_ERROR_UNSUPPORTED, "has scales for blocks (block_size)");
    return FALSE;
  }
  if (scale->rank == 0 || (scale->rank == 1 && scale->dims[0] == 1))
    return TRUE;
  return seg_axis_normalize (
      seg_node_attr_int (node, "axis", 1), x->rank, &params->axis, error);
}

static gboolean
check_integers (SegDType dtype, GError **error)
{
  switch (dtype) {
  case SEG_DTYPE_U8:
  case SEG_DTYPE_I8:
  case SEG_DTYPE_U16:
  case SEG_DTYPE_I16:
  case SEG_DTYPE_I32: return TRUE;
  default:
    g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED, "does not quantise to %s",
        seg_dtype_name (dtype));
    return FALSE;
  }
}

static gboolean
quantize_infer (SegNode *node, GError **error)
{
  Params *params = node->params;
  const SegDesc *x = &seg_node_input (node, X)->desc;
  const SegValue *zero = seg_node_input (node, ZERO);
  SegDesc y = *x;
  gint64 wanted = seg_node_attr_int (node, "output_dtype", 0);
  y.dtype = zero != NULL  ? zero->desc.dtype
            : wanted != 0 ? (SegDType) wanted
                          : SEG_DTYPE_U8;
  if ((!seg_dtype_is_float (x->dtype) && x->dtype != SEG_DTYPE_I32)
      || x->dtype == SEG_DTYPE_F64) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL, "does not quantise %s",
        seg_dtype_name (x->dtype));
    return FALSE;
  }
  if (!check_integers (y.dtype, error) || !find_axis (node, params, error)
      || !seg_quant_check (node, SCALE, ZERO, y.dtype, x, params->axis, error))
    return FALSE;
  seg_node_output (node, 0)->desc = y;
  return TRUE;
}

static gboolean
dequantize_infer (SegNode *node, GError **error)
{
  Params *params = node->params;
  const SegDesc *x = &seg_node_input (node, X)->desc;
  SegDesc y = *x;
  y.dtype = seg_node_input (node, SCALE)->desc.dtype;
  if (!check_integers (x->dtype, error) || !find_axis (node, params, error)
      || !seg_quant_check (node, SCALE, ZERO, x->dtype, x, params->axis, error))
    return FALSE;
  seg_node_output (node, 0)->desc = y;
  return TRUE;
}

/* --- on the host --------------------------------------------------------------------------- */

/* Elements in a row that have one scale. */
static gsize
inner_elems (const SegDesc *x, guint axis)
{
  gsize n = 1;
  for (guint i = axis == G_MAXUINT ? x->rank : axis + 1; i < x->rank; i++)
    n *= x->dims[i];
  return n;
}

static gboolean
quantize_eval (const SegNode *node, SegTensor *const *in, SegTensor **out, GError **error)
{
  const Params *params = node->params;
  const SegDesc *x = &in[X]->desc;
  const SegTensor *zero = node->inputs->len > ZERO ? in[ZERO] : NULL;
  gsize n = seg_desc_n_elems (x), inner = inner_elems (x, params->axis);
  gsize channels = params->axis == G_MAXUINT ? 1 : x->dims[params->axis];
  for (gsize i = 0; i < n; i++) {
    gsize c = i / inner % channels;
    float v = (float) seg_tensor_get_double (in[X], i) / seg_quant_scale (in[SCALE], c);
    seg_tensor_set_int (
        out[0], i, seg_quantise (v, seg_quant_zero (zero, c), out[0]->desc.dtype));
  }
  return TRUE;
}

static gboolean
dequantize_eval (
    const SegNode *node, SegTensor *const *in, SegTensor **out, GError **error)
{
  const Params *params = node->params;
  const SegDesc *x = &in[X]->desc;
  const SegTensor *zero = node->inputs->len > ZERO ? in[ZERO] : NULL;
  gsize n = seg_desc_n_elems (x), inner = inner_elems (x, params->axis);
  gsize channels = params->axis == G_MAXUINT ? 1 : x->dims[params->axis];
  for (gsize i = 0; i < n; i++) {
    gsize c = i / inner % channels;
    float v = (float) (seg_tensor_get_int (in[X], i) - seg_quant_zero (zero, c));
    seg_tensor_set_double (out[0], i, v * seg_quant_scale (in[SCALE], c));
  }
  return TRUE;
}

/* --- on the device ------------------------------------------------------------------------- */

static gboolean
quantize_on_device (const SegNode *node)
{
  return seg_node_device_types (node)
         && seg_dtype_is_float (seg_node_input (node, X)->desc.dtype)
         && seg_quant_is_byte (seg_node_output (node, 0)->desc.dtype);
}

/* Integers of 32 bits have no zero point in practice: a bias of a convolution. */
static gboolean
dequantize_on_device (const SegNode *node)
{
  const SegDesc *x = &seg_node_input (node, X)->desc;
  return seg_node_device_types (node)
         && (seg_quant_is_byte (x->dtype)
             || (x->dtype == SEG_DTYPE_I32 && seg_node_input (node, ZERO) == NULL));
}

/* A scale or a zero point as it is broadcast to x. */
static SegOperand
pair_operand (SegProgram *p, const SegNode *node, guint i)
{
  const Params *params = node->params;
  const SegValue *v = seg_node_input (node, i);
  SegOperand o = { .view = { .rank = 0 } };
  if (v == NULL) {
    o.ref = seg_quant_zero_ref (p, NULL);
    return o;
  }
  o = v->constant != NULL && i == SCALE ? seg_operand_constant (p, v->constant)
                                        : seg_operand (p, v);
  if (params->axis == G_MAXUINT) {
    o.view.rank = 0;
    return o;
  }
  SegView along = { .rank = seg_node_input (node, X)->desc.rank };
  for (guint k = 0; k < along.rank; k++)
    along.dims[k] = 1;
  along.dims[params->axis] = o.view.dims[0];
  along.strides[params->axis] = 1;
  o.view = along;
  return o;
}

static gboolean
quantize_emit (const SegNode *node, SegProgram *p, GError **error)
{
  const SegValue *y = seg_node_output (node, 0);
  SegOperand ins[3] = { seg_operand (p, seg_node_input (node, X)),
    pair_operand (p, node, SCALE), pair_operand (p, node, ZERO) };
  SegOperand out = seg_operand (p, y);
  SegDispatch d = { .shader = &seg_shader_quantize_b8,
    .spec = { [3] = seg_quant_sign (y->desc.dtype) } };
  return seg_elementwise (p, node, &d, ins, 3, &out, SEG_EPILOGUE_NONE, error);
}

static gboolean
dequantize_emit (const SegNode *node, SegProgram *p, GError **error)
{
  const SegValue *x = seg_node_input (node, X);
  const SegValue *y = seg_node_output (node, 0);
  gboolean half = seg_program_storage (p, y) == SEG_STORAGE_F16;
  gboolean wide = x->desc.dtype == SEG_DTYPE_I32;
  SegOperand ins[3] = { seg_operand (p, x), pair_operand (p, node, SCALE),
    pair_operand (p, node, ZERO) };
  SegOperand out = seg_operand (p, y);
  SegDispatch d = { .spec = { [3] = seg_quant_sign (x->desc.dtype) } };
  if (wide)
    d.shader = half ? &seg_shader_dequantize_i32_f16 : &seg_shader_dequantize_i32_f32;
  else
    d.shader = half ? &seg_shader_dequantize_f16 : &seg_shader_dequantize_f32;
  return seg_elementwise (p, node, &d, ins, 3, &out, SEG_EPILOGUE_NONE, error);
}

/* Also as com.microsoft, by which ONNX Runtime's tools mean the same. */
#define QUANTIZE(ID, NAME, DOMAIN, FUNCTION)                                             \
  const SegOp seg_op_##ID = {                                                            \
    .name = NAME,                                                                        \
    .domain = DOMAIN,                                                                    \
    .min_inputs = 2,                                                                     \
    .max_inputs = 3,                                                                     \
    .max_outputs = 1,                                                                    \
    .layout = SEG_OP_ANY,                                                                \
    .flags = SEG_OP_BYTES,                                                               \
    .params_size = sizeof (Params),                                                      \
    .infer = FUNCTION##_infer,                                                           \
    .eval = FUNCTION##_eval,                                                             \
    .on_device = FUNCTION##_on_device,                                                   \
    .emit = FUNCTION##_emit,                                                             \
  };
QUANTIZE (quantize_linear, "QuantizeLinear", "", quantize)
QUANTIZE (dequantize_linear, "DequantizeLinear", "", dequantize)
QUANTIZE (ms_quantize_linear, "QuantizeLinear", "com.microsoft", quantize)
QUANTIZE (ms_dequantize_linear, "DequantizeLinear", "com.microsoft", dequantize)
