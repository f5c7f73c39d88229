/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "frame/instances.h"

G_BEGIN_DECLS

/* Instances from outputs in host memory, in plain C: of networks whose number of boxes is only known
 * after they have run. The rules are those of instances.h. */

typedef struct {
  guint class_id;
  float score;
  float box[4]; /* x0 y0 x1 y1 in pixels of the network's input */
  guint number; /* of the box: orders equal scores */
} SegCandidate;

/* Drops what is no candidate, then all but the best SEG_MAX_CANDIDATES, then what a better one of
 * the class overlaps too much. The number of those that stay, at the front, best first. */
guint seg_candidates_select (SegCandidate *candidates, guint n,
    const SegInstanceLimits *limits, const SegGeometry *geometry);

/* The box in the frame; FALSE when nothing of it is. */
gboolean seg_box_to_frame (
    const SegGeometry *geometry, const float net[4], SegInstance *instance);

/* Outputs of an R-CNN, as torchvision exports it: boxes [n,4] in pixels of the input, labels [n],
 * scores [n]; masks (NULL: none) of any type of float [n,1,h,w] or [n,h,w], probabilities over the
 * whole input or over the box. */
typedef struct {
  SegTensor *boxes, *labels, *scores, *masks;
} SegRcnnOutputs;

/* `items` has room for limits->max_instances, `masks` for masks_bytes; masks that do not fit are
 * thinned out to every second pixel, every fourth, ... Number of instances in *n. Errors: shapes
 * that do not belong together. */
gboolean seg_rcnn_decode (const SegRcnnOutputs *outputs, const SegInstanceLimits *limits,
    const SegGeometry *geometry, SegInstance *items, guint8 *masks, gsize masks_bytes,
    guint *n, GError **error);

G_END_DECLS
