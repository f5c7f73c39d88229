/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What vksegment does while frames flow: properties, statistics, states, time. */
#include "slow-net.h"
#include "stripes.h"

#include "elements/settings.h"
#include "frame/pipe.h"

#include <string.h>

/* --- properties ------------------------------------------------------------------------------- */

static gboolean
same_bytes (GstBuffer *a, GstBuffer *b)
{
  GstMapInfo map;
  g_assert_true (gst_buffer_map (a, &map, GST_MAP_READ));
  gboolean same = gst_buffer_get_size (b) == map.size
                  && gst_buffer_memcmp (b, 0, map.data, map.size) == 0;
  gst_buffer_unmap (a, &map);
  return same;
}

static gboolean
is_unchanged (GstHarness *h)
{
  GstVideoInfo info;
  stripes_info (h->srcpad, &info);
  g_autoptr (GstBuffer) in = stripes_picture (&info);
  g_autoptr (GstBuffer) out = gst_harness_push_and_pull (h, gst_buffer_ref (in));
  return same_bytes (in, out);
}

static void
test_change_while_playing (void)
{
  GstElement *element = stripes_element ("draw", SEG_DRAW_MASKS, "palette", "coco", NULL);
  GstHarness *h = stripes_harness (element);
  stripes_caps (h, "RGBA", 160, 120, "");
  g_assert_false (is_unchanged (h));
  g_object_set (element, "alpha", 0.0, NULL);
  g_assert_true (is_unchanged (h));
  g_object_set (element, "alpha", 1.0, "classes", "blue", NULL);
  g_assert_true (is_unchanged (h));
  g_object_set (element, "classes", "blue,1", NULL);
  g_assert_false (is_unchanged (h));
  g_object_set (element, "threshold", 0.99, NULL);
  g_assert_true (is_unchanged (h));
  g_object_set (element, "threshold", -1.0, "draw", SEG_DRAW_LEGEND, NULL);
  g_assert_false (is_unchanged (h));
  g_object_set (element, "draw", 0, NULL);
  g_assert_true (is_unchanged (h));
  stripes_finish (h);
}

static void
test_stats (void)
{
  GstElement *element = stripes_element (NULL, NULL);
  GstHarness *h = stripes_harness (element);
  g_autoptr (GstStructure) stats = NULL;
  guint64 n = 0;
  double ms = 0.0;
  stripes_caps (h, "RGBA", 320, 240, "");
  for (guint i = 0; i < 3; i++)
    gst_buffer_unref (stripes_process (h));
  g_object_get (element, "stats", &stats, NULL);
  g_assert_true (gst_structure_get_uint64 (stats, "frames", &n));
  g_assert_cmpuint (n, ==, 3);
  g_assert_true (gst_structure_get_double (stats, "average-ms", &ms));
  g_assert_cmpfloat (ms, >, 0.0);
  g_assert_cmpfloat_with_epsilon (stripes_area (element, "red"), 0.5, 0.03);
  g_assert_cmpfloat_with_epsilon (stripes_area (element, "green"), 0.25, 0.03);
  g_assert_cmpfloat (stripes_area (element, "blue"), ==, 0.0);
  stripes_finish (h);
}

/* What the device took for each stage is less than the whole, and the network takes something. */
static void
test_stages (void)
{
  static const char *const names[] = { "upload-ms", "preprocess-ms", "network-ms",
    "decode-ms", "draw-ms" };
  /* Of tiles the last round is measured and taken for all: more than the whole when it is a slow one. */
  GstElement *element =
      stripes_element ("stage-times", TRUE, "tiling", SEG_TILING_NONE, NULL);
  GstHarness *h = stripes_harness (element);
  g_autoptr (GstStructure) stats = NULL, stages = NULL;
  double last = 0.0, sum = 0.0, ms;
  stripes_caps (h, "RGBA", 320, 240, "");
  for (guint i = 0; i < 2; i++)
    gst_buffer_unref (stripes_process (h));
  g_object_get (element, "stats", &stats, NULL);
  g_assert_true (gst_structure_get (stats, "stages", GST_TYPE_STRUCTURE, &stages,
      "last-ms", G_TYPE_DOUBLE, &last, NULL));
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (gst_structure_get_double (stages, names[i], &ms)) {
      g_assert_cmpfloat (ms, >=, 0.0);
      sum += ms;
    } else {
      g_assert_cmpuint (i, ==, 0); /* memory that host and device share: no upload */
    }
  g_assert_true (gst_structure_get_double (stages, "network-ms", &ms));
  g_assert_cmpfloat (ms, >, 0.0);
  g_assert_cmpfloat (sum, <=, last);
  stripes_finish (h);
}

/* Nothing but gray, or something at last. */
static void
test_warn_after (void)
{
  for (guint seen = 0; seen < 2; seen++) {
    GstElement *element = stripes_element ("warn-after", 3, NULL);
    GstHarness *h = stripes_harness (element);
    GstBus *bus = gst_bus_new ();
    gst_element_set_bus (element, bus);
    stripes_caps (h, "GRAY8", 64, 48, "");
    for (guint i = 0; i < 5; i++) {
      if (seen && i == 1) {
        stripes_caps (h, "RGBA", 64, 48, "");
        gst_buffer_unref (stripes_process (h));
        stripes_caps (h, "GRAY8", 64, 48, "");
      }
      GstBuffer *frame = gst_buffer_new_allocate (NULL, 64 * 48, NULL);
      gst_buffer_memset (frame, 0, 128, 64 * 48);
      gst_buffer_unref (gst_harness_push_and_pull (h, frame));
    }
    guint n = 0;
    GstMessage *message;
    while ((message = gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING)) != NULL) {
      g_autoptr (GError) warning = NULL;
      gst_message_parse_warning (message, &warning, NULL);
      g_assert_nonnull (strstr (warning->message, "in the first 3 frames"));
      gst_message_unref (message);
      n++;
    }
    g_assert_cmpuint (n, ==, seen ? 0 : 1);
    gst_element_set_bus (element, NULL);
    gst_object_unref (bus);
    stripes_finish (h);
  }
}

/* --- states and streams --------------------------------------------------------------------------- */

static void
test_flush_and_eos (void)
{
  GstHarness *h = stripes_harness (stripes_element ("output", SEG_OUTPUT_LABELS, NULL));
  GstSegment segment;
  stripes_caps (h, "NV12", 160, 120, "");
  stripes_process_labels (h);
  g_assert_true (gst_harness_push_event (h, gst_event_new_flush_start ()));
  g_assert_true (gst_harness_push_event (h, gst_event_new_flush_stop (TRUE)));
  gst_segment_init (&segment, GST_FORMAT_TIME);
  g_assert_true (gst_harness_push_event (h, gst_event_new_segment (&segment)));
  stripes_process_labels (h);
  g_assert_true (gst_harness_push_event (h, gst_event_new_eos ()));
  stripes_finish (h);
}

static void
test_state_cycles (void)
{
  for (guint i = 0; i < 3; i++) {
    GstElement *element = stripes_element ("output", SEG_OUTPUT_LABELS, NULL);
    gst_object_ref_sink (element);
    for (guint k = 0; k < 2; k++) {
      g_assert_cmpint (gst_element_set_state (element, GST_STATE_PAUSED), ==,
          GST_STATE_CHANGE_SUCCESS);
      g_assert_cmpint (
          gst_element_set_state (element, GST_STATE_NULL), ==, GST_STATE_CHANGE_SUCCESS);
    }
    GstHarness *h = gst_harness_new_with_element (element, "sink", "src");
    gst_object_unref (element);
    stripes_caps (h, "NV12", 64, 48, "");
    stripes_process_labels (h);
    stripes_finish (h);
  }
}

static gpointer
run_one (gpointer format)
{
  GstHarness *h = stripes_harness (stripes_element ("output", SEG_OUTPUT_LABELS, NULL));
  stripes_caps (h, format, 320, 240, "");
  for (guint i = 0; i < 20; i++)
    stripes_process_labels (h);
  stripes_finish (h);
  return NULL;
}

static void
test_two_at_once (void)
{
  GThread *a = g_thread_new ("a", run_one, (gpointer) "NV12");
  GThread *b = g_thread_new ("b", run_one, (gpointer) "RGBA");
  g_thread_join (a);
  g_thread_join (b);
}

/* --- time ----------------------------------------------------------------------------------- */

static guint64
n_inferred (GstElement *element)
{
  g_autoptr (GstStructure) stats = NULL;
  guint64 n = 0;
  g_object_get (element, "stats", &stats, NULL);
  g_assert_true (gst_structure_get_uint64 (stats, "inferred", &n));
  return n;
}

static void
push_at (GstHarness *h, guint frame, GstBufferFlags flags)
{
  GstVideoInfo info;
  stripes_info (h->srcpad, &info);
  GstBuffer *in = stripes_picture (&info);
  GST_BUFFER_PTS (in) = frame * GST_SECOND / 30;
  GST_BUFFER_DURATION (in) = GST_SECOND / 30;
  GST_BUFFER_FLAG_SET (in, flags);
  GstBuffer *out = gst_harness_push_and_pull (h, in);
  GstVideoInfo out_info;
  stripes_info (h->sinkpad, &out_info);
  stripes_check_labels (out, &out_info);
  gst_buffer_unref (out);
}

static void
test_interval (void)
{
  GstElement *element =
      stripes_element ("output", SEG_OUTPUT_LABELS, "interval", 4, NULL);
  GstHarness *h = stripes_harness (element);
  stripes_caps (h, "RGB", 64, 48, "");
  for (guint i = 0; i < 9; i++)
    push_at (h, i, 0);
  g_assert_cmpuint (n_inferred (element), ==, 3);
  push_at (h, 9, GST_BUFFER_FLAG_DISCONT);
  g_assert_cmpuint (n_inferred (element), ==, 4);
  g_object_set (element, "interval", 1, NULL);
  push_at (h, 10, 0);
  push_at (h, 11, 0);
  g_assert_cmpuint (n_inferred (element), ==, 6);
  stripes_finish (h);
}

static guint
count_files (const char *prefix)
{
  guint n = 0;
  GDir *list = g_dir_open (stripes_dir, 0, NULL);
  for (const char *name; (name = g_dir_read_name (list)) != NULL;)
    n += g_str_has_prefix (name, prefix);
  g_dir_close (list);
  return n;
}

/* What is measured goes to the cache folder, and only when it is asked for. The stripes' own network has
 * so few channels that nothing is to choose. */
static void
test_tune (void)
{
  g_autofree char *model = slow_net_write (stripes_dir, "choices", 1);
  for (guint tune = 0; tune <= 60000; tune += 60000) {
    GstHarness *h =
        stripes_harness (stripes_element ("model", model, "tune", tune, NULL));
    stripes_caps (h, "RGBA", 64, 48, "");
    gst_buffer_unref (stripes_process (h));
    g_assert_cmpuint (count_files ("tuning-"), ==, tune > 0);
    stripes_finish (h);
  }
}

/* The next message is of frame n, the network having seen one until then, and been left out so often. */
static void
check_qos (GstBus *bus, guint n, guint64 left_out)
{
  GstMessage *message = gst_bus_pop_filtered (bus, GST_MESSAGE_QOS);
  gboolean live;
  guint64 running_time, stream_time, timestamp, duration, processed, dropped;
  GstFormat format;
  g_assert_nonnull (message);
  gst_message_parse_qos (
      message, &live, &running_time, &stream_time, &timestamp, &duration);
  gst_message_parse_qos_stats (message, &format, &processed, &dropped);
  g_assert_cmpuint (timestamp, ==, n * GST_SECOND / 30);
  g_assert_cmpuint (running_time, ==, timestamp);
  g_assert_cmpuint (stream_time, ==, timestamp);
  g_assert_cmpint (format, ==, GST_FORMAT_BUFFERS);
  g_assert_cmpuint (processed, ==, 1);
  g_assert_cmpuint (dropped, ==, left_out);
  gst_message_unref (message);
}

static void
test_late_frames (void)
{
  GstElement *element = stripes_element ("output", SEG_OUTPUT_LABELS, NULL);
  GstHarness *h = stripes_harness (element);
  GstBus *bus = gst_bus_new ();
  gst_element_set_bus (element, bus);
  stripes_caps (h, "RGB", 64, 48, "");
  push_at (h, 0, 0);
  g_assert_cmpuint (n_inferred (element), ==, 1);
  gst_harness_push_upstream_event (h, gst_event_new_qos (GST_QOS_TYPE_UNDERFLOW, 2.0,
                                          3 * GST_SECOND / 30, GST_SECOND / 30));
  for (guint i = 1; i <= 4; i++)
    push_at (h, i, 0);
  g_assert_cmpuint (n_inferred (element), ==, 1);
  for (guint i = 1; i <= 4; i++)
    check_qos (bus, i, i);
  g_assert_null (gst_bus_pop_filtered (bus, GST_MESSAGE_QOS));
  push_at (h, 6, 0);
  g_assert_cmpuint (n_inferred (element), ==, 2);
  /* However late, an answer does not get old. */
  gst_harness_push_upstream_event (
      h, gst_event_new_qos (GST_QOS_TYPE_UNDERFLOW, 2.0, GST_SECOND, 100 * GST_SECOND));
  for (guint i = 7; i < 47; i++)
    push_at (h, i, 0);
  g_assert_cmpuint (n_inferred (element), >=, 4);
  gst_element_set_bus (element, NULL);
  gst_object_unref (bus);
  stripes_finish (h);
}

static void
test_latency (void)
{
  GstHarness *h = stripes_harness (stripes_element (NULL, NULL));
  gst_harness_set_upstream_latency (h, 10 * GST_MSECOND);
  stripes_caps (h, "RGB", 64, 48, "");
  gst_buffer_unref (stripes_process (h));
  GstClockTime latency = gst_harness_query_latency (h);
  g_assert_cmpuint (latency, >, 10 * GST_MSECOND);
  g_assert_cmpuint (latency, <, 10 * GST_SECOND);
  stripes_finish (h);
}

int
main (int argc, char **argv)
{
  int status = 0;
  if (!stripes_begin (&argc, &argv, &status))
    return status;
  g_test_add_func ("/vksegment/change-while-playing", test_change_while_playing);
  g_test_add_func ("/vksegment/stats", test_stats);
  g_test_add_func ("/vksegment/stages", test_stages);
  g_test_add_func ("/vksegment/warn-after", test_warn_after);
  g_test_add_func ("/vksegment/flush-and-eos", test_flush_and_eos);
  g_test_add_func ("/vksegment/state-cycles", test_state_cycles);
  g_test_add_func ("/vksegment/two-at-once", test_two_at_once);
  g_test_add_func ("/vksegment/interval", test_interval);
  g_test_add_func ("/vksegment/late-frames", test_late_frames);
  g_test_add_func ("/vksegment/latency", test_latency);
  g_test_add_func ("/vksegment/tune", test_tune);
  return stripes_run ();
}
