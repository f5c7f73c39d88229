/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A call fails for a frame while the network looks at the next one: the frame does not leave as if it had an
 * answer, and no other with its answer. The fault layer's folder is VKSEG_TEST_LAYER_DIR. */
#include "elements/settings.h"
#include "element-test.h"
#include "elements/slow-net.h"
#include "vk/fault-layer.h"
#include "vk/fault-open.h"

#include <gst/check/gstharness.h>
#include <vulkan/vulkan.h>

#define FRAME    (GST_SECOND / 30)
#define PATIENCE (20 * G_USEC_PER_SEC)

typedef struct {
  SegMode mode;
  SegOutputKind output;
  gboolean live;
} Case;

static TestFault *fault;
static char *dir, *model;
static double network_ms =
    5.0; /* as long as two frames are in flight at once: not in parts */

static GstHarness *
open_harness (const Case *c)
{
  GstElement *element = gst_element_factory_make ("vksegment", NULL);
  g_object_set (element, "model", model, "cache-dir", dir, "tiling", SEG_TILING_NONE,
      "mode", c->mode, "output", c->output, NULL);
  GstHarness *h = gst_harness_new_with_element (element, "sink", "src");
  gst_object_unref (element);
  gst_harness_set_live (h, c->live);
  gst_harness_set_src_caps_str (
      h, "video/x-raw,format=NV12,width=160,height=120,framerate=30/1");
  return h;
}

static void
write_model (void)
{
  g_autofree char *name = g_strdup_printf ("net-%g", network_ms);
  g_free (model);
  model = slow_net_write_ms (dir, name, network_ms);
}

/* Two frames are in flight at once. On a busy machine the network may seem too slow for that, and then a
 * smaller one has to do. NULL: none did; the queue by itself is tested so on any machine (test-livequeue.c). */
static GstHarness *
open_at_once (const Case *c)
{
  static gboolean too_busy = FALSE; /* not tried again: each takes a while */
  if (too_busy) {
    g_test_skip ("the machine is too busy");
    return NULL;
  }
  GstHarness *h = open_harness (c);
  for (guint i = 1; i < 50 && element_test_parts (h->element) > 1; i++) {
    gst_harness_teardown (h);
    if (i % 5 == 0) {
      network_ms /= 2.0;
      write_model ();
    }
    h = open_harness (c);
  }
  if (element_test_parts (h->element) == 1)
    return h;
  gst_harness_teardown (h);
  too_busy = TRUE;
  g_test_skip ("the machine is too busy for two frames in flight at once");
  return NULL;
}

static GstFlowReturn
push (GstHarness *h, guint n)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, 160 * 120 * 3 / 2, NULL);
  gst_buffer_memset (buffer, 0, 0x80, 160 * 120 * 3 / 2);
  GST_BUFFER_PTS (buffer) = n * FRAME;
  GST_BUFFER_DURATION (buffer) = FRAME;
  return gst_harness_push (h, buffer);
}

/* Until the error comes; what a live source gives takes its time. */
static GstFlowReturn
push_all (GstHarness *h, const Case *c)
{
  gint64 end = g_get_monotonic_time () + PATIENCE;
  GstFlowReturn ret = GST_FLOW_OK;
  for (guint n = 0; ret == GST_FLOW_OK && g_get_monotonic_time () < end; n++) {
    ret = push (h, n);
    if (c->live)
      g_usleep (500);
  }
  return ret;
}

/* Call k of those named is the one for frame k. */
static void
fail_frame (const Case *c, guint k, VkResult result, const char *name)
{
  GstHarness *h = open_at_once (c);
  if (h == NULL)
    return;
  g_autoptr (GstBus) bus = gst_bus_new ();
  gst_element_set_bus (h->element, bus);
  *fault = (TestFault){ (int) k, result, name, NULL };
  GstFlowReturn ret = push_all (h, c);
  g_autoptr (GstMessage) message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  guint n_out = gst_harness_buffers_in_queue (h);
  g_test_message ("mode %d, output %d: %s %u fails by %d: %u frames, then %s", c->mode,
      c->output, name, k, result, n_out, gst_flow_get_name (ret));
  g_assert_nonnull (fault->failed);
  g_assert_cmpint (ret, ==, GST_FLOW_ERROR);
  g_assert_nonnull (message);
  /* Those before it leave, unless they were in flight when the device was lost. */
  gboolean lost_in_flight =
      result == VK_ERROR_DEVICE_LOST && g_str_equal (name, "vkQueueSubmit");
  g_assert_cmpuint (n_out, <=, k);
  g_assert_true (n_out == k || lost_in_flight);
  for (guint n = 0; n < n_out; n++) {
    g_autoptr (GstBuffer) out = gst_harness_pull (h);
    g_assert_cmpuint (GST_BUFFER_PTS (out), ==, n * FRAME);
  }
  gst_element_set_bus (h->element, NULL);
  gst_harness_teardown (h);
  *fault = (TestFault){ .countdown = -1 };
}

static void
fail_frames (const Case *c, guint n, const char *name)
{
  for (guint k = 0; k < n; k++) {
    fail_frame (c, k, VK_ERROR_OUT_OF_HOST_MEMORY, name);
    fail_frame (c, k, VK_ERROR_DEVICE_LOST, name);
  }
}

static const Case async = { SEG_MODE_ASYNC, SEG_OUTPUT_LABELS, FALSE };

static void
test_wait (void)
{
  fail_frames (&async, 3, "vkWaitForFences");
}

static void
test_submit (void)
{
  fail_frames (&async, 3, "vkQueueSubmit");
}

/* What is to be hidden is not known without an answer: nothing at all is shown. */
static void
test_background (void)
{
  static const SegMode modes[] = { SEG_MODE_ASYNC, SEG_MODE_DROP };
  for (guint i = 0; i < G_N_ELEMENTS (modes); i++)
    for (guint live = 0; live < 2; live++) {
      const Case c = { modes[i], SEG_OUTPUT_BACKGROUND, live > 0 };
      fail_frames (&c, 1, "vkWaitForFences");
    }
}

static guint
count_errors (GstBus *bus)
{
  guint n = 0;
  GstMessage *message;
  while ((message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR)) != NULL) {
    gst_message_unref (message);
    n++;
  }
  return n;
}

static void
flush (GstHarness *h)
{
  GstSegment segment;
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (h, gst_event_new_flush_start ());
  while (gst_harness_buffers_in_queue (h) > 0)
    gst_buffer_unref (gst_harness_pull (h));
  gst_harness_push_event (h, gst_event_new_flush_stop (TRUE));
  gst_harness_push_event (h, gst_event_new_segment (&segment));
}

/* However much comes after it, an error is told once. */
static void
fail_once (GstHarness *h, const Case *c)
{
  g_autoptr (GstBus) bus = gst_bus_new ();
  gst_element_set_bus (h->element, bus);
  *fault = (TestFault){ 1, VK_ERROR_OUT_OF_HOST_MEMORY, "vkWaitForFences", NULL };
  g_assert_cmpint (push_all (h, c), ==, GST_FLOW_ERROR);
  g_assert_cmpint (push (h, 98), ==, GST_FLOW_ERROR);
  g_assert_cmpint (push (h, 99), ==, GST_FLOW_ERROR);
  gst_harness_push_event (h, gst_event_new_eos ());
  g_assert_cmpuint (count_errors (bus), ==, 1);
  gst_element_set_bus (h->element, NULL);
  *fault = (TestFault){ .countdown = -1 };
}

/* After a flush it is as if nothing had been. */
static void
test_flush (void)
{
  enum { N = 4 };
  static const SegMode modes[] = { SEG_MODE_ASYNC, SEG_MODE_DROP };
  for (guint i = 0; i < G_N_ELEMENTS (modes); i++) {
    const Case c = { modes[i], SEG_OUTPUT_LABELS, FALSE };
    GstHarness *h = open_harness (&c);
    for (guint round = 0; round < 2; round++) {
      fail_once (h, &c);
      flush (h);
    }
    for (guint n = 0; n < N; n++)
      g_assert_cmpint (push (h, n), ==, GST_FLOW_OK);
    gst_harness_push_event (h, gst_event_new_eos ());
    g_assert_cmpuint (gst_harness_buffers_in_queue (h), ==, N);
    gst_harness_teardown (h);
  }
}

int
main (int argc, char **argv)
{
  int status = 0;
  fault = test_fault_begin ();
  dir = element_test_begin (&argc, &argv, &status);
  if (dir == NULL)
    return status;
  write_model ();
  g_test_add_func ("/live-faults/wait", test_wait);
  g_test_add_func ("/live-faults/submit", test_submit);
  g_test_add_func ("/live-faults/background", test_background);
  g_test_add_func ("/live-faults/flush", test_flush);
  status = element_test_run ();
  g_free (model);
  return status;
}
