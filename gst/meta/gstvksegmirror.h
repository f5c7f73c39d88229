/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "gstvksegmeta.h"

G_BEGIN_DECLS

/**
 * GstVkSegMirror:
 * @GST_VK_SEG_MIRROR_ROI: as #GstVideoRegionOfInterestMeta, one for each instance
 * @GST_VK_SEG_MIRROR_ANALYTICS: as GstAnalyticsRelationMeta, where GStreamer has it (1.24; masks
 *   from 1.26); nothing elsewhere
 *
 * In which of GStreamer's own metas a result is repeated.
 */
typedef enum { /*< flags >*/
  GST_VK_SEG_MIRROR_ROI = 1 << 0,
  GST_VK_SEG_MIRROR_ANALYTICS = 1 << 1,
} GstVkSegMirror;

/**
 * GST_VK_SEG_ROI_PARAMS:
 *
 * Name of the structure of a region of interest.
 */
#define GST_VK_SEG_ROI_PARAMS "vkseg"

GST_VK_SEG_API gboolean gst_vk_seg_has_analytics (void);
GST_VK_SEG_API void gst_vk_seg_meta_mirror (
    GstVkSegMeta *meta, GstBuffer *buffer, GstVkSegMirror where);
GST_VK_SEG_API void gst_vk_seg_meta_mirror_tracks (GstVkSegMeta *meta, GstBuffer *buffer);
GST_VK_SEG_API GstVkSegMeta *gst_buffer_add_vk_seg_meta_from_analytics (
    GstBuffer *buffer, GstBuffer *from, guint frame_width, guint frame_height);
GST_VK_SEG_API guint gst_buffer_add_regions_from_analytics (GstBuffer *buffer);
GST_VK_SEG_API gboolean gst_buffer_classify_region_in_analytics (GstBuffer *buffer,
    const GstVideoRegionOfInterestMeta *region, const gchar *label, gdouble score);

G_END_DECLS
