/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "meta/analytics.h"
#include "meta/gstvksegmirror.h"
#include "meta/videomap.h"

#ifdef HAVE_ANALYTICS
#include <gst/analytics/analytics.h>
#include <gst/video/video.h>

#include <string.h>

static gint64
track_of (GstAnalyticsRelationMeta *r, guint id)
{
  GstAnalyticsTrackingMtd track;
  guint64 number;
  GstClockTime first, last;
  gboolean lost;
  if (gst_analytics_relation_meta_get_direct_related (r, id,
          GST_ANALYTICS_REL_TYPE_RELATE_TO, gst_analytics_tracking_mtd_get_mtd_type (),
          NULL, &track)
      && gst_analytics_tracking_mtd_get_info (&track, &number, &first, &last, &lost)
      && number <= G_MAXINT64)
    return (gint64) number;
  return GST_VK_SEG_NO_TRACK;
}

#if GST_CHECK_VERSION(1, 26, 0)
/* Where a region id is in the list of them, plus 1; 0 for those that are not in it. */
typedef struct {
  guint8 of_id[65536];
} Regions;

static Regions *
list_regions (const GstAnalyticsSegmentationMtd *mtd)
{
  Regions *regions = g_new0 (Regions, 1);
  gsize n = MIN (gst_analytics_segmentation_mtd_get_region_count (mtd), 255);
  for (gsize i = 0; i < n; i++) {
    guint id = gst_analytics_segmentation_mtd_get_region_id (mtd, i);
    /* 0 is what belongs to nothing. */
    if (id > 0 && id < 65536)
      regions->of_id[id] = (guint8) (i + 1);
  }
  return regions;
}

static gboolean
read_rows (GstVideoFrame *frame, const Regions *regions, guint8 *to)
{
  GstVideoFormat format = GST_VIDEO_FRAME_FORMAT (frame);
  guint width = (guint) GST_VIDEO_FRAME_WIDTH (frame);
  guint height = (guint) GST_VIDEO_FRAME_HEIGHT (frame);
  guint step = format == GST_VIDEO_FORMAT_GRAY8 ? 1 : 2;
  guint high = format == GST_VIDEO_FORMAT_GRAY16_BE ? 0 : 1;
  if (step == 2 && format != GST_VIDEO_FORMAT_GRAY16_LE
      && format != GST_VIDEO_FORMAT_GRAY16_BE)
    return FALSE;
  for (guint y = 0; y < height; y++) {
    const guint8 *row = (const guint8 *) GST_VIDEO_FRAME_PLANE_DATA (frame, 0)
                        + (gssize) y * GST_VIDEO_FRAME_PLANE_STRIDE (frame, 0);
    for (guint x = 0; x < width; x++, row += step)
      *to++ =
          regions->of_id[step == 1 ? row[0] : (guint) (row[high] << 8 | row[1 - high])];
  }
  return TRUE;
}

/* Numbers of regions, whatever the format and stride: 255 for all of them when `binary`. */
static GstVkSegMask *
read_mask (const GstAnalyticsSegmentationMtd *mtd, gboolean binary)
{
  gint x, y;
  guint w, h;
  GstVideoInfo info;
  GstVideoFrame frame;
  GstVkSegMask *mask = NULL;
  GstBuffer *buffer = gst_analytics_segmentation_mtd_get_mask (mtd, &x, &y, &w, &h);
  GstVideoMeta *video = buffer != NULL ? gst_buffer_get_video_meta (buffer) : NULL;
  if (video != NULL && video->width <= GST_VK_SEG_MAX_PX
      && video->height <= GST_VK_SEG_MAX_PX
      && gst_video_info_set_format (&info, video->format, video->width, video->height)
      && seg_video_map (&frame, &info, buffer, GST_MAP_READ)) {
    gsize n = (gsize) video->width * video->height;
    g_autofree Regions *regions = list_regions (mtd);
    guint8 *pixels = g_malloc (n + 1);
    gboolean ok = read_rows (&frame, regions, pixels);
    for (gsize i = 0; binary && ok && i < n; i++)
      pixels[i] = pixels[i] > 0 ? 255 : 0;
    g_autoptr (GBytes) bytes = g_bytes_new_take (pixels, n);
    const GstVkSegRect rect = { x, y, w, h };
    if (ok)
      mask =
          gst_vk_seg_mask_new (bytes, video->width, video->height, video->width, &rect);
    gst_video_frame_unmap (&frame);
  }
  gst_clear_buffer (&buffer);
  return mask;
}

static GstVkSegMask *
mask_of_object (GstAnalyticsRelationMeta *r, guint id)
{
  GstAnalyticsSegmentationMtd mtd;
  return gst_analytics_relation_meta_get_direct_related (r, id,
             GST_ANALYTICS_REL_TYPE_RELATE_TO,
             gst_analytics_segmentation_mtd_get_mtd_type (), NULL, &mtd)
             ? read_mask (&mtd, TRUE)
             : NULL;
}

static gboolean
belongs_to_object (GstAnalyticsRelationMeta *r, const GstAnalyticsMtd *mask)
{
  GstAnalyticsODMtd od;
  gpointer state = NULL;
  while (gst_analytics_relation_meta_iterate (
      r, &state, gst_analytics_od_mtd_get_mtd_type (), &od))
    if (gst_analytics_relation_meta_get_relation (r, od.id, mask->id)
        & GST_ANALYTICS_REL_TYPE_RELATE_TO)
      return TRUE;
  return FALSE;
}

static void
take_map (GstAnalyticsRelationMeta *r, GstVkSegMeta *meta)
{
  GstAnalyticsSegmentationMtd mtd;
  gpointer state = NULL;
  while (meta->map == NULL
         && gst_analytics_relation_meta_iterate (
             r, &state, gst_analytics_segmentation_mtd_get_mtd_type (), &mtd)) {
    g_autoptr (GstVkSegMask) map =
        belongs_to_object (r, &mtd) ? NULL : read_mask (&mtd, FALSE);
    if (map == NULL)
      continue;
    meta->type = GST_VK_SEG_RESULT_SEMANTIC;
    gst_vk_seg_meta_set_map (meta, map, NULL, 0);
  }
}
#else
static GstVkSegMask *
mask_of_object (GstAnalyticsRelationMeta *r, guint id)
{
  return NULL;
}

static void
take_map (GstAnalyticsRelationMeta *r, GstVkSegMeta *meta)
{
}
#endif

/* Numbers of classes that nobody numbered: the same for a name in any frame. */
static gint
number_of (GQuark label)
{
  return label != 0 ? (gint) (g_str_hash (g_quark_to_string (label)) % 80) : -1;
}

static void
take_object (GstAnalyticsRelationMeta *r, const GstAnalyticsODMtd *od, GstVkSegMeta *meta)
{
  gint x, y, w, h;
  gfloat score;
  if (!gst_analytics_od_mtd_get_location (od, &x, &y, &w, &h, &score))
    return;
  GQuark label = gst_analytics_od_mtd_get_obj_type (od);
  const GstVkSegRect box = { x, y, w, h };
  GstVkSegMask *mask = mask_of_object (r, od->id);
  GstVkSegInstance *instance = gst_vk_seg_meta_add_instance (
      meta, number_of (label), g_quark_to_string (label), score, &box, mask);
  if (instance != NULL)
    instance->track_id = track_of (r, od->id);
  g_clear_pointer (&mask, gst_vk_seg_mask_unref);
}

/**
 * gst_buffer_add_vk_seg_meta_from_analytics: (skip)
 * @buffer: a writable buffer, which may be @from
 * @from: a buffer with GstAnalytics metas
 * @frame_width: width of the frame in pixels
 * @frame_height: height of the frame
 *
 * Reads what other elements found: object detections with the tracking and the segmentation that
 * they are related to, and the first segmentation that belongs to no object as a label map, with
 * the numbers of its regions, from 1, as its values. Masks may have any stride and 8 or 16 bits;
 * more than 255 regions are background.
 *
 * Returns: (transfer none) (nullable): a result on @buffer; %NULL when there is no such meta or the
 *   library was built without GstAnalytics
 */
GstVkSegMeta *
gst_buffer_add_vk_seg_meta_from_analytics (
    GstBuffer *buffer, GstBuffer *from, guint frame_width, guint frame_height)
{
  GstAnalyticsRelationMeta *r = gst_buffer_get_analytics_relation_meta (from);
  GstVkSegMeta *meta = r != NULL ? gst_buffer_add_vk_seg_meta (
                           buffer, GST_VK_SEG_RESULT_INSTANCE, frame_width, frame_height)
                                 : NULL;
  gpointer state = NULL;
  GstAnalyticsODMtd od;
  if (meta == NULL)
    return NULL;
  while (gst_analytics_relation_meta_iterate (
      r, &state, gst_analytics_od_mtd_get_mtd_type (), &od))
    take_object (r, &od, meta);
  take_map (r, meta);
  return meta;
}

#else

GstVkSegMeta *
gst_buffer_add_vk_seg_meta_from_analytics (
    GstBuffer *buffer, GstBuffer *from, guint frame_width, guint frame_height)
{
  return NULL;
}
#endif
