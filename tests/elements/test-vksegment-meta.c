/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vksegment with networks of instances, and output=meta of every kind of network. */
#include "element-test.h"
#include "frame/color-net.h"

#include "elements/videoframe.h"
#include "frame/pipe.h"
#include "meta/gstvksegmeta.h"

#include <gst/check/gstharness.h>

#include <math.h>
#include <string.h>

/* The network sees a fifth, with bars of 4 rows above and below. */
#define WIDTH  160
#define HEIGHT 80

static char *dir;
static const double red[3] = { 1, 0, 0 }, green[3] = { 0, 1, 0 };

static GstHarness *
open_harness (ColorNetKind kind, const char *info, SegOutputKind output)
{
  g_autofree char *model = color_net_write (dir, "net", kind, info);
  GstElement *element = gst_element_factory_make ("vksegment", NULL);
  g_object_set (element, "model", model, "cache-dir", dir, "output", output, NULL);
  GstHarness *h = gst_harness_new_with_element (element, "sink", "src");
  gst_object_unref (element);
  gst_harness_set_src_caps_str (
      h, "video/x-raw,format=RGBx,width=160,height=80,framerate=30/1");
  return h;
}

/* Red on the left, green on the right. */
static GstBuffer *
new_picture (void)
{
  SegFrame frame = { .format = SEG_FORMAT_RGBX,
    .color = seg_color_bt709,
    .width = WIDTH,
    .height = HEIGHT,
    .stride = { 4 * WIDTH } };
  guint8 *data = g_malloc0 (4 * WIDTH * HEIGHT);
  color_net_paint (&frame, data, 0, 80, red);
  color_net_paint (&frame, data, 80, WIDTH, green);
  return gst_buffer_new_wrapped (data, 4 * WIDTH * HEIGHT);
}

static GstVkSegMeta *
check_meta (GstBuffer *buffer, GstVkSegResultType type)
{
  GstVkSegMeta *meta = gst_buffer_get_vk_seg_meta (buffer);
  g_assert_nonnull (meta);
  g_assert_cmpint (meta->type, ==, type);
  g_assert_cmpuint (meta->frame_width, ==, WIDTH);
  g_assert_cmpuint (meta->frame_height, ==, HEIGHT);
  g_assert_cmpuint (meta->mapping.model_width, ==, COLOR_NET_WIDTH);
  return meta;
}

static void
check_instances (GstVkSegMeta *meta)
{
  guint8 pixels[HEIGHT][WIDTH];
  g_assert_cmpuint (gst_vk_seg_meta_get_n_instances (meta), ==, 2);
  const GstVkSegInstance *warm = gst_vk_seg_meta_get_instance (meta, 0);
  const GstVkSegInstance *cold = gst_vk_seg_meta_get_instance (meta, 1);
  g_assert_cmpstr (warm->label, ==, "warm");
  g_assert_cmpstr (cold->label, ==, "cold");
  g_assert_cmpint (cold->class_id, ==, 1);
  g_assert_cmpfloat (fabs (warm->score - 0.9), <, COLOR_NET_SCORE_ERROR);
  g_assert_cmpfloat (fabs (warm->box.x - 10), <, 1e-3);
  g_assert_cmpfloat (fabs (warm->box.width - 80), <, 1e-3);
  g_assert_true (gst_vk_seg_instance_get_mask_at_size (
      cold, WIDTH, HEIGHT, &pixels[0][0], sizeof pixels[0]));
  /* Green within the box, from 80 to 150; all rows. */
  for (guint y = 0; y < HEIGHT; y += HEIGHT - 1) {
    g_assert_cmpuint (pixels[y][70], ==, 0);
    g_assert_cmpuint (pixels[y][90], !=, 0);
    g_assert_cmpuint (pixels[y][148], !=, 0);
    g_assert_cmpuint (pixels[y][152], ==, 0);
  }
}

/* The frame stays the buffer that it was, with a meta; between inferences the meta ages. */
static void
test_instances (void)
{
  for (guint hosted = 0; hosted < 2; hosted++) {
    GstHarness *h = open_harness (hosted ? COLOR_NET_YOLO_HOSTED : COLOR_NET_YOLO,
        COLOR_NET_YOLO_INFO, SEG_OUTPUT_META);
    g_object_set (h->element, "interval", 2, NULL);
    for (guint i = 0; i < 4; i++) {
      GstBuffer *in = new_picture ();
      const GstMemory *memory = gst_buffer_peek_memory (in, 0);
      GstBuffer *out = gst_harness_push_and_pull (h, in);
      g_assert_true (gst_buffer_peek_memory (out, 0) == memory);
      GstVkSegMeta *meta = check_meta (out, GST_VK_SEG_RESULT_INSTANCE);
      g_assert_cmpuint (meta->age, ==, i % 2);
      check_instances (meta);
      gst_buffer_unref (out);
    }
    gst_harness_teardown (h);
  }
}

/* Somebody else looks at the buffer too: it is not touched, its pixels are not copied. */
static void
test_shared (void)
{
  GstHarness *h = open_harness (COLOR_NET_YOLO, COLOR_NET_YOLO_INFO, SEG_OUTPUT_META);
  GstBuffer *in = new_picture (), *held = gst_buffer_ref (in);
  GstBuffer *out = gst_harness_push_and_pull (h, in);
  g_assert_true (out != held);
  g_assert_true (gst_buffer_peek_memory (out, 0) == gst_buffer_peek_memory (held, 0));
  g_assert_null (gst_buffer_get_vk_seg_meta (held));
  check_instances (check_meta (out, GST_VK_SEG_RESULT_INSTANCE));
  gst_buffer_unref (out);
  gst_buffer_unref (held);
  gst_harness_teardown (h);
}

static void
test_detection (void)
{
  GstHarness *h = open_harness (COLOR_NET_YOLO,
      "[vkseg]\ndecoder=yolo\nmean=0\nstd=255\noutput=detections\n", SEG_OUTPUT_META);
  GstBuffer *out = gst_harness_push_and_pull (h, new_picture ());
  GstVkSegMeta *meta = check_meta (out, GST_VK_SEG_RESULT_DETECTION);
  g_assert_cmpuint (gst_vk_seg_meta_get_n_instances (meta), >, 0);
  g_assert_null (gst_vk_seg_meta_get_instance (meta, 0)->mask);
  gst_buffer_unref (out);
  gst_harness_teardown (h);
}

static void
test_maps (void)
{
  guint8 pixels[HEIGHT][WIDTH];
  GstHarness *h = open_harness (COLOR_NET_PLAIN, COLOR_NET_INFO, SEG_OUTPUT_META);
  GstBuffer *out = gst_harness_push_and_pull (h, new_picture ());
  GstVkSegMeta *meta = check_meta (out, GST_VK_SEG_RESULT_SEMANTIC);
  g_assert_cmpint (meta->background, ==, 0);
  g_assert_cmpstr (meta->labels->pdata[2], ==, "green");
  g_assert_true (gst_vk_seg_meta_get_map_at_size (
      meta, WIDTH, HEIGHT, &pixels[0][0], sizeof pixels[0]));
  g_assert_cmpuint (pixels[40][20], ==, 1);
  g_assert_cmpuint (pixels[40][140], ==, 2);
  gst_buffer_unref (out);
  gst_harness_teardown (h);

  h = open_harness (COLOR_NET_PLAIN,
      "[vkseg]\ndecoder=softmax\nmean=0\nstd=255\nforeground=green\n"
      "labels=background,red,green,blue\n",
      SEG_OUTPUT_META);
  out = gst_harness_push_and_pull (h, new_picture ());
  meta = check_meta (out, GST_VK_SEG_RESULT_MATTE);
  g_assert_true (gst_vk_seg_meta_get_map_at_size (
      meta, WIDTH, HEIGHT, &pixels[0][0], sizeof pixels[0]));
  g_assert_cmpuint (pixels[40][20], <, 60);
  g_assert_cmpuint (pixels[40][140], >, 180);
  gst_buffer_unref (out);
  gst_harness_teardown (h);
}

/* Properties of instances, while playing. */
static void
test_properties (void)
{
  GstHarness *h = open_harness (COLOR_NET_YOLO, COLOR_NET_YOLO_INFO, SEG_OUTPUT_META);
  static const struct {
    const char *name;
    double value;
    guint n;
  } steps[] = { { "iou-threshold", 1.0, 3 }, { "iou-threshold", -1.0, 2 },
    { "threshold", 0.7, 1 }, { "threshold", 0.95, 0 }, { "threshold", -1.0, 2 } };
  for (guint i = 0; i < G_N_ELEMENTS (steps); i++) {
    g_object_set (h->element, steps[i].name, steps[i].value, NULL);
    GstBuffer *out = gst_harness_push_and_pull (h, new_picture ());
    GstVkSegMeta *meta = check_meta (out, GST_VK_SEG_RESULT_INSTANCE);
    g_assert_cmpuint (gst_vk_seg_meta_get_n_instances (meta), ==, steps[i].n);
    gst_buffer_unref (out);
  }
  g_object_set (h->element, "mask-threshold", 0.75, NULL);
  GstBuffer *out = gst_harness_push_and_pull (h, new_picture ());
  GstVkSegMeta *meta = check_meta (out, GST_VK_SEG_RESULT_INSTANCE);
  g_assert_cmpfloat (gst_vk_seg_meta_get_instance (meta, 0)->mask->threshold, ==, 0.75);
  gst_buffer_unref (out);
  gst_harness_teardown (h);

  g_autofree char *model = g_build_filename (dir, "net.onnx", NULL);
  GstElement *element = gst_element_factory_make ("vksegment", NULL);
  g_object_set (element, "model", model, "cache-dir", dir, "output", SEG_OUTPUT_META,
      "max-detections", 1, NULL);
  h = gst_harness_new_with_element (element, "sink", "src");
  gst_object_unref (element);
  gst_harness_set_src_caps_str (
      h, "video/x-raw,format=RGBx,width=160,height=80,framerate=30/1");
  out = gst_harness_push_and_pull (h, new_picture ());
  meta = check_meta (out, GST_VK_SEG_RESULT_INSTANCE);
  g_assert_cmpuint (gst_vk_seg_meta_get_n_instances (meta), ==, 1);
  gst_buffer_unref (out);
  gst_harness_teardown (h);
}

int
main (int argc, char **argv)
{
  int status = 0;
  dir = element_test_begin (&argc, &argv, &status);
  if (dir == NULL)
    return status;
  g_test_add_func ("/vksegment-meta/instances", test_instances);
  g_test_add_func ("/vksegment-meta/shared", test_shared);
  g_test_add_func ("/vksegment-meta/detection", test_detection);
  g_test_add_func ("/vksegment-meta/maps", test_maps);
  g_test_add_func ("/vksegment-meta/properties", test_properties);
  status = element_test_run ();
  return status;
}
