/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame/placement.h"

#include "graph/reach.h"

#include <math.h>

/* Of networks that nothing is known about. */
#define USUAL_PERIOD 32

void
seg_placement_axes (const SegGraph *graph, const SegModelInfo *info, guint *height_axis,
    guint *width_axis)
{
  const SegValue *output = graph->outputs->pdata[info->outputs[0]];
  *height_axis =
      info->class_axis == 1 || (info->class_axis < 0 && output->desc.rank == 4) ? 2 : 1;
  *width_axis = *height_axis + 1;
}

/* Outputs of padded networks are meant to cover the whole input, wherever strides put the middle of
 * their first pixel: so they are trained. But what is cut off of one is missing. */
static gboolean
is_cut (const SegReach *r)
{
  double least = MAX (1.0, (double) r->num / (double) r->den);
  return r->margin >= least && r->margin_end >= least;
}

typedef struct {
  SegCover cover;
  guint period, missing;
  gboolean padded, global, aligned;
} Side;

static Side
find_side (const SegGraph *graph, const SegModelInfo *info, guint axis, guint out_axis,
    guint net)
{
  const SegValue *output = graph->outputs->pdata[info->outputs[0]];
  guint grid = (guint) MAX (output->desc.dims[out_axis], 1);
  Side s = { seg_cover_whole (net, grid), USUAL_PERIOD, 0, TRUE, FALSE, FALSE };
  SegReach r;
  seg_graph_reach (graph, info->input, axis, info->outputs[0], &r);
  s.aligned = net % grid == 0;
  if (!r.known || r.axis != out_axis)
    return s;
  double jump = (double) r.num / (double) r.den;
  s.period = (guint) r.period;
  s.padded = r.padded;
  s.global = r.global;
  s.missing = r.padded ? 0 : (guint) r.missing;
  s.aligned = TRUE;
  if (r.padded ? is_cut (&r) : r.margin >= 0.0)
    s.cover = (SegCover){ net, grid, r.margin, jump };
  else if (fabs (s.cover.jump - jump) > 1e-9)
    s.aligned = FALSE;
  return s;
}

static gboolean
override_margin (Side *s, double margin, GError **error)
{
  if (margin < 0.0)
    return TRUE;
  SegCover *c = &s->cover;
  if (2.0 * margin >= c->net) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_INPUT,
        "output-margin=%g leaves nothing of the network's input of %u pixels", margin,
        c->net);
    return FALSE;
  }
  c->margin = margin;
  c->jump = (c->net - 2.0 * margin) / c->grid;
  s->aligned = fabs (c->jump - round (c->jump)) < 1e-9;
  return TRUE;
}

gboolean
seg_placement_find (
    SegPlacement *p, const SegGraph *graph, const SegModelInfo *info, GError **error)
{
  guint y_axis = info->channel_axis == 1 ? 2 : 1, out_y, out_x, axis;
  const SegDesc *in = &((SegValue *) graph->inputs->pdata[info->input])->desc;
  if (!seg_image_axes (in, &axis, error))
    return FALSE;
  seg_placement_axes (graph, info, &out_y, &out_x);
  Side x = find_side (graph, info, y_axis + 1, out_x, (guint) in->dims[y_axis + 1]);
  Side y = find_side (graph, info, y_axis, out_y, (guint) in->dims[y_axis]);
  if (!override_margin (&x, info->output_margin[0], error)
      || !override_margin (&y, info->output_margin[1], error))
    return FALSE;
  *p = (SegPlacement){
    .x = x.cover,
    .y = y.cover,
    .period_x = x.period,
    .period_y = y.period,
    .padded = x.padded || y.padded,
    .global = x.global || y.global,
    .aligned = x.aligned && y.aligned,
    .missing_x = x.missing,
    .missing_y = y.missing,
  };
  return TRUE;
}

void
seg_placement_map_size (const SegGeometry *g, guint *width, guint *height)
{
  double w = g->frame_width * g->scale_x / g->cover_x.jump,
         h = g->frame_height * g->scale_y / g->cover_y.jump;
  *width = (guint) MAX (ceil (w - 1e-6), 1);
  *height = (guint) MAX (ceil (h - 1e-6), 1);
}

guint
seg_placement_fitting (const SegCover *c, guint period, gboolean padded, guint n)
{
  double around = c->net - c->grid * c->jump;
  guint need = n + (guint) ceil (MAX (around, 0.0));
  guint like = padded ? 0 : c->net % period;
  guint over = (need + period - like % period) % period;
  return over == 0 ? need : need + period - over;
}
