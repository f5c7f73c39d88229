/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "meta/gstvksegmeta.h"

G_BEGIN_DECLS

#ifdef HAVE_ANALYTICS
#define SEG_HAVE_ANALYTICS TRUE
#else
#define SEG_HAVE_ANALYTICS FALSE
#endif

/* The pixels that a box touches: x, y, width, height. */
void seg_box_to_pixels (const GstVkSegRect *box, guint px[4]);

/* Both do nothing where GStreamer has no GstAnalytics. */
void seg_analytics_mirror (GstVkSegMeta *meta, GstBuffer *buffer);
void seg_analytics_mirror_tracks (GstVkSegMeta *meta, GstBuffer *buffer);

G_END_DECLS
