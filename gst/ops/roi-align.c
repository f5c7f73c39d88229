/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* RoiAlign: He et al., "Mask R-CNN", 2017. MMCVRoiAlign is the same as mmdetection exports it: of
 * regions [n,5], a picture's number and a box each. */
#include "ops/roi.h"
#include "ops/rows.h"

#include "ops/ops.h"
#include "shaders.h"

#include <math.h>
#include <string.h>

enum { ONNX, MMCV };

/* Columns of the regions. */
static guint
columns_of (const SegNode *node)
{
  return node->op->variant == MMCV ? 5 : 4;
}

static const char *
coordinates_of (const SegNode *node)
{
  if (node->op->variant == MMCV)
    return seg_node_attr_int (node, "aligned", 1) ? "half_pixel" : "output_half_pixel";
  return seg_node_attr_string (node, "coordinate_transformation_mode",
      node->opset >= 16 ? "half_pixel" : "output_half_pixel");
}

static gboolean
roi_align_parse (SegNode *node, GError **error)
{
  SegRoiAlign *p = node->params;
  const char *mode = seg_node_attr_string (node, "mode", "avg");
  const char *coordinates = coordinates_of (node);
  p->out_height = seg_node_attr_int (node, "output_height", 1);
  p->out_width = seg_node_attr_int (node, "output_width", 1);
  p->sampling_ratio = seg_node_attr_int (node, "sampling_ratio", 0);
  p->scale = seg_node_attr_float (node, "spatial_scale", 1);
  p->is_max = strcmp (mode, "max") == 0;
  p->half_pixel = strcmp (coordinates, "half_pixel") == 0;
  if ((!p->is_max && strcmp (mode, "avg") != 0)
      || (p->is_max && node->op->variant == MMCV) /* of what it interpolates */
      || (!p->half_pixel && strcmp (coordinates, "output_half_pixel") != 0)) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED,
        "mode '%s' with coordinates '%s' is not supported", mode, coordinates);
    return FALSE;
  }
  if (p->out_height < 1 || p->out_width < 1 || p->out_height > SEG_ROI_MAX_CELLS
      || p->out_width > SEG_ROI_MAX_CELLS || p->sampling_ratio < 0
      || p->sampling_ratio > SEG_ROI_MAX_SAMPLES) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL,
        "an output of %" G_GINT64_FORMAT " x %" G_GINT64_FORMAT
        " with sampling ratio %" G_GINT64_FORMAT,
        p->out_width, p->out_height, p->sampling_ratio);
    return FALSE;
  }
  return TRUE;
}

static gboolean
are_pictures (const SegDesc *batch, gint64 n)
{
  return batch->rank == 1 && batch->dims[0] == n && !seg_dtype_is_float (batch->dtype);
}

static gboolean
roi_align_infer (SegNode *node, GError **error)
{
  const SegRoiAlign *p = node->params;
  const SegDesc *in = &seg_node_input (node, 0)->desc;
  const SegDesc *rois = &seg_node_input (node, 1)->desc;
  const SegValue *batch = seg_node_input (node, 2);
  if (in->rank != 4 || in->dims[2] < 1 || in->dims[3] < 1 || rois->rank != 2
      || rois->dims[1] != columns_of (node)
      || (batch != NULL && !are_pictures (&batch->desc, rois->dims[0]))
      || !seg_dtype_is_float (in->dtype) || !seg_dtype_is_float (rois->dtype)) {
    g_autofree char *a = seg_desc_to_string (in), *b = seg_desc_to_string (rois);
    g_autofree char *c = batch != NULL ? seg_desc_to_string (&batch->desc) : NULL;
    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL,
        "%s, %s%s%s are not feature maps, regions [n,%u]%s", a, b,
        c != NULL ? " and " : "", c != NULL ? c : "", columns_of (node),
        c != NULL ? " and their pictures [n]" : "");
    return FALSE;
  }
  seg_node_output (node, 0)->desc = (SegDesc){ in->dtype, 4,
    { rois->dims[0], in->dims[1], p->out_height, p->out_width } };
  return TRUE;
}

/* --- on the host --- */

/* Bilinear weights of one sample. */
typedef struct {
  gint64 at[4]; /* within a channel's plane */
  double weight[4];
} Sample;

static Sample
sample_at (double y, double x, gint64 height, gint64 width)
{
  Sample s = { { 0 }, { 0 } };
  if (!(y >= -1 && y <= height && x >= -1 && x <= width))
    return s;
  y = fmax (y, 0);
  x = fmax (x, 0);
  gint64 y0 = (gint64) y, x0 = (gint64) x;
  gint64 y1 = MIN (y0 + 1, height - 1), x1 = MIN (x0 + 1, width - 1);
  if (y0 >= height - 1)
    y = y0 = height - 1;
  if (x0 >= width - 1)
    x = x0 = width - 1;
  double fy = y - y0, fx = x - x0;
  return (Sample){ { y0 * width + x0, y0 * width + x1, y1 * width + x0, y1 * width + x1 },
    { (1 - fy) * (1 - fx), (1 - fy) * fx, fy * (1 - fx), fy * fx } };
}

/* A region on the feature map, divided into cells with samples in each. */
typedef struct {
  double left, top, cell_width, cell_height;
  gint64 n_x, n_y;
} Region;

static gboolean
make_region (const SegRoiAlign *p, const SegTensor *rois, gsize at, Region *r)
{
  double shift = p->half_pixel ? 0.5 : 0, v[4];
  for (guint k = 0; k < 4; k++) {
    v[k] = seg_tensor_get_double (rois, at + k) * p->scale - shift;
    if (!(fabs (v[k]) < 1e9))
      return FALSE;
  }
  double width = v[2] - v[0], height = v[3] - v[1];
  if (!p->half_pixel) {
    width = fmax (width, 1);
    height = fmax (height, 1);
  }
  *r = (Region){ v[0], v[1], width / p->out_width, height / p->out_height,
    p->sampling_ratio, p->sampling_ratio };
  if (p->sampling_ratio == 0) {
    r->n_x = (gint64) CLAMP (ceil (r->cell_width), 0, SEG_ROI_MAX_SAMPLES);
    r->n_y = (gint64) CLAMP (ceil (r->cell_height), 0, SEG_ROI_MAX_SAMPLES);
  }
  return TRUE;
}

/* The samples of a cell, newly made for all its channels. */
static void
cell_samples (const Region *r, gint64 y, gint64 x, gint64 height, gint64 width, Sample *s)
{
  for (gint64 j = 0; j < r->n_y; j++)
    for (gint64 i = 0; i < r->n_x; i++)
      *s++ = sample_at (r->top + (y + (j + 0.5) / r->n_y) * r->cell_height,
          r->left + (x + (i + 0.5) / r->n_x) * r->cell_width, height, width);
}

static double
reduce_samples (
    gboolean is_max, const SegTensor *in, gsize plane, const Sample *samples, gint64 n)
{
  double result = is_max && n > 0 ? -INFINITY : 0;
  for (gint64 k = 0; k < n; k++) {
    for (guint c = 0; c < 4; c++) {
      double v =
          samples[k].weight[c] * seg_tensor_get_double (in, plane + samples[k].at[c]);
      result = is_max ? fmax (result, v) : result + v / n;
    }
  }
  return result;
}

static void
eval_region (const SegRoiAlign *p, const SegTensor *in, gint64 picture, const Region *r,
    Sample *samples, SegTensor *out, gsize at)
{
  const gint64 *d = in->desc.dims;
  gsize cells = p->out_height * p->out_width;
  for (gint64 y = 0; y < p->out_height; y++) {
    for (gint64 x = 0; x < p->out_width; x++) {
      cell_samples (r, y, x, d[2], d[3], samples);
      for (gint64 c = 0; c < d[1]; c++)
        seg_tensor_set_double (out, at + c * cells + y * p->out_width + x,
            reduce_samples (p->is_max, in, (picture * d[1] + c) * d[2] * d[3], samples,
                r->n_x * r->n_y));
    }
  }
}

static gboolean
roi_align_eval (
    const SegNode *node, SegTensor *const *in, SegTensor **out, GError **error)
{
  const SegRoiAlign *p = node->params;
  const SegDesc *d = &in[0]->desc;
  gsize size = d->dims[1] * p->out_height * p->out_width, columns = columns_of (node);
  g_autofree Sample *samples =
      g_try_new (Sample, SEG_ROI_MAX_SAMPLES * SEG_ROI_MAX_SAMPLES);
  if (samples == NULL) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_MEMORY, "not enough memory");
    return FALSE;
  }
  for (gint64 i = 0; i < in[1]->desc.dims[0]; i++) {
    gint64 picture = columns == 4 ? seg_tensor_get_int (in[2], i)
                                  : seg_tensor_get_int (in[1], i * columns);
    Region r;
    if (picture < 0 || picture >= d->dims[0]) {
      g_set_error (error, SEG_ERROR, SEG_ERROR_INPUT,
          "region %" G_GINT64_FORMAT " is of picture %" G_GINT64_FORMAT
          "; there are %" G_GINT64_FORMAT,
          i, picture, d->dims[0]);
      return FALSE;
    }
    if (size > 0 && make_region (p, in[1], i * columns + columns - 4, &r))
      eval_region (p, in[0], picture, &r, samples, out[0], i * size);
  }
  return TRUE;
}

/* --- on the device --- */

static guint
roi_align_by_row (const SegNode *node)
{
  if (node->op->variant == MMCV)
    return seg_node_input (node, 0)->size == SEG_SIZE_FIXED ? 2 : 0;
  gboolean live = seg_node_input (node, 0)->size == SEG_SIZE_FIXED
                  && seg_node_input (node, 1)->size == SEG_SIZE_BOUNDED
                  && seg_node_input (node, 2)->size == SEG_SIZE_BOUNDED;
  return live ? 6 : 0;
}

static gboolean
roi_align_emit (const SegNode *node, SegProgram *p, GError **error)
{
  const SegRoiAlign *params = node->params;
  const SegValue *x = seg_node_input (node, 0), *y = seg_node_output (node, 0);
  const SegValue *pictures = seg_node_input (node, 2);
  gint32 none = 0;
  const gint64 *d = y->desc.dims, *in_dims = x->desc.dims;
  SegView in = seg_view (x), out = seg_view (y);
  guint32 channels = d[1], c4 = (channels + 7) / 8 * 2, scale;
  guint64 items = (guint64) d[0] * d[2] * d[3] * c4;
  if (items > G_MAXINT32) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_MEMORY, "there are too many regions");
    return FALSE;
  }
  memcpy (&scale, &params->scale, sizeof scale);
  gboolean half = seg_program_storage (p, y) == SEG_STORAGE_F16;
  SegRows rows = seg_program_rows (p, y);
  guint32 n = (items + 63) / 64, columns = MIN (n, 32768);
  SegDispatch dispatch = {
    .shader = half ? &seg_shader_roi_align_f16 : &seg_shader_roi_align_f32,
    .spec = { params->is_max, params->half_pixel, params->sampling_ratio,
        SEG_ROI_MAX_SAMPLES, columns_of (node), seg_rows_items (&rows, items) },
    .n_spec = 6,
    .bindings = { { seg_program_value (p, x), SEG_BIND_TEXEL },
        { seg_program_value (p, seg_node_input (node, 1)), SEG_BIND_TEXEL },
        { pictures != NULL ? seg_program_value (p, pictures)
                           : seg_program_ints (p, &none, 1),
            SEG_BIND_TEXEL },
        { seg_program_value (p, y), SEG_BIND_BUFFER_WRITE },
        { rows.ref, SEG_BIND_TEXEL } },
    .n_bindings = 5,
    .push = { in_dims[3], in_dims[2], d[3], d[2], in.pitch / 4, in.offset / 4,
        out.pitch / 4, out.offset / 4, channels, c4, items, in_dims[0], scale },
    .n_push = 13,
    .groups = { columns, (n + columns - 1) / columns, 1 },
    .live = seg_live_times (seg_program_live (p, y, items), 1, 64),
  };
  return seg_program_dispatch (p, &dispatch, error);
}

#define ROI_ALIGN(NAME, DOMAIN, VARIANT, N_INPUTS)                                       \
  {                                                                                      \
    .name = NAME, .domain = DOMAIN, .min_inputs = N_INPUTS, .max_inputs = N_INPUTS,      \
    .max_outputs = 1, .layout = SEG_OP_CHANNELS_LAST, .decides = SEG_OP_ALL_BUT_FIRST,   \
    .flags = SEG_OP_HEAVY, .variant = VARIANT, .params_size = sizeof (SegRoiAlign),      \
    .parse = roi_align_parse, .infer = roi_align_infer, .eval = roi_align_eval,          \
    .emit = roi_align_emit, .by_row = roi_align_by_row                                   \
  }

const SegOp seg_op_roi_align = ROI_ALIGN ("RoiAlign", "", ONNX, 3);
const SegOp seg_op_mmcv_roi_align = ROI_ALIGN ("MMCVRoiAlign", "mmcv", MMCV, 2);
const SegOp seg_op_mmdeploy_roi_align = ROI_ALIGN ("MMCVRoiAlign", "mmdeploy", MMCV, 2);
