/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Results as GstAnalytics metas, and back; masks as other elements write them. */
#include "meta/gstvksegmirror.h"
#include "meta/make.h"

#include <gst/analytics/analytics.h>
#include <gst/video/video.h>

#include <string.h>

static GstVkSegMeta *
new_meta (GstBuffer *buffer)
{
  static const char *const rows[] = { "0##", "9#9" };
  GstVkSegMeta *meta =
      gst_buffer_add_vk_seg_meta (buffer, GST_VK_SEG_RESULT_INSTANCE, 40, 30);
  g_autoptr (GstVkSegMask) mask = make_mask (rows, 2, 10, 12);
  const GstVkSegRect a = { 10, 12, 3, 2 }, b = { 20, 5, 8, 9 };
  gst_vk_seg_meta_add_instance (meta, 2, "dog", 0.75, &a, mask);
  gst_vk_seg_meta_add_instance (meta, 1, "cat", 0.5, &b, NULL);
  return meta;
}

static void
test_round_trip (void)
{
  g_autoptr (GstBuffer) buffer = gst_buffer_new (), other = gst_buffer_new ();
  GstVkSegMeta *meta = new_meta (buffer);
  gst_vk_seg_meta_mirror (meta, buffer, GST_VK_SEG_MIRROR_ANALYTICS);
  gst_vk_seg_meta_get_instance (meta, 0)->track_id = 77;
  gst_vk_seg_meta_mirror_tracks (meta, buffer);
  /* Said twice, it is there once. */
  gsize n =
      gst_analytics_relation_get_length (gst_buffer_get_analytics_relation_meta (buffer));
  gst_vk_seg_meta_mirror_tracks (meta, buffer);
  g_assert_cmpuint (n, ==,
      gst_analytics_relation_get_length (
          gst_buffer_get_analytics_relation_meta (buffer)));
  GstVkSegMeta *back = gst_buffer_add_vk_seg_meta_from_analytics (other, buffer, 40, 30);
  g_assert_nonnull (back);
  g_assert_cmpuint (gst_vk_seg_meta_get_n_instances (back), ==, 2);
  const GstVkSegInstance *dog = gst_vk_seg_meta_get_instance (back, 0),
                         *cat = gst_vk_seg_meta_get_instance (back, 1);
  g_assert_cmpstr (dog->label, ==, "dog");
  g_assert_cmpfloat_with_epsilon (dog->score, 0.75, 1e-6);
  g_assert_cmpint (dog->track_id, ==, 77);
  g_assert_cmpfloat (dog->box.width, ==, 3);
  g_assert_cmpint (cat->track_id, ==, GST_VK_SEG_NO_TRACK);
  g_assert_null (cat->mask);
  g_assert_null (back->map);
#if GST_CHECK_VERSION(1, 26, 0)
  guint8 want[40 * 30], got[40 * 30];
  g_assert_true (gst_vk_seg_instance_get_mask_at_size (
      gst_vk_seg_meta_get_instance (meta, 0), 40, 30, want, 40));
  g_assert_true (gst_vk_seg_instance_get_mask_at_size (dog, 40, 30, got, 40));
  g_assert_cmpmem (got, sizeof got, want, sizeof want);
#endif
}

#if GST_CHECK_VERSION(1, 26, 0)
/* A mask of 5 x 3 in rows of 16 pixels, with the ids 300 and 7 in it and one that is not listed. */
static GstBuffer *
new_regions (GstVideoFormat format)
{
  static const guint ids[15] = { 0, 7, 7, 0, 9, 7, 300, 300, 0, 0, 0, 0, 300, 7, 0 };
  guint step = format == GST_VIDEO_FORMAT_GRAY8 ? 1 : 2;
  gsize offsets[GST_VIDEO_MAX_PLANES] = { 4 };
  gint strides[GST_VIDEO_MAX_PLANES] = { (gint) (16 * step) };
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, 4 + 16 * step * 3, NULL);
  gst_buffer_memset (buffer, 0, 0x07, gst_buffer_get_size (buffer));
  for (guint i = 0; i < 15; i++) {
    guint8 low = (guint8) ids[i], high = (guint8) (ids[i] >> 8), bytes[2] = { low, high };
    if (format == GST_VIDEO_FORMAT_GRAY8)
      bytes[0] = ids[i] == 300 ? 30 : low;
    if (format == GST_VIDEO_FORMAT_GRAY16_BE) {
      bytes[0] = high;
      bytes[1] = low;
    }
    gst_buffer_fill (buffer, 4 + (i / 5 * 16 + i % 5) * step, bytes, step);
  }
  gst_buffer_add_video_meta_full (
      buffer, GST_VIDEO_FRAME_FLAG_NONE, format, 5, 3, 1, offsets, strides);
  return buffer;
}

static void
test_regions (void)
{
  static const GstVideoFormat formats[] = { GST_VIDEO_FORMAT_GRAY8,
    GST_VIDEO_FORMAT_GRAY16_LE, GST_VIDEO_FORMAT_GRAY16_BE };
  static const guint8 want[15] = { 0, 2, 2, 0, 0, 2, 1, 1, 0, 0, 0, 0, 1, 2, 0 };
  for (guint i = 0; i < G_N_ELEMENTS (formats); i++) {
    g_autoptr (GstBuffer) buffer = gst_buffer_new ();
    GstAnalyticsRelationMeta *r = gst_buffer_add_analytics_relation_meta (buffer);
    GstAnalyticsSegmentationMtd mtd;
    guint8 got[15];
    guint ids[] = { formats[i] == GST_VIDEO_FORMAT_GRAY8 ? 30 : 300, 7 };
    g_assert_true (
        gst_analytics_relation_meta_add_segmentation_mtd (r, new_regions (formats[i]),
            GST_SEGMENTATION_TYPE_SEMANTIC, 2, ids, 10, 6, 10, 6, &mtd));
    GstVkSegMeta *meta =
        gst_buffer_add_vk_seg_meta_from_analytics (buffer, buffer, 30, 20);
    g_assert_nonnull (meta);
    g_assert_nonnull (meta->map);
    g_assert_cmpfloat (meta->map->rect.x, ==, 10);
    for (guint y = 0; y < 3; y++)
      memcpy (got + y * 5, meta->map->data + y * meta->map->stride, 5);
    if (memcmp (got, want, 15) != 0)
      g_error ("%s: wrong regions", gst_video_format_to_string (formats[i]));
  }
}

/* A mask whose rows end after its memory is none. */
static void
test_short_mask (void)
{
  static const guint heights[] = { 3, 4, 4000 };
  guint ids[] = { 1 };
  for (guint i = 0; i < G_N_ELEMENTS (heights); i++) {
    g_autoptr (GstBuffer) buffer = gst_buffer_new ();
    GstBuffer *mask = gst_buffer_new_allocate (NULL, 16 * 3, NULL);
    GstAnalyticsRelationMeta *r = gst_buffer_add_analytics_relation_meta (buffer);
    GstAnalyticsSegmentationMtd mtd;
    gsize offsets[GST_VIDEO_MAX_PLANES] = { 0 };
    gint strides[GST_VIDEO_MAX_PLANES] = { 16 };
    gst_buffer_memset (mask, 0, 1, 16 * 3);
    gst_buffer_add_video_meta_full (mask, GST_VIDEO_FRAME_FLAG_NONE,
        GST_VIDEO_FORMAT_GRAY8, 16, heights[i], 1, offsets, strides);
    g_assert_true (gst_analytics_relation_meta_add_segmentation_mtd (
        r, mask, GST_SEGMENTATION_TYPE_SEMANTIC, 1, ids, 0, 0, 16, 16, &mtd));
    GstVkSegMeta *meta =
        gst_buffer_add_vk_seg_meta_from_analytics (buffer, buffer, 30, 20);
    g_assert_cmpint (meta != NULL && meta->map != NULL, ==, heights[i] == 3);
  }
}
#endif

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/analytics/round-trip", test_round_trip);
#if GST_CHECK_VERSION(1, 26, 0)
  g_test_add_func ("/analytics/regions", test_regions);
  g_test_add_func ("/analytics/short-mask", test_short_mask);
#endif
  return g_test_run ();
}
