/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame/modelinfo-regions.h"

#include "frame/infosource.h"

#include <string.h>

#define DEFAULT_CONTEXT 16

/* Rows of x0 y0 x1 y1, or of the picture's number and these. */
static gboolean
may_be_regions (const SegModelValue *v)
{
  return v->has_shape && v->rank == 2 && v->dtype == SEG_DTYPE_F32
         && (v->dims[1] == 4 || v->dims[1] == 5);
}

static gboolean
find_input (SegModelInfo *info, const SegModel *model, GError **error)
{
  const SegModelGraph *g = &model->graph;
  g_autofree char *name = seg_info_get (info->source, "regions-input", NULL);
  info->regions_input = -1;
  for (guint i = 0; i < g->n_inputs; i++) {
    const SegModelValue *v = &g->inputs[i];
    gboolean is = name != NULL ? strcmp (v->name, name) == 0
                               : g->n_inputs == 2 && may_be_regions (v);
    if (i == info->input || !is)
      continue;
    if (!may_be_regions (v)) {
      seg_info_refuse (info->source, "regions-input",
          "its shape must be [K,4] or [K,5], of float", error);
      return FALSE;
    }
    info->regions_input = (int) i;
    info->regions_columns = (guint) v->dims[1];
    info->n_regions = (guint) CLAMP (v->dims[0], 0, G_MAXINT);
    return TRUE;
  }
  if (name == NULL)
    return TRUE;
  seg_info_refuse (
      info->source, "regions-input", "the network has no such second input", error);
  return FALSE;
}

gboolean
seg_model_info_find_regions (SegModelInfo *info, const SegModel *model, GError **error)
{
  static const char *const units[] = { "pixels", "normalized", NULL };
  guint unit = 0;
  if (!find_input (info, model, error)
      || !seg_info_choice (info->source, "regions-units", units, &unit, NULL, error))
    return FALSE;
  info->regions_normalized = unit == 1;
  return TRUE;
}

void
seg_model_info_regions_shape (
    const SegModelInfo *info, const SegModel *model, guint n, SegInputShape *shape)
{
  const SegModelValue *v = &model->graph.inputs[info->regions_input];
  *shape = (SegInputShape){ .input = v->name, .rank = 2 };
  shape->dims[0] = info->n_regions > 0 ? info->n_regions : n;
  shape->dims[1] = info->regions_columns;
}

static gboolean
ends_in_probabilities (const SegValue *v)
{
  return v->producer != NULL
         && (strcmp (v->producer->op->name, "Softmax") == 0
             || strcmp (v->producer->op->name, "Sigmoid") == 0);
}

static gboolean
refuse_output (
    const SegModelInfo *info, const SegValue *v, const char *wanted, GError **error)
{
  g_autofree char *text = seg_desc_to_string (&v->desc);
  g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED,
      "output '%s' %s does not fit decoder %s, which takes %s", v->name, text,
      seg_decoder_name (info->decoder), wanted);
  return FALSE;
}

static gboolean
check_classes (SegModelInfo *info, const SegValue *scores, GError **error)
{
  const SegDesc *d = &scores->desc;
  gint64 n = seg_desc_n_elems (d);
  gint64 n_classes = d->rank >= 2 && d->dims[0] > 0 ? n / d->dims[0] : 0;
  gboolean vector = d->rank == 2 || (d->rank > 2 && d->dims[1] == n_classes);
  if (!vector || n_classes < 1 || n_classes > SEG_INFO_MAX_LABELS
      || !seg_dtype_is_float (d->dtype))
    return refuse_output (info, scores, "scores [N,C] of float", error);
  info->n_classes = (guint) n_classes;
  return TRUE;
}

static gboolean
check_boxes (const SegModelInfo *info, const SegValue *scores, const SegValue *boxes,
    GError **error)
{
  const SegDesc *s = &scores->desc, *b = &boxes->desc;
  if (info->n_outputs == 2 && s->rank == 2 && b->rank == 2 && s->dims[0] == b->dims[0]
      && seg_dtype_is_float (b->dtype)
      && (b->dims[1] == 4 || b->dims[1] == 4 * s->dims[1]))
    return TRUE;
  return refuse_output (
      info, boxes, "scores [K,C], then boxes [K,4] or [K,4C], of float", error);
}

gboolean
seg_model_info_resolve_regions (SegModelInfo *info, const SegGraph *graph, GError **error)
{
  static const char *const scorings[] = { "softmax", "sigmoid", "none", NULL };
  const SegValue *scores = graph->outputs->pdata[info->outputs[0]];
  gboolean fast = info->decoder == SEG_DECODER_FAST_RCNN;
  guint scoring = ends_in_probabilities (scores) ? SEG_SCORING_NONE : SEG_SCORING_SOFTMAX;
  double context = DEFAULT_CONTEXT;
  const double weights[4] = { 10, 10, 5, 5 };
  memcpy (info->box_weights, weights, sizeof weights);
  if (!seg_info_choice (info->source, "scores", scorings, &scoring, NULL, error)
      || !seg_info_number (info->source, "region-context", 0, 1024, &context, NULL, error)
      || !seg_info_numbers (
          info->source, "box-weights", 4, 1e-3, 1e3, info->box_weights, NULL, error))
    return FALSE;
  info->scoring = scoring;
  info->region_context = (guint) context;
  if (fast && info->regions_input < 0) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED,
        "decoder fast-rcnn is for networks with an input of regions [K,4] or [K,5]; "
        "regions-input names it");
    return FALSE;
  }
  if (info->boxes_deltas ? !fast : fast && !info->boxes_xyxy) {
    seg_info_refuse (info->source, "box-format",
        "deltas and xyxy are for decoder fast-rcnn, cxcywh and xyxy for others", error);
    return FALSE;
  }
  if (fast || info->decoder == SEG_DECODER_CLASSIFY)
    if (!check_classes (info, scores, error))
      return FALSE;
  return !fast
         || check_boxes (info, scores, graph->outputs->pdata[info->outputs[1]], error);
}
