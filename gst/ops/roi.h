/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ops/program.h"

G_BEGIN_DECLS

#define SEG_ROI_MAX_CELLS 1024 /* to a side of a pooled region */
#define SEG_ROI_MAX_SAMPLES                                                              \
  64 /* to a side of a cell; larger cells are sampled more thinly */

/* RoiAlign's attributes. */
typedef struct {
  gint64 out_height, out_width;
  gint64 sampling_ratio; /* 0: by the size of the region */
  float scale;           /* regions times this are in pixels of the feature map */
  gboolean is_max;
  /* pixel centres are at 0.5; else at 0, and a region is at least 1 wide */
  gboolean half_pixel;
} SegRoiAlign;

G_END_DECLS
