/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "elements/roilist.h"
#include "elements/settings.h"

G_BEGIN_DECLS

/* inference-region=roi-list: a network that looks at the regions of each buffer. Used by the
 * streaming thread. */
typedef struct {
  SegNet *net; /* the element's */
  SegRegions *regions;
  SegRoiList list;
  GstVideoInfo info;
  SegRoiFilter filter; /* its classes are owned */
  SegInstanceLimits limits;
  gboolean warned; /* of too many regions */
} SegSecondary;

void seg_secondary_init (SegSecondary *secondary);
void seg_secondary_clear (SegSecondary *secondary);
/* Drops what was made for caps. */
void seg_secondary_close (SegSecondary *secondary);
/* For frames of these caps; net must outlive what it makes. */
gboolean seg_secondary_open (SegSecondary *secondary, SegNet *net,
    const SegSettings *settings, const GstVideoInfo *info, GError **error);
/* Takes up settings that may change while playing. */
gboolean seg_secondary_set (
    SegSecondary *secondary, const SegSettings *settings, GError **error);
/* Reads the frame, and attaches results to its buffer, which is writable. Pixels stay as they are.
 * Warns, once for the caps, when there are more regions than are looked at. *n_regions: those
 * looked at. */
gboolean seg_secondary_run (SegSecondary *secondary, GstElement *element,
    GstVideoFrame *frame, guint *n_regions, GError **error);

G_END_DECLS
