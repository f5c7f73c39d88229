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

G_END_DECLS
