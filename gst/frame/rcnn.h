/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "frame/instances-host.h"

G_BEGIN_DECLS

/* Outputs of an R-CNN: boxes [n,4] in pixels of the input, labels [n], scores [n] (NULL: boxes are
 * [n,5] with the score last); masks (NULL: none) of any type [n,1,h,w] or [n,h,w], probabilities over the
 * whole input (as large as it), over the box (of any other size), or, where there are mask_boxes
 * int64[n,4], over the pixels of the input from the first to the last of these. A first axis of one, the
 * batch, may be there or not. */
typedef struct {
  SegTensor *boxes, *labels, *scores, *masks, *mask_boxes;
} SegRcnnOutputs;

/* Memory of a decoder; zeroed before. */
typedef struct {
  SegCandidate *candidates;
  guint room; /* boxes */
} SegRcnnScratch;

/* For networks that find so many boxes at most; where that is not known it grows when it must. */
gboolean seg_rcnn_scratch_reserve (
    SegRcnnScratch *scratch, guint n_boxes, GError **error);
void seg_rcnn_scratch_clear (SegRcnnScratch *scratch);

/* Bytes that give the masks of max_instances their full resolution as long as their boxes together
 * cover no more than a few times the input, and some of it in any case. mask_width and
 * mask_height: as far as they are known, else 0. */
gsize seg_rcnn_masks_bytes (const SegGeometry *geometry, guint max_instances,
    guint mask_width, guint mask_height);

/* `items` has room for limits->max_instances; `masks` for masks_bytes, into which the masks go at the
 * highest resolution at which all fit: every pixel, the mean of 2 x 2, of 4 x 4, ... Whatever the
 * numbers are, masks lie within masks_bytes and boxes within the frame. Number of instances in *n.
 * Errors: shapes that do not belong together. */
gboolean seg_rcnn_decode (const SegRcnnOutputs *outputs, const SegInstanceLimits *limits,
    const SegGeometry *geometry, SegRcnnScratch *scratch, SegInstance *items,
    guint8 *masks, gsize masks_bytes, guint *n, GError **error);

G_END_DECLS
