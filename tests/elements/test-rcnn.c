/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vksegment with an R-CNN, whose number of objects differs from frame to frame, and what the other
 * elements make of its results. */
#include "element-test.h"
#include "frame/color-net.h"
#include "frame/detector-net.h"

#include "frame/pipe.h"
#include "meta/gstvksegmeta.h"

#include <gst/check/gstharness.h>
#include <gst/video/video.h>

#include <math.h>
#include <string.h>

/* Five times the network's input. */
#define WIDTH  160
#define HEIGHT 120
#define CAPS   "video/x-raw,format=RGBx,width=160,height=120,framerate=25/1"

static char *dir, *masks, *boxes;
static const double red[3] = { 1, 0, 0 }, gray[3] = { 0.25, 0.25, 0.25 };

/* Objects first .. last - 1, as their columns. */
static GstBuffer *
new_picture (guint n, guint first, guint last)
{
  SegFrame frame = { .format = SEG_FORMAT_RGBX,
    .color = seg_color_bt709,
    .width = WIDTH,
    .height = HEIGHT,
    .stride = { 4 * WIDTH } };
  guint8 *data = g_malloc0 (4 * WIDTH * HEIGHT);
  color_net_paint (&frame, data, 0, WIDTH, gray);
  if (last > first)
    color_net_paint (&frame, data, 20 * first, 20 * last, red);
  GstBuffer *buffer = gst_buffer_new_wrapped (data, 4 * WIDTH * HEIGHT);
  GST_BUFFER_PTS (buffer) = n * (GST_SECOND / 25);
  GST_BUFFER_DURATION (buffer) = GST_SECOND / 25;
  return buffer;
}

static GstHarness *
open_harness (const char *model, SegOutputKind output)
{
  GstElement *element = gst_element_factory_make ("vksegment", NULL);
  g_object_set (
      element, "model", model, "cache-dir", dir, "output", output, "alpha", 1.0, NULL);
  gst_util_set_object_arg (G_OBJECT (element), "draw", "masks");
  GstHarness *h = gst_harness_new_with_element (element, "sink", "src");
  gst_object_unref (element);
  gst_harness_set_src_caps_str (h, CAPS);
  return h;
}

static guint8
byte_at (GstBuffer *buffer, guint bytes, guint x, guint y)
{
  guint8 v;
  g_assert_cmpuint (gst_buffer_get_size (buffer), ==, bytes * WIDTH * HEIGHT);
  gst_buffer_extract (buffer, bytes * (y * WIDTH + x), &v, 1);
  return v;
}

/* Objects 2 to 4, none, all, one: their left halves are drawn, and are in the maps. */
static void
test_pictures (void)
{
  static const guint there[][2] = { { 2, 5 }, { 0, 0 }, { 0, 8 }, { 7, 8 } };
  static const SegOutputKind outputs[] = { SEG_OUTPUT_OVERLAY, SEG_OUTPUT_LABELS,
    SEG_OUTPUT_MATTE };
  static const struct {
    guint bytes;
    guint8 none, in_columns, object;
  } want[] = { { 4, 64, 255, 255 }, { 1, 0, 0, 1 }, { 1, 0, 0, 255 } };
  for (guint o = 0; o < G_N_ELEMENTS (outputs); o++) {
    GstHarness *h = open_harness (masks, outputs[o]);
    for (guint i = 0; i < G_N_ELEMENTS (there); i++) {
      guint first = there[i][0], last = there[i][1];
      g_autoptr (GstBuffer) out =
          gst_harness_push_and_pull (h, new_picture (i, first, last));
      for (guint slot = 0; slot < DETECTOR_NET_SLOTS; slot++) {
        gboolean is = slot >= first && slot < last;
        guint8 left = byte_at (out, want[o].bytes, 20 * slot + 5, 60),
               right = byte_at (out, want[o].bytes, 20 * slot + 15, 60);
        g_assert_cmpuint (left, ==, is ? want[o].object : want[o].none);
        g_assert_cmpuint (right, ==, is ? want[o].in_columns : want[o].none);
      }
    }
    gst_harness_teardown (h);
  }
}

/* Faster R-CNN: boxes and scores, no masks. */
static void
test_boxes (void)
{
  GstHarness *h = open_harness (boxes, SEG_OUTPUT_META);
  for (guint n = 0; n < 3; n++) {
    g_autoptr (GstBuffer) out = gst_harness_push_and_pull (h, new_picture (n, 4, 4 + n));
    GstVkSegMeta *meta = gst_buffer_get_vk_seg_meta (out);
    g_assert_cmpint (meta->type, ==, GST_VK_SEG_RESULT_DETECTION);
    g_assert_cmpuint (gst_vk_seg_meta_get_n_instances (meta), ==, n);
    for (guint i = 0; i < n; i++) {
      const GstVkSegInstance *instance = gst_vk_seg_meta_get_instance (meta, i);
      g_assert_cmpstr (instance->label, ==, "warm");
      g_assert_null (instance->mask);
      g_assert_cmpfloat (fabs (instance->box.x - 20 * (4 + (double) i)), <, 1e-3);
    }
  }
  gst_harness_teardown (h);
}

/* --- ids and streams ------------------------------------------------------------------------------- */

static void
check_mask (const GstVkSegInstance *instance)
{
  guint8 pixels[HEIGHT][WIDTH];
  guint x = (guint) (instance->box.x + 0.5);
  g_assert_cmpstr (instance->label, ==, "warm");
  g_assert_true (gst_vk_seg_instance_get_mask_at_size (
      instance, WIDTH, HEIGHT, &pixels[0][0], WIDTH));
  g_assert_cmpuint (pixels[60][x + 5], ==, 255);
  g_assert_cmpuint (pixels[60][x + 15], ==, 0);
  g_assert_cmpuint (pixels[10][x + 5], ==, 0);
}

/* Who comes back is who it was: ids by place, through frames without anything. */
static void
test_track_and_demux (void)
{
  static const guint there[][2] = { { 2, 5 }, { 2, 5 }, { 0, 0 }, { 2, 4 }, { 0, 0 },
    { 2, 5 } };
  g_autofree char *text = g_strdup_printf (
      "vksegment model=%s cache-dir=%s output=meta ! vksegtrack min-hits=1", masks, dir);
  GstHarness *h = gst_harness_new_parse (text);
  GstHarness *demux = gst_harness_new ("vksegdemux"), *streams[3];
  gint64 ids[DETECTOR_NET_SLOTS] = { 0 };
  for (guint i = 0; i < 3; i++)
    streams[i] = gst_harness_new_with_element (demux->element, NULL, "instance_%u");
  gst_harness_set_src_caps_str (h, CAPS);
  gst_harness_set_src_caps_str (demux, CAPS);
  for (guint n = 0; n < G_N_ELEMENTS (there); n++) {
    guint count = there[n][1] - there[n][0];
    GstBuffer *out =
        gst_harness_push_and_pull (h, new_picture (n, there[n][0], there[n][1]));
    GstVkSegMeta *meta = gst_buffer_get_vk_seg_meta (out);
    g_assert_cmpint (meta->type, ==, GST_VK_SEG_RESULT_INSTANCE);
    g_assert_cmpuint (gst_vk_seg_meta_get_n_instances (meta), ==, count);
    for (guint i = 0; i < count; i++) {
      const GstVkSegInstance *instance = gst_vk_seg_meta_get_instance (meta, i);
      guint slot = (guint) (instance->box.x / 20 + 0.5);
      check_mask (instance);
      g_assert_cmpint (instance->track_id, >=, 0);
      if (ids[slot] == 0)
        ids[slot] = instance->track_id;
      g_assert_cmpint (instance->track_id, ==, ids[slot]);
    }
    gst_buffer_unref (gst_harness_push_and_pull (demux, out));
    for (guint i = 0; i < 3; i++) {
      g_autoptr (GstBuffer) mask = gst_harness_try_pull (streams[i]);
      g_assert_true ((mask != NULL) == (i < count));
      if (mask == NULL)
        continue;
      meta = gst_buffer_get_vk_seg_meta (mask);
      g_assert_cmpuint (gst_vk_seg_meta_get_n_instances (meta), ==, 1);
      g_assert_cmpint (gst_vk_seg_meta_get_instance (meta, 0)->track_id, ==, ids[2 + i]);
    }
  }
  for (guint i = 0; i < 3; i++)
    gst_harness_teardown (streams[i]);
  gst_harness_teardown (demux);
  gst_harness_teardown (h);
}

/* Rows that do not belong together are an error of the stream, and no crash. */
static void
test_broken (void)
{
  DetectorNet detector = detector_net_columns;
  detector.more_labels = 1;
  g_autofree char *model =
      detector_net_write (dir, "broken", &detector, DETECTOR_NET_INFO);
  GstElement *element = gst_element_factory_make ("vksegment", NULL);
  g_object_set (element, "model", model, "cache-dir", dir, NULL);
  GstHarness *h = gst_harness_new_with_element (element, "sink", "src");
  g_autoptr (GstBus) bus = gst_bus_new ();
  gst_element_set_bus (element, bus);
  gst_harness_set_src_caps_str (h, CAPS);
  g_assert_cmpint (gst_harness_push (h, new_picture (0, 0, 1)), !=, GST_FLOW_OK);
  GstMessage *message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  g_autoptr (GError) error = NULL;
  g_assert_nonnull (message);
  gst_message_parse_error (message, &error, NULL);
  g_assert_nonnull (strstr (error->message, "do not belong together"));
  gst_message_unref (message);
  gst_element_set_bus (element, NULL);
  gst_object_unref (element);
  gst_harness_teardown (h);
}

int
main (int argc, char **argv)
{
  int status = 0;
  dir = element_test_begin (&argc, &argv, &status);
  if (dir == NULL)
    return status;
  DetectorNet without = detector_net_columns;
  without.mask_width = 0;
  masks = detector_net_write (dir, "masks", &detector_net_columns, DETECTOR_NET_INFO);
  boxes = detector_net_write (dir, "boxes", &without, DETECTOR_NET_INFO);
  g_test_add_func ("/rcnn/pictures", test_pictures);
  g_test_add_func ("/rcnn/boxes", test_boxes);
  g_test_add_func ("/rcnn/track-and-demux", test_track_and_demux);
  g_test_add_func ("/rcnn/broken", test_broken);
  status = element_test_run ();
  g_free (masks);
  g_free (boxes);
  return status;
}
