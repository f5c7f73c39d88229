/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vksegment whose settings change while frames flow: other networks, and what else asks for one. */
#include "element-test.h"
#include "elements/slow-net.h"
#include "frame/color-net.h"

#include "elements/settings.h"
#include "elements/vksegment.h"
#include "meta/gstvksegmeta.h"

#include <gst/check/gstharness.h>

#include <string.h>

#define WIDTH    160
#define HEIGHT   120
#define FRAME    (GST_SECOND / 30)
#define PATIENCE (8 * G_USEC_PER_SEC)

/* `turned` takes red for blue. */
#define TURNED_INFO COLOR_NET_INFO "color-order=bgr\n"

static char *dir, *straight, *turned;
static const double red[3] = { 1, 0, 0 };
static GstBus *bus;

static GstHarness *
open_harness (SegMode mode, SegOutputKind output, gboolean live)
{
  GstElement *element = gst_element_factory_make ("vksegment", NULL);
  g_object_set (element, "model", straight, "cache-dir", dir, "mode", mode, "output",
      output, "tiling", SEG_TILING_NONE, NULL);
  GstHarness *h = gst_harness_new_with_element (element, "sink", "src");
  gst_object_unref (element);
  bus = gst_bus_new ();
  gst_element_set_bus (h->element, bus);
  gst_harness_set_live (h, live);
  gst_harness_set_src_caps_str (
      h, "video/x-raw,format=RGBx,width=160,height=120,framerate=30/1");
  return h;
}

static void
finish (GstHarness *h)
{
  GstElement *element = h->element;
  gst_element_set_bus (element, NULL);
  gst_object_unref (bus);
  g_object_add_weak_pointer (G_OBJECT (element), (gpointer *) &element);
  gst_harness_teardown (h);
  g_assert_null (element);
}

static GstBuffer *
new_frame (guint n)
{
  SegFrame frame = { .format = SEG_FORMAT_RGBX,
    .color = seg_color_bt709,
    .width = WIDTH,
    .height = HEIGHT,
    .stride = { 4 * WIDTH } };
  guint8 *data = g_malloc0 (4 * WIDTH * HEIGHT);
  color_net_paint (&frame, data, 0, WIDTH, red);
  GstBuffer *buffer = gst_buffer_new_wrapped (data, 4 * WIDTH * HEIGHT);
  GST_BUFFER_PTS (buffer) = n * FRAME;
  GST_BUFFER_DURATION (buffer) = FRAME;
  return buffer;
}

static GstBuffer *
run (GstHarness *h, guint n)
{
  g_assert_cmpint (gst_harness_push (h, new_frame (n)), ==, GST_FLOW_OK);
  GstBuffer *out = gst_harness_pull (h);
  g_assert_cmpuint (GST_BUFFER_PTS (out), ==, n * FRAME);
  return out;
}

/* The class of all of a frame; -1: it has several. */
static int
class_of (GstBuffer *buffer)
{
  GstMapInfo map;
  g_assert_true (gst_buffer_map (buffer, &map, GST_MAP_READ));
  int class_id = map.data[0];
  for (gsize i = 1; i < map.size; i++)
    if (map.data[i] != class_id)
      class_id = -1;
  gst_buffer_unmap (buffer, &map);
  return class_id;
}

static int
run_class (GstHarness *h, guint n)
{
  g_autoptr (GstBuffer) out = run (h, n);
  return class_of (out);
}

/* Pushes frames until they are of this class; until then they are of the other. The next number. */
static guint
run_until (GstHarness *h, guint n, int before, int after)
{
  gint64 end = g_get_monotonic_time () + PATIENCE;
  int class_id;
  while ((class_id = run_class (h, n++)) != after) {
    g_assert_cmpint (class_id, ==, before);
    g_assert_cmpint (g_get_monotonic_time (), <, end);
    g_usleep (2000);
  }
  return n;
}

static char *
warning (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *debug = NULL;
  GstMessage *message = gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING);
  if (message == NULL)
    return NULL;
  gst_message_parse_warning (message, &error, &debug);
  gst_message_unref (message);
  return g_strdup_printf ("%s\n%s", error->message, debug);
}

/* --- networks ---------------------------------------------------------------------------------------- */

static void
test_model (void)
{
  GstHarness *h = open_harness (SEG_MODE_SYNC, SEG_OUTPUT_LABELS, FALSE);
  g_assert_cmpint (run_class (h, 0), ==, 1);
  g_object_set (h->element, "model", turned, NULL);
  guint n = run_until (h, 1, 1, 3);
  for (guint i = 0; i < 5; i++)
    g_assert_cmpint (run_class (h, n++), ==, 3);
  g_object_set (h->element, "model", straight, NULL);
  run_until (h, n, 3, 1);
  g_assert_null (warning ());
  finish (h);
}

/* What cannot be used is told, once, and the old one goes on. */
static void
test_refused (void)
{
  GstHarness *h = open_harness (SEG_MODE_SYNC, SEG_OUTPUT_LABELS, FALSE);
  g_autofree char *text = NULL;
  gint64 end = g_get_monotonic_time () + PATIENCE;
  guint n = 0;
  g_object_set (h->element, "model", "/nowhere/at-all.onnx", NULL);
  while ((text = warning ()) == NULL && g_get_monotonic_time () < end)
    g_assert_cmpint (run_class (h, n++), ==, 1);
  g_assert_nonnull (strstr (text, "/nowhere/at-all.onnx"));
  g_assert_nonnull (strstr (text, straight));
  for (guint i = 0; i < 50; i++) {
    g_object_set (h->element, "alpha", i / 50.0, NULL); /* as a controller does */
    g_assert_cmpint (run_class (h, n++), ==, 1);
    g_usleep (2000);
  }
  g_assert_null (warning ());
  g_object_set (h->element, "model", turned, NULL);
  run_until (h, n, 1, 3);
  finish (h);
}

/* The last of several counts, though others are being loaded. */
static void
test_last_counts (void)
{
  GstHarness *h = open_harness (SEG_MODE_SYNC, SEG_OUTPUT_LABELS, FALSE);
  guint n = 0;
  for (guint i = 0; i < 6; i++) {
    g_object_set (h->element, "model", i % 2 ? turned : straight, NULL);
    gst_buffer_unref (run (h, n++));
  }
  n = run_until (h, n, 1, 3);
  g_object_set (h->element, "model", straight, NULL);
  gst_buffer_unref (run (h, n)); /* it is being loaded when the element goes */
  finish (h);
}

/* A setting after a failure tries again: here the classes are those of the network to come. */
static void
test_tried_again (void)
{
  static const char info[] =
      "[vkseg]\ntask=semantic\ndecoder=argmax\nmean=0\nstd=255\ncolor-order=bgr\n"
      "labels=nothing,one,two,three\nbackground=0\n";
  g_autofree char *other = color_net_write (dir, "renamed", COLOR_NET_PLAIN, info);
  GstHarness *h = open_harness (SEG_MODE_SYNC, SEG_OUTPUT_LABELS, FALSE);
  g_autofree char *text = NULL;
  gint64 end = g_get_monotonic_time () + PATIENCE;
  guint n = 0;
  g_object_set (h->element, "classes", "red", NULL);
  g_assert_cmpint (run_class (h, n++), ==, 1);
  g_object_set (h->element, "model", other, NULL);
  while ((text = warning ()) == NULL && g_get_monotonic_time () < end)
    g_assert_cmpint (run_class (h, n++), ==, 1);
  g_assert_nonnull (strstr (text, "red"));
  g_object_set (h->element, "classes", "three", NULL);
  run_until (h, n, 1, 3);
  finish (h);
}

/* Frames in flight: each comes out, in order, and once there is a new answer there is no old one. */
static void
check_live (SegMode mode)
{
  GstHarness *h = open_harness (mode, SEG_OUTPUT_LABELS, FALSE);
  gint64 end = g_get_monotonic_time () + PATIENCE;
  guint n_in = 0, n_out = 0, n_new = 0;
  while (n_new < 10) {
    if (n_in == 5)
      g_object_set (h->element, "model", turned, NULL);
    g_assert_cmpint (gst_harness_push (h, new_frame (n_in++)), ==, GST_FLOW_OK);
    while (gst_harness_buffers_in_queue (h) > 0) {
      g_autoptr (GstBuffer) out = gst_harness_pull (h);
      g_assert_cmpuint (GST_BUFFER_PTS (out), ==, n_out++ * FRAME);
      int class_id = class_of (out);
      g_assert_cmpint (class_id, ==, n_new == 0 && class_id == 1 ? 1 : 3);
      n_new += class_id == 3;
    }
    g_assert_cmpint (g_get_monotonic_time (), <, end);
    g_usleep (2000);
  }
  g_assert_true (gst_harness_push_event (h, gst_event_new_eos ()));
  n_out += gst_harness_buffers_in_queue (h);
  g_assert_cmpuint (n_in, ==, n_out);
  finish (h);
}

static void
test_async (void)
{
  check_live (SEG_MODE_ASYNC);
}

static void
test_drop (void)
{
  check_live (SEG_MODE_DROP);
}

/* With a map of its own size the caps follow. */
static void
test_own_size (void)
{
  const SlowNet net = { 64, 48, 1, 8, FALSE, FALSE };
  g_autofree char *larger = slow_net_write_of (dir, "larger", &net);
  GstHarness *h = open_harness (SEG_MODE_SYNC, SEG_OUTPUT_LABELS, FALSE);
  gint64 end = g_get_monotonic_time () + PATIENCE;
  gsize size = WIDTH * HEIGHT, last = size;
  guint n = 0;
  g_object_set (h->element, "upsample", SEG_UPSAMPLE_NONE, NULL);
  for (guint i = 0; i < 2; i++) {
    if (i == 1)
      g_object_set (h->element, "model", larger, NULL);
    while (size == last && g_get_monotonic_time () < end) {
      g_autoptr (GstBuffer) out = run (h, n++);
      size = gst_buffer_get_size (out);
    }
    g_assert_cmpuint (size, ==, i == 0 ? 32 * 24 : 64 * 48);
    last = size;
  }
  finish (h);
}

/* --- other settings ------------------------------------------------------------------------------------ */

static gboolean
has_meta (GstBuffer *buffer)
{
  return gst_buffer_get_vk_seg_meta (buffer) != NULL;
}

/* Same caps, but another way for frames. */
static void
test_output (void)
{
  GstHarness *h = open_harness (SEG_MODE_SYNC, SEG_OUTPUT_OVERLAY, FALSE);
  gint64 end = g_get_monotonic_time () + PATIENCE;
  guint n = 0;
  for (guint i = 0; i < 4; i++) {
    gboolean meta = i % 2 == 0, there = !meta;
    g_object_set (
        h->element, "output", meta ? SEG_OUTPUT_META : SEG_OUTPUT_OVERLAY, NULL);
    while (there != meta && g_get_monotonic_time () < end) {
      g_autoptr (GstBuffer) out = run (h, n++);
      there = has_meta (out);
    }
    g_assert_cmpint (there, ==, meta);
  }
  g_assert_null (warning ());
  finish (h);
}

/* As seen in the latency. */
static guint64
latency (GstHarness *h)
{
  return gst_harness_query_latency (h);
}

static void
test_mode (void)
{
  GstHarness *h = open_harness (SEG_MODE_SYNC, SEG_OUTPUT_LABELS, TRUE);
  gint64 end = g_get_monotonic_time () + PATIENCE;
  guint n_in = 0, n_out = 0;
  g_object_set (h->element, "mode", SEG_MODE_ASYNC, "frames-in-flight", 4, NULL);
  g_assert_cmpint (gst_harness_push (h, new_frame (n_in++)), ==, GST_FLOW_OK);
  /* It is being made ready: this is for later, but the alpha for now. */
  g_object_set (h->element, "frames-in-flight", 8, "alpha", 0.7, NULL);
  while (latency (h) < 8 * FRAME && g_get_monotonic_time () < end) {
    g_assert_cmpint (gst_harness_push (h, new_frame (n_in++)), ==, GST_FLOW_OK);
    g_usleep (2000);
  }
  g_assert_cmpuint (latency (h), >=, 8 * FRAME);
  g_object_set (h->element, "mode", SEG_MODE_SYNC, NULL);
  while (latency (h) >= 8 * FRAME && g_get_monotonic_time () < end) {
    g_assert_cmpint (gst_harness_push (h, new_frame (n_in++)), ==, GST_FLOW_OK);
    g_usleep (2000);
  }
  g_assert_true (gst_harness_push_event (h, gst_event_new_eos ()));
  for (; gst_harness_buffers_in_queue (h) > 0; n_out++) {
    g_autoptr (GstBuffer) out = gst_harness_pull (h);
    g_assert_cmpuint (GST_BUFFER_PTS (out), ==, n_out * FRAME);
  }
  g_assert_cmpuint (n_in, ==, n_out);
  finish (h);
}

/* What gst-inspect says is what happens. */
static void
test_flags (void)
{
  static const char *const at_start[] = { "cache-dir", "inference-region", NULL };
  static const char *const controllable[] = { "alpha", "threshold", "mask-threshold",
    "iou-threshold", "interval", "roi-min-size", "roi-max", NULL };
  g_autoptr (GstElement) element =
      gst_object_ref_sink (gst_element_factory_make ("vksegment", NULL));
  guint n;
  g_autofree GParamSpec **specs =
      g_object_class_list_properties (G_OBJECT_GET_CLASS (element), &n);
  for (guint i = 0; i < n; i++) {
    if (specs[i]->owner_type != GST_TYPE_VK_SEGMENT
        || (specs[i]->flags & G_PARAM_WRITABLE) == 0)
      continue;
    gboolean early = g_strv_contains (at_start, specs[i]->name);
    g_test_message ("%s", specs[i]->name);
    g_assert_cmpint ((specs[i]->flags & GST_PARAM_MUTABLE_PLAYING) != 0, ==, !early);
    g_assert_cmpint ((specs[i]->flags & GST_PARAM_CONTROLLABLE) != 0, ==,
        g_strv_contains (controllable, specs[i]->name));
  }
}

int
main (int argc, char **argv)
{
  int status = 0;
  dir = element_test_begin (&argc, &argv, &status);
  if (dir == NULL)
    return status;
  straight = color_net_write (dir, "straight", COLOR_NET_PLAIN, COLOR_NET_INFO);
  turned = color_net_write (dir, "turned", COLOR_NET_SOFTMAX, TURNED_INFO);
  g_test_add_func ("/swap/model", test_model);
  g_test_add_func ("/swap/refused", test_refused);
  g_test_add_func ("/swap/last-counts", test_last_counts);
  g_test_add_func ("/swap/tried-again", test_tried_again);
  g_test_add_func ("/swap/async", test_async);
  g_test_add_func ("/swap/drop", test_drop);
  g_test_add_func ("/swap/own-size", test_own_size);
  g_test_add_func ("/swap/output", test_output);
  g_test_add_func ("/swap/mode", test_mode);
  g_test_add_func ("/swap/flags", test_flags);
  status = element_test_run ();
  g_free (straight);
  g_free (turned);
  return status;
}
