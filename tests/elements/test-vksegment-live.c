/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vksegment where frames do not wait for the network: mode=async and mode=drop. */
#include "element-test.h"
#include "elements/slow-net.h"
#include "frame/color-net.h"

#include "elements/livequeue.h"
#include "elements/settings.h"
#include "elements/videoframe.h"
#include "meta/gstvksegmeta.h"

#include <gst/check/gstharness.h>

#include <string.h>

#define WIDTH      160
#define HEIGHT     120
#define FRAME      (GST_SECOND / 30)
#define NETWORK_MS 200.0 /* of `slow` */
#define TURNS      5 /* for what a machine that others use may not be quick enough for */

static char *dir, *fast, *slow;
static const double red[3] = { 1, 0, 0 }, green[3] = { 0, 1, 0 };

typedef struct {
  SegMode mode;
  SegOutputKind output;
  gboolean live, slow;
} Case;

static GstHarness *
open_harness (Case c)
{
  GstElement *element = gst_element_factory_make ("vksegment", NULL);
  g_object_set (element, "model", c.slow ? slow : fast, "cache-dir", dir, "mode", c.mode,
      "output", c.output, NULL);
  GstHarness *h = gst_harness_new_with_element (element, "sink", "src");
  gst_object_unref (element);
  gst_harness_set_live (h, c.live);
  gst_harness_set_src_caps_str (
      h, "video/x-raw,format=RGBx,width=160,height=120,framerate=30/1");
  return h;
}

/* Takes the element down and checks that nobody holds it. */
static void
finish (GstHarness *h)
{
  GstElement *element = h->element;
  g_object_add_weak_pointer (G_OBJECT (element), (gpointer *) &element);
  gst_harness_teardown (h);
  g_assert_null (element);
}

/* Red up to a column, then green. */
static GstBuffer *
new_frame (guint n, guint border, guint width)
{
  SegFrame frame = { .format = SEG_FORMAT_RGBX,
    .color = seg_color_bt709,
    .width = width,
    .height = HEIGHT,
    .stride = { 4 * width } };
  guint8 *data = g_malloc0 (4 * width * HEIGHT);
  color_net_paint (&frame, data, 0, border, red);
  color_net_paint (&frame, data, border, width, green);
  GstBuffer *buffer = gst_buffer_new_wrapped (data, 4 * width * HEIGHT);
  GST_BUFFER_PTS (buffer) = n * FRAME;
  GST_BUFFER_DURATION (buffer) = FRAME;
  return buffer;
}

/* Frames of a clip: the border moves. */
static GstBuffer *
frame_of (guint n)
{
  return new_frame (n, 20 + n * 30 % 120, WIDTH);
}

static void
push (GstHarness *h, guint n)
{
  g_assert_cmpint (gst_harness_push (h, frame_of (n)), ==, GST_FLOW_OK);
}

static guint64
stat_of (GstHarness *h, const char *name)
{
  g_autoptr (GstStructure) stats = NULL;
  guint64 n = 0;
  guint small = 0;
  g_object_get (h->element, "stats", &stats, NULL);
  if (gst_structure_get_uint (stats, name, &small))
    return small;
  g_assert_true (gst_structure_get_uint64 (stats, name, &n));
  return n;
}

/* The class map of frame n is its own, away from the border. */
static void
check_own_labels (GstBuffer *buffer, guint n)
{
  GstMapInfo map;
  guint border = 20 + n * 30 % 120;
  g_assert_cmpuint (GST_BUFFER_PTS (buffer), ==, n * FRAME);
  g_assert_true (gst_buffer_map (buffer, &map, GST_MAP_READ));
  for (guint x = 0; x < WIDTH; x++)
    if (ABS ((int) x - (int) border) > 8
        && map.data[50 * WIDTH + x] != (x < border ? 1 : 2))
      g_error ("frame %u: class at %u is %u", n, x, map.data[50 * WIDTH + x]);
  gst_buffer_unmap (buffer, &map);
}

/* --- async ------------------------------------------------------------------------------------------- */

/* Nobody is in a hurry: each frame has its own result, though others are in flight. */
static void
test_async_own_results (void)
{
  GstHarness *h = open_harness ((Case){ SEG_MODE_ASYNC, SEG_OUTPUT_LABELS });
  for (guint n = 0; n < 12; n++)
    push (h, n);
  g_assert_cmpuint (gst_harness_buffers_in_queue (h), >=, 10);
  g_assert_true (gst_harness_push_event (h, gst_event_new_eos ()));
  g_assert_cmpuint (gst_harness_buffers_in_queue (h), ==, 12);
  for (guint n = 0; n < 12; n++) {
    GstBuffer *out = gst_harness_pull (h);
    check_own_labels (out, n);
    gst_buffer_unref (out);
  }
  g_assert_cmpuint (stat_of (h, "inferred"), ==, 12);
  g_assert_cmpuint (stat_of (h, "dropped"), ==, 0);
  finish (h);
}

/* Every third frame is looked at, the others show what it showed. */
static void
test_async_interval (void)
{
  GstHarness *h = open_harness ((Case){ SEG_MODE_ASYNC, SEG_OUTPUT_META });
  g_object_set (h->element, "interval", 3, NULL);
  for (guint n = 0; n < 9; n++)
    push (h, n);
  gst_harness_push_event (h, gst_event_new_eos ());
  for (guint n = 0; n < 9; n++) {
    GstBuffer *out = gst_harness_pull (h);
    g_assert_cmpuint (GST_BUFFER_PTS (out), ==, n * FRAME);
    g_assert_cmpuint (gst_buffer_get_vk_seg_meta (out)->age, ==, n % 3);
    gst_buffer_unref (out);
  }
  g_assert_cmpuint (stat_of (h, "inferred"), ==, 3);
  finish (h);
}

/* --- a slow network on a live source ------------------------------------------------------------------ */

static int
compare_times (gconstpointer a, gconstpointer b)
{
  gint64 x = *(const gint64 *) a, y = *(const gint64 *) b;
  return (x > y) - (x < y);
}

/* What the network has taken in us, for the last frame or on average; 0: for none yet. */
static gint64
network_us (GstHarness *h, const char *name)
{
  g_autoptr (GstStructure) stats = NULL;
  double ms = 0.0;
  g_object_get (h->element, "stats", &stats, NULL);
  g_assert_true (gst_structure_get_double (stats, name, &ms));
  return (gint64) (1000.0 * ms);
}

/* Frames come five times as fast as the network is. All go out, in order, with the last result; the
 * source waits for a part of the network at most, not for the whole. */
static void
run_slow (SegMode mode)
{
  gint64 times[60];
  GstHarness *h = open_harness ((Case){ mode, SEG_OUTPUT_META, TRUE, TRUE });
  guint n_held = 0, n_own = 0, depth = mode == SEG_MODE_ASYNC ? 2 : 0;
  for (guint n = 0; n < G_N_ELEMENTS (times); n++) {
    gint64 start = g_get_monotonic_time ();
    push (h, n);
    times[n] = g_get_monotonic_time () - start;
    g_assert_cmpuint (gst_harness_buffers_received (h), >=, n + 1 - MIN (depth, n + 1));
    g_assert_cmpuint (stat_of (h, "queued"), <=, depth);
    gint64 network = network_us (h, "last-ms");
    if (network == 0)
      network = (gint64) (1000.0 * NETWORK_MS);
    g_usleep ((gulong) MAX (0, network / 5 - times[n]));
  }
  gst_harness_push_event (h, gst_event_new_eos ());
  g_assert_cmpuint (gst_harness_buffers_in_queue (h), ==, G_N_ELEMENTS (times));
  for (guint n = 0; n < G_N_ELEMENTS (times); n++) {
    GstBuffer *out = gst_harness_pull (h);
    GstVkSegMeta *meta = gst_buffer_get_vk_seg_meta (out);
    g_assert_cmpuint (GST_BUFFER_PTS (out), ==, n * FRAME);
    n_held += meta != NULL && meta->age > 0;
    n_own += meta != NULL && meta->age == 0;
    gst_buffer_unref (out);
  }
  gint64 network = network_us (h, "average-ms");
  qsort (times, G_N_ELEMENTS (times), sizeof *times, compare_times);
  g_test_message (
      "network %.1f ms; push: median %.1f ms, 90 %% %.1f ms; %u held, %u own; "
      "%u inferred, %u dropped",
      (double) network / 1e3, (double) times[30] / 1e3, (double) times[54] / 1e3, n_held,
      n_own, (guint) stat_of (h, "inferred"), (guint) stat_of (h, "dropped"));
  g_assert_cmpint (times[30], <, network / 2);
  g_assert_cmpuint (n_held, >, 20);
  g_assert_cmpuint (stat_of (h, "inferred"), >=, 3);
  g_assert_cmpuint (stat_of (h, "inferred"), <, 50);
  g_assert_cmpuint (stat_of (h, "dropped"), >, 10);
  finish (h);
}

static void
test_async_slow (void)
{
  run_slow (SEG_MODE_ASYNC);
}

static void
test_drop_slow (void)
{
  run_slow (SEG_MODE_DROP);
}

static void
check_nothing_found (GstBuffer *in, GstBuffer *out, SegOutputKind output)
{
  GstMapInfo a, b;
  gst_buffer_map (in, &a, GST_MAP_READ);
  gst_buffer_map (out, &b, GST_MAP_READ);
  g_assert_null (gst_buffer_get_vk_seg_meta (out));
  if (output == SEG_OUTPUT_OVERLAY || output == SEG_OUTPUT_META)
    g_assert_cmpmem (a.data, a.size, b.data, b.size);
  else
    for (gsize i = 0; i < b.size; i++)
      g_assert_cmpuint (b.data[i], ==, 0);
  gst_buffer_unmap (in, &a);
  gst_buffer_unmap (out, &b);
}

/* The first frame; whether it has left before its result was there, which is counted earlier than any frame
 * has it. */
static gboolean
leaves_without_result (SegOutputKind output)
{
  GstHarness *h = open_harness ((Case){ SEG_MODE_DROP, output, TRUE, TRUE });
  g_autoptr (GstBuffer) in = frame_of (0);
  g_autoptr (GstBuffer) out = gst_harness_push_and_pull (h, gst_buffer_ref (in));
  gboolean early = stat_of (h, "inferred") == 0;
  if (early)
    check_nothing_found (in, out, output);
  finish (h);
  return early;
}

/* Before there is a result frames go out as they are, or as if nothing were in them. */
static void
test_no_result_yet (void)
{
  for (SegOutputKind output = 0; output <= SEG_OUTPUT_META; output++) {
    gboolean early = FALSE;
    for (guint i = 0; i < TURNS && !early; i++)
      early = leaves_without_result (output);
    g_assert_true (early);
  }
}

/* --- drop --------------------------------------------------------------------------------------------- */

/* Of a source that is not live the first frame waits, and later ones are drawn with a result. */
static void
test_drop (void)
{
  GstHarness *h = open_harness ((Case){ SEG_MODE_DROP, SEG_OUTPUT_LABELS });
  GstBuffer *out = gst_harness_push_and_pull (h, frame_of (0));
  check_own_labels (out, 0);
  gst_buffer_unref (out);
  for (guint i = 0; i < 500; i++) { /* the same picture, until its result is there */
    out = gst_harness_push_and_pull (h, new_frame (1 + i, 110, WIDTH));
    GstMapInfo map;
    gst_buffer_map (out, &map, GST_MAP_READ);
    guint at_80 = map.data[50 * WIDTH + 80];
    gst_buffer_unmap (out, &map);
    gst_buffer_unref (out);
    if (at_80 == 1)
      break;
    g_assert_cmpuint (at_80, ==, 2);
    g_assert_cmpuint (i, <, 499);
    g_usleep (2000);
  }
  finish (h);
}

/* --- what comes between frames ------------------------------------------------------------------------- */

static void
check_queue (GstHarness *h, guint first, guint n)
{
  for (guint i = 0; i < n; i++) {
    GstBuffer *out = gst_harness_pull (h);
    check_own_labels (out, first + i);
    gst_buffer_unref (out);
  }
  g_assert_cmpuint (gst_harness_buffers_in_queue (h), ==, 0);
}

/* None of what was in flight comes out after a flush. */
static void
test_flush (void)
{
  for (guint is_slow = 0; is_slow < 2; is_slow++) {
    GstHarness *h =
        open_harness ((Case){ SEG_MODE_ASYNC, SEG_OUTPUT_LABELS, FALSE, is_slow });
    GstSegment segment;
    push (h, 0);
    push (h, 1);
    gst_harness_push_event (h, gst_event_new_flush_start ());
    while (gst_harness_buffers_in_queue (h) > 0)
      gst_buffer_unref (gst_harness_pull (h));
    gst_harness_push_event (h, gst_event_new_flush_stop (TRUE));
    gst_segment_init (&segment, GST_FORMAT_TIME);
    gst_harness_push_event (h, gst_event_new_segment (&segment));
    g_assert_cmpuint (gst_harness_buffers_in_queue (h), ==, 0);
    push (h, 7);
    push (h, 8);
    gst_harness_push_event (h, gst_event_new_eos ());
    check_queue (h, 7, 2);
    finish (h);
  }
}

/* Frames of the old size come out before the new caps. */
static void
test_caps_change (void)
{
  static const SegMode modes[] = { SEG_MODE_ASYNC, SEG_MODE_DROP };
  for (guint m = 0; m < G_N_ELEMENTS (modes); m++) {
    GstHarness *h = open_harness ((Case){ modes[m], SEG_OUTPUT_LABELS });
    for (guint n = 0; n < 3; n++)
      push (h, n);
    gst_harness_set_src_caps_str (
        h, "video/x-raw,format=RGBx,width=200,height=120,framerate=30/1");
    g_assert_cmpuint (gst_harness_buffers_in_queue (h), ==, 3);
    for (guint n = 0; n < 3; n++) {
      GstBuffer *out = gst_harness_pull (h);
      g_assert_cmpuint (gst_buffer_get_size (out), ==, WIDTH * HEIGHT);
      gst_buffer_unref (out);
    }
    gst_harness_push (h, new_frame (3, 50, 200));
    gst_harness_push_event (h, gst_event_new_eos ());
    GstBuffer *out = gst_harness_pull (h);
    g_assert_cmpuint (gst_buffer_get_size (out), ==, 200 * HEIGHT);
    gst_buffer_unref (out);
    finish (h);
  }
}

/* Events keep their place among the frames; a drain query brings all out. */
static void
test_order (void)
{
  GstHarness *h = open_harness ((Case){ SEG_MODE_ASYNC, SEG_OUTPUT_LABELS });
  push (h, 0);
  push (h, 1);
  gst_harness_push_event (h, gst_event_new_gap (2 * FRAME, FRAME));
  g_assert_cmpuint (gst_harness_buffers_in_queue (h), ==, 2);
  push (h, 3);
  GstQuery *query = gst_query_new_drain ();
  gst_pad_peer_query (h->srcpad, query);
  gst_query_unref (query);
  g_assert_cmpuint (gst_harness_buffers_in_queue (h), ==, 3);
  finish (h);
}

/* A flush from another thread does not wait for the network. */
static gpointer
flush_soon (gpointer data)
{
  GstHarness *h = data;
  g_usleep (20000);
  gst_harness_push_event (h, gst_event_new_flush_start ());
  return NULL;
}

static void
test_flush_while_waiting (void)
{
  GstHarness *h = open_harness ((Case){ SEG_MODE_DROP, SEG_OUTPUT_LABELS, FALSE, TRUE });
  GThread *thread = g_thread_new ("flush", flush_soon, h);
  gst_harness_push (h, frame_of (0)); /* waits for its result, or is flushed */
  g_thread_join (thread);
  gst_harness_push_event (h, gst_event_new_flush_stop (TRUE));
  finish (h);
}

static void
test_state_cycles (void)
{
  for (guint i = 0; i < 6; i++) {
    GstHarness *h = open_harness ((Case){
        i % 2 ? SEG_MODE_DROP : SEG_MODE_ASYNC, SEG_OUTPUT_OVERLAY, i & 2, TRUE });
    for (guint n = 0; n < 1 + i % 3; n++)
      gst_harness_push (h, frame_of (n));
    if (i >= 3) {
      gst_element_set_state (h->element, GST_STATE_NULL);
      gst_element_set_state (h->element, GST_STATE_PLAYING);
    }
    finish (h);
  }
}

/* --- time and settings ---------------------------------------------------------------------------------- */

/* What mode=drop says of a slow network at its beginning: a drawing, measured once. */
static double
drawing_ms (void)
{
  GstHarness *h = open_harness ((Case){ SEG_MODE_DROP, SEG_OUTPUT_META, TRUE, TRUE });
  GstClockTime latency = gst_harness_query_latency (h);
  finish (h);
  return (double) latency / (double) GST_MSECOND;
}

static void
test_latency (void)
{
  GstHarness *h = open_harness ((Case){ SEG_MODE_ASYNC, SEG_OUTPUT_META, TRUE });
  GstBus *bus = gst_bus_new ();
  gst_element_set_bus (h->element, bus);
  g_assert_cmpuint (gst_harness_query_latency (h), >=, 2 * FRAME);
  g_assert_cmpuint (gst_harness_query_latency (h), <, 2 * FRAME + GST_SECOND);
  /* At half the rate frames wait twice as long, and the pipeline is told. */
  gst_bus_set_flushing (bus, TRUE);
  gst_bus_set_flushing (bus, FALSE);
  gst_harness_set_src_caps_str (
      h, "video/x-raw,format=RGBx,width=160,height=120,framerate=15/1");
  g_assert_cmpuint (gst_harness_query_latency (h), >=, 4 * FRAME);
  GstMessage *message = gst_bus_pop_filtered (bus, GST_MESSAGE_LATENCY);
  g_assert_nonnull (message);
  gst_message_unref (message);
  gst_element_set_bus (h->element, NULL);
  gst_object_unref (bus);
  finish (h);
  double network_ms = slow_net_time_ms (dir, slow);
  double least = G_MAXDOUBLE;
  for (guint i = 0; i < TURNS && least >= network_ms / 2; i++)
    least = MIN (least, drawing_ms ());
  g_test_message ("network %.1f ms, drawing %.1f ms", network_ms, least);
  g_assert_cmpfloat (least, <, network_ms / 2);
}

/* What is set while frames are in flight is taken up. */
static void
test_restyle (void)
{
  GstHarness *h = open_harness ((Case){ SEG_MODE_ASYNC, SEG_OUTPUT_OVERLAY });
  for (guint i = 0; i < 40; i++) {
    if (i % 5 == 0)
      g_object_set (h->element, "draw", i % 10 ? SEG_DRAW_MASKS : 0, "alpha",
          i % 10 ? 0.5 : 0.0, "palette", "coco", NULL);
    push (h, i);
  }
  g_object_set (h->element, "draw", 0, NULL);
  push (h, 40);
  gst_harness_push_event (h, gst_event_new_eos ());
  for (guint i = 0; i < 40; i++)
    gst_buffer_unref (gst_harness_pull (h));
  g_autoptr (GstBuffer) in = frame_of (40), out = gst_harness_pull (h);
  GstMapInfo map;
  gst_buffer_map (in, &map, GST_MAP_READ);
  g_assert_cmpint (gst_buffer_memcmp (out, 0, map.data, map.size), ==, 0);
  gst_buffer_unmap (in, &map);
  finish (h);
}

/* Who gives frames must have enough of them. */
static void
test_allocation (void)
{
  GstHarness *h = open_harness ((Case){ SEG_MODE_ASYNC, SEG_OUTPUT_META });
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (h->srcpad);
  GstQuery *query = gst_query_new_allocation (caps, TRUE);
  guint min = 0;
  g_assert_true (gst_pad_peer_query (h->srcpad, query));
  g_assert_cmpuint (gst_query_get_n_allocation_pools (query), >, 0);
  gst_query_parse_nth_allocation_pool (query, 0, NULL, NULL, &min, NULL);
  g_assert_cmpuint (min, >=, SEG_LIVE_SLOTS (2));
  gst_query_unref (query);
  finish (h);
}

static void
test_refused (void)
{
  GstElement *element = gst_element_factory_make ("vksegment", NULL);
  GstBus *bus = gst_bus_new ();
  g_autoptr (GError) error = NULL;
  g_object_set (element, "model", fast, "cache-dir", dir, "mode", SEG_MODE_DROP,
      "inference-region", SEG_INFERENCE_ROI_LIST, NULL);
  gst_element_set_bus (element, bus);
  g_assert_cmpint (
      gst_element_set_state (element, GST_STATE_PAUSED), ==, GST_STATE_CHANGE_FAILURE);
  GstMessage *message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  gst_message_parse_error (message, &error, NULL);
  g_assert_nonnull (strstr (error->message, "mode"));
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
  fast = color_net_write (dir, "fast", COLOR_NET_PLAIN, COLOR_NET_INFO);
  slow = slow_net_write_ms (dir, "slow", NETWORK_MS);
  g_test_add_func ("/live/async-own-results", test_async_own_results);
  g_test_add_func ("/live/async-interval", test_async_interval);
  g_test_add_func ("/live/async-slow", test_async_slow);
  g_test_add_func ("/live/drop-slow", test_drop_slow);
  g_test_add_func ("/live/no-result-yet", test_no_result_yet);
  g_test_add_func ("/live/drop", test_drop);
  g_test_add_func ("/live/flush", test_flush);
  g_test_add_func ("/live/caps-change", test_caps_change);
  g_test_add_func ("/live/order", test_order);
  g_test_add_func ("/live/flush-while-waiting", test_flush_while_waiting);
  g_test_add_func ("/live/state-cycles", test_state_cycles);
  g_test_add_func ("/live/latency", test_latency);
  g_test_add_func ("/live/restyle", test_restyle);
  g_test_add_func ("/live/allocation", test_allocation);
  g_test_add_func ("/live/refused", test_refused);
  status = element_test_run ();
  g_free (fast);
  g_free (slow);
  return status;
}
