/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vksegment inference-region=roi-list with networks whose answers are known. */
#include "element-test.h"
#include "frame/color-net.h"
#include "frame/region-net.h"

#include "meta/gstvksegmeta.h"

#ifdef HAVE_ANALYTICS
#include <gst/analytics/analytics.h>
#endif
#include <gst/check/gstharness.h>
#include <gst/video/video.h>

#include <math.h>
#include <string.h>

#define WIDTH  128
#define HEIGHT 96
#define CAPS                                                                             \
  "video/x-raw,format=RGB,framerate=30/1,width=" G_STRINGIFY (                           \
      WIDTH) ",height=" G_STRINGIFY (HEIGHT)

static char *dir, *classify, *fast, *map;

/* --- frames ------------------------------------------------------------------------------------ */

/* Red up to a third, green up to two thirds, then gray. */
static GstBuffer *
new_picture (guint width, guint height)
{
  GstVideoInfo info;
  GstVideoFrame f;
  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_RGB, width, height);
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, info.size, NULL);
  g_assert_true (gst_video_frame_map (&f, &info, buffer, GST_MAP_WRITE));
  for (guint y = 0; y < height; y++)
    for (guint x = 0; x < width; x++) {
      static const guint8 colors[3][3] = { { 255, 0, 0 }, { 0, 255, 0 },
        { 128, 128, 128 } };
      memcpy ((guint8 *) GST_VIDEO_FRAME_PLANE_DATA (&f, 0)
                  + y * (guint) GST_VIDEO_FRAME_PLANE_STRIDE (&f, 0) + 3 * x,
          colors[3 * x / width], 3);
    }
  gst_video_frame_unmap (&f);
  GST_BUFFER_PTS (buffer) = 0;
  return buffer;
}

static void
add_region (GstBuffer *buffer, const char *type, guint x, guint y, guint w, guint h)
{
  GstVideoRegionOfInterestMeta *roi =
      gst_buffer_add_video_region_of_interest_meta (buffer, type, x, y, w, h);
  static gint id = 100;
  roi->id = id++;
}

/* Regions of a buffer in order; what each is said to be. */
static GstVideoRegionOfInterestMeta *
nth_region (GstBuffer *buffer, guint n)
{
  gpointer state = NULL;
  GstMeta *meta;
  while ((meta = gst_buffer_iterate_meta_filtered (
              buffer, &state, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE)))
    if (n-- == 0)
      return (GstVideoRegionOfInterestMeta *) meta;
  return NULL;
}

static const char *
label_of (GstBuffer *buffer, guint n)
{
  GstVideoRegionOfInterestMeta *roi = nth_region (buffer, n);
  g_assert_nonnull (roi);
  GstStructure *s = gst_video_region_of_interest_meta_get_param (roi, "classification");
  return s != NULL ? gst_structure_get_string (s, "label") : NULL;
}

static GstHarness *
new_harness (const char *model, const char *first_property, ...)
{
  va_list args;
  va_start (args, first_property);
  GstElement *element = gst_element_factory_make ("vksegment", NULL);
  g_assert_nonnull (element);
  g_object_set (element, "model", model, "cache-dir", dir, NULL);
  gst_util_set_object_arg (G_OBJECT (element), "inference-region", "roi-list");
  if (first_property != NULL)
    g_object_set_valist (G_OBJECT (element), first_property, args);
  va_end (args);
  GstHarness *h = gst_harness_new_with_element (element, "sink", "src");
  gst_object_unref (element);
  gst_harness_set_src_caps_str (h, CAPS);
  return h;
}

/* --- R-CNN ------------------------------------------------------------------------------------- */

/* The application has the same in a message: red in one region, green in another. */
static void
check_message (GstBus *bus, GstBuffer *out)
{
  static const char *const labels[2] = { "red", "green" };
  g_autoptr (GstMessage) message = gst_bus_pop_filtered (bus, GST_MESSAGE_ELEMENT);
  g_assert_nonnull (message);
  const GstStructure *s = gst_message_get_structure (message);
  const GValue *list = gst_structure_get_value (s, "instances");
  g_assert_true (gst_structure_has_name (s, "vkseg-result"));
  g_assert_nonnull (list);
  g_assert_cmpuint (gst_value_array_get_size (list), ==, 2);
  for (guint i = 0; i < 2; i++) {
    const GstStructure *instance =
        gst_value_get_structure (gst_value_array_get_value (list, i));
    gint region = -1;
    double x = 0.0;
    g_assert_cmpstr (gst_structure_get_string (instance, "label"), ==, labels[i]);
    g_assert_true (gst_structure_get (
        instance, "region-id", G_TYPE_INT, &region, "x", G_TYPE_DOUBLE, &x, NULL));
    g_assert_cmpint (region, ==, nth_region (out, 2 * i)->id);
    g_assert_cmpfloat (x, ==, i == 0 ? 8.0 : 52.0);
  }
}

static void
test_classify (void)
{
  GstHarness *h = new_harness (classify, "post-messages", TRUE, NULL);
  g_autoptr (GstBus) bus = gst_bus_new ();
  gst_element_set_bus (h->element, bus);
  GstBuffer *in = new_picture (WIDTH, HEIGHT);
  add_region (in, "object", 8, 20, 24, 40);  /* red */
  add_region (in, "object", 95, 20, 20, 20); /* gray */
  add_region (in, "object", 52, 30, 20, 50); /* green */
  GstMapInfo m;
  gst_buffer_map (in, &m, GST_MAP_READ);
  g_autofree guint8 *pixels = g_memdup2 (m.data, m.size);
  gst_buffer_unmap (in, &m);
  g_autoptr (GstBuffer) out = gst_harness_push_and_pull (h, in);
  g_assert_nonnull (out);
  gst_buffer_map (out, &m, GST_MAP_READ);
  g_assert_cmpmem (m.data, m.size, pixels, (gsize) WIDTH * HEIGHT * 3);
  gst_buffer_unmap (out, &m);
  g_assert_cmpstr (label_of (out, 0), ==, "red");
  g_assert_null (label_of (out, 1));
  g_assert_cmpstr (label_of (out, 2), ==, "green");

  GstVkSegMeta *meta = gst_buffer_get_vk_seg_meta (out);
  g_assert_nonnull (meta);
  g_assert_cmpuint (gst_vk_seg_meta_get_n_instances (meta), ==, 2);
  GstVkSegInstance *first = gst_vk_seg_meta_get_instance (meta, 0),
                   *second = gst_vk_seg_meta_get_instance (meta, 1);
  g_assert_cmpint (meta->type, ==, GST_VK_SEG_RESULT_DETECTION);
  g_assert_cmpint (first->region_id, ==, nth_region (out, 0)->id);
  g_assert_cmpint (second->region_id, ==, nth_region (out, 2)->id);
  g_assert_cmpstr (second->label, ==, "green");
  g_assert_cmpfloat (fabs (first->score - REGION_NET_SURE), <, 3e-3);
  g_assert_cmpfloat (second->box.x, ==, 52);
  g_assert_cmpfloat (second->box.height, ==, 50);
  check_message (bus, out);
  /* Nothing is looked at, and nothing said. */
  gst_buffer_unref (gst_harness_push_and_pull (h, new_picture (WIDTH, HEIGHT)));
  g_assert_null (gst_bus_pop_filtered (bus, GST_MESSAGE_ELEMENT));
  gst_element_set_bus (h->element, NULL);
  gst_harness_teardown (h);
}

#ifdef HAVE_ANALYTICS
/* What object i is said to be, in a classification that is related to it. */
static const char *
class_of (GstBuffer *buffer, guint i)
{
  GstAnalyticsRelationMeta *r = gst_buffer_get_analytics_relation_meta (buffer);
  GstAnalyticsODMtd od;
  GstAnalyticsClsMtd classes;
  gpointer state = NULL;
  for (guint k = 0; k <= i; k++)
    g_assert_true (gst_analytics_relation_meta_iterate (
        r, &state, gst_analytics_od_mtd_get_mtd_type (), &od));
  if (!gst_analytics_relation_meta_get_direct_related (r, od.id,
          GST_ANALYTICS_REL_TYPE_RELATE_TO, gst_analytics_cls_mtd_get_mtd_type (), NULL,
          &classes))
    return NULL;
  g_assert_cmpuint (gst_analytics_cls_mtd_get_length (&classes), ==, 1);
  g_assert_cmpfloat (gst_analytics_cls_mtd_get_level (&classes, 0), >, 0.5);
  g_assert_cmpint (gst_analytics_relation_meta_get_relation (r, classes.id, od.id), ==,
      GST_ANALYTICS_REL_TYPE_RELATE_TO);
  return g_quark_to_string (gst_analytics_cls_mtd_get_quark (&classes, 0));
}

/* Objects that a detector wrote as GstAnalytics metas are regions, once, with the same filters. */
static void
test_analytics (void)
{
  static const gint boxes[5][4] = { { 8, 20, 24, 40 }, { 52, 30, 20, 50 },
    { 52, 30, 4, 4 }, { -10, 20, 30, 40 }, { 60, 10, 0, 20 } };
  for (guint filtered = 0; filtered < 2; filtered++) {
    GstHarness *h = new_harness (classify, "roi-classes", filtered ? "thing" : "",
        "roi-min-size", filtered ? 10 : 1, NULL);
    GstBuffer *in = new_picture (WIDTH, HEIGHT);
    GstAnalyticsRelationMeta *r = gst_buffer_add_analytics_relation_meta (in);
    for (guint i = 0; i < G_N_ELEMENTS (boxes); i++) {
      GstAnalyticsODMtd od;
      const gint *b = boxes[i];
      g_assert_true (gst_analytics_relation_meta_add_od_mtd (r,
          g_quark_from_string (i == 0 ? "other" : "thing"), b[0], b[1], b[2], b[3], 0.5f,
          &od));
    }
    add_region (in, "thing", 52, 30, 20, 50); /* is the second already */
    g_autoptr (GstBuffer) out = gst_harness_push_and_pull (h, in);
    g_assert_nonnull (out);
    g_assert_null (nth_region (out, 4));
    g_assert_cmpstr (label_of (out, 0), ==, "green");
    g_assert_cmpstr (label_of (out, 1), ==, filtered ? NULL : "red");
    g_assert_cmpstr (label_of (out, 2), ==, filtered ? NULL : "green");
    g_assert_cmpstr (label_of (out, 3), ==, "red");
    g_assert_cmpstr (class_of (out, 0), ==, filtered ? NULL : "red");
    g_assert_cmpstr (class_of (out, 1), ==, "green");
    g_assert_cmpstr (class_of (out, 2), ==, filtered ? NULL : "green");
    g_assert_cmpstr (class_of (out, 3), ==, "red");
    g_assert_null (class_of (out, 4));
    g_assert_cmpuint (nth_region (out, 3)->x, ==, 0);
    g_assert_cmpuint (nth_region (out, 3)->w, ==, 20);
    GstVkSegMeta *meta = gst_buffer_get_vk_seg_meta (out);
    g_assert_cmpuint (gst_vk_seg_meta_get_n_instances (meta), ==, filtered ? 2 : 4);
    for (guint i = 0; i < gst_vk_seg_meta_get_n_instances (meta); i++)
      g_assert_cmpint (gst_vk_seg_meta_get_instance (meta, i)->region_id, >=, 0);
    gst_harness_teardown (h);
  }
}
#endif

/* What whole frames took, and waited for, is not said of regions. */
static void
test_latency (void)
{
  GstElement *element = gst_element_factory_make ("vksegment", NULL);
  g_object_set (element, "model", map, "cache-dir", dir, NULL);
  gst_util_set_object_arg (G_OBJECT (element), "mode", "async");
  GstHarness *h = gst_harness_new_with_element (element, "sink", "src");
  gst_object_unref (element);
  gst_harness_set_src_caps_str (h, CAPS);
  g_assert_cmpuint (gst_harness_query_latency (h), >=, GST_SECOND / 30);
  gst_element_set_state (element, GST_STATE_NULL);
  gst_util_set_object_arg (G_OBJECT (element), "mode", "sync");
  gst_util_set_object_arg (G_OBJECT (element), "inference-region", "roi-list");
  gst_element_set_state (element, GST_STATE_PLAYING);
  gst_harness_push_event (h, gst_event_new_stream_start ("regions"));
  gst_harness_set_src_caps_str (h, CAPS);
  g_assert_cmpuint (gst_harness_query_latency (h), ==, 0);
  g_assert_cmpint (gst_harness_push (h, new_picture (WIDTH, HEIGHT)), ==, GST_FLOW_OK);
  g_assert_cmpuint (gst_harness_buffers_in_queue (h), ==, 1);
  gst_harness_teardown (h);
}

/* No region: the very same buffer. */
static void
test_none (void)
{
  GstHarness *h = new_harness (classify, NULL, NULL);
  for (guint i = 0; i < 3; i++) {
    GstBuffer *in = new_picture (WIDTH, HEIGHT);
    GstMemory *memory = gst_buffer_peek_memory (in, 0);
    if (i == 1)
      add_region (in, "object", 8, 20, 24, 40);
    g_autoptr (GstBuffer) out = gst_harness_push_and_pull (h, in);
    g_assert_true (gst_buffer_peek_memory (out, 0) == memory);
    g_assert_true ((gst_buffer_get_vk_seg_meta (out) != NULL) == (i == 1));
  }
  g_autoptr (GstStructure) stats = NULL;
  guint64 frames = 0, inferred = 0;
  g_object_get (h->element, "stats", &stats, NULL);
  gst_structure_get (stats, "frames", G_TYPE_UINT64, &frames, "inferred", G_TYPE_UINT64,
      &inferred, NULL);
  g_assert_cmpuint (frames, ==, 3);
  g_assert_cmpuint (inferred, ==, 1);
  gst_harness_teardown (h);
}

/* Numbers that no detector should write. */
static void
test_hostile (void)
{
  GstHarness *h = new_harness (classify, NULL, NULL);
  GstBuffer *in = new_picture (WIDTH, HEIGHT);
  add_region (in, "object", 0, 0, G_MAXUINT, G_MAXUINT);
  add_region (in, "object", G_MAXUINT, 5, G_MAXUINT, 5);
  add_region (in, "object", 10, 10, 0, 0);
  add_region (in, "object", WIDTH, 0, 1, 1);
  add_region (in, "object", 60, 90, G_MAXUINT - 5, 50);
  add_region (in, "object", 10, 30, 5, 5);
  gst_buffer_add_video_region_of_interest_meta_id (in, 0, 10, 30, 6, 6);
  nth_region (in, 5)->id = G_MAXINT;
  nth_region (in, 6)->id = G_MAXINT;
  g_autoptr (GstBuffer) out = gst_harness_push_and_pull (h, in);
  g_assert_nonnull (out);
  g_assert_null (label_of (out, 1));
  g_assert_null (label_of (out, 2));
  g_assert_null (label_of (out, 3));
  g_assert_cmpstr (label_of (out, 5), ==, "red");
  g_assert_cmpstr (label_of (out, 6), ==, "red");
  gst_harness_teardown (h);
}

/* Regions without ids of their own: results can still be told apart. */
static void
test_ids (void)
{
  GstHarness *h = new_harness (classify, NULL, NULL);
  GstBuffer *in = new_picture (WIDTH, HEIGHT);
  for (guint i = 0; i < 3; i++)
    gst_buffer_add_video_region_of_interest_meta (in, "o", i == 1 ? 50 : 8, 20, 20, 40)
        ->id = 0;
  g_autoptr (GstBuffer) out = gst_harness_push_and_pull (h, in);
  GstVkSegMeta *meta = gst_buffer_get_vk_seg_meta (out);
  g_assert_cmpuint (gst_vk_seg_meta_get_n_instances (meta), ==, 3);
  for (guint i = 0; i < 3; i++) {
    GstVkSegInstance *instance = gst_vk_seg_meta_get_instance (meta, i);
    GstVideoRegionOfInterestMeta *roi =
        gst_buffer_get_video_region_of_interest_meta_id (out, instance->region_id);
    g_assert_true (roi == nth_region (out, i));
    g_assert_cmpstr (instance->label, ==, i == 1 ? "green" : "red");
  }
  gst_harness_teardown (h);
}

static void
check_labels (GstHarness *h, const char *const labels[4])
{
  GstBuffer *in = new_picture (WIDTH, HEIGHT);
  add_region (in, "face", 8, 20, 24, 40);
  add_region (in, "car", 52, 30, 20, 50);
  add_region (in, "face", 52, 60, 20, 20);
  add_region (in, "car", 8, 60, 10, 10);
  g_autoptr (GstBuffer) out = gst_harness_push_and_pull (h, in);
  for (guint i = 0; i < 4; i++)
    if (g_strcmp0 (label_of (out, i), labels[i]) != 0)
      g_error ("region %u is %s and not %s", i, label_of (out, i), labels[i]);
}

static void
test_filters (void)
{
  GstHarness *h = new_harness (classify, NULL, NULL);
  check_labels (h, (const char *[]){ "red", "green", "green", "red" });
  g_object_set (h->element, "roi-classes", "car, dog", NULL);
  check_labels (h, (const char *[]){ NULL, "green", NULL, "red" });
  g_object_set (h->element, "roi-min-size", 15, NULL);
  check_labels (h, (const char *[]){ NULL, "green", NULL, NULL });
  g_object_set (h->element, "roi-classes", NULL, "roi-min-size", 0, "roi-max", 2, NULL);
  check_labels (h, (const char *[]){ "red", "green", NULL, NULL });
  g_object_set (h->element, "roi-max", 9, "classes", "red", NULL);
  check_labels (h, (const char *[]){ "red", NULL, NULL, "red" });
  g_object_set (h->element, "classes", NULL, "threshold", 0.9, NULL);
  check_labels (h, (const char *[]){ NULL, NULL, NULL, NULL });
  gst_harness_teardown (h);
}

/* More than the limit: one warning, the first ones are looked at. */
static void
test_many (void)
{
  GstHarness *h = new_harness (classify, "roi-max", 20, NULL);
  GstBus *bus = gst_bus_new ();
  gst_element_set_bus (h->element, bus);
  for (guint k = 0; k < 2; k++) {
    GstBuffer *in = new_picture (WIDTH, HEIGHT);
    for (guint i = 0; i < 50; i++)
      add_region (in, "object", i % 2 ? 50 : 6, i, 20, 20);
    g_autoptr (GstBuffer) out = gst_harness_push_and_pull (h, in);
    for (guint i = 0; i < 50; i++)
      g_assert_cmpstr (label_of (out, i), ==, i >= 20 ? NULL : i % 2 ? "green" : "red");
  }
  GstMessage *message = gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING);
  g_assert_nonnull (message);
  gst_message_unref (message);
  g_assert_null (gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING));
  gst_element_set_bus (h->element, NULL);
  gst_object_unref (bus);
  gst_harness_teardown (h);
}

static void
test_map (void)
{
  g_autofree guint8 *mask = g_malloc (WIDTH * HEIGHT);
  GstHarness *h = new_harness (map, NULL, NULL);
  GstBuffer *in = new_picture (WIDTH, HEIGHT);
  add_region (in, "object", 22, 20, 40, 40);
  g_autoptr (GstBuffer) out = gst_harness_push_and_pull (h, in);
  GstVkSegMeta *meta = gst_buffer_get_vk_seg_meta (out);
  g_assert_cmpint (meta->type, ==, GST_VK_SEG_RESULT_INSTANCE);
  g_assert_cmpuint (gst_vk_seg_meta_get_n_instances (meta), ==, 2);
  for (guint i = 0; i < 2; i++) {
    GstVkSegInstance *instance = gst_vk_seg_meta_get_instance (meta, i);
    g_assert_cmpint (instance->region_id, ==, nth_region (out, 0)->id);
    g_assert_cmpstr (instance->label, ==, i == 0 ? "red" : "green");
    g_assert_true (
        gst_vk_seg_instance_get_mask_at_size (instance, WIDTH, HEIGHT, mask, WIDTH));
    for (guint x = 0; x < WIDTH; x++) {
      if (x >= 41 && x < 45)
        continue;
      gboolean in_it = i == 0 ? x >= 22 && x < 43 : x >= 43 && x < 62;
      if (mask[40 * WIDTH + x] != (in_it ? 255 : 0))
        g_error ("mask %u at %u is %u", i, x, mask[40 * WIDTH + x]);
    }
    g_assert_cmpuint (mask[19 * WIDTH + 30], ==, 0);
  }
  gst_harness_teardown (h);
}

/* --- Fast R-CNN -------------------------------------------------------------------------------- */

static void
test_fast (void)
{
  GstHarness *h = new_harness (fast, "threshold", 0.6, NULL);
  GstBuffer *in = new_picture (WIDTH, HEIGHT);
  add_region (in, "proposal", 95, 20, 20, 20);
  add_region (in, "proposal", 8, 20, 24, 40);
  add_region (in, "proposal", 8, 22, 24, 40);
  add_region (in, "proposal", 52, 30, 20, 50);
  g_autoptr (GstBuffer) out = gst_harness_push_and_pull (h, in);
  GstVkSegMeta *meta = gst_buffer_get_vk_seg_meta (out);
  g_assert_cmpuint (gst_vk_seg_meta_get_n_instances (meta), ==, 2);
  for (guint i = 0; i < 2; i++) {
    GstVkSegInstance *instance = gst_vk_seg_meta_get_instance (meta, i);
    gboolean is_red = g_strcmp0 (instance->label, "red") == 0;
    GstVideoRegionOfInterestMeta *mirror =
        gst_buffer_get_video_region_of_interest_meta_id (out, instance->roi_id);
    g_assert_cmpint (instance->region_id, ==, nth_region (out, is_red ? 1 : 3)->id);
    g_assert_cmpfloat (fabs (instance->box.x - (is_red ? 8 : 44)), <, 0.05);
    g_assert_cmpfloat (fabs (instance->box.width - (is_red ? 24 : 40)), <, 0.05);
    g_assert_nonnull (mirror);
    g_assert_cmpint (mirror->parent_id, ==, instance->region_id);
    g_assert_cmpstr (g_quark_to_string (mirror->roi_type), ==, instance->label);
  }
  gst_harness_teardown (h);
}

/* --- with other elements ------------------------------------------------------------------------- */

#define LEFT   40
#define TOP    20
#define RIGHT  10
#define BOTTOM 30

/* Three regions, red, gray and green, in a picture of 300x200. `cropped`: what a crop without a copy
 * leaves of it, and the regions moved as GStreamer's own elements do. */
static GstBuffer *
new_scene (gboolean cropped)
{
  static const guint regions[3][4] = { { 60, 70, 36, 50 }, { 220, 50, 40, 50 },
    { 120, 60, 50, 60 } };
  GstBuffer *buffer = new_picture (300, 200);
  guint x = cropped ? LEFT : 0, y = cropped ? TOP : 0;
  if (cropped) {
    gsize offset[4] = { TOP * 900 + LEFT * 3 };
    gint stride[4] = { 900 };
    gst_buffer_add_video_meta_full (buffer, GST_VIDEO_FRAME_FLAG_NONE,
        GST_VIDEO_FORMAT_RGB, 300 - LEFT - RIGHT, 200 - TOP - BOTTOM, 1, offset, stride);
  }
  for (guint i = 0; i < 3; i++)
    add_region (buffer, "object", regions[i][0] - x, regions[i][1] - y, regions[i][2],
        regions[i][3]);
  return buffer;
}

static void
check_scene (GstBuffer *out, const char *model, const char *what)
{
  GstVkSegMeta *meta = gst_buffer_get_vk_seg_meta (out);
  if (meta == NULL || gst_vk_seg_meta_get_n_instances (meta) != 2)
    g_error ("%s: %u results", what,
        meta != NULL ? gst_vk_seg_meta_get_n_instances (meta) : 0);
  for (guint i = 0; i < 2; i++) {
    GstVkSegInstance *instance = gst_vk_seg_meta_get_instance (meta, i);
    gboolean is_red = g_strcmp0 (instance->label, "red") == 0;
    GstVideoRegionOfInterestMeta *roi = nth_region (out, is_red ? 0 : 2);
    if (instance->region_id != roi->id)
      g_error (
          "%s: %s was found in region %d", what, instance->label, instance->region_id);
    if (g_strcmp0 (model, classify) == 0)
      g_assert_cmpstr (label_of (out, is_red ? 0 : 2), ==, instance->label);
    if (is_red
        && (fabs (instance->box.x - roi->x) > 0.1
            || fabs (instance->box.width - roi->w) > 0.1))
      g_error ("%s: box at %g, %g wide; region at %u, %u wide", what, instance->box.x,
          instance->box.width, roi->x, roi->w);
  }
}

static void
check_after (const char *upstream, gboolean cropped, const char *model)
{
  g_autofree char *text =
      g_strdup_printf ("%s ! vksegment inference-region=roi-list model=%s cache-dir=%s",
          upstream, model, dir);
  g_autofree char *caps =
      g_strdup_printf ("video/x-raw,format=RGB,width=%d,height=%d,framerate=30/1",
          cropped ? 300 - LEFT - RIGHT : 300, cropped ? 200 - TOP - BOTTOM : 200);
  GstHarness *h = gst_harness_new_parse (text);
  gst_harness_set_src_caps_str (h, caps);
  g_autoptr (GstBuffer) out = gst_harness_push_and_pull (h, new_scene (cropped));
  g_assert_nonnull (out);
  /* videocrop drops regions in some versions, and then there is nothing to say of them. */
  if (nth_region (out, 0) != NULL || !g_str_has_prefix (upstream, "videocrop"))
    check_scene (out, model, text);
  gst_harness_teardown (h);
}

/* Regions move with the picture when it is cropped and scaled. */
static void
test_after_crop_and_scale (void)
{
  static const char *const upstream[] = { "identity",
    "videoscale ! capsfilter caps=video/x-raw,width=150,height=100",
    ("videoscale ! capsfilter caps=video/x-raw,width=391,height=123 ! videoconvert ! "
     "capsfilter caps=video/x-raw,format=NV12"),
    "videocrop left=40 top=20 right=10 bottom=30" };
  const char *models[] = { classify, fast };
  for (guint i = 0; i < G_N_ELEMENTS (upstream); i++) {
    GstElementFactory *crop = gst_element_factory_find ("videocrop");
    if (crop == NULL && g_str_has_prefix (upstream[i], "videocrop"))
      continue;
    g_clear_object (&crop);
    for (guint k = 0; k < (i < 3 ? 4 : 2); k++)
      check_after (upstream[i], k / 2, models[k % 2]);
  }
}

static void
test_refused (void)
{
  GstElement *element = gst_element_factory_make ("vksegment", NULL);
  g_object_set (element, "model", classify, "cache-dir", dir, NULL);
  GstBus *bus = gst_bus_new ();
  gst_element_set_bus (element, bus);
  g_assert_cmpint (
      gst_element_set_state (element, GST_STATE_PAUSED), ==, GST_STATE_CHANGE_FAILURE);
  GstMessage *message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  g_autoptr (GError) error = NULL;
  gst_message_parse_error (message, &error, NULL);
  g_assert_nonnull (strstr (error->message, "roi-list"));
  gst_message_unref (message);
  gst_element_set_state (element, GST_STATE_NULL);
  gst_element_set_bus (element, NULL);
  gst_object_unref (bus);
  gst_object_unref (element);
}

int
main (int argc, char **argv)
{
  int status = 0;
  dir = element_test_begin (&argc, &argv, &status);
  if (dir == NULL)
    return status;
  RegionNet rcnn = { REGION_NET_CLASSIFY, 0, 0, FALSE },
            fast_rcnn = { REGION_NET_FAST, 1, REGION_NET_ROWS, FALSE },
            maps = { REGION_NET_MAP, 0, 0, FALSE };
  classify =
      region_net_write (dir, "classify", &rcnn, "decoder=classify\nregion-context=4\n");
  fast = region_net_write (dir, "fast", &fast_rcnn, "resize=stretch\n");
  map = region_net_write (dir, "map", &maps, "decoder=argmax\nregion-context=4\n");
  g_test_add_func ("/regions/classify", test_classify);
#ifdef HAVE_ANALYTICS
  g_test_add_func ("/regions/analytics", test_analytics);
#endif
  g_test_add_func ("/regions/none", test_none);
  g_test_add_func ("/regions/latency", test_latency);
  g_test_add_func ("/regions/hostile", test_hostile);
  g_test_add_func ("/regions/ids", test_ids);
  g_test_add_func ("/regions/filters", test_filters);
  g_test_add_func ("/regions/many", test_many);
  g_test_add_func ("/regions/map", test_map);
  g_test_add_func ("/regions/fast", test_fast);
  g_test_add_func ("/regions/after-crop-and-scale", test_after_crop_and_scale);
  g_test_add_func ("/regions/refused", test_refused);
  status = element_test_run ();
  g_free (classify);
  g_free (fast);
  g_free (map);
  return status;
}
