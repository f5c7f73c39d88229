/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A call fails while two streams are in one batch: each frame comes back, with the error or without, none
 * waits for ever, and who is left goes on. The fault layer's folder is VKSEG_TEST_LAYER_DIR. */
#include "frame/color-net.h"

#include "elements/settings.h"
#include "element-test.h"
#include "vk/fault-layer.h"
#include "vk/fault-open.h"

#include <gst/check/gstharness.h>
#include <vulkan/vulkan.h>

#define WIDTH      160
#define HEIGHT     120
#define TIMEOUT_MS 10000 /* for which a frame waits for the other stream's */

static TestFault *fault;
static char *dir, *model;

static GstHarness *
open_stream (void)
{
  GstElement *element = gst_element_factory_make ("vksegment", NULL);
  g_object_set (element, "model", model, "cache-dir", dir, "tiling", SEG_TILING_NONE,
      "output", SEG_OUTPUT_LABELS, "batch-size", 2, "batch-timeout", TIMEOUT_MS, NULL);
  GstHarness *h = gst_harness_new_with_element (element, "sink", "src");
  gst_object_unref (element);
  gst_harness_set_live (h, FALSE);
  gst_harness_set_src_caps_str (
      h, "video/x-raw,format=RGBx,width=160,height=120,framerate=30/1");
  return h;
}

static guint64
n_batched (GstHarness *h, guint *from)
{
  g_autoptr (GstStructure) stats = NULL;
  guint64 n = 0;
  g_object_get (h->element, "stats", &stats, NULL);
  g_assert_true (gst_structure_get_uint64 (stats, "batched", &n));
  g_assert_true (gst_structure_get_uint (stats, "batch-from", from));
  return n;
}

/* Red all over, of which class 1 must come. */
static GstFlowReturn
push (GstHarness *h)
{
  static const double red[3] = { 1, 0, 0 };
  SegFrame frame = { .format = SEG_FORMAT_RGBX,
    .color = seg_color_bt709,
    .width = WIDTH,
    .height = HEIGHT,
    .stride = { 4 * WIDTH } };
  guint8 *data = g_malloc0 (4 * WIDTH * HEIGHT), class_id = 0;
  color_net_paint (&frame, data, 0, WIDTH, red);
  GstFlowReturn ret =
      gst_harness_push (h, gst_buffer_new_wrapped (data, 4 * WIDTH * HEIGHT));
  g_assert_cmpuint (gst_harness_buffers_in_queue (h), ==, ret == GST_FLOW_OK);
  if (ret != GST_FLOW_OK)
    return ret;
  g_autoptr (GstBuffer) out = gst_harness_pull (h);
  g_assert_cmpuint (gst_buffer_extract (out, WIDTH * HEIGHT / 2, &class_id, 1), ==, 1);
  g_assert_cmpuint (class_id, ==, 1);
  return ret;
}

static gpointer
meet (gpointer h)
{
  guint from;
  while (n_batched (h, &from) < 3)
    g_assert_cmpint (push (h), ==, GST_FLOW_OK);
  return NULL;
}

static gpointer
push_one (gpointer h)
{
  return GINT_TO_POINTER (push (h));
}

/* In two threads; what they gave. */
static void
do_both (GstHarness *const h[2], GThreadFunc what, GstFlowReturn ret[2])
{
  GThread *threads[2];
  for (guint i = 0; i < 2; i++)
    threads[i] = g_thread_new (NULL, what, h[i]);
  for (guint i = 0; i < 2; i++)
    ret[i] = GPOINTER_TO_INT (g_thread_join (threads[i]));
}

/* Two that expect each other's next frame. Whether a batch pays is measured: see test-batch.c. */
static void
open_pair (GstHarness *h[2])
{
  GstFlowReturn ret[2];
  guint from = 0;
  h[0] = NULL;
  for (guint i = 0; i < 50 && from != 2; i++) {
    g_clear_pointer (&h[0], gst_harness_teardown);
    h[0] = open_stream ();
    n_batched (h[0], &from);
  }
  g_assert_cmpuint (from, ==, 2);
  h[1] = open_stream ();
  do_both (h, meet, ret);
}

/* Call k of a round fails, of those named. FALSE: there were not as many. */
static gboolean
fail_call (int k, VkResult result, const char *name)
{
  GstHarness *h[2];
  GstFlowReturn ret[2];
  open_pair (h);
  gint64 start = g_get_monotonic_time ();
  *fault = (TestFault){ k, result, name, NULL };
  do_both (h, push_one, ret);
  gboolean failed = fault->failed != NULL;
  *fault = (TestFault){ .countdown = -1 };
  gint64 ms = (g_get_monotonic_time () - start) / 1000;
  g_test_message ("%s %d: %s, %s, %d ms", name, k, gst_flow_get_name (ret[0]),
      gst_flow_get_name (ret[1]), (int) ms);
  g_assert_cmpint (ms, <, TIMEOUT_MS / 2);
  for (guint i = 0; i < 2; i++)
    g_assert_true (ret[i] == GST_FLOW_OK || (failed && ret[i] == GST_FLOW_ERROR));
  g_assert_cmpint (failed, ==, ret[0] != GST_FLOW_OK || ret[1] != GST_FLOW_OK);
  /* The network's submission is both's. */
  if (failed && k == 0 && g_str_equal (name, "vkQueueSubmit"))
    g_assert_true (ret[0] == GST_FLOW_ERROR && ret[1] == GST_FLOW_ERROR);
  if (failed && result != VK_ERROR_DEVICE_LOST) { /* it goes on, as after a flush */
    GstFlowReturn next[2];
    do_both (h, push_one, next);
    g_assert_true (next[0] == GST_FLOW_OK && next[1] == GST_FLOW_OK);
  }
  for (guint i = 0; i < 2; i++)
    if (ret[i] != GST_FLOW_OK)
      g_clear_pointer (&h[i], gst_harness_teardown);
  for (guint i = 0; i < 2; i++) {
    if (h[i] == NULL)
      continue;
    if (failed) { /* alone from now on, on a device that may be lost */
      GstFlowReturn next = push (h[i]);
      g_assert_true (next == GST_FLOW_OK || result == VK_ERROR_DEVICE_LOST);
    }
    gst_harness_teardown (h[i]);
  }
  g_assert_cmpint ((g_get_monotonic_time () - start) / 1000, <, TIMEOUT_MS);
  return failed;
}

static void
each_call (const char *name)
{
  static const VkResult results[] = { VK_ERROR_OUT_OF_HOST_MEMORY, VK_ERROR_DEVICE_LOST };
  for (guint r = 0; r < G_N_ELEMENTS (results); r++) {
    int k = 0;
    while (fail_call (k, results[r], name))
      k++;
    g_assert_cmpint (k, >=, 2);
  }
}

static void
test_submit (void)
{
  each_call ("vkQueueSubmit");
}

static void
test_reset (void)
{
  each_call ("vkResetFences");
}

static void
test_wait (void)
{
  each_call ("vkWaitForFences");
}

int
main (int argc, char **argv)
{
  int status = 0;
  fault = test_fault_begin ();
  dir = element_test_begin (&argc, &argv, &status);
  if (dir == NULL)
    return status;
  model = color_net_write (dir, "net", COLOR_NET_PLAIN, COLOR_NET_INFO);
  g_test_add_func ("/batch-faults/submit", test_submit);
  g_test_add_func ("/batch-faults/reset", test_reset);
  g_test_add_func ("/batch-faults/wait", test_wait);
  status = element_test_run ();
  g_free (model);
  return status;
}
