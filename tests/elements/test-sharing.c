/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Several vksegment in one process: what they share, and that none disturbs another. */
#include "element-test.h"
#include "elements/slow-net.h"
#include "frame/color-net.h"

#include "elements/settings.h"
#include "engine/session-priv.h"
#include "frame/net.h"

#include <gst/check/gstharness.h>

#include <string.h>

#define WIDTH  160
#define HEIGHT 120

static char *dir, *fast, *heavy;
static const double red[3] = { 1, 0, 0 }, green[3] = { 0, 1, 0 };

static GstHarness *
open_harness (const char *model)
{
  GstElement *element = gst_element_factory_make ("vksegment", NULL);
  g_object_set (element, "model", model, "cache-dir", dir, "output", SEG_OUTPUT_LABELS,
      "tiling", SEG_TILING_NONE, NULL);
  GstHarness *h = gst_harness_new_with_element (element, "sink", "src");
  gst_object_unref (element);
  gst_harness_set_live (h, FALSE);
  gst_harness_set_src_caps_str (
      h, "video/x-raw,format=RGBx,width=160,height=120,framerate=30/1");
  return h;
}

static GstBuffer *
new_frame (guint n, guint border)
{
  SegFrame frame = { .format = SEG_FORMAT_RGBX,
    .color = seg_color_bt709,
    .width = WIDTH,
    .height = HEIGHT,
    .stride = { 4 * WIDTH } };
  guint8 *data = g_malloc0 (4 * WIDTH * HEIGHT);
  color_net_paint (&frame, data, 0, border, red);
  color_net_paint (&frame, data, border, WIDTH, green);
  GstBuffer *buffer = gst_buffer_new_wrapped (data, 4 * WIDTH * HEIGHT);
  GST_BUFFER_PTS (buffer) = n * GST_SECOND / 30;
  GST_BUFFER_DURATION (buffer) = GST_SECOND / 30;
  return buffer;
}

/* A frame that is red up to `border`, and its own labels. */
static void
run (GstHarness *h, guint n, guint border)
{
  GstMapInfo map;
  g_assert_cmpint (gst_harness_push (h, new_frame (n, border)), ==, GST_FLOW_OK);
  g_autoptr (GstBuffer) out = gst_harness_pull (h);
  g_assert_cmpuint (GST_BUFFER_PTS (out), ==, n * GST_SECOND / 30);
  g_assert_true (gst_buffer_map (out, &map, GST_MAP_READ));
  for (guint x = 0; x < WIDTH; x++)
    if (ABS ((int) x - (int) border) > 8
        && map.data[50 * WIDTH + x] != (x < border ? 1 : 2))
      g_error ("frame %u: class at %u is %u", n, x, map.data[50 * WIDTH + x]);
  gst_buffer_unmap (out, &map);
}

/* --- what is shared -------------------------------------------------------------------------------- */

static SegNet *
open_net (const char *model, SegPrecision precision)
{
  g_autoptr (GError) error = NULL;
  const SegNetOptions options = {
    .model = model, .cache_dir = dir, .precision = precision
  };
  SegNet *net = seg_net_new (&options, &error);
  g_assert_no_error (error);
  return net;
}

static void
test_shared (void)
{
  SegNet *a = open_net (heavy, SEG_PRECISION_FP32),
         *b = open_net (heavy, SEG_PRECISION_FP32),
         *half = open_net (heavy, SEG_PRECISION_FP16),
         *other = open_net (fast, SEG_PRECISION_FP32);
  g_assert_true (a->vk == b->vk && a->vk == half->vk && a->vk == other->vk);
  g_assert_true (a->model == b->model && a->model == half->model);
  g_assert_true (a->model != other->model);
  g_assert_true (a->session != b->session);
  g_assert_true (a->session->network == b->session->network);
  g_assert_true (a->session->network != half->session->network);
  g_assert_true (a->session->arena != b->session->arena);
  seg_net_free (&a);
  seg_net_free (&half);
  g_assert_nonnull (b->session->network->weights);
  seg_net_free (&b);
  seg_net_free (&other);
}

static gpointer
open_in_thread (gpointer model)
{
  return open_net (model, SEG_PRECISION_FP32);
}

/* Who comes while it is being loaded waits for it. */
static void
test_at_once (void)
{
  GThread *threads[4];
  SegNet *nets[4];
  for (guint i = 0; i < 4; i++)
    threads[i] = g_thread_new (NULL, open_in_thread, heavy);
  for (guint i = 0; i < 4; i++)
    nets[i] = g_thread_join (threads[i]);
  for (guint i = 1; i < 4; i++)
    g_assert_true (nets[i]->session->network == nets[0]->session->network);
  for (guint i = 0; i < 4; i++)
    seg_net_free (&nets[i]);
}

/* A file that has been written anew is not the old one. */
static void
test_written_anew (void)
{
  g_autofree char *path = color_net_write (dir, "anew", COLOR_NET_PLAIN, COLOR_NET_INFO);
  SegNet *a = open_net (path, SEG_PRECISION_FP32);
  const SlowNet one = { 32, 24, 1, 8, FALSE, FALSE };
  g_autofree char *same = slow_net_write_of (dir, "anew", &one);
  g_assert_cmpstr (path, ==, same);
  SegNet *b = open_net (path, SEG_PRECISION_FP32);
  g_assert_true (a->model != b->model && a->vk == b->vk);
  seg_net_free (&a);
  seg_net_free (&b);
}

/* --- memory ------------------------------------------------------------------------------------------ */

#define PROC "/proc/self/status"

/* In memory, or swapped out by a machine that is short of it. */
static double
used_mib (void)
{
  static const char *const names[] = { "\nVmRSS:", "\nVmSwap:" };
  g_autofree char *text = NULL;
  double kib = 0.0;
  g_assert_true (g_file_get_contents (PROC, &text, NULL, NULL));
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    const char *line = strstr (text, names[i]);
    kib += line != NULL ? g_ascii_strtod (line + strlen (names[i]), NULL) : 0.0;
  }
  return kib / 1024.0;
}

/* What the first takes, and what the second takes beside it. */
static void
test_memory (void)
{
#ifdef SANITIZED
  g_test_skip ("a sanitizer has memory of its own");
  return;
#endif
  if (!g_file_test (PROC, G_FILE_TEST_EXISTS)) {
    g_test_skip ("no /proc");
    return;
  }
  double none = used_mib ();
  GstHarness *a = open_harness (heavy);
  run (a, 0, 40);
  double one = used_mib () - none;
  GstHarness *b = open_harness (heavy);
  run (b, 0, 100);
  double two = used_mib () - none;
  g_test_message ("one takes %.1f MiB, two take %.1f MiB", one, two);
  g_assert_cmpfloat (one, >, 30.0); /* it is about weights */
  g_assert_cmpfloat (two, <, 1.3 * one);
  gst_harness_teardown (a);
  gst_harness_teardown (b);
}

/* --- side by side ------------------------------------------------------------------------------------ */

/* One goes while the others work. */
static void
test_closing (void)
{
  GstHarness *h[3];
  for (guint i = 0; i < 3; i++)
    h[i] = open_harness (fast);
  for (guint n = 0; n < 9; n++) {
    for (guint i = n / 3; i < 3; i++)
      run (h[i], n, 20 + 40 * i);
    if (n % 3 == 2)
      gst_harness_teardown (h[n / 3]);
  }
  GstHarness *again = open_harness (fast);
  run (again, 0, 90);
  gst_harness_teardown (again);
}

static gpointer
stream (gpointer data)
{
  guint k = GPOINTER_TO_UINT (data);
  GstHarness *h = open_harness (k % 2 ? heavy : fast);
  for (guint n = 0; n < 10; n++)
    run (h, n, 20 + (n * 17 + k * 29) % 120);
  gst_harness_teardown (h);
  return NULL;
}

/* Each opens, works and closes at its own time. */
static void
test_threads (void)
{
  GThread *threads[5];
  for (guint i = 0; i < 5; i++)
    threads[i] = g_thread_new (NULL, stream, GUINT_TO_POINTER (i));
  for (guint i = 0; i < 5; i++)
    g_thread_join (threads[i]);
}

/* --- whole pipelines --------------------------------------------------------------------------------- */

#define N_STREAMS 4
#define N_FRAMES  400 /* so many that a busy machine, too, has given all of them turns */
#define SOON_S    20

#define STREAM                                                                           \
  "videotestsrc num-buffers=-1 ! video/x-raw,format=RGBx,width=96,height=72 ! "          \
  "vksegment name=s%u tiling=none output=labels ! fakesink async=false sync=false "

static guint64
frames_of (GstElement *pipeline, guint i)
{
  g_autofree char *name = g_strdup_printf ("s%u", i);
  g_autoptr (GstElement) element = gst_bin_get_by_name (GST_BIN (pipeline), name);
  g_autoptr (GstStructure) stats = NULL;
  guint64 n = 0;
  g_object_get (element, "stats", &stats, NULL);
  gst_structure_get_uint64 (stats, "frames", &n);
  return n;
}

static GstElement *
add_streams (GString *text, guint first, guint n)
{
  g_autoptr (GError) error = NULL;
  GstElement *pipeline = gst_parse_launch (text->str, &error);
  if (pipeline == NULL) {
    g_test_skip (error->message);
    return NULL;
  }
  for (guint i = first; i < first + n; i++) {
    g_autofree char *name = g_strdup_printf ("s%u", i);
    g_autoptr (GstElement) element = gst_bin_get_by_name (GST_BIN (pipeline), name);
    g_object_set (element, "model", fast, "cache-dir", dir, NULL);
  }
  return pipeline;
}

/* All sources go as fast as they can. From when all work until the first has had its frames, and for a
 * second at least, as a GPU has done them before all threads have had their turn, each has had a good part
 * of that; or soon after, where it is the machine that had a thread wait. */
static void
check_fair (GstElement **pipeline_of)
{
  guint64 start[N_STREAMS] = { 0 }, most = 0, least;
  gint64 end = g_get_monotonic_time () + 120 * G_USEC_PER_SEC;
  for (guint i = 0; i < N_STREAMS; i++)
    while ((start[i] = frames_of (pipeline_of[i], i)) == 0) {
      g_assert_cmpint (g_get_monotonic_time (), <, end);
      g_usleep (1000);
    }
  for (guint i = 0; i < N_STREAMS; i++)
    start[i] = frames_of (pipeline_of[i], i);
  gint64 second = g_get_monotonic_time () + G_USEC_PER_SEC,
         soon = second + SOON_S * G_USEC_PER_SEC;
  do {
    least = G_MAXUINT64;
    for (guint i = 0; i < N_STREAMS; i++) {
      guint64 n = frames_of (pipeline_of[i], i) - start[i];
      most = MAX (most, n);
      least = MIN (least, n);
    }
    g_assert_cmpint (g_get_monotonic_time (), <, end);
    g_usleep (2000);
  } while (most < N_FRAMES || g_get_monotonic_time () < second
           || (least < most / 4 && g_get_monotonic_time () < soon));
  g_test_message ("%" G_GUINT64_FORMAT " frames of one stream, %" G_GUINT64_FORMAT
                  " of another",
      most, least);
  g_assert_cmpuint (least, >=, most / 4);
}

static void
test_one_pipeline (void)
{
  g_autoptr (GString) text = g_string_new (NULL);
  GstElement *pipelines[N_STREAMS];
  for (guint i = 0; i < N_STREAMS; i++)
    g_string_append_printf (text, STREAM, i);
  GstElement *pipeline = add_streams (text, 0, N_STREAMS);
  if (pipeline == NULL)
    return;
  for (guint i = 0; i < N_STREAMS; i++)
    pipelines[i] = pipeline;
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  check_fair (pipelines);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (pipeline);
}

/* One that stops does not hold up the others. */
static void
test_four_pipelines (void)
{
  GstElement *pipelines[N_STREAMS];
  for (guint i = 0; i < N_STREAMS; i++) {
    g_autoptr (GString) text = g_string_new (NULL);
    g_string_append_printf (text, STREAM, i);
    pipelines[i] = add_streams (text, i, 1);
    if (pipelines[i] == NULL)
      return;
    gst_element_set_state (pipelines[i], GST_STATE_PLAYING);
  }
  check_fair (pipelines);
  gst_element_set_state (pipelines[0], GST_STATE_NULL);
  guint64 before = frames_of (pipelines[1], 1);
  gint64 end = g_get_monotonic_time () + 60 * G_USEC_PER_SEC;
  while (frames_of (pipelines[1], 1) < before + 10) {
    g_assert_cmpint (g_get_monotonic_time (), <, end);
    g_usleep (2000);
  }
  for (guint i = 0; i < N_STREAMS; i++) {
    gst_element_set_state (pipelines[i], GST_STATE_NULL);
    gst_object_unref (pipelines[i]);
  }
}

int
main (int argc, char **argv)
{
  const SlowNet weights = { 16, 12, 16, 256, TRUE, FALSE };
  int status = 0;
  dir = element_test_begin (&argc, &argv, &status);
  if (dir == NULL)
    return status;
  fast = color_net_write (dir, "fast", COLOR_NET_PLAIN, COLOR_NET_INFO);
  heavy = slow_net_write_of (dir, "heavy", &weights);
  g_test_add_func ("/sharing/memory", test_memory);
  g_test_add_func ("/sharing/shared", test_shared);
  g_test_add_func ("/sharing/at-once", test_at_once);
  g_test_add_func ("/sharing/written-anew", test_written_anew);
  g_test_add_func ("/sharing/closing", test_closing);
  g_test_add_func ("/sharing/threads", test_threads);
  g_test_add_func ("/sharing/one-pipeline", test_one_pipeline);
  g_test_add_func ("/sharing/four-pipelines", test_four_pipelines);
  status = element_test_run ();
  g_free (fast);
  g_free (heavy);
  return status;
}
