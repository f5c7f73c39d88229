/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Functions of one byte, as a table of 256: com.microsoft's QLinearSigmoid and QLinearLeakyRelu, and
 * our own Requantize, to which graph/quantise.c turns what lies between DequantizeLinear and
 * QuantizeLinear. */
#include "ops/elementwise.h"
#include "ops/ops.h"
#include "ops/quant.h"
#include "shaders.h"

enum { X, X_SCALE, X_ZERO, Y_SCALE, Y_ZERO };

static gboolean
requantize_parse (SegNode *node, GError **error)
{
  SegAct *act = node->params;
  *act = (SegAct){ node->op->variant, 0, 0 };
  if (act->kind == SEG_ACT_LEAKY_RELU)
    act->a = seg_node_attr_float (node, "alpha", 0.01f);
  for (guint i = 0; i <= Y_SCALE; i++)
    if (i != X_ZERO && seg_node_input (node, i) == NULL) {
      g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL, "input %u is missing", i);
      return FALSE;
    }
  return TRUE;
}

static gboolean
requantize_infer (SegNode *node, GError **error)
{
  const SegDesc *x = &seg_node_input (node, X)->desc;
  const SegValue *y_zero = seg_node_input (node, Y_ZERO);
  SegDesc y = *x;
  if (y_zero != NULL)
    y.dtype = y_zero->desc.dtype;
  if (!seg_quant_is_byte (x->dtype) || !seg_quant_is_byte (y.dtype)) {
    g_set_error_literal (error, SEG_ERROR, SEG_ERROR_MODEL, "takes uint8 or int8");
    return FALSE;
  }
  seg_node_output (node, 0)->desc = y;
  return seg_quant_check (node, X_SCALE, X_ZERO, x->dtype, x, G_MAXUINT, error)
         && seg_quant_check (node, Y_SCALE, Y_ZERO, y.dtype, &y, G_MAXUINT, error);
}

static guint8
look_up (SegAct act, SegQuant from, SegQuant to, SegDType x, SegDType y, guint8 bits)
{
  gint64 q = x == SEG_DTYPE_I8 ? (gint8) bits : bits;
  float number = (float) (q - from.zero) * from.scale;
  float v = (float) seg_act_apply (act, number);
  return (guint8) seg_quantise (v / to.scale, to.zero, y);
}

static gboolean
requantize_eval (
    const SegNode *node, SegTensor *const *in, SegTensor **out, GError **error)
{
  const SegAct *act = node->params;
  const SegTensor *y_zero = node->inputs->len > Y_ZERO ? in[Y_ZERO] : NULL;
  SegQuant from = { seg_quant_scale (in[X_SCALE], 0), seg_quant_zero (in[X_ZERO], 0) };
  SegQuant to = { seg_quant_scale (in[Y_SCALE], 0), seg_quant_zero (y_zero, 0) };
  const guint8 *x = seg_tensor_data (in[X]);
  guint8 *y = out[0]->data;
  for (gsize i = 0; i < in[X]->n_bytes; i++)
    y[i] = look_up (*act, from, to, in[X]->desc.dtype, out[0]->desc.dtype, x[i]);
  return TRUE;
}

static gboolean
requantize_on_device (const SegNode *node)
{
  SegQuant q;
  return seg_node_device_types (node) && seg_quant_known (node, X_SCALE, X_ZERO, &q)
         && seg_quant_known (node, Y_SCALE, Y_ZERO, &q);
}

static gboolean
requantize_emit (const SegNode *node, SegProgram *p, GError **error)
{
  const SegAct *act = node->params;
  const SegValue *x = seg_node_input (node, X), *y = seg_node_output (node, 0);
  SegQuant from, to;
  guint8 table[256];
  seg_quant_known (node, X_SCALE, X_ZERO, &from);
  seg_quant_known (node, Y_SCALE, Y_ZERO, &to);
  for (guint i = 0; i < 256; i++)
    table[i] = look_up (*act, from, to, x->desc.dtype, y->desc.dtype, i);
  SegOperand ins[2] = { seg_operand (p, x),
    { .ref = seg_program_bytes (p, table, sizeof table) } };
  SegOperand out = seg_operand (p, y);
  SegDispatch d = { .shader = &seg_shader_lookup_b8 };
  return seg_elementwise (p, node, &d, ins, 2, &out, SEG_EPILOGUE_NONE, error);
}

#define REQUANTIZE(NAME, DOMAIN, ACT)                                                    \
  {                                                                                      \
    .name = NAME, .domain = DOMAIN, .min_inputs = 2, .max_inputs = 5, .max_outputs = 1,  \
    .layout = SEG_OP_ANY, .flags = SEG_OP_BYTES, .variant = ACT,                         \
    .params_size = sizeof (SegAct), .parse = requantize_parse,                           \
    .infer = requantize_infer, .eval = requantize_eval,                                  \
    .on_device = requantize_on_device, .emit = requantize_emit                           \
  }

const SegOp seg_op_requantize = REQUANTIZE ("Requantize", "vkseg", SEG_ACT_NONE);
const SegOp seg_op_qlinear_sigmoid =
    REQUANTIZE ("QLinearSigmoid", "com.microsoft", SEG_ACT_SIGMOID);
const SegOp seg_op_qlinear_leaky_relu =
    REQUANTIZE ("QLinearLeakyRelu", "com.microsoft", SEG_ACT_LEAKY_RELU);
