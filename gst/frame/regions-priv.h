/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "frame/instances-host.h"
#include "frame/regions.h"

G_BEGIN_DECLS

/* The regions' own files: regions.c (the object, R-CNN's warping), regions-decode.c (its
 * outputs), regions-fast.c (Fast R-CNN). */

struct _SegRegions {
  const SegModelInfo *info;
  SegRegionNet *net;
  guint frame_width, frame_height;
  guint context_px;
  SegFit fit;
  gboolean ends_in_softmax; /* maps are probabilities already */

  SegGeometry *geometries; /* of the pictures of a batch, or one of the whole frame */
  guint *lanes;            /* region that each picture shows */
  float *probabilities;    /* of a row of classes */
  SegCandidate *candidates;

  GArray *results;   /* SegRegionResult */
  GByteArray *masks; /* theirs */
};

/* Logits, probabilities or what there is, to probabilities. */
void seg_region_scores (SegScoring scoring, const float *from, guint n, float *to);
/* What picture `lane` of the last run says about its region. */
void seg_region_decode (
    SegRegions *regions, guint lane, const SegRoi *roi, const SegInstanceLimits *limits);
/* The whole of Fast R-CNN for a frame. */
gboolean seg_regions_run_fast (SegRegions *regions, const SegRoi *rois, guint n,
    const SegInstanceLimits *limits, GError **error);
/* The part of it inside the frame; FALSE when there is none. */
gboolean seg_roi_clip (SegRoi *roi, guint frame_width, guint frame_height);

G_END_DECLS
