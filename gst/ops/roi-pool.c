/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* MaxRoiPool: Girshick, "Fast R-CNN", 2015. A region is [picture, x1, y1, x2, y2], both ends
 * included; an empty cell gives 0. */
#include "ops/ops.h"
#include "ops/roi.h"

#include <math.h>

typedef struct {
  gint64 out_height, out_width;
  float scale;
} Params;

static gboolean
roi_pool_infer (SegNode *node, GError **error)
{
  Params *p = node->params;
  const SegDesc *in = &seg_node_input (node, 0)->desc;
  const SegDesc *rois = &seg_node_input (node, 1)->desc;
  guint n;
  const gint64 *shape = seg_node_attr_ints (node, "pooled_shape", &n);
  p->scale = seg_node_attr_float (node, "spatial_scale", 1);
  if (in->rank != 4 || rois->rank != 2 || rois->dims[1] != 5
      || !seg_dtype_is_float (in->dtype) || !seg_dtype_is_float (rois->dtype)) {
    g_autofree char *a = seg_desc_to_string (in), *b = seg_desc_to_string (rois);
    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL,
        "%s and %s are not feature maps and regions [n,5]", a, b);
    return FALSE;
  }
  if (n != 2 || MIN (shape[0], shape[1]) < 1
      || MAX (shape[0], shape[1]) > SEG_ROI_MAX_CELLS) {
    g_set_error (
        error, SEG_ERROR, SEG_ERROR_MODEL, "pooled_shape is not a height and a width");
    return FALSE;
  }
  p->out_height = shape[0];
  p->out_width = shape[1];
  seg_node_output (node, 0)->desc =
      (SegDesc){ in->dtype, 4, { rois->dims[0], in->dims[1], shape[0], shape[1] } };
  return TRUE;
}

/* The pixels [first, end) of cell i of n along one axis, clamped to the map. */
static void
cell_range (double start, double size, gint64 i, gint64 n, gint64 extent, gint64 *first,
    gint64 *end)
{
  double cell = size / n;
  *first = (gint64) CLAMP (floor (i * cell) + start, 0, extent);
  *end = (gint64) CLAMP (ceil ((i + 1) * cell) + start, 0, extent);
}

typedef struct {
  gint64 picture;
  double left, top, width, height;
} Region;

static void
eval_region (
    const Params *p, const SegTensor *in, const Region *r, SegTensor *out, gsize at)
{
  const gint64 *d = in->desc.dims;
  for (gint64 c = 0; c < d[1]; c++) {
    gsize plane = (r->picture * d[1] + c) * d[2] * d[3];
    for (gint64 i = 0; i < p->out_height * p->out_width; i++, at++) {
      gint64 y, y_end, x, x_end;
      double best = -INFINITY;
      cell_range (r->top, r->height, i / p->out_width, p->out_height, d[2], &y, &y_end);
      cell_range (r->left, r->width, i % p->out_width, p->out_width, d[3], &x, &x_end);
      gboolean empty = y >= y_end || x >= x_end;
      for (; y < y_end; y++)
        for (gint64 k = x; k < x_end; k++)
          best = fmax (best, seg_tensor_get_double (in, plane + y * d[3] + k));
      seg_tensor_set_double (out, at, empty ? 0 : best);
    }
  }
}

static gboolean
roi_pool_eval (const SegNode *node, SegTensor *const *in, SegTensor **out, GError **error)
{
  const Params *p = node->params;
  const gint64 *d = in[0]->desc.dims;
  gsize size = d[1] * p->out_height * p->out_width;
  for (gint64 i = 0; i < in[1]->desc.dims[0]; i++) {
    double v[5];
    gboolean finite = TRUE;
    for (guint k = 0; k < 5; k++) {
      v[k] = seg_tensor_get_double (in[1], i * 5 + k);
      if (k > 0)
        v[k] = round (v[k] * p->scale);
      finite &= fabs (v[k]) < 1e9;
    }
    if (!(v[0] >= 0 && v[0] < d[0])) {
      g_set_error (error, SEG_ERROR, SEG_ERROR_INPUT,
          "region %" G_GINT64_FORMAT " is of picture %g; there are %" G_GINT64_FORMAT, i,
          v[0], d[0]);
      return FALSE;
    }
    Region r = { (gint64) v[0], v[1], v[2], fmax (v[3] - v[1] + 1, 1),
      fmax (v[4] - v[2] + 1, 1) };
    if (finite)
      eval_region (p, in[0], &r, out[0], i * size);
  }
  return TRUE;
}

const SegOp seg_op_max_roi_pool = {
  .name = "MaxRoiPool",
  .domain = "",
  .min_inputs = 2,
  .max_inputs = 2,
  .max_outputs = 1,
  .decides = 2,
  .params_size = sizeof (Params),
  .infer = roi_pool_infer,
  .eval = roi_pool_eval,
};
