/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "frame/instances.h"
#include "frame/regionnet.h"

G_BEGIN_DECLS

/* What a network says about given regions of a frame. Two ways, by the network:
 *
 * - R-CNN: it takes a picture. Each region is warped to the input's size, with some of what is
 *   around it (R. Girshick et al.: Rich feature hierarchies for accurate object detection and
 *   semantic segmentation, 2014, appendix A), and the pictures go through in batches. Scores
 *   (decoder classify) give a class a region, maps a mask for each class in it.
 * - Fast R-CNN (R. Girshick, 2015): it takes the frame and the list of regions, and runs once. Scores
 *   and boxes a region and class become objects, without doubles (decoder fast-rcnn). */

/* Pixels of the frame. */
typedef struct {
  float x, y, width, height;
} SegRoi;

typedef struct {
  guint region; /* number of the region in which it was found */
  SegInstance instance;
} SegRegionResult;

typedef struct {
  SegRegionFrame frame;
  int context_px; /* of the input, on each side of a warped region; negative: info's */
  gboolean override_fit;
  SegFit fit;
} SegRegionsConfig;

typedef struct _SegRegions SegRegions;

/* Pictures in a batch, where the network leaves it open. */
#define SEG_REGIONS_BATCH 8
/* Rows of the list, where the network leaves it open. */
#define SEG_REGIONS_ROWS 256

/* Whether the network can look at regions at all. */
gboolean seg_regions_check (
    SegSession *session, const SegModelInfo *info, GError **error);

/* vk, session and info must outlive it. Fails with SEG_ERROR_INPUT when there is no room for the
 * context. */
SegRegions *seg_regions_new (SegVk *vk, SegSession *session, const SegModelInfo *info,
    const SegRegionsConfig *config, GError **error);
void seg_regions_free (SegRegions **regions); /* NULL is allowed */

/* Regions that one run can take; G_MAXUINT when there is no limit. */
guint seg_regions_max (const SegRegions *regions);
/* Where the frame is to be written. */
const SegFrame *seg_regions_input (const SegRegions *regions, guint8 **data);
/* Of what lies outside of the frame nothing is looked at; a region with nothing inside has no
 * result. Only classes and scores that `limits` lets through are results; of fast-rcnn
 * limits->max_instances at most. */
gboolean seg_regions_run (SegRegions *regions, const SegRoi *rois, guint n,
    const SegInstanceLimits *limits, GError **error);
/* Of the last run; masks are in `masks`, of n_bytes. Classes of maps come with the mean probability of their
 * pixels. */
const SegRegionResult *seg_regions_results (
    const SegRegions *regions, guint *n, const guint8 **masks, gsize *n_bytes);

/* Where a region comes to lie in the input. FALSE when nothing of it is in the frame. */
gboolean seg_region_warp (SegGeometry *geometry, SegFit fit, guint frame_width,
    guint frame_height, guint net_width, guint net_height, guint context_px,
    const SegRoi *roi);

G_END_DECLS
