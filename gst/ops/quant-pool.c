/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* com.microsoft's QLinearGlobalAveragePool. */
#include "ops/elementwise.h"
#include "ops/ops.h"
#include "ops/quant.h"
#include "shaders.h"

enum { X, X_SCALE, X_ZERO, Y_SCALE, Y_ZERO };

static gboolean
global_pool_infer (SegNode *node, GError **error)
{
  const SegDesc *x = &seg_node_input (node, X)->desc;
  SegDesc y = *x;
  if (!seg_quant_is_byte (x->dtype) || x->rank < 3
      || seg_node_attr_int (node, "channels_last", 0) != 0) {
    g_set_error_literal (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED,
        "takes uint8 or int8 of rank 3 and more, channels first");
    return FALSE;
  }
  for (guint i = 2; i < y.rank; i++)
    y.dims[i] = 1;
  seg_node_output (node, 0)->desc = y;
  return seg_quant_check (node, X_SCALE, X_ZERO, x->dtype, x, G_MAXUINT, error)
         && seg_quant_check (node, Y_SCALE, Y_ZERO, y.dtype, &y, G_MAXUINT, error);
}

static gint64
image_elems (const SegDesc *x)
{
  gint64 n = 1;
  for (guint i = 2; i < x->rank; i++)
    n *= x->dims[i];
  return n;
}

static float
factor (float from, float to, gint64 n)
{
  return from / (to * (float) n);
}

static gboolean
global_pool_eval (
    const SegNode *node, SegTensor *const *in, SegTensor **out, GError **error)
{
  gint64 n = image_elems (&in[X]->desc), maps = seg_desc_n_elems (&out[0]->desc);
  float by =
      factor (seg_quant_scale (in[X_SCALE], 0), seg_quant_scale (in[Y_SCALE], 0), n);
  gint64 zero = seg_quant_zero (in[X_ZERO], 0);
  gint64 y_zero = seg_quant_zero (node->inputs->len > Y_ZERO ? in[Y_ZERO] : NULL, 0);
  for (gint64 m = 0; m < maps; m++) {
    gint64 sum = -zero * n;
    for (gint64 i = 0; i < n; i++)
      sum += seg_tensor_get_int (in[X], m * n + i);
    seg_tensor_set_int (
        out[0], m, seg_quantise ((float) sum * by, y_zero, out[0]->desc.dtype));
  }
  return TRUE;
}

static gboolean
global_pool_on_device (const SegNode *node)
{
  const SegDesc *x = &seg_node_input (node, X)->desc;
  SegQuant q;
  return seg_node_device_types (node) && x->rank <= 4 && image_elems (x) <= 1 << 23
         && seg_node_input (node, X)->constant == NULL
         && seg_quant_known (node, X_SCALE, X_ZERO, &q)
         && seg_quant_known (node, Y_SCALE, Y_ZERO, &q);
}

static gboolean
global_pool_emit (const SegNode *node, SegProgram *p, GError **error)
{
  const SegValue *x = seg_node_input (node, X), *y = seg_node_output (node, 0);
  gint64 n = image_elems (&x->desc);
  SegView from = seg_view (x), to = seg_view (y);
  SegQuant in, out;
  gint64 low, high;
  seg_quant_known (node, X_SCALE, X_ZERO, &in);
  seg_quant_known (node, Y_SCALE, Y_ZERO, &out);
  seg_quant_limits (y->desc.dtype, &low, &high);
  float by = factor (in.scale, out.scale, n);
  guint32 c4 = (x->desc.dims[1] + 7) / 8 * 2;
  SegDispatch d = {
    .shader = &seg_shader_pool_int_b8,
    .bindings = { { seg_program_value (p, x), SEG_BIND_TEXEL },
        { seg_program_value (p, y), SEG_BIND_BUFFER_WRITE } },
    .n_bindings = 2,
    .push = { n, x->desc.dims[1], from.pitch / 4, from.offset / 4, to.pitch / 4,
        to.offset / 4, low - out.zero, high - out.zero, out.zero, -in.zero * n,
        seg_quant_sign (x->desc.dtype), seg_float_bits (by) },
    .n_push = 12,
    .groups = { c4, x->desc.dims[0], 1 },
  };
  return seg_program_dispatch (p, &d, error);
}

const SegOp seg_op_qlinear_global_average_pool = {
  .name = "QLinearGlobalAveragePool",
  .domain = "com.microsoft",
  .min_inputs = 5,
  .max_inputs = 5,
  .max_outputs = 1,
  .layout = SEG_OP_CHANNELS_LAST,
  .flags = SEG_OP_BYTES,
  .infer = global_pool_infer,
  .eval = global_pool_eval,
  .on_device = global_pool_on_device,
  .emit = global_pool_emit,
};
