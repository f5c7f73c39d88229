/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* com.microsoft's QLinearAdd and QLinearMul. */
#include "ops/elementwise.h"
#include "ops/ops.h"
#include "ops/quant.h"
#include "shaders.h"

enum { A, A_SCALE, A_ZERO, B, B_SCALE, B_ZERO, Y_SCALE, Y_ZERO };
enum { ADD, MUL };

static gboolean
quant_binary_infer (SegNode *node, GError **error)
{
  const SegDesc *a = &seg_node_input (node, A)->desc,
                *b = &seg_node_input (node, B)->desc;
  SegDesc y;
  if (!seg_quant_is_byte (a->dtype) || b->dtype != a->dtype) {
    g_set_error_literal (error, SEG_ERROR, SEG_ERROR_MODEL, "takes uint8 or int8");
    return FALSE;
  }
  if (!seg_broadcast (a, b, &y, error))
    return FALSE;
  y.dtype = a->dtype;
  seg_node_output (node, 0)->desc = y;
  return seg_quant_check (node, A_SCALE, A_ZERO, a->dtype, a, G_MAXUINT, error)
         && seg_quant_check (node, B_SCALE, B_ZERO, b->dtype, b, G_MAXUINT, error)
         && seg_quant_check (node, Y_SCALE, Y_ZERO, y.dtype, &y, G_MAXUINT, error);
}

/* By what the operands are multiplied, as multiples of the result's scale; MUL: by the first. */
static void
factors (int variant, float a, float b, float y, float out[2])
{
  out[0] = variant == ADD ? a / y : a * b / y;
  out[1] = b / y;
}

static float
combine (int variant, const float by[2], gint64 a, gint64 b)
{
  if (variant == MUL)
    return (float) (a * b) * by[0];
  float left = (float) a * by[0], right = (float) b * by[1];
  return left + right;
}

static gboolean
quant_binary_eval (
    const SegNode *node, SegTensor *const *in, SegTensor **out, GError **error)
{
  const SegDesc *descs[2] = { &in[A]->desc, &in[B]->desc };
  const SegTensor *y_zero = node->inputs->len > Y_ZERO ? in[Y_ZERO] : NULL;
  gsize n = seg_desc_n_elems (&out[0]->desc);
  gint64 a_zero = seg_quant_zero (in[A_ZERO], 0), b_zero = seg_quant_zero (in[B_ZERO], 0);
  gint64 zero = seg_quant_zero (y_zero, 0);
  float by[2];
  SegWalk w;
  factors (node->op->variant, seg_quant_scale (in[A_SCALE], 0),
      seg_quant_scale (in[B_SCALE], 0), seg_quant_scale (in[Y_SCALE], 0), by);
  seg_walk_init (&w, &out[0]->desc, descs, 2);
  for (gsize i = 0; i < n; i++, seg_walk_next (&w)) {
    gint64 a = seg_tensor_get_int (in[A], w.at[0]) - a_zero;
    gint64 b = seg_tensor_get_int (in[B], w.at[1]) - b_zero;
    float v = combine (node->op->variant, by, a, b);
    seg_tensor_set_int (out[0], i, seg_quantise (v, zero, out[0]->desc.dtype));
  }
  return TRUE;
}

static gboolean
quant_binary_on_device (const SegNode *node)
{
  SegQuant q;
  return seg_node_device_types (node) && seg_quant_known (node, A_SCALE, A_ZERO, &q)
         && seg_quant_known (node, B_SCALE, B_ZERO, &q)
         && seg_quant_known (node, Y_SCALE, Y_ZERO, &q);
}

static gboolean
quant_binary_emit (const SegNode *node, SegProgram *p, GError **error)
{
  const SegValue *y = seg_node_output (node, 0);
  SegQuant a, b, to;
  gint64 low, high;
  float by[2];
  seg_quant_known (node, A_SCALE, A_ZERO, &a);
  seg_quant_known (node, B_SCALE, B_ZERO, &b);
  seg_quant_known (node, Y_SCALE, Y_ZERO, &to);
  factors (node->op->variant, a.scale, b.scale, to.scale, by);
  seg_quant_limits (y->desc.dtype, &low, &high);
  const float numbers[8] = { by[0], by[1], a.zero, b.zero, low - to.zero, high - to.zero,
    to.zero };
  SegOperand ins[3] = { seg_operand (p, seg_node_input (node, A)),
    seg_operand (p, seg_node_input (node, B)),
    { .ref = seg_program_floats (p, numbers, 8, SEG_STORAGE_F32) } };
  SegOperand out = seg_operand (p, y);
  SegDispatch d = { .shader = &seg_shader_binary_int_b8,
    .spec = { [3] = node->op->variant, [4] = seg_quant_sign (y->desc.dtype) } };
  return seg_elementwise (p, node, &d, ins, 3, &out, SEG_EPILOGUE_NONE, error);
}

/* Zero points may be absent in the middle of the list. */
static gboolean
quant_binary_parse (SegNode *node, GError **error)
{
  static const guint needed[] = { A, A_SCALE, B, B_SCALE, Y_SCALE };
  for (guint i = 0; i < G_N_ELEMENTS (needed); i++)
    if (seg_node_input (node, needed[i]) == NULL) {
      g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL, "input %u is missing", needed[i]);
      return FALSE;
    }
  return TRUE;
}

#define QUANT_BINARY(NAME, VARIANT)                                                      \
  {                                                                                      \
    .name = NAME, .domain = "com.microsoft", .min_inputs = 0, .max_inputs = 8,           \
    .max_outputs = 1, .layout = SEG_OP_ANY, .flags = SEG_OP_BYTES, .variant = VARIANT,   \
    .parse = quant_binary_parse, .infer = quant_binary_infer, .eval = quant_binary_eval, \
    .on_device = quant_binary_on_device, .emit = quant_binary_emit                       \
  }

const SegOp seg_op_qlinear_add = QUANT_BINARY ("QLinearAdd", ADD);
const SegOp seg_op_qlinear_mul = QUANT_BINARY ("QLinearMul", MUL);
