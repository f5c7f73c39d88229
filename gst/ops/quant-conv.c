/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* QLinearConv and ConvInteger. */
#include "ops/conv-int.h"
#include "ops/conv.h"
#include "ops/ops.h"

#include <string.h>

/* Which input is what; G_MAXUINT: there is none. */
typedef struct {
  guint x, x_scale, x_zero, w, w_scale, w_zero, y_scale, y_zero, bias;
} Inputs;

static const Inputs qlinear_inputs = { 0, 1, 2, 3, 4, 5, 6, 7, 8 };
static const Inputs integer_inputs = { 0, G_MAXUINT, 2, 1, G_MAXUINT, 3, G_MAXUINT,
  G_MAXUINT, G_MAXUINT };

enum { QLINEAR, INTEGER };

static const Inputs *
inputs_of (const SegNode *node)
{
  return node->op->variant == QLINEAR ? &qlinear_inputs : &integer_inputs;
}

/* --- shapes -------------------------------------------------------------------------------- */

static gboolean
check_operands (const SegNode *node, const SegDesc *x, const SegDesc *w, GError **error)
{
  const SegConvParams *params = node->params;
  if (!seg_quant_is_byte (x->dtype) || !seg_quant_is_byte (w->dtype)) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL,
        "takes uint8 or int8, not %s with weights %s", seg_dtype_name (x->dtype),
        seg_dtype_name (w->dtype));
    return FALSE;
  }
  return seg_conv_check_ranks (x, w, error)
         && seg_conv_check_channels (x, w, params->groups, error);
}

static gboolean
check_numbers (const SegNode *node, const SegDesc *x, const SegDesc *w, GError **error)
{
  const Inputs *in = inputs_of (node);
  const SegValue *bias = seg_node_input (node, in->bias);
  if (bias != NULL
      && (bias->desc.dtype != SEG_DTYPE_I32 || bias->desc.rank != 1
          || bias->desc.dims[0] != w->dims[0])) {
    g_set_error_literal (error, SEG_ERROR, SEG_ERROR_MODEL,
        "the bias is not one int32 for each output channel");
    return FALSE;
  }
  SegDType y_dtype = seg_node_output (node, 0)->desc.dtype;
  return seg_quant_check (node, in->x_scale, in->x_zero, x->dtype, x, G_MAXUINT, error)
         && seg_quant_check (node, in->w_scale, in->w_zero, w->dtype, w, 0, error)
         && seg_quant_check (node, in->y_scale, in->y_zero, y_dtype, x, G_MAXUINT, error);
}

static gboolean
quant_conv_infer (SegNode *node, GError **error)
{
  SegConvParams *params = node->params;
  const Inputs *in = inputs_of (node);
  const SegDesc *x = &seg_node_input (node, in->x)->desc;
  const SegDesc *w = &seg_node_input (node, in->w)->desc;
  const SegValue *y_zero = seg_node_input (node, in->y_zero);
  SegDesc *y = &seg_node_output (node, 0)->desc;
  if (!check_operands (node, x, w, error))
    return FALSE;
  *y = *x;
  y->dims[1] = w->dims[0];
  y->dtype = in->y_scale == G_MAXUINT ? SEG_DTYPE_I32
             : y_zero != NULL         ? y_zero->desc.dtype
                                      : x->dtype;
  if (in->y_scale != G_MAXUINT && !seg_quant_is_byte (y->dtype)) {
    g_set_error (
        error, SEG_ERROR, SEG_ERROR_MODEL, "does not make %s", seg_dtype_name (y->dtype));
    return FALSE;
  }
  return check_numbers (node, x, w, error)
         && seg_window_set_kernel (&params->window, x->rank - 2, w->dims + 2, error)
         && seg_window_slide (&params->window, x->dims + 2, y->dims + 2, error);
}

/* --- on the host --------------------------------------------------------------------------- */

/* One output element: x is the image's first channel of the group, less its zero point, as w. */
static gint64
convolve (const gint16 *x, const gint16 *w, gint64 channels, const SegWindowAxis a[3],
    const gint64 at[3])
{
  gint64 image = a[0].in * a[1].in * a[2].in;
  gint64 sum = 0;
  for (gint64 c = 0; c < channels; c++)
    for (gint64 k0 = 0; k0 < a[0].kernel; k0++)
      for (gint64 k1 = 0; k1 < a[1].kernel; k1++)
        for (gint64 k2 = 0; k2 < a[2].kernel; k2++, w++) {
          gint64 tap = seg_window_tap (a, at, k0, k1, k2);
          if (tap >= 0)
            sum += *w * x[c * image + tap];
        }
  return sum;
}

static const SegTensor *
tensor_at (SegTensor *const *in, const SegNode *node, guint i)
{
  return i < node->inputs->len ? in[i] : NULL;
}

static gboolean
quant_conv_eval (
    const SegNode *node, SegTensor *const *in, SegTensor **out, GError **error)
{
  const SegConvParams *params = node->params;
  const Inputs *at_input = inputs_of (node);
  const SegTensor *tx = in[at_input->x], *tw = in[at_input->w];
  const SegTensor *bias = tensor_at (in, node, at_input->bias);
  SegWindowAxis a[SEG_WINDOW_AXES];
  seg_window_axes (&params->window, &tx->desc, &out[0]->desc, a);
  g_autofree gint16 *x =
      seg_quant_centred (tx, tensor_at (in, node, at_input->x_zero), 0);
  g_autofree gint16 *w =
      seg_quant_centred (tw, tensor_at (in, node, at_input->w_zero), 0);
  g_autofree float *scale = seg_quant_multipliers (
      tensor_at (in, node, at_input->x_scale), tensor_at (in, node, at_input->w_scale),
      tensor_at (in, node, at_input->y_scale), tw->desc.dims[0]);
  gint64 zero = seg_quant_zero (tensor_at (in, node, at_input->y_zero), 0);
  gint64 channels = tw->desc.dims[1], maps = tw->desc.dims[0];
  gint64 image = a[0].in * a[1].in * a[2].in;
  gint64 filter = channels * a[0].kernel * a[1].kernel * a[2].kernel;
  gint64 next = 0; /* element of the output */
  for (gint64 n = 0; n < tx->desc.dims[0]; n++)
    for (gint64 m = 0; m < maps; m++) {
      gint64 group = m / (maps / params->groups);
      const gint16 *xs = x + (n * params->groups + group) * channels * image;
      gint64 start = bias != NULL ? seg_tensor_get_int (bias, m) : 0;
      for (gint64 i = 0; i < a[0].out * a[1].out * a[2].out; i++) {
        gint64 at[SEG_WINDOW_AXES];
        seg_window_at (a, i, at);
        gint32 sum = (gint32) (start + convolve (xs, w + m * filter, channels, a, at));
        gint64 y = scale != NULL
                       ? seg_quantise ((float) sum * scale[m], zero, out[0]->desc.dtype)
                       : sum;
        seg_tensor_set_int (out[0], next++, y);
      }
    }
  return TRUE;
}

/* --- on the device ------------------------------------------------------------------------- */

static gboolean
is_known (const SegNode *node, guint i)
{
  const SegValue *v = seg_node_input (node, i);
  return v == NULL || v->constant != NULL;
}

static gboolean
quant_conv_on_device (const SegNode *node)
{
  const SegConvParams *params = node->params;
  const Inputs *in = inputs_of (node);
  for (guint i = 0; i < node->inputs->len; i++)
    if (i != in->x && i != in->x_zero && !is_known (node, i))
      return FALSE;
  return seg_node_input (node, in->x)->constant == NULL && seg_node_device_types (node)
         && seg_window_fits_device (&params->window);
}

static const SegTensor *
constant_at (const SegNode *node, guint i)
{
  const SegValue *v = seg_node_input (node, i);
  return v != NULL ? v->constant : NULL;
}

static gint32 *
known_bias (const SegNode *node, guint i, guint32 n)
{
  const SegTensor *t = constant_at (node, i);
  if (t == NULL)
    return NULL;
  gint32 *bias = g_new (gint32, n);
  for (guint32 c = 0; c < n; c++)
    bias[c] = seg_tensor_get_int (t, c);
  return bias;
}

static gboolean
quant_conv_emit (const SegNode *node, SegProgram *p, GError **error)
{
  const SegConvParams *params = node->params;
  const Inputs *in = inputs_of (node);
  const SegValue *x = seg_node_input (node, in->x), *y = seg_node_output (node, 0);
  const SegTensor *w = constant_at (node, in->w);
  guint32 out_c = y->desc.dims[1];
  g_autofree gint16 *filter = seg_quant_centred (w, constant_at (node, in->w_zero), 0);
  g_autofree gint32 *bias = known_bias (node, in->bias, out_c);
  g_autofree float *scale = seg_quant_multipliers (constant_at (node, in->x_scale),
      constant_at (node, in->w_scale), constant_at (node, in->y_scale), out_c);
  SegWindowAxis axes[SEG_WINDOW_AXES];
  seg_window_axes (&params->window, &x->desc, &y->desc, axes);
  SegView from = seg_view (x), to = seg_view (y);
  SegIntConv c = {
    .source = seg_program_value (p, x),
    .dest = seg_program_value (p, y),
    .zero = seg_quant_zero_ref (p, seg_node_input (node, in->x_zero)),
    .dtype = x->desc.dtype,
    .in_pitch4 = from.pitch / 4,
    .in_offset4 = from.offset / 4,
    .out_pitch4 = to.pitch / 4,
    .out_offset4 = to.offset / 4,
    .batch = x->desc.dims[0],
    .in_c = x->desc.dims[1],
    .out_c = out_c,
    .groups = params->groups,
    .out_c4 = (out_c + 7) / 8 * 2,
    .y = axes[1],
    .x = axes[2],
    .filter = filter,
    .bias = bias,
    .scale = scale,
  };
  if (scale != NULL)
    seg_quant_output (
        c.output, y->desc.dtype, seg_quant_zero (constant_at (node, in->y_zero), 0));
  return seg_int_conv_emit (&c, p, error);
}

#define QUANT_CONV(NAME, VARIANT, LEAST, MOST)                                           \
  {                                                                                      \
    .name = NAME, .domain = "", .min_inputs = LEAST, .max_inputs = MOST,                 \
    .max_outputs = 1, .layout = SEG_OP_CHANNELS_LAST,                                    \
    .flags = SEG_OP_BYTES | SEG_OP_HEAVY, .variant = VARIANT,                            \
    .params_size = sizeof (SegConvParams), .parse = seg_conv_parse,                      \
    .infer = quant_conv_infer, .eval = quant_conv_eval,                                  \
    .on_device = quant_conv_on_device, .emit = quant_conv_emit, .align = seg_conv_align  \
  }

const SegOp seg_op_qlinear_conv = QUANT_CONV ("QLinearConv", QLINEAR, 8, 9);
const SegOp seg_op_conv_integer = QUANT_CONV ("ConvInteger", INTEGER, 2, 4);
