/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame/regions-priv.h"

#include <math.h>
#include <string.h>

/* exp of more would make boxes larger than anything: log (1000 / 16), as Detectron has it. */
#define MAX_LOG_SIZE 4.135

/* The whole frame is the network's picture. */
static gboolean
place_frame (SegRegions *r, GError **error)
{
  SegGeometry *g = &r->geometries[0];
  seg_geometry_init (
      g, r->fit, r->frame_width, r->frame_height, r->info->width, r->info->height);
  return seg_region_net_place (r->net, 0, g, error);
}

/* x0 y0 x1 y1 in pixels of the input. A region with nothing in the frame, or in what the network sees
 * of it, is a pixel in the corner, and its row does not count. */
static gboolean
to_input (const SegRegions *r, const SegRoi *roi, float box[4])
{
  static const float corner[4] = { 0.0f, 0.0f, 1.0f, 1.0f };
  const SegGeometry *g = &r->geometries[0];
  SegRoi c = *roi;
  memcpy (box, corner, sizeof corner);
  if (!seg_roi_clip (&c, r->frame_width, r->frame_height))
    return FALSE;
  float net[4];
  for (guint i = 0; i < 4; i++) {
    gboolean y = i % 2;
    double at = y ? c.y + (i > 1 ? c.height : 0.0f) : c.x + (i > 1 ? c.width : 0.0f);
    at = at * (y ? g->scale_y : g->scale_x) + (y ? g->shift_y : g->shift_x);
    net[i] = (float) CLAMP (at, 0.0, y ? g->net_height : g->net_width);
  }
  if (net[2] <= net[0] || net[3] <= net[1])
    return FALSE;
  memcpy (box, net, sizeof net);
  return TRUE;
}

static void
write_row (const SegRegions *r, const float box[4], float *row)
{
  const SegModelInfo *info = r->info;
  if (info->regions_columns == 5)
    *row++ = 0.0f;
  for (guint i = 0; i < 4; i++)
    row[i] = !info->regions_normalized ? box[i]
             : i % 2                   ? box[i] / (float) info->height
                                       : box[i] / (float) info->width;
}

/* R-CNN's parametrisation: the middle moves by parts of the region's size, sizes by factors. */
static void
apply_deltas (
    const SegModelInfo *info, const float region[4], const float *d, float box[4])
{
  const double *weights = info->box_weights;
  for (guint axis = 0; axis < 2; axis++) {
    double size = region[axis + 2] - region[axis];
    double middle = region[axis] + size / 2.0 + d[axis] / weights[axis] * size;
    double log_size = MIN (d[axis + 2] / weights[axis + 2], MAX_LOG_SIZE);
    double half = size * exp (log_size) / 2.0;
    box[axis] = (float) (middle - half);
    box[axis + 2] = (float) (middle + half);
  }
}

static void
make_box (
    const SegModelInfo *info, const float region[4], const float *values, float box[4])
{
  if (info->boxes_deltas) {
    apply_deltas (info, region, values, box);
    return;
  }
  for (guint i = 0; i < 4; i++)
    box[i] = values[i]
             * (float) (!info->boxes_normalized ? 1
                        : i % 2                 ? info->height
                                                : info->width);
}

/* The boxes of all classes of one region; how many. */
static guint
add_candidates (SegRegions *r, guint region, const float box[4], guint n)
{
  const SegModelInfo *info = r->info;
  const SegRegionOutput *scores = seg_region_net_output (r->net, 0),
                        *boxes = seg_region_net_output (r->net, 1);
  guint n_classes = info->n_classes, columns = (guint) boxes->desc.dims[1];
  const float *values = boxes->data + (gsize) region * columns;
  seg_region_scores (info->scoring, scores->data + (gsize) region * n_classes, n_classes,
      r->probabilities);
  for (guint c = 0; c < n_classes; c++) {
    if ((int) c == info->background)
      continue;
    SegCandidate *candidate = &r->candidates[n++];
    candidate->class_id = c;
    candidate->score = r->probabilities[c];
    candidate->number = region * n_classes + c;
    make_box (info, box, columns > 4 ? values + 4 * c : values, candidate->box);
  }
  return n;
}

static gboolean
outputs_fit (const SegRegions *r, guint n_rows, GError **error)
{
  for (guint i = 0; i < 2; i++) {
    const SegDesc *d = &seg_region_net_output (r->net, i)->desc;
    gboolean fits = d->rank == 2 && d->dims[0] >= n_rows
                    && (i == 0 ? d->dims[1] == r->info->n_classes
                               : d->dims[1] == 4 || d->dims[1] == 4 * r->info->n_classes);
    if (fits)
      continue;
    g_set_error (
        error, SEG_ERROR, SEG_ERROR_MODEL, "the network's outputs changed their size");
    return FALSE;
  }
  return TRUE;
}

static void
add_results (SegRegions *r, guint n)
{
  for (guint i = 0; i < n; i++) {
    const SegCandidate *c = &r->candidates[i];
    SegRegionResult result = { .region = c->number / r->info->n_classes };
    result.instance =
        (SegInstance){ .class_id = c->class_id, .score = MIN (c->score, 1) };
    if (seg_box_to_frame (&r->geometries[0], c->box, &result.instance))
      g_array_append_val (r->results, result);
  }
}

gboolean
seg_regions_run_fast (SegRegions *r, const SegRoi *rois, guint n,
    const SegInstanceLimits *limits, GError **error)
{
  guint n_rows, n_columns, n_candidates = 0, n_good = 0;
  float *rows = seg_region_net_regions (r->net, &n_rows, &n_columns), box[4];
  n = MIN (n, n_rows);
  if (!place_frame (r, error))
    return FALSE;
  for (guint i = 0; i < n_rows; i++) {
    static const SegRoi none;
    n_good += to_input (r, i < n ? &rois[i] : &none, box);
    write_row (r, box, rows + (gsize) i * n_columns);
  }
  if (n_good == 0)
    return TRUE;
  if (!seg_region_net_run (r->net, TRUE, error) || !outputs_fit (r, n, error))
    return FALSE;
  for (guint i = 0; i < n; i++)
    if (to_input (r, &rois[i], box))
      n_candidates = add_candidates (r, i, box, n_candidates);
  add_results (
      r, seg_candidates_select (r->candidates, n_candidates, limits, &r->geometries[0]));
  return TRUE;
}
