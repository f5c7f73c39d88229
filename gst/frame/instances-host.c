/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame/instances-host.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

gboolean
seg_box_to_frame (const SegGeometry *g, const float net[4], SegInstance *instance)
{
  float box[4];
  for (guint i = 0; i < 4; i++) {
    double scale = i % 2 ? g->scale_y : g->scale_x;
    double shift = i % 2 ? g->shift_y : g->shift_x;
    float at = net[i] * (float) (1.0 / scale) + (float) (-shift / scale);
    if (!isfinite (net[i]) || isnan (at))
      return FALSE;
    box[i] = CLAMP (at, 0.0f, (float) (i % 2 ? g->frame_height : g->frame_width));
  }
  instance->x = box[0];
  instance->y = box[1];
  instance->width = box[2] - box[0];
  instance->height = box[3] - box[1];
  return box[2] > box[0] && box[3] > box[1];
}

static int
compare_candidates (const void *pa, const void *pb)
{
  const SegCandidate *a = pa, *b = pb;
  if (a->score != b->score)
    return a->score > b->score ? -1 : 1;
  return a->number < b->number ? -1 : a->number > b->number;
}

static float
area (const float box[4])
{
  return (box[2] - box[0]) * (box[3] - box[1]);
}

/* Far outside the network's input nothing is known; and areas stay finite. */
static void
near_box (const SegGeometry *g, const float box[4], float out[4])
{
  for (guint i = 0; i < 4; i++) {
    float size = (float) (i % 2 ? g->net_height : g->net_width);
    out[i] = CLAMP (box[i], -size, 2.0f * size);
  }
}

static gboolean
overlaps (const SegGeometry *g, const SegCandidate *ca, const SegCandidate *cb, float iou)
{
  float a[4], b[4];
  near_box (g, ca->box, a);
  near_box (g, cb->box, b);
  float w = MIN (a[2], b[2]) - MAX (a[0], b[0]), h = MIN (a[3], b[3]) - MAX (a[1], b[1]);
  float both = MAX (w, 0.0f) * MAX (h, 0.0f);
  return both > iou * (area (a) + area (b) - both);
}

static gboolean
is_candidate (
    const SegCandidate *c, const SegInstanceLimits *limits, const SegGeometry *geometry)
{
  SegInstance unused;
  return c->class_id < SEG_INFO_MAX_LABELS
         && (limits->keep[c->class_id / 32] >> c->class_id % 32 & 1) != 0
         && isfinite (c->score) && c->score >= limits->threshold && c->score > 0.0f
         && seg_box_to_frame (geometry, c->box, &unused);
}

guint
seg_candidates_select (SegCandidate *candidates, guint n, const SegInstanceLimits *limits,
    const SegGeometry *geometry)
{
  guint n_left = 0, n_kept = 0;
  for (guint i = 0; i < n; i++)
    if (is_candidate (&candidates[i], limits, geometry))
      candidates[n_left++] = candidates[i];
  if (n_left > 1) /* of none there may be no array */
    qsort (candidates, n_left, sizeof *candidates, compare_candidates);
  n_left = MIN (n_left, SEG_MAX_CANDIDATES);
  for (guint i = 0; i < n_left && n_kept < (guint) limits->max_instances; i++) {
    gboolean stays = TRUE;
    for (guint k = 0; k < n_kept && stays; k++)
      stays =
          candidates[k].class_id != candidates[i].class_id
          || !overlaps (geometry, &candidates[k], &candidates[i], limits->iou_threshold);
    if (stays)
      candidates[n_kept++] = candidates[i];
  }
  return n_kept;
}
