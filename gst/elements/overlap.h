/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "meta/gstvksegmeta.h"

G_BEGIN_DECLS

/* Intersection over union of two boxes, 0 to 1. */
double seg_box_iou (const GstVkSegRect *a, const GstVkSegRect *b);

/* A mask where it has moved to: its part in `box`, all moved by x, y. */
typedef struct {
  const GstVkSegMask *mask;
  GstVkSegRect box;
  double x, y;
} SegPlacedMask;

/* The same of two masks, sampled at 32 x 32 places of what they cover together. */
double seg_mask_iou (const SegPlacedMask *a, const SegPlacedMask *b);

G_END_DECLS
