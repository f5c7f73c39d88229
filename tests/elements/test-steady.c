/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a frame costs in Vulkan calls once frames flow: a submission, a fence reset and waited for, and
 * nothing else. The fault layer, whose folder is VKSEG_TEST_LAYER_DIR, counts. */
#include "frame/color-net.h"

#include "elements/settings.h"
#include "element-test.h"
#include "vk/fault-layer.h"
#include "vk/fault-open.h"

#include <gst/check/gstharness.h>

#define N_FRAMES 20
/* one by one, so that each slot has been used, and with it its fence */
#define N_WARM_UP 16

/* Calls that make or record something. */
static const char *const never[] = { "vkAllocateMemory", "vkCreateBuffer",
  "vkCreateBufferView", "vkMapMemory", "vkCreateComputePipelines", "vkCreateShaderModule",
  "vkCreatePipelineLayout", "vkCreateDescriptorPool", "vkCreateDescriptorSetLayout",
  "vkAllocateDescriptorSets", "vkAllocateCommandBuffers", "vkCreateCommandPool",
  "vkResetCommandPool", "vkBeginCommandBuffer", "vkCreateFence", "vkCreateQueryPool" };
static const char *const each[] = { "vkQueueSubmit", "vkWaitForFences", "vkResetFences" };

static long (*calls) (const char *name);
static char *dir;

static void
push (GstHarness *h)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, 160 * 120 * 3 / 2, NULL);
  gst_buffer_memset (buffer, 0, 0x80, 160 * 120 * 3 / 2);
  g_assert_cmpint (gst_harness_push (h, buffer), ==, GST_FLOW_OK);
  while (gst_harness_buffers_in_queue (h) > 0)
    gst_buffer_unref (gst_harness_pull (h));
}

/* All that is in flight is done. */
static void
drain (GstHarness *h)
{
  GstQuery *query = gst_query_new_drain ();
  gst_pad_peer_query (h->srcpad, query);
  gst_query_unref (query);
}

/* Submissions per frame: 1, but in mode=drop a redraw each and what the network sees. A network that
 * takes so long that it goes in parts (on a busy machine) has a submission for each, and one before and
 * one behind them. */
static void
check_each (SegMode mode, guint parts, const long *first)
{
  long n[G_N_ELEMENTS (each)];
  long most = parts > 1 ? parts + 3 : mode == SEG_MODE_DROP ? 2 : 1;
  for (guint i = 0; i < G_N_ELEMENTS (each); i++) {
    n[i] = calls (each[i]) - first[i];
    g_test_message ("%s: %ld", each[i], n[i]);
    g_assert_cmpint (n[i], >=, N_FRAMES);
    g_assert_cmpint (n[i], ==, n[0]);
  }
  g_assert_cmpint (n[0], <=, most * N_FRAMES);
}

static void
check_calls (const char *model, SegMode mode, SegOutputKind output, guint interval)
{
  GstElement *element = gst_element_factory_make ("vksegment", NULL);
  long first[G_N_ELEMENTS (never)], first_each[G_N_ELEMENTS (each)];
  g_object_set (element, "model", model, "cache-dir", dir, "mode", mode, "output", output,
      "interval", interval, "tiling", SEG_TILING_NONE, NULL);
  GstHarness *h = gst_harness_new_with_element (element, "sink", "src");
  gst_object_unref (element);
  gst_harness_set_live (h, FALSE);
  gst_harness_set_src_caps_str (
      h, "video/x-raw,format=NV12,width=160,height=120,framerate=30/1");
  for (guint i = 0; i < N_WARM_UP; i++) {
    push (h);
    drain (h);
  }
  for (guint i = 0; i < G_N_ELEMENTS (never); i++)
    first[i] = calls (never[i]);
  for (guint i = 0; i < G_N_ELEMENTS (each); i++)
    first_each[i] = calls (each[i]);
  for (guint i = 0; i < N_FRAMES; i++)
    push (h);
  drain (h);
  g_test_message ("%s, mode %d, output %d, interval %u", model, mode, output, interval);
  for (guint i = 0; i < G_N_ELEMENTS (never); i++)
    if (calls (never[i]) != first[i])
      g_error ("%ld calls of %s", calls (never[i]) - first[i], never[i]);
  check_each (mode, element_test_parts (h->element), first_each);
  gst_harness_teardown (h);
}

static void
check_network (ColorNetKind kind, const char *info)
{
  g_autofree char *model = color_net_write (dir, "net", kind, info);
  for (SegMode mode = SEG_MODE_SYNC; mode <= SEG_MODE_DROP; mode++)
    for (SegOutputKind output = 0; output <= SEG_OUTPUT_BACKGROUND; output++)
      check_calls (model, mode, output, 1 + output % 2);
}

/* A class a pixel. */
static void
test_classes (void)
{
  check_network (COLOR_NET_PLAIN, COLOR_NET_INFO);
}

/* Log odds of the foreground, which overlays draw without a map. */
static void
test_matte (void)
{
  check_network (COLOR_NET_PLAIN, "[vkseg]\ndecoder=softmax\nmean=0\nstd=255\n"
                                  "foreground=green\nlabels=background,red,green,blue\n");
}

/* Boxes and masks: suppression and drawing on the device. */
static void
test_instances (void)
{
  check_network (COLOR_NET_YOLO, COLOR_NET_YOLO_INFO);
}

/* --- streams that go through the network together ------------------------------------------------------- */

static GstHarness *
open_batched (const char *model)
{
  GstElement *element = gst_element_factory_make ("vksegment", NULL);
  g_object_set (element, "model", model, "cache-dir", dir, "tiling", SEG_TILING_NONE,
      "batch-size", 2, "batch-timeout", 10000, NULL);
  GstHarness *h = gst_harness_new_with_element (element, "sink", "src");
  gst_object_unref (element);
  gst_harness_set_live (h, FALSE);
  gst_harness_set_src_caps_str (
      h, "video/x-raw,format=NV12,width=160,height=120,framerate=30/1");
  return h;
}

static void
batch_stats (GstHarness *h, guint64 *batched, guint *from)
{
  g_autoptr (GstStructure) stats = NULL;
  g_object_get (h->element, "stats", &stats, NULL);
  g_assert_true (gst_structure_get_uint64 (stats, "batched", batched));
  g_assert_true (gst_structure_get_uint (stats, "batch-from", from));
}

static gpointer
push_batched (gpointer data)
{
  guint64 start, now;
  guint from;
  batch_stats (data, &start, &from);
  do {
    push (data);
    batch_stats (data, &now, &from);
  } while (now < start + N_FRAMES);
  return NULL;
}

static void
push_both (GstHarness *const h[2])
{
  GThread *threads[2] = { g_thread_new (NULL, push_batched, h[0]),
    g_thread_new (NULL, push_batched, h[1]) };
  for (guint i = 0; i < 2; i++)
    g_thread_join (threads[i]);
}

/* A round of two is a submission for both, and one for each. */
static void
test_batches (void)
{
  g_autofree char *model = color_net_write (dir, "net", COLOR_NET_PLAIN, COLOR_NET_INFO);
  GstHarness *h[2] = { NULL, NULL };
  long first[G_N_ELEMENTS (never)];
  guint64 batched;
  guint from = 0;
  for (guint i = 0; i < 50 && from == 0; i++) { /* whether it pays is measured */
    g_clear_pointer (&h[0], gst_harness_teardown);
    h[0] = open_batched (model);
    batch_stats (h[0], &batched, &from);
  }
  g_assert_cmpuint (from, ==, 2);
  h[1] = open_batched (model);
  push_both (h);
  for (guint i = 0; i < G_N_ELEMENTS (never); i++)
    first[i] = calls (never[i]);
  long submits = calls ("vkQueueSubmit");
  push_both (h);
  for (guint i = 0; i < G_N_ELEMENTS (never); i++)
    if (calls (never[i]) != first[i])
      g_error ("%ld calls of %s", calls (never[i]) - first[i], never[i]);
  g_test_message (
      "%ld submissions for %d rounds", calls ("vkQueueSubmit") - submits, N_FRAMES);
  g_assert_cmpint (calls ("vkQueueSubmit") - submits, >=, 3 * N_FRAMES);
  g_assert_cmpint (calls ("vkQueueSubmit") - submits, <=, 4 * N_FRAMES);
  for (guint i = 0; i < 2; i++)
    gst_harness_teardown (h[i]);
}

int
main (int argc, char **argv)
{
  int status = 0;
  calls = (long (*) (const char *)) test_fault_open ("test_calls");
  dir = element_test_begin (&argc, &argv, &status);
  if (dir == NULL)
    return status;
  g_assert_cmpint (calls ("vkCreateFence"), >=, 0);
  g_test_add_func ("/steady/classes", test_classes);
  g_test_add_func ("/steady/matte", test_matte);
  g_test_add_func ("/steady/instances", test_instances);
  g_test_add_func ("/steady/batches", test_batches);
  status = element_test_run ();
  return status;
}
