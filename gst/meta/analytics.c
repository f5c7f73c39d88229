/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "meta/analytics.h"

#ifdef HAVE_ANALYTICS
#include <gst/analytics/analytics.h>
#include <gst/video/video.h>

static GQuark
quark_of (const gchar *label, const gchar *otherwise)
{
  return g_quark_from_string (label != NULL ? label : otherwise);
}

#if GST_CHECK_VERSION(1, 26, 0)
/* Where a mask lies in whole pixels: metas of GStreamer have no others. */
static void
whole_pixels (const GstVkSegRect *r, gint xy[2], guint size[2])
{
  xy[0] = (gint) (r->x < 0 ? r->x - 0.5 : r->x + 0.5);
  xy[1] = (gint) (r->y < 0 ? r->y - 0.5 : r->y + 0.5);
  size[0] = (guint) MAX (r->width + 0.5, 1.0);
  size[1] = (guint) MAX (r->height + 0.5, 1.0);
}

static void
describe (GstBuffer *buffer, guint width, guint height, gsize stride)
{
  gsize offsets[GST_VIDEO_MAX_PLANES] = { 0 };
  gint strides[GST_VIDEO_MAX_PLANES] = { (gint) stride };
  gst_buffer_add_video_meta_full (buffer, GST_VIDEO_FRAME_FLAG_NONE,
      GST_VIDEO_FORMAT_GRAY8, width, height, 1, offsets, strides);
}

/* 1 where the object is, at the mask's own resolution. */
static GstBuffer *
binary_mask (const GstVkSegMask *mask)
{
  gsize stride = GST_ROUND_UP_4 (mask->width);
  guint8 *pixels = g_malloc0 (stride * mask->height);
  gdouble limit = mask->low + mask->threshold * (mask->high - mask->low);
  for (guint y = 0; y < mask->height; y++)
    for (guint x = 0; x < mask->width; x++)
      pixels[y * stride + x] = mask->data[y * mask->stride + x] > limit;
  GstBuffer *buffer = gst_buffer_new_wrapped (pixels, stride * mask->height);
  describe (buffer, mask->width, mask->height, stride);
  return buffer;
}

static void
relate (GstAnalyticsRelationMeta *r, GstAnalyticsRelTypes how, const GstAnalyticsMtd *a,
    const GstAnalyticsMtd *b)
{
  gst_analytics_relation_meta_set_relation (r, how, a->id, b->id);
  gst_analytics_relation_meta_set_relation (r, how, b->id, a->id);
}

/* Readers look names up by region id or by relation; this serves both. */
static void
name_regions (GstAnalyticsRelationMeta *r, GstAnalyticsSegmentationMtd *mask, gsize n,
    GQuark *names, gfloat *levels)
{
  GstAnalyticsClsMtd classes;
  if (gst_analytics_relation_meta_add_cls_mtd (r, n, levels, names, &classes))
    relate (r, GST_ANALYTICS_REL_TYPE_N_TO_N | GST_ANALYTICS_REL_TYPE_RELATE_TO, mask,
        &classes);
}

static void
add_mask (GstAnalyticsRelationMeta *r, const GstVkSegInstance *instance,
    const GstAnalyticsODMtd *object)
{
  GstAnalyticsSegmentationMtd mask;
  guint ids[2] = { 0, 1 }, size[2];
  gint xy[2];
  GQuark names[2] = { g_quark_from_static_string ("background"),
    quark_of (instance->label, "object") };
  gfloat levels[2] = { 1.0f - (gfloat) instance->score, (gfloat) instance->score };
  GstBuffer *pixels = binary_mask (instance->mask);
  whole_pixels (&instance->mask->rect, xy, size);
  if (gst_analytics_relation_meta_add_segmentation_mtd (r, pixels,
          GST_SEGMENTATION_TYPE_INSTANCE, 2, ids, xy[0], xy[1], size[0], size[1],
          &mask)) {
    relate (r, GST_ANALYTICS_REL_TYPE_RELATE_TO, object, &mask);
    name_regions (r, &mask, 2, names, levels);
  }
}

static void
add_map (GstAnalyticsRelationMeta *r, const GstVkSegMeta *meta)
{
  const GstVkSegMask *map = meta->map;
  GstAnalyticsSegmentationMtd mask;
  guint ids[256], size[2];
  gint xy[2];
  GQuark names[256];
  gfloat levels[256];
  for (guint i = 0; i < 256; i++) {
    const gchar *label =
        meta->labels != NULL && i < meta->labels->len ? meta->labels->pdata[i] : NULL;
    ids[i] = i;
    names[i] = quark_of (label, (gint) i == meta->background ? "background" : "unnamed");
    levels[i] = 1.0f;
  }
  GstBuffer *pixels = gst_buffer_new_wrapped_bytes (map->bytes);
  describe (pixels, map->width, map->height, map->stride);
  whole_pixels (&map->rect, xy, size);
  if (gst_analytics_relation_meta_add_segmentation_mtd (r, pixels,
          GST_SEGMENTATION_TYPE_SEMANTIC, 256, ids, xy[0], xy[1], size[0], size[1],
          &mask))
    name_regions (r, &mask, 256, names, levels);
}
#endif

static void
add_track (
    GstAnalyticsRelationMeta *r, const GstVkSegInstance *instance, GstBuffer *buffer)
{
  GstAnalyticsTrackingMtd track;
  if (instance->track_id < 0
      || gst_analytics_relation_meta_get_direct_related (r, instance->analytics_id,
          GST_ANALYTICS_REL_TYPE_RELATE_TO, gst_analytics_tracking_mtd_get_mtd_type (),
          NULL, &track)
      || !gst_analytics_relation_meta_add_tracking_mtd (
          r, (guint64) instance->track_id, GST_BUFFER_PTS (buffer), &track))
    return;
  gst_analytics_relation_meta_set_relation (
      r, GST_ANALYTICS_REL_TYPE_RELATE_TO, instance->analytics_id, track.id);
  gst_analytics_relation_meta_set_relation (
      r, GST_ANALYTICS_REL_TYPE_RELATE_TO, track.id, instance->analytics_id);
}

static void
add_object (GstAnalyticsRelationMeta *r, GstVkSegInstance *instance, GstBuffer *buffer)
{
  GstAnalyticsODMtd object;
  guint px[4];
  seg_box_to_pixels (&instance->box, px);
  if (!gst_analytics_relation_meta_add_od_mtd (r, quark_of (instance->label, "object"),
          (gint) px[0], (gint) px[1], (gint) px[2], (gint) px[3],
          (gfloat) instance->score, &object))
    return;
  instance->analytics_id = object.id;
#if GST_CHECK_VERSION(1, 26, 0)
  if (instance->mask != NULL)
    add_mask (r, instance, &object);
#endif
  add_track (r, instance, buffer);
}

void
seg_analytics_mirror (GstVkSegMeta *meta, GstBuffer *buffer)
{
  GstAnalyticsRelationMeta *r = gst_buffer_add_analytics_relation_meta (buffer);
  guint state = 0;
  GstVkSegInstance *instance;
  while ((instance = gst_vk_seg_meta_iterate_instances (meta, &state)) != NULL)
    add_object (r, instance, buffer);
#if GST_CHECK_VERSION(1, 26, 0)
  if (meta->map != NULL && meta->type == GST_VK_SEG_RESULT_SEMANTIC)
    add_map (r, meta);
#endif
}

void
seg_analytics_mirror_tracks (GstVkSegMeta *meta, GstBuffer *buffer)
{
  GstAnalyticsRelationMeta *r = gst_buffer_get_analytics_relation_meta (buffer);
  guint state = 0;
  GstVkSegInstance *instance;
  while (
      r != NULL && (instance = gst_vk_seg_meta_iterate_instances (meta, &state)) != NULL)
    if (instance->analytics_id < gst_analytics_relation_get_length (r))
      add_track (r, instance, buffer);
}

#else

void
seg_analytics_mirror (GstVkSegMeta *meta, GstBuffer *buffer)
{
}

void
seg_analytics_mirror_tracks (GstVkSegMeta *meta, GstBuffer *buffer)
{
}
#endif
