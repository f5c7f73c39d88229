/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* BatchNormalization that no convolution took in. Training mode runs on the host. */
#include "ops/normalise.h"
#include "ops/ops.h"

#include <math.h>

typedef struct {
  double epsilon, momentum;
  gboolean training;
} BatchNormParams;

static gboolean
batch_norm_parse (SegNode *node, GError **error)
{
  BatchNormParams *params = node->params;
  params->epsilon = seg_node_attr_float (node, "epsilon", 1e-5f);
  params->momentum = seg_node_attr_float (node, "momentum", 0.9f);
  params->training = seg_node_attr_int (node, "training_mode", 0) != 0;
  if (params->training || node->outputs->len == 1)
    return TRUE;
  g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED,
      "asks for the statistics of training; export the network for inference");
  return FALSE;
}

static gboolean
batch_norm_infer (SegNode *node, GError **error)
{
  const SegDesc *x = &seg_node_input (node, 0)->desc;
  gint64 channels = x->rank >= 2 ? x->dims[1] : 1;
  for (guint i = 1; i < 5; i++) {
    const SegDesc *d = &seg_node_input (node, i)->desc;
    if (d->rank == 1 && d->dims[0] == channels && seg_dtype_is_float (d->dtype)
        && seg_dtype_is_float (x->dtype))
      continue;
    g_autofree char *got = seg_desc_to_string (d), *of = seg_desc_to_string (x);
    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL,
        "input %u is %s, should have one number for each channel of %s", i, got, of);
    return FALSE;
  }
  seg_node_output (node, 0)->desc = *x;
  for (guint i = 1; i < node->outputs->len; i++)
    if (seg_node_output (node, i) != NULL)
      seg_node_output (node, i)->desc = seg_node_input (node, 3)->desc;
  return TRUE;
}

/* --- host ---------------------------------------------------------------------------------- */

/* Moments over the batch and the spatial axes. */
static SegMoments
channel_moments (const SegTensor *x, gsize c, gsize channels, gsize inner)
{
  gsize batch = seg_desc_n_elems (&x->desc) / (channels * inner);
  SegMoments all = { 0, 0 };
  g_autofree SegMoments *each = g_new (SegMoments, batch + 1);
  for (gsize n = 0; n < batch; n++) {
    each[n] = seg_moments (x, (n * channels + c) * inner, inner, 1);
    all.mean += each[n].mean / batch;
  }
  for (gsize n = 0; n < batch; n++) {
    double d = each[n].mean - all.mean;
    all.variance += (each[n].variance + d * d) / batch;
  }
  return all;
}

static void
store_running (const BatchNormParams *params, const SegTensor *before, SegTensor *after,
    gsize c, double now)
{
  double old = seg_tensor_get_double (before, c);
  seg_tensor_set_double (after, c, old * params->momentum + now * (1 - params->momentum));
}

static gboolean
batch_norm_eval (
    const SegNode *node, SegTensor *const *in, SegTensor **out, GError **error)
{
  const BatchNormParams *params = node->params;
  const SegDesc *d = &in[0]->desc;
  gsize n = seg_desc_n_elems (d), channels = d->rank >= 2 ? d->dims[1] : 1, inner = 1;
  for (guint i = 2; i < d->rank; i++)
    inner *= d->dims[i];
  for (gsize c = 0; n > 0 && c < channels; c++) {
    SegMoments m = { seg_tensor_get_double (in[3], c), seg_tensor_get_double (in[4], c) };
    if (params->training) {
      m = channel_moments (in[0], c, channels, inner);
      if (node->outputs->len > 1 && out[1] != NULL)
        store_running (params, in[3], out[1], c, m.mean);
      if (node->outputs->len > 2 && out[2] != NULL)
        store_running (params, in[4], out[2], c, m.variance);
    }
    double scale = seg_tensor_get_double (in[1], c) / sqrt (m.variance + params->epsilon);
    double bias = seg_tensor_get_double (in[2], c);
    for (gsize i = 0; i < n; i++) {
      if (i / inner % channels != c) {
        i += inner - 1;
        continue;
      }
      double x = seg_tensor_get_double (in[0], i);
      seg_tensor_set_double (out[0], i, (x - m.mean) * scale + bias);
    }
  }
  return TRUE;
}

/* --- device -------------------------------------------------------------------------------- */

static gboolean
batch_norm_on_device (const SegNode *node)
{
  const BatchNormParams *params = node->params;
  for (guint i = 1; i < 5; i++)
    if (seg_node_input (node, i)->constant == NULL)
      return FALSE;
  return !params->training && seg_node_input (node, 0)->desc.rank >= 2
         && seg_node_device_types (node);
}

static gboolean
batch_norm_emit (const SegNode *node, SegProgram *p, GError **error)
{
  const BatchNormParams *params = node->params;
  SegOperand x = seg_operand (p, seg_node_input (node, 0));
  SegOperand out = seg_operand (p, seg_node_output (node, 0));
  const SegTensor *t[5] = { NULL };
  for (guint i = 1; i < 5; i++)
    t[i] = seg_node_input (node, i)->constant;
  guint channels = x.view.dims[1];
  g_autofree float *scale = g_new (float, channels), *bias = g_new (float, channels);
  for (guint c = 0; c < channels; c++) {
    double s = seg_tensor_get_double (t[1], c)
               / sqrt (seg_tensor_get_double (t[4], c) + params->epsilon);
    scale[c] = s;
    bias[c] = seg_tensor_get_double (t[2], c) - seg_tensor_get_double (t[3], c) * s;
  }
  SegNorm norm = { .parts = SEG_NORM_SCALE | SEG_NORM_BIAS };
  norm.scale = seg_operand_channels (p, scale, channels, x.view.rank);
  norm.bias = seg_operand_channels (p, bias, channels, x.view.rank);
  return seg_norm_apply (p, node, &x, &norm, &out, error);
}

const SegOp seg_op_batch_normalization = {
  .name = "BatchNormalization",
  .domain = "",
  .min_inputs = 5,
  .max_inputs = 5,
  .max_outputs = 5,
  .layout = SEG_OP_ANY,
  .flags = SEG_OP_EPILOGUE_ACT | SEG_OP_EPILOGUE_RESIDUAL,
  .params_size = sizeof (BatchNormParams),
  .parse = batch_norm_parse,
  .infer = batch_norm_infer,
  .eval = batch_norm_eval,
  .on_device = batch_norm_on_device,
  .emit = batch_norm_emit,
};
