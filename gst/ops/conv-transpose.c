/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops/conv-transpose.h"

#include "ops/conv-fold.h"
#include "ops/ops.h"

#define FEW_PHASES 4 /* dispatches */

typedef struct {
  SegWindow window; /* pads are those that the output loses */
  guint32 groups;
  gint64 output_padding[SEG_WINDOW_AXES];
  gint64 output_shape[SEG_WINDOW_AXES];
  gboolean has_output_shape;
} TransposeParams;

static gboolean
read_axes (
    const SegNode *node, const char *name, gint64 *out, gboolean *present, GError **error)
{
  guint n;
  const gint64 *list = seg_node_attr_ints (node, name, &n);
  *present = list != NULL && n > 0;
  guint rank = seg_node_input (node, 0)->desc.rank;
  /* Some exporters write the whole shape, with batch and channels. */
  if (*present && n == rank) {
    list += 2;
    n -= 2;
  }
  if (*present && (n > SEG_WINDOW_AXES || n + 2 != rank)) {
    g_set_error (
        error, SEG_ERROR, SEG_ERROR_MODEL, "attribute %s has %u entries", name, n);
    return FALSE;
  }
  for (guint i = 0; *present && i < n; i++) {
    if (list[i] < 0 || list[i] > G_MAXINT32) {
      g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL,
          "attribute %s has %" G_GINT64_FORMAT, name, list[i]);
      return FALSE;
    }
    out[i] = list[i];
  }
  return TRUE;
}

static gboolean
transpose_parse (SegNode *node, GError **error)
{
  TransposeParams *params = node->params;
  return seg_conv_groups (node, &params->groups, error)
         && seg_window_parse (&params->window, node, error);
}

static gboolean
check_inputs (const SegNode *node, const TransposeParams *params, GError **error)
{
  const SegDesc *x = &seg_node_input (node, 0)->desc;
  const SegDesc *w = &seg_node_input (node, 1)->desc;
  const SegValue *b = seg_node_input (node, 2);
  if (!seg_conv_check_operands (x, w, error))
    return FALSE;
  gint64 groups = params->groups;
  if (x->dims[1] != w->dims[0] || x->dims[1] % groups != 0 || w->dims[1] < 1
      || (b != NULL && (b->desc.rank != 1 || b->desc.dims[0] != w->dims[1] * groups))) {
    g_autofree char *xs = seg_desc_to_string (x), *ws = seg_desc_to_string (w);
    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL,
        "an input %s does not go with weights %s, the bias and %" G_GINT64_FORMAT
        " groups",
        xs, ws, groups);
    return FALSE;
  }
  return TRUE;
}

static gboolean
output_size (TransposeParams *params, guint i, gint64 in, gint64 *out, GError **error)
{
  SegWindow *w = &params->window;
  gint64 whole = w->stride[i] * (in - 1) + params->output_padding[i]
                 + (w->kernel[i] - 1) * w->dilation[i] + 1;
  gboolean same =
      w->auto_pad == SEG_AUTO_PAD_SAME_UPPER || w->auto_pad == SEG_AUTO_PAD_SAME_LOWER;
  if (params->has_output_shape || same) {
    *out = params->has_output_shape ? params->output_shape[i] : in * w->stride[i];
    gint64 total = whole - *out;
    gint64 less = total >= 0 ? total / 2 : -((-total + 1) / 2);
    w->pad_begin[i] = w->auto_pad == SEG_AUTO_PAD_SAME_UPPER ? less : total - less;
    w->pad_end[i] = total - w->pad_begin[i];
  } else {
    if (w->auto_pad == SEG_AUTO_PAD_VALID)
      w->pad_begin[i] = w->pad_end[i] = 0;
    *out = whole - w->pad_begin[i] - w->pad_end[i];
  }
  if (*out < 1) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL,
        "pads %" G_GINT64_FORMAT "+%" G_GINT64_FORMAT
        " leave nothing of %" G_GINT64_FORMAT " elements",
        w->pad_begin[i], w->pad_end[i], whole);
    return FALSE;
  }
  return TRUE;
}

static gboolean
transpose_infer (SegNode *node, GError **error)
{
  TransposeParams *params = node->params;
  gboolean has_padding;
  if (!check_inputs (node, params, error)
      || !read_axes (node, "output_padding", params->output_padding, &has_padding, error)
      || !read_axes (
          node, "output_shape", params->output_shape, &params->has_output_shape, error))
    return FALSE;
  const SegDesc *x = &seg_node_input (node, 0)->desc;
  const SegDesc *w = &seg_node_input (node, 1)->desc;
  SegDesc *y = &seg_node_output (node, 0)->desc;
  if (!seg_window_set_kernel (&params->window, x->rank - 2, w->dims + 2, error))
    return FALSE;
  y->dtype = x->dtype;
  y->rank = x->rank;
  y->dims[0] = x->dims[0];
  y->dims[1] = w->dims[1] * params->groups;
  for (guint i = 0; i < params->window.n; i++)
    if (!output_size (params, i, x->dims[2 + i], &y->dims[2 + i], error))
      return FALSE;
  return TRUE;
}

/* The input position that tap k carries to output position `at`, or -1. */
static gint64
source (const SegWindowAxis *a, gint64 at, gint64 k)
{
  gint64 v = at + a->pad - k * a->dilation;
  return v >= 0 && v % a->stride == 0 && v / a->stride < a->in ? v / a->stride : -1;
}

/* Sum of the taps of one input channel that reach output position `at`. */
static double
gather (const double *x, const double *w, const SegWindowAxis a[3], const gint64 at[3])
{
  double sum = 0;
  for (gint64 k0 = 0; k0 < a[0].kernel; k0++)
    for (gint64 k1 = 0; k1 < a[1].kernel; k1++)
      for (gint64 k2 = 0; k2 < a[2].kernel; k2++, w++) {
        gint64 i0 = source (&a[0], at[0], k0), i1 = source (&a[1], at[1], k1);
        gint64 i2 = source (&a[2], at[2], k2);
        if (i0 >= 0 && i1 >= 0 && i2 >= 0)
          sum += *w * x[(i0 * a[1].in + i1) * a[2].in + i2];
      }
  return sum;
}

static gboolean
transpose_eval (
    const SegNode *node, SegTensor *const *in, SegTensor **out, GError **error)
{
  const TransposeParams *params = node->params;
  SegWindowAxis a[SEG_WINDOW_AXES];
  seg_window_axes (&params->window, &in[0]->desc, &out[0]->desc, a);
  g_autofree double *x = seg_window_doubles (in[0]);
  g_autofree double *w = seg_window_doubles (in[1]);
  gint64 image = a[0].in * a[1].in * a[2].in,
         taps = a[0].kernel * a[1].kernel * a[2].kernel;
  gint64 group_in = in[1]->desc.dims[0] / params->groups, group_out = in[1]->desc.dims[1];
  const SegTensor *bias = node->inputs->len > 2 ? in[2] : NULL;
  gint64 first = 0; /* element of the output */
  for (gint64 n = 0; n < in[0]->desc.dims[0]; n++) {
    for (gint64 m = 0; m < group_out * params->groups; m++) {
      gint64 c0 = m / group_out * group_in;
      for (gint64 i = 0; i < a[0].out * a[1].out * a[2].out; i++) {
        gint64 at[SEG_WINDOW_AXES];
        seg_window_at (a, i, at);
        double sum = bias != NULL ? seg_tensor_get_double (bias, m) : 0;
        for (gint64 c = c0; c < c0 + group_in; c++)
          sum += gather (x + (n * group_in * params->groups + c) * image,
              w + (c * group_out + m % group_out) * taps, a, at);
        seg_tensor_set_double (out[0], first++, sum);
      }
    }
  }
  return TRUE;
}

static gboolean
transpose_on_device (const SegNode *node)
{
  const TransposeParams *params = node->params;
  return seg_node_device_types (node) && seg_window_fits_device (&params->window);
}

/* Whether each phase is better written in place than all taken apart afterwards. On a CPU a few dispatches
 * cost less than a pass over memory; on a GPU, where they wait for each other, only if the product would
 * be filled up with taps that are not there. */
static gboolean
has_few_phases (const SegConvJob *job, const SegDeviceInfo *device)
{
  gint64 phases = job->y.stride * job->x.stride;
  gboolean whole =
      job->y.kernel % job->y.stride == 0 && job->x.kernel % job->x.stride == 0;
  return phases == 1
         || (phases <= FEW_PHASES && (device->type == SEG_DEVICE_CPU || !whole));
}

static gboolean
transpose_emit (const SegNode *node, SegProgram *p, GError **error)
{
  const TransposeParams *params = node->params;
  const SegValue *bias = seg_node_input (node, 2);
  SegConvJob job;
  seg_conv_job (&job, node, &params->window, params->groups, p);
  gboolean known = job.weights != NULL && (bias == NULL || job.bias != NULL);
  const SegDeviceInfo *device = seg_program_device (p);
  gboolean few = has_few_phases (&job, device);
  if (known && seg_transpose_few_takes (&job, device))
    return seg_transpose_few_emit (&job, p, error);
  if (known && !few && seg_transpose_subpixel_takes (&job, device))
    return seg_transpose_subpixel_emit (&job, p, error);
  if (known && seg_transpose_phases_takes (&job, device))
    return seg_transpose_phases_emit (&job, p, error);
  return seg_transpose_gather_emit (&job, p, error);
}

static gboolean
transpose_fold_affine (
    SegGraph *graph, SegNode *node, const double *scale, const double *shift, guint n)
{
  const TransposeParams *params = node->params;
  const SegDesc *w = &seg_node_input (node, 1)->desc;
  gsize total = seg_desc_n_elems (w);
  SegChannelOrder order = {
    .inner = total / (w->dims[0] * w->dims[1]),
    .group_channels = w->dims[1],
    .group_elems = total / params->groups,
  };
  return seg_conv_fold_affine (graph, node, &order, scale, shift, n);
}

/* Input i goes to outputs i * stride - pad + k * dilation. */
static gboolean
transpose_align (const SegNode *node, guint axis, SegAlign *a)
{
  const TransposeParams *params = node->params;
  const SegWindow *w = &params->window;
  if (axis < 2 || axis - 2 >= w->n)
    return axis != 1;
  guint i = axis - 2;
  gint64 in = seg_node_input (node, 0)->desc.dims[axis],
         out = seg_node_output (node, 0)->desc.dims[axis];
  gint64 pad = w->pad_begin[i], reach = (w->kernel[i] - 1) * w->dilation[i];
  a->den = w->stride[i];
  a->shift = ((double) pad - (double) reach / 2.0) / (double) w->stride[i];
  a->padded = pad - reach <= -w->stride[i] || (out - 1 + pad) / w->stride[i] >= in;
  return TRUE;
}

const SegOp seg_op_conv_transpose = {
  .name = "ConvTranspose",
  .domain = "",
  .min_inputs = 2,
  .max_inputs = 3,
  .max_outputs = 1,
  .layout = SEG_OP_CHANNELS_LAST,
  .flags = SEG_OP_EPILOGUE_ACT | SEG_OP_EPILOGUE_RESIDUAL | SEG_OP_HEAVY,
  .params_size = sizeof (TransposeParams),
  .parse = transpose_parse,
  .infer = transpose_infer,
  .eval = transpose_eval,
  .on_device = transpose_on_device,
  .emit = transpose_emit,
  .by_row = seg_rows_of_first,
  .align = transpose_align,
  .fold_affine = transpose_fold_affine,
};
