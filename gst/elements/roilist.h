/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "frame/regions.h"
#include "meta/gstvksegmeta.h"

#include <gst/video/video.h>

G_BEGIN_DECLS

/* Regions that others have attached to a buffer, and what is said about them. A region is a
 * GstVideoRegionOfInterestMeta; a GstAnalytics object detection without one gets one. */
typedef struct {
  GArray *rois; /* SegRoi */
  /* GstVideoRegionOfInterestMeta *, of the same regions; the buffer's */
  GPtrArray *metas;
  GHashTable *ids; /* of regions */
} SegRoiList;

typedef struct {
  char **classes;    /* types of regions that count; NULL: all */
  guint min_size_px; /* of both sides, of the part inside the frame */
  guint max;
} SegRoiFilter;

void seg_roi_list_init (SegRoiList *list);
void seg_roi_list_clear (SegRoiList *list);

/* Those of a writable buffer that pass, in the buffer's order; valid until its metas change.
 * Regions with nothing inside the frame do not. A region whose id another one has gets one of its own,
 * so that results can name it. How many were left out because of `max`. */
guint seg_roi_list_take (SegRoiList *list, GstBuffer *buffer, const SegRoiFilter *filter,
    guint frame_width, guint frame_height);

/* Adds results to the buffer's GstVkSegMeta (a new one where there is none), each with its region's
 * id. Those that tell what a region is (not fast-rcnn's, which are objects of their own) are also
 * added to it as `classification, label=(string), class-id=(int), score=(double)`; the others
 * become regions with that one as their parent. mask_threshold: what is
 * more probable belongs to an object. FALSE when the buffer takes no meta. */
gboolean seg_roi_list_attach (SegRoiList *list, GstBuffer *buffer,
    const SegModelInfo *info, const SegRegions *regions, double mask_threshold,
    guint frame_width, guint frame_height);

G_END_DECLS
