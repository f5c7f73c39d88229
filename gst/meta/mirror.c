/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:gstvksegmirror
 * @title: Mirrors
 * @short_description: results as GStreamer's own metas
 */
#include "meta/gstvksegmirror.h"

#include "meta/analytics.h"

#include <gst/video/video.h>

#include <math.h>

/* One more than any there is, so that regions of others keep their meaning. */
static gint
first_free_id (GstBuffer *buffer)
{
  gpointer state = NULL;
  GstMeta *meta;
  gint id = 0;
  while ((meta = gst_buffer_iterate_meta_filtered (
              buffer, &state, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE))
         != NULL) {
    gint used = ((GstVideoRegionOfInterestMeta *) meta)->id;
    if (used >= id && used < G_MAXINT)
      id = used + 1;
  }
  return id;
}

void
seg_box_to_pixels (const GstVkSegRect *box, guint px[4])
{
  px[0] = (guint) floor (box->x);
  px[1] = (guint) floor (box->y);
  px[2] = (guint) ceil (box->x + box->width) - px[0];
  px[3] = (guint) ceil (box->y + box->height) - px[1];
}

static void
add_roi (GstVkSegInstance *instance, GstBuffer *buffer, gint id)
{
  guint px[4];
  seg_box_to_pixels (&instance->box, px);
  GstVideoRegionOfInterestMeta *roi = gst_buffer_add_video_region_of_interest_meta (
      buffer, instance->label != NULL ? instance->label : "object", px[0], px[1], px[2],
      px[3]);
  roi->id = instance->roi_id = id;
  roi->parent_id = instance->region_id;
  gst_video_region_of_interest_meta_add_param (
      roi, gst_structure_new (GST_VK_SEG_ROI_PARAMS, "class-id", G_TYPE_INT,
               instance->class_id, "score", G_TYPE_DOUBLE, instance->score, "track-id",
               G_TYPE_INT64, instance->track_id, NULL));
}

/**
 * gst_vk_seg_has_analytics:
 *
 * Tells whether %GST_VK_SEG_MIRROR_ANALYTICS does anything.
 *
 * Returns: whether this library was built with GstAnalytics
 */
gboolean
gst_vk_seg_has_analytics (void)
{
  return SEG_HAVE_ANALYTICS;
}

/**
 * gst_vk_seg_meta_mirror: (skip)
 * @meta: a result on @buffer
 * @buffer: a writable buffer
 * @where: in which of GStreamer's metas
 *
 * Repeats a result for elements that do not know ours. A region of interest has the class as its
 * type, the region in which it was found as its parent, and a structure
 * `vkseg, class-id=(int), score=(double), track-id=(gint64)`.
 * In GstAnalytics an object is an object detection, related to the segmentation that is its mask
 * (0: not the object, 1: the object) and, when it has been tracked, to its tracking.
 */
void
gst_vk_seg_meta_mirror (GstVkSegMeta *meta, GstBuffer *buffer, GstVkSegMirror where)
{
  if (where & GST_VK_SEG_MIRROR_ROI) {
    gint id = first_free_id (buffer);
    for (guint i = 0; i < meta->instances->len && id < G_MAXINT; i++)
      add_roi (gst_vk_seg_meta_get_instance (meta, i), buffer, id++);
  }
  if (where & GST_VK_SEG_MIRROR_ANALYTICS)
    seg_analytics_mirror (meta, buffer);
}

/**
 * gst_vk_seg_meta_mirror_tracks: (skip)
 * @meta: a result on @buffer, whose instances have been given ids
 * @buffer: a writable buffer
 *
 * Tells the mirrors of the instances, where there are any, their ids.
 */
void
gst_vk_seg_meta_mirror_tracks (GstVkSegMeta *meta, GstBuffer *buffer)
{
  guint state = 0;
  GstVkSegInstance *instance;
  while ((instance = gst_vk_seg_meta_iterate_instances (meta, &state)) != NULL) {
    GstVideoRegionOfInterestMeta *roi =
        instance->roi_id < 0
            ? NULL
            : gst_buffer_get_video_region_of_interest_meta_id (buffer, instance->roi_id);
    GstStructure *params = roi == NULL ? NULL
                                       : gst_video_region_of_interest_meta_get_param (
                                           roi, GST_VK_SEG_ROI_PARAMS);
    if (params != NULL)
      gst_structure_set (params, "track-id", G_TYPE_INT64, instance->track_id, NULL);
  }
  seg_analytics_mirror_tracks (meta, buffer);
}
