/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* DynamicQuantizeLinear: the scale and the zero point are what the tensor's range asks for. */
#include "ops/elementwise.h"
#include "ops/ops.h"
#include "ops/quant.h"
#include "ops/reduction.h"
#include "shaders.h"

enum { Y, Y_SCALE, Y_ZERO };

static gboolean
dynamic_infer (SegNode *node, GError **error)
{
  const SegDesc *x = &seg_node_input (node, 0)->desc;
  SegValue *scale = seg_node_output (node, Y_SCALE),
           *zero = seg_node_output (node, Y_ZERO);
  if (x->dtype != SEG_DTYPE_F32) {
    g_set_error (
        error, SEG_ERROR, SEG_ERROR_MODEL, "does not take %s", seg_dtype_name (x->dtype));
    return FALSE;
  }
  seg_node_output (node, Y)->desc = *x;
  seg_node_output (node, Y)->desc.dtype = SEG_DTYPE_U8;
  if (scale != NULL)
    scale->desc = (SegDesc){ .dtype = SEG_DTYPE_F32 };
  if (zero != NULL)
    zero->desc = (SegDesc){ .dtype = SEG_DTYPE_U8 };
  return TRUE;
}

static gboolean
dynamic_eval (const SegNode *node, SegTensor *const *in, SegTensor **out, GError **error)
{
  const float *x = seg_tensor_data (in[0]);
  gsize n = seg_desc_n_elems (&in[0]->desc);
  float least = 0, most = 0;
  for (gsize i = 0; i < n; i++) {
    least = MIN (least, x[i]);
    most = MAX (most, x[i]);
  }
  float scale = most == least ? 1 : (most - least) / 255;
  gint64 zero = seg_quantise (-least / scale, 0, SEG_DTYPE_U8);
  for (gsize i = 0; i < n; i++)
    seg_tensor_set_int (out[Y], i, seg_quantise (x[i] / scale, zero, SEG_DTYPE_U8));
  if (node->outputs->len > Y_SCALE && out[Y_SCALE] != NULL)
    seg_tensor_set_double (out[Y_SCALE], 0, scale);
  if (node->outputs->len > Y_ZERO && out[Y_ZERO] != NULL)
    seg_tensor_set_int (out[Y_ZERO], 0, zero);
  return TRUE;
}

/* --- on the device ------------------------------------------------------------------------- */

/* As many elements as a scale or a zero point is alone in memory. */
static SegOperand
scalar_operand (SegProgram *p, const SegValue *v, SegStorage storage)
{
  return v != NULL ? seg_operand (p, v)
                   : (SegOperand){ .ref = seg_program_temp (p, 4, storage) };
}

static gboolean
emit_range (SegProgram *p, const SegOperand *least, const SegOperand *most, SegRef exact,
    const SegOperand *scale, const SegOperand *zero, GError **error)
{
  gboolean half = seg_program_ref_storage (p, scale->ref) == SEG_STORAGE_F16;
  SegDispatch d = {
    .shader = half ? &seg_shader_quantize_range_f16 : &seg_shader_quantize_range_f32,
    .bindings = { { least->ref, SEG_BIND_TEXEL }, { most->ref, SEG_BIND_TEXEL },
        { scale->ref, SEG_BIND_BUFFER_WRITE }, { exact, SEG_BIND_BUFFER_WRITE },
        { zero->ref, SEG_BIND_BUFFER_WRITE } },
    .n_bindings = 5,
    .groups = { 1, 1, 1 },
  };
  return seg_program_dispatch (p, &d, error);
}

static gboolean
dynamic_emit (const SegNode *node, SegProgram *p, GError **error)
{
  SegOperand x = seg_operand (p, seg_node_input (node, 0));
  SegOperand y = seg_operand (p, seg_node_output (node, Y));
  guint axes = (1u << x.view.rank) - 1;
  SegOperand least = seg_reduce_temp (p, &x, axes, SEG_STORAGE_F32);
  SegOperand most = seg_reduce_temp (p, &x, axes, SEG_STORAGE_F32);
  SegReduceStep min = { .combine = SEG_REDUCE_MIN }, max = { .combine = SEG_REDUCE_MAX };
  SegRef exact = seg_program_temp (p, 4, SEG_STORAGE_F32);
  SegOperand scale =
      scalar_operand (p, seg_node_output (node, Y_SCALE), seg_program_precision (p));
  SegOperand zero = scalar_operand (p, seg_node_output (node, Y_ZERO), SEG_STORAGE_B8);
  SegOperand ins[3] = { x, { .ref = exact }, { .ref = zero.ref } };
  SegDispatch d = { .shader = &seg_shader_quantize_b8 };
  return seg_reduce_emit (p, &min, &x, axes, &least, NULL, error)
         && seg_reduce_emit (p, &max, &x, axes, &most, NULL, error)
         && emit_range (p, &least, &most, exact, &scale, &zero, error)
         && seg_elementwise (p, node, &d, ins, 3, &y, SEG_EPILOGUE_NONE, error);
}

/* The range is that of all elements. */
static gboolean
dynamic_align (const SegNode *node, guint axis, SegAlign *align)
{
  (void) node;
  (void) axis;
  align->whole = TRUE;
  return TRUE;
}

const SegOp seg_op_dynamic_quantize_linear = {
  .name = "DynamicQuantizeLinear",
  .domain = "",
  .min_inputs = 1,
  .max_inputs = 1,
  .max_outputs = 3,
  .layout = SEG_OP_ANY,
  .flags = SEG_OP_BYTES,
  .infer = dynamic_infer,
  .eval = dynamic_eval,
  .emit = dynamic_emit,
  .align = dynamic_align,
};
