/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops/conv.h"

#include "ops/conv-choose.h"
#include "ops/conv-fold.h"
#include "ops/ops.h"

#include <string.h>

gboolean
seg_conv_groups (const SegNode *node, guint32 *groups, GError **error)
{
  gint64 n = seg_node_attr_int (node, "group", 1);
  if (n < 1 || n > G_MAXINT32) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL, "group is %" G_GINT64_FORMAT, n);
    return FALSE;
  }
  *groups = n;
  return TRUE;
}

gboolean
seg_conv_check_ranks (const SegDesc *x, const SegDesc *w, GError **error)
{
  if (x->rank >= 3 && x->rank <= 2 + SEG_WINDOW_AXES && w->rank == x->rank)
    return TRUE;
  g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED,
      "takes an input of rank 3 to 5 and weights of the same rank, not %u and %u",
      x->rank, w->rank);
  return FALSE;
}

gboolean
seg_conv_check_operands (const SegDesc *x, const SegDesc *w, GError **error)
{
  if (!seg_dtype_is_float (x->dtype) || w->dtype != x->dtype) {
    g_set_error_literal (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED,
        "takes an input and weights of one floating-point type");
    return FALSE;
  }
  return seg_conv_check_ranks (x, w, error);
}

gboolean
seg_conv_parse (SegNode *node, GError **error)
{
  SegConvParams *params = node->params;
  return seg_conv_groups (node, &params->groups, error)
         && seg_window_parse (&params->window, node, error);
}

gboolean
seg_conv_check_channels (
    const SegDesc *x, const SegDesc *w, gint64 groups, GError **error)
{
  if (x->dims[1] == w->dims[1] * groups && w->dims[0] % groups == 0 && w->dims[0] >= 1)
    return TRUE;
  g_autofree char *xs = seg_desc_to_string (x), *ws = seg_desc_to_string (w);
  g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL,
      "an input %s does not go with weights %s in %" G_GINT64_FORMAT " groups", xs, ws,
      groups);
  return FALSE;
}

static gboolean
check_inputs (const SegNode *node, const SegConvParams *params, GError **error)
{
  const SegDesc *x = &seg_node_input (node, 0)->desc;
  const SegDesc *w = &seg_node_input (node, 1)->desc;
  const SegValue *b = seg_node_input (node, 2);
  if (!seg_conv_check_operands (x, w, error)
      || !seg_conv_check_channels (x, w, params->groups, error))
    return FALSE;
  if (b != NULL && (b->desc.rank != 1 || b->desc.dims[0] != w->dims[0])) {
    g_set_error_literal (error, SEG_ERROR, SEG_ERROR_MODEL,
        "the bias does not have one entry for each output channel");
    return FALSE;
  }
  return TRUE;
}

static gboolean
conv_infer (SegNode *node, GError **error)
{
  SegConvParams *params = node->params;
  if (!check_inputs (node, params, error))
    return FALSE;
  const SegDesc *x = &seg_node_input (node, 0)->desc;
  const SegDesc *w = &seg_node_input (node, 1)->desc;
  SegDesc *y = &seg_node_output (node, 0)->desc;
  y->dtype = x->dtype;
  y->rank = x->rank;
  y->dims[0] = x->dims[0];
  y->dims[1] = w->dims[0];
  return seg_window_set_kernel (&params->window, x->rank - 2, w->dims + 2, error)
         && seg_window_slide (&params->window, x->dims + 2, y->dims + 2, error);
}

/* One output element: x is the image's first channel of the group, w the channel's filter. */
static double
convolve (const double *x, const double *w, gint64 channels, const SegWindowAxis a[3],
    const gint64 at[3])
{
  gint64 image = a[0].in * a[1].in * a[2].in;
  double sum = 0;
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

static gboolean
conv_eval (const SegNode *node, SegTensor *const *in, SegTensor **out, GError **error)
{
  const SegConvParams *params = node->params;
  SegWindowAxis a[SEG_WINDOW_AXES];
  seg_window_axes (&params->window, &in[0]->desc, &out[0]->desc, a);
  g_autofree double *x = seg_window_doubles (in[0]);
  g_autofree double *w = seg_window_doubles (in[1]);
  gint64 channels = in[1]->desc.dims[1], maps = in[1]->desc.dims[0];
  gint64 image = a[0].in * a[1].in * a[2].in;
  gint64 filter = channels * a[0].kernel * a[1].kernel * a[2].kernel;
  const SegTensor *bias = node->inputs->len > 2 ? in[2] : NULL;
  gint64 first = 0; /* element of the output */
  for (gint64 n = 0; n < in[0]->desc.dims[0]; n++) {
    for (gint64 m = 0; m < maps; m++) {
      gint64 group = m / (maps / params->groups);
      const double *xs = x + (n * params->groups + group) * channels * image;
      double start = bias != NULL ? seg_tensor_get_double (bias, m) : 0;
      for (gint64 i = 0; i < a[0].out * a[1].out * a[2].out; i++) {
        gint64 at[SEG_WINDOW_AXES];
        seg_window_at (a, i, at);
        double sum = convolve (xs, w + m * filter, channels, a, at);
        seg_tensor_set_double (out[0], first++, start + sum);
      }
    }
  }
  return TRUE;
}

static gboolean
conv_on_device (const SegNode *node)
{
  const SegConvParams *params = node->params;
  return seg_node_device_types (node) && seg_window_fits_device (&params->window);
}

void
seg_conv_job (SegConvJob *job, const SegNode *node, const SegWindow *window,
    guint32 groups, SegProgram *p)
{
  const SegValue *x = seg_node_input (node, 0), *y = seg_node_output (node, 0);
  const SegValue *bias = seg_node_input (node, 2);
  SegWindowAxis axes[SEG_WINDOW_AXES];
  seg_window_axes (window, &x->desc, &y->desc, axes);
  *job = (SegConvJob){
    .node = node,
    .source = seg_program_value (p, x),
    .in = seg_view (x),
    .out = seg_view (y),
    .batch = x->desc.dims[0],
    .in_c = x->desc.dims[1],
    .out_c = y->desc.dims[1],
    .groups = groups,
    .y = axes[1],
    .x = axes[2],
    .weights = seg_node_input (node, 1)->constant,
    .bias = bias != NULL ? bias->constant : NULL,
  };
  if (node->epilogue.residual >= 0)
    job->residual = seg_view (seg_node_input (node, node->epilogue.residual));
}

const SegUnalignedFloat *
seg_conv_filter (const SegTensor *tensor, float **owned)
{
  gsize n = seg_desc_n_elems (&tensor->desc);
  *owned = NULL;
  if (tensor->desc.dtype == SEG_DTYPE_F32)
    return seg_tensor_bytes (tensor);
  *owned = g_new (float, n);
  for (gsize i = 0; i < n; i++)
    (*owned)[i] = seg_tensor_get_double (tensor, i);
  return *owned;
}

const float *
seg_conv_floats (const SegTensor *tensor, float **owned)
{
  *owned = NULL;
  if (tensor->desc.dtype == SEG_DTYPE_F32)
    return seg_tensor_data (tensor);
  seg_conv_filter (tensor, owned);
  return *owned;
}

SegRef
seg_conv_bias (const SegConvJob *job, guint align, SegProgram *p)
{
  gsize n = (job->out_c + align - 1) / align * align;
  g_autofree float *data = g_new0 (float, n);
  for (guint i = 0; job->bias != NULL && i < job->out_c; i++)
    data[i] = seg_tensor_get_double (job->bias, i);
  return seg_program_floats (p, data, n, SEG_STORAGE_F32);
}

SegDenseConv
seg_dense_maps (const SegConvJob *job, SegProgram *p)
{
  guint32 registers = seg_program_device (p)->vector_registers;
  return (SegDenseConv){
    .node = job->node,
    .source = job->source,
    .dest = seg_program_value (p, seg_node_output (job->node, 0)),
    .storage = seg_program_precision (p),
    .in_pitch4 = job->in.pitch / 4,
    .in_offset4 = job->in.offset / 4,
    .out_pitch4 = job->out.pitch / 4,
    .out_offset4 = job->out.offset / 4,
    .res_pitch4 = job->residual.pitch / 4,
    .res_offset4 = job->residual.offset / 4,
    .batch = job->batch,
    .in_c = job->in_c,
    .out_c = job->out_c,
    .groups = job->groups,
    .out_c4 = (job->out_c + 7) / 8 * 2,
    .y = job->y,
    .x = job->x,
    .out_image = job->y.out * job->x.out,
    .out_row = job->x.out,
    .out_col = 1,
    .live = seg_program_live (p, seg_node_output (job->node, 0),
        (guint64) job->batch * job->y.out * job->x.out),
    .steady = p->graph->steady,
    .short_of_registers = registers > 0 && registers < 32,
  };
}

SegDenseConv
seg_dense_conv (const SegConvJob *job, SegProgram *p)
{
  SegDenseConv c = seg_dense_maps (job, p);
  c.bias = seg_conv_bias (job, SEG_BIAS_ALIGN, p);
  return c;
}

static gboolean
conv_emit (const SegNode *node, SegProgram *p, GError **error)
{
  const SegConvParams *params = node->params;
  SegConvJob job;
  seg_conv_job (&job, node, &params->window, params->groups, p);
  return seg_conv_emit (&job, p, error);
}

static gboolean
conv_fold_affine (
    SegGraph *graph, SegNode *node, const double *scale, const double *shift, guint n)
{
  gsize total = seg_desc_n_elems (&seg_node_input (node, 1)->desc);
  SegChannelOrder order = {
    .inner = total / n, .group_channels = n, .group_elems = total
  };
  return seg_conv_fold_affine (graph, node, &order, scale, shift, n);
}

gboolean
seg_conv_align (const SegNode *node, guint axis, SegAlign *align)
{
  const SegConvParams *params = node->params;
  seg_window_align (&params->window, node, axis, align);
  return axis != 1;
}

static gboolean
conv_absorb_pads (SegNode *node, const gint64 *begin, const gint64 *end, guint n)
{
  SegConvParams *params = node->params;
  return seg_window_add_pads (&params->window, begin, end, n);
}

static gboolean
conv_by_pixel (const SegNode *node)
{
  const SegWindow *w = &((const SegConvParams *) node->params)->window;
  const SegValue *bias = seg_node_input (node, 2);
  if (seg_node_input (node, 1)->constant == NULL
      || (bias != NULL && bias->constant == NULL))
    return FALSE;
  for (guint i = 0; i < w->n; i++)
    if (w->kernel[i] != 1 || w->stride[i] != 1 || w->pad_begin[i] != 0
        || w->pad_end[i] != 0)
      return FALSE;
  return TRUE;
}

/* A pass over the weights has to be less than one over the map. */
static gboolean
conv_takes_factor (const SegNode *node)
{
  const SegConvParams *params = node->params;
  const SegDesc *x = &seg_node_input (node, 0)->desc;
  return params->groups == 1 && x->dims[0] == 1 && conv_by_pixel (node)
         && seg_node_output (node, 0)->desc.dims[1] * x->dims[1] <= seg_desc_n_elems (x);
}

const SegOp seg_op_conv = {
  .name = "Conv",
  .domain = "",
  .min_inputs = 2,
  .max_inputs = 3,
  .max_outputs = 1,
  .layout = SEG_OP_CHANNELS_LAST,
  .flags = SEG_OP_EPILOGUE_ACT | SEG_OP_EPILOGUE_RESIDUAL | SEG_OP_HEAVY,
  .params_size = sizeof (SegConvParams),
  .parse = seg_conv_parse,
  .infer = conv_infer,
  .eval = conv_eval,
  .on_device = conv_on_device,
  .emit = conv_emit,
  .by_row = seg_rows_of_first,
  .align = seg_conv_align,
  .fold_affine = conv_fold_affine,
  .absorb_pads = conv_absorb_pads,
  .by_pixel = conv_by_pixel,
  .takes_factor = conv_takes_factor,
};
