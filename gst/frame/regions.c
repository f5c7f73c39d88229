/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame/regions-priv.h"

#include <math.h>
#include <string.h>

/* --- warping ----------------------------------------------------------------------------------- */

gboolean
seg_roi_clip (SegRoi *roi, guint frame_width, guint frame_height)
{
  if (!isfinite (roi->x) || !isfinite (roi->y) || isnan (roi->width)
      || isnan (roi->height))
    return FALSE;
  float x0 = MAX (roi->x, 0.0f), x1 = MIN (roi->x + roi->width, (float) frame_width);
  float y0 = MAX (roi->y, 0.0f), y1 = MIN (roi->y + roi->height, (float) frame_height);
  *roi = (SegRoi){ x0, y0, x1 - x0, y1 - y0 };
  return roi->width > 0.0f && roi->height > 0.0f;
}

/* Pixels of the input whose middle lies in the frame. */
static void
inside (guint net, guint frame, double scale, double shift, guint *n0, guint *n1)
{
  *n0 = (guint) CLAMP (ceil (shift - 0.5), 0.0, net);
  *n1 = (guint) CLAMP (ceil (frame * scale + shift - 0.5), *n0, net);
}

gboolean
seg_region_warp (SegGeometry *g, SegFit fit, guint frame_width, guint frame_height,
    guint net_width, guint net_height, guint context_px, const SegRoi *roi)
{
  SegRoi r = *roi;
  if (!seg_roi_clip (&r, frame_width, frame_height))
    return FALSE;
  /* Less than a pixel is not worth enlarging, and numbers stay finite. */
  double sx = (net_width - 2.0 * context_px) / MAX (r.width, 1.0f),
         sy = (net_height - 2.0 * context_px) / MAX (r.height, 1.0f);
  if (fit != SEG_FIT_STRETCH)
    sx = sy = fit == SEG_FIT_CROP ? MAX (sx, sy) : MIN (sx, sy);
  seg_geometry_init (
      g, SEG_FIT_STRETCH, frame_width, frame_height, net_width, net_height);
  g->scale_x = sx;
  g->scale_y = sy;
  g->shift_x = net_width / 2.0 - (r.x + r.width / 2.0) * sx;
  g->shift_y = net_height / 2.0 - (r.y + r.height / 2.0) * sy;
  inside (net_width, frame_width, sx, g->shift_x, &g->net_x0, &g->net_x1);
  inside (net_height, frame_height, sy, g->shift_y, &g->net_y0, &g->net_y1);
  return TRUE;
}

/* --- the object -------------------------------------------------------------------------------- */

static gboolean
is_map (const SegModelInfo *info)
{
  return info->decoder <= SEG_DECODER_MATTE;
}

/* What a network says of a batch is read picture by picture. */
static gboolean
check_batch (const SegValue *picture, const SegValue *output, GError **error)
{
  gint64 n = picture->desc.dims[0];
  if (output->desc.rank > 0 && output->desc.dims[0] == n)
    return TRUE;
  g_autofree char *text = seg_desc_to_string (&output->desc);
  g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED,
      "output '%s' %s does not have a result for each of the %" G_GINT64_FORMAT
      " pictures of the input, which regions need: its first axis has to be the batch",
      output->name, text, n);
  return FALSE;
}

gboolean
seg_regions_check (SegSession *session, const SegModelInfo *info, GError **error)
{
  const SegGraph *graph = seg_session_graph (session);
  guint axis, n_inputs = info->regions_input >= 0 ? 2 : 1;
  gboolean fast = info->decoder == SEG_DECODER_FAST_RCNN;
  if (graph->inputs->len != n_inputs) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED,
        "the network has %u inputs: a picture, and a list of regions [K,4] or [K,5], are "
        "supported",
        graph->inputs->len);
    return FALSE;
  }
  if (fast != (n_inputs == 2)
      || (!fast && !is_map (info) && info->decoder != SEG_DECODER_CLASSIFY)) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED,
        "decoder %s cannot look at regions: classify, argmax, index, softmax, sigmoid "
        "and matte can, and fast-rcnn with an input of regions",
        seg_decoder_name (info->decoder));
    return FALSE;
  }
  const SegValue *input = graph->inputs->pdata[info->input];
  return seg_image_axes (&input->desc, &axis, error)
         && (fast || check_batch (input, graph->outputs->pdata[info->outputs[0]], error));
}

/* At least half of the input is the region itself. */
static gboolean
check_context (const SegRegions *r, GError **error)
{
  guint side = MIN (r->info->width, r->info->height);
  if (r->info->regions_input >= 0 || 4 * r->context_px <= side)
    return TRUE;
  g_set_error (error, SEG_ERROR, SEG_ERROR_INPUT,
      "a context of %u pixels on each side is too much for an input of %ux%u: set "
      "roi-context to %u or less",
      r->context_px, r->info->width, r->info->height, side / 4);
  return FALSE;
}

static gboolean
allocate (SegRegions *r, GError **error)
{
  guint n_rows, n_columns, batch = seg_region_net_batch (r->net);
  r->geometries = g_new0 (SegGeometry, batch);
  r->lanes = g_new0 (guint, batch);
  r->probabilities = g_new0 (float, MAX (r->info->n_classes, 1));
  if (seg_region_net_regions (r->net, &n_rows, &n_columns) == NULL)
    return TRUE;
  gsize n = (gsize) n_rows * r->info->n_classes;
  r->candidates = n <= G_MAXINT ? g_try_new0 (SegCandidate, n) : NULL;
  if (r->candidates == NULL)
    g_set_error (error, SEG_ERROR, SEG_ERROR_MEMORY,
        "no memory for the boxes of %u regions and %u classes", n_rows,
        r->info->n_classes);
  return r->candidates != NULL;
}

static gboolean
ends_in_softmax (SegSession *session, const SegModelInfo *info)
{
  const SegValue *v = seg_session_graph (session)->outputs->pdata[info->outputs[0]];
  return v->producer != NULL && strcmp (v->producer->op->name, "Softmax") == 0;
}

SegRegions *
seg_regions_new (SegVk *vk, SegSession *session, const SegModelInfo *info,
    const SegRegionsConfig *config, GError **error)
{
  SegRegions *r = g_new0 (SegRegions, 1);
  r->info = info;
  r->frame_width = config->frame.width;
  r->frame_height = config->frame.height;
  r->context_px =
      config->context_px < 0 ? info->region_context : (guint) config->context_px;
  r->fit = config->override_fit ? config->fit : info->fit;
  r->results = g_array_new (FALSE, FALSE, sizeof (SegRegionResult));
  r->masks = g_byte_array_new ();
  if (!seg_regions_check (session, info, error) || !check_context (r, error)) {
    seg_regions_free (&r);
    return NULL;
  }
  r->ends_in_softmax = ends_in_softmax (session, info);
  r->net = seg_region_net_new (vk, session, info, &config->frame, error);
  if (r->net == NULL || !allocate (r, error))
    seg_regions_free (&r);
  return r;
}

void
seg_regions_free (SegRegions **pregions)
{
  SegRegions *r = *pregions;
  *pregions = NULL;
  if (r == NULL)
    return;
  seg_region_net_free (&r->net);
  g_free (r->geometries);
  g_free (r->lanes);
  g_free (r->probabilities);
  g_free (r->candidates);
  g_array_unref (r->results);
  g_byte_array_unref (r->masks);
  g_free (r);
}

guint
seg_regions_max (const SegRegions *r)
{
  guint n_rows, n_columns;
  return seg_region_net_regions (r->net, &n_rows, &n_columns) != NULL ? n_rows
                                                                      : G_MAXUINT;
}

const SegFrame *
seg_regions_input (const SegRegions *r, guint8 **data)
{
  return seg_region_net_input (r->net, data);
}

const SegRegionResult *
seg_regions_results (const SegRegions *r, guint *n, const guint8 **masks, gsize *n_bytes)
{
  *n_bytes = r->masks->len;
  *n = r->results->len;
  *masks = r->masks->data;
  return (const SegRegionResult *) (gpointer) r->results->data;
}

/* --- R-CNN ------------------------------------------------------------------------------------- */

/* Puts regions from *next on into the batch; the number of pictures. */
static gboolean
fill_batch (SegRegions *r, const SegRoi *rois, guint n, guint *next, guint *n_lanes,
    GError **error)
{
  guint batch = seg_region_net_batch (r->net);
  *n_lanes = 0;
  for (; *next < n && *n_lanes < batch; (*next)++) {
    SegGeometry *g = &r->geometries[*n_lanes];
    if (!seg_region_warp (g, r->fit, r->frame_width, r->frame_height, r->info->width,
            r->info->height, r->context_px, &rois[*next]))
      continue;
    if (!seg_region_net_place (r->net, *n_lanes, g, error))
      return FALSE;
    r->lanes[(*n_lanes)++] = *next;
  }
  return TRUE;
}

gboolean
seg_regions_run (SegRegions *r, const SegRoi *rois, guint n,
    const SegInstanceLimits *limits, GError **error)
{
  guint next = 0, n_lanes;
  gboolean first = TRUE;
  g_array_set_size (r->results, 0);
  g_byte_array_set_size (r->masks, 0);
  if (r->info->regions_input >= 0)
    return seg_regions_run_fast (r, rois, n, limits, error);
  while (next < n) {
    if (!fill_batch (r, rois, n, &next, &n_lanes, error))
      return FALSE;
    if (n_lanes == 0)
      return TRUE;
    if (!seg_region_net_run (r->net, first, error))
      return FALSE;
    first = FALSE;
    for (guint lane = 0; lane < n_lanes; lane++)
      seg_region_decode (r, lane, &rois[r->lanes[lane]], limits);
  }
  return TRUE;
}
