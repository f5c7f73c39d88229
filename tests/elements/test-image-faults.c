/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A device hangs with a frame in memory:VulkanImage: what it may still write to stays. The fault layer's folder
 * is VKSEG_TEST_LAYER_DIR. */
#include "frame/color-net.h"

#include "element-test.h"
#include "vk/fault-layer.h"
#include "vk/fault-open.h"
#include "zerocopy/gpu.h"

#include <gst/check/gstharness.h>
#include <unistd.h>
#include <vulkan/vulkan.h>

#define N_BYTES    (64 * 48 * 3 / 2)
#define HOST_CAPS  "video/x-raw,format=NV12,width=64,height=48"
#define IMAGE_CAPS "video/x-raw(" SEG_MEMORY_IMAGE "),format=NV12,width=64,height=48"

static TestFault *fault;
static char *dir;

static void
note_end (gpointer is_gone, GstMiniObject *memory)
{
  *(gboolean *) is_gone = TRUE;
}

static GstHarness *
open_harness (const char *from, GstContext *context)
{
  g_autofree char *model = color_net_write (dir, "net", COLOR_NET_PLAIN, COLOR_NET_INFO);
  GstElement *element = gst_element_factory_make ("vksegment", NULL);
  g_object_set (element, "model", model, "cache-dir", dir, NULL);
  if (context != NULL)
    gst_element_set_context (element, context);
  GstHarness *h = gst_harness_new_with_element (element, "sink", "src");
  gst_object_unref (element);
  gst_harness_set_sink_caps_str (h, IMAGE_CAPS);
  gst_harness_set_src_caps_str (h, from);
  return h;
}

static GstBuffer *
push_and_pull (GstHarness *h)
{
  GstBuffer *in = gst_buffer_new_allocate (NULL, N_BYTES, NULL);
  gst_buffer_memset (in, 0, 0x80, N_BYTES);
  return gst_harness_push_and_pull (h, in);
}

/* Stopped, with a frame on its way; whether its images are gone. */
static gboolean
stop (gboolean hangs)
{
  gboolean is_gone = FALSE;
  GstHarness *h = open_harness (HOST_CAPS, NULL);
  GstBuffer *out = push_and_pull (h);
  g_assert_nonnull (out);
  gst_mini_object_weak_ref (
      GST_MINI_OBJECT (gst_buffer_peek_memory (out, 0)), note_end, &is_gone);
  gst_buffer_unref (out);
  *fault = (TestFault){ hangs ? 0 : -1, VK_TIMEOUT, "vkWaitForFences", NULL };
  gst_harness_teardown (h);
  g_assert_true (!hangs || fault->failed != NULL);
  return is_gone;
}

/* In a process of its own. */
static void
test_hung (void)
{
  if (!seg_gpu_is_built ()) {
    g_test_skip ("built without gstreamer-vulkan-1.0");
    return;
  }
  if (!g_test_subprocess ()) {
    g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
    g_test_trap_assert_passed ();
    return;
  }
  g_log_set_always_fatal (G_LOG_LEVEL_ERROR);
  g_assert_true (stop (FALSE));
  g_assert_false (stop (TRUE));
  _exit (0); /* what was left is no leak to report */
}

/* A frame that has left fails when nobody comes after it: that is told, and once. */
static void
test_last (void)
{
  if (!seg_gpu_is_built ()) {
    g_test_skip ("built without gstreamer-vulkan-1.0");
    return;
  }
  GstHarness *h = open_harness (HOST_CAPS, NULL);
  g_autoptr (GstBus) bus = gst_bus_new ();
  gst_element_set_bus (h->element, bus);
  gst_buffer_unref (push_and_pull (h));
  gst_buffer_unref (push_and_pull (h));
  *fault = (TestFault){ 0, VK_ERROR_OUT_OF_HOST_MEMORY, "vkWaitForFences", NULL };
  gst_harness_push_event (h, gst_event_new_eos ());
  g_assert_nonnull (fault->failed);
  *fault = (TestFault){ .countdown = -1 };
  g_autoptr (GstMessage) message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  g_assert_nonnull (message);
  g_assert_null (gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR));
  gst_element_set_bus (h->element, NULL);
  gst_harness_teardown (h);
}

static GstContext *
device_of (GstHarness *h)
{
  g_autoptr (GstQuery) query = gst_query_new_context ("gst.vulkan.device");
  GstContext *context = NULL;
  g_assert_true (gst_pad_peer_query (h->sinkpad, query));
  gst_query_parse_context (query, &context);
  return gst_context_ref (context);
}

/* What failed gives its input back. */
static void
test_input (void)
{
  if (!seg_gpu_is_built ()) {
    g_test_skip ("built without gstreamer-vulkan-1.0");
    return;
  }
  GstHarness *maker = open_harness (HOST_CAPS, NULL);
  g_autoptr (GstBuffer) in = push_and_pull (maker);
  g_autoptr (GstContext) device = device_of (maker);
  GstHarness *h = open_harness (IMAGE_CAPS, device);
  gint n_refs = GST_MINI_OBJECT_REFCOUNT_VALUE (in); /* who made it has one */
  gst_buffer_unref (gst_harness_push_and_pull (h, gst_buffer_ref (in)));
  g_assert_cmpint (GST_MINI_OBJECT_REFCOUNT_VALUE (in), >, n_refs);
  *fault = (TestFault){ 0, VK_ERROR_OUT_OF_HOST_MEMORY, "vkWaitForFences", NULL };
  gst_harness_push_event (h, gst_event_new_eos ());
  g_assert_nonnull (fault->failed);
  *fault = (TestFault){ .countdown = -1 };
  g_assert_cmpint (GST_MINI_OBJECT_REFCOUNT_VALUE (in), ==, n_refs);
  gst_harness_teardown (h);
  gst_harness_teardown (maker);
}

int
main (int argc, char **argv)
{
  int status = 0;
  fault = test_fault_begin ();
  dir = element_test_begin (&argc, &argv, &status);
  if (dir == NULL)
    return status;
  g_test_add_func ("/image-faults/last", test_last);
  g_test_add_func ("/image-faults/input", test_input);
  g_test_add_func ("/image-faults/hung", test_hung);
  return element_test_run ();
}
