/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frames of several streams that go through a network together: each has its own answer, and none waits
 * longer than it has to, whatever the others do. */
#define _GNU_SOURCE /* sched_getaffinity */
#include "element-test.h"
#include "elements/slow-net.h"
#include "frame/color-net.h"

#include "elements/settings.h"

#include <gst/check/gstharness.h>

#include <sched.h>
#include <string.h>

#define N_STREAMS 4
#define N_FRAMES  30
#define HEIGHT    60
#define FOREVER   10000 /* ms: nobody waits for so long unless something is wrong */

static const double red[3] = { 1, 0, 0 }, green[3] = { 0, 1, 0 };
/* Of many small layers: what they cost is that there are so many, so that a batch pays. */
static const SlowNet small = { 16, 12, 40, 8, FALSE, FALSE };
static char *dir, *model;

static GstHarness *
open_harness (const char *path, guint width, const char *properties)
{
  GstElement *element = gst_element_factory_make ("vksegment", NULL);
  g_autofree char *caps = g_strdup_printf (
      "video/x-raw,format=RGBx,width=%u,height=%d,framerate=30/1", width, HEIGHT);
  g_object_set (element, "model", path, "cache-dir", dir, "output", SEG_OUTPUT_LABELS,
      "tiling", SEG_TILING_NONE, NULL);
  g_auto (GStrv) words = g_strsplit (properties, " ", -1);
  for (guint i = 0; words[i] != NULL && words[i][0] != '\0'; i++) {
    g_auto (GStrv) pair = g_strsplit (words[i], "=", 2);
    gst_util_set_object_arg (G_OBJECT (element), pair[0], pair[1]);
  }
  GstHarness *h = gst_harness_new_with_element (element, "sink", "src");
  gst_object_unref (element);
  gst_harness_set_live (h, FALSE);
  gst_harness_set_src_caps_str (h, caps);
  return h;
}

/* Red up to `border`, then green. */
static GstBuffer *
new_frame (guint width, guint n, guint border)
{
  SegFrame frame = { .format = SEG_FORMAT_RGBX,
    .color = seg_color_bt709,
    .width = width,
    .height = HEIGHT,
    .stride = { 4 * width } };
  gsize n_bytes = 4 * width * HEIGHT;
  guint8 *data = g_malloc0 (n_bytes);
  color_net_paint (&frame, data, 0, border, red);
  color_net_paint (&frame, data, border, width, green);
  GstBuffer *buffer = gst_buffer_new_wrapped (data, n_bytes);
  GST_BUFFER_PTS (buffer) = n * GST_SECOND / 30;
  GST_BUFFER_DURATION (buffer) = GST_SECOND / 30;
  return buffer;
}

static guint
border_of (guint width, guint n)
{
  return width / 8 + (n * 17 + width * 5) % (width * 3 / 4);
}

/* The labels of frame n: rows of `width` rounded up to 4. */
static GstBuffer *
run (GstHarness *h, guint width, guint n)
{
  g_assert_cmpint (
      gst_harness_push (h, new_frame (width, n, border_of (width, n))), ==, GST_FLOW_OK);
  GstBuffer *out = gst_harness_pull (h);
  g_assert_nonnull (out);
  g_assert_cmpuint (GST_BUFFER_PTS (out), ==, n * GST_SECOND / 30);
  return out;
}

static void
check_labels (GstBuffer *out, guint width, guint n)
{
  GstMapInfo map;
  guint border = border_of (width, n), row = 30 * ((width + 3) & ~3u);
  g_assert_true (gst_buffer_map (out, &map, GST_MAP_READ));
  for (guint x = 0; x < width; x++)
    if (ABS ((int) x - (int) border) > (int) width / 12
        && map.data[row + x] != (x < border ? 1 : 2))
      g_error ("width %u, frame %u, border %u: class at %u is %u", width, n, border, x,
          map.data[row + x]);
  gst_buffer_unmap (out, &map);
}

static void
run_checked (GstHarness *h, guint width, guint n)
{
  g_autoptr (GstBuffer) out = run (h, width, n);
  check_labels (out, width, n);
}

static guint64
stat_of (GstHarness *h, const char *name)
{
  g_autoptr (GstStructure) stats = NULL;
  guint64 n = 0;
  g_object_get (h->element, "stats", &stats, NULL);
  g_assert_true (gst_structure_get_uint64 (stats, name, &n));
  return n;
}

/* Whether a batch pays is measured, and on a busy machine that may come out either way. Keeps a team that
 * found that it does from `most` streams on, or fewer; elements like it join that. */
static GstHarness *
open_keeper (const char *properties, guint most)
{
  for (guint i = 0; i < 50; i++) {
    g_autoptr (GstStructure) stats = NULL;
    guint from = 0;
    GstHarness *h = open_harness (model, 32, properties);
    g_object_get (h->element, "stats", &stats, NULL);
    g_assert_true (gst_structure_get_uint (stats, "batch-from", &from));
    if (from > 0 && from <= most)
      return h;
    gst_harness_teardown (h);
  }
  g_error ("%s: a batch of a network of tiny layers does not pay", properties);
}

/* --- each its own answer ------------------------------------------------------------------------------ */

typedef struct {
  guint number, width, n_frames, pause_us;
  const char *properties;
  GstHarness *alone; /* to compare with, or NULL */
  GstHarness *h;
  gint *n_to_come; /* atomic: threads that have not begun */
  gint *n_busy;    /* atomic, or NULL: how many lack frames; it goes on for them */
  guint64 n_batched, n_differ, n_pixels;
} Stream;

/* A batch is computed in another order: at an edge the last bit may decide. */
static void
compare (Stream *s, GstBuffer *a, GstBuffer *b)
{
  GstMapInfo one, other;
  g_assert_true (gst_buffer_map (a, &one, GST_MAP_READ));
  g_assert_true (gst_buffer_map (b, &other, GST_MAP_READ));
  g_assert_cmpuint (one.size, ==, other.size);
  for (gsize i = 0; i < one.size; i++)
    s->n_differ += one.data[i] != other.data[i];
  s->n_pixels += one.size;
  gst_buffer_unmap (a, &one);
  gst_buffer_unmap (b, &other);
}

/* On a busy machine one may else be done before another begins. */
static void
wait_for_others (gint *n_to_come)
{
  g_atomic_int_add (n_to_come, -1);
  while (g_atomic_int_get (n_to_come) > 0)
    g_usleep (500);
}

static gboolean
is_busy (const Stream *s)
{
  return s->n_busy != NULL && g_atomic_int_get (s->n_busy) > 0;
}

static gpointer
stream (gpointer data)
{
  Stream *s = data;
  wait_for_others (s->n_to_come);
  for (guint n = 0; n < s->n_frames || is_busy (s); n++) {
    g_autoptr (GstBuffer) out = run (s->h, s->width, n);
    check_labels (out, s->width, n);
    if (n + 1 == s->n_frames && s->n_busy != NULL)
      g_atomic_int_add (s->n_busy, -1);
    if (s->alone != NULL) {
      g_autoptr (GstBuffer) expected = run (s->alone, s->width, n);
      compare (s, out, expected);
    }
    g_usleep (s->pause_us);
  }
  s->n_batched = stat_of (s->h, "batched");
  gst_harness_teardown (s->h);
  return NULL;
}

/* How long they took, in us, without what it takes to open them. */
static gint64
run_streams (Stream *streams, guint n)
{
  GThread *threads[N_STREAMS];
  gint n_to_come = (gint) n;
  for (guint i = 0; i < n; i++) {
    streams[i].h = open_harness (model, streams[i].width, streams[i].properties);
    streams[i].n_to_come = &n_to_come;
  }
  gint64 start = g_get_monotonic_time ();
  for (guint i = 0; i < n; i++)
    threads[i] = g_thread_new (NULL, stream, &streams[i]);
  for (guint i = 0; i < n; i++)
    g_thread_join (threads[i]);
  return g_get_monotonic_time () - start;
}

/* Other sizes, other pictures, other rates. */
static void
check_pixels (const char *properties, guint most_per_mille)
{
  Stream streams[N_STREAMS] = { 0 };
  GstHarness *keeper = open_keeper (properties, N_STREAMS);
  gint n_busy = N_STREAMS; /* who is left alone by faster ones has no batches */
  for (guint i = 0; i < N_STREAMS; i++) {
    streams[i] = (Stream){ i, 64 + 16 * i, N_FRAMES, 1000 + 1500 * i, properties };
    streams[i].n_busy = &n_busy;
    streams[i].alone = open_harness (model, streams[i].width, "");
  }
  run_streams (streams, N_STREAMS);
  for (guint i = 0; i < N_STREAMS; i++) {
    const Stream *s = &streams[i];
    g_test_message ("stream %u: %" G_GUINT64_FORMAT
                    " frames in batches, %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
                    " pixels differ",
        i, s->n_batched, s->n_differ, s->n_pixels);
    g_assert_cmpuint (s->n_differ * 1000, <=, s->n_pixels * most_per_mille);
    g_assert_cmpuint (s->n_batched, >=, N_FRAMES / 2);
    gst_harness_teardown (streams[i].alone);
  }
  gst_harness_teardown (keeper);
}

static void
test_pixels (void)
{
  check_pixels ("batch-size=4 batch-timeout=10000", 0);
}

/* More streams than places, and a place too many. */
static void
test_other_sizes (void)
{
  check_pixels ("batch-size=3 batch-timeout=10000", 0);
  check_pixels ("batch-size=5 batch-timeout=10000", 0);
}

/* --- who is together ------------------------------------------------------------------------------------- */

/* Streams of other ids, or other networks, are others. */
static void
test_ids (void)
{
  static const char *const properties[3] = { "batch-size=2 batch-timeout=10000",
    "batch-size=2 batch-timeout=10000 model-instance-id=a",
    "batch-size=2 batch-timeout=10000 model-instance-id=b" };
  Stream streams[3];
  for (guint i = 0; i < 3; i++)
    streams[i] = (Stream){ i, 64, 5, 0, properties[i] };
  run_streams (streams, 3);
  for (guint i = 0; i < 3; i++)
    g_assert_cmpuint (streams[i].n_batched, ==, 0);
}

static guint n_warnings;

static void
count_warnings (GstDebugCategory *category, GstDebugLevel level, const gchar *file,
    const gchar *function, gint line, GObject *object, GstDebugMessage *message,
    gpointer user_data)
{
  if (level == GST_LEVEL_WARNING
      && strstr (gst_debug_message_get (message), "batch-size=4") != NULL)
    n_warnings++;
}

/* A network that cannot says so, and runs. */
static void
test_refused (void)
{
  g_autofree char *hosted =
      color_net_write (dir, "hosted", COLOR_NET_HOSTED, COLOR_NET_INFO);
  gst_debug_set_threshold_for_name ("vksegment", GST_LEVEL_WARNING);
  gst_debug_add_log_function (count_warnings, NULL, NULL);
  GstHarness *h = open_harness (hosted, 64, "batch-size=4");
  for (guint n = 0; n < 3; n++)
    run_checked (h, 64, n);
  g_assert_cmpuint (stat_of (h, "batched"), ==, 0);
  gst_harness_teardown (h);
  gst_debug_remove_log_function (count_warnings);
  gst_debug_set_threshold_for_name ("vksegment", GST_LEVEL_NONE);
  g_assert_cmpuint (n_warnings, ==, 1);
}

/* --- none disturbs another ------------------------------------------------------------------------------- */

/* The first goes after some frames, the second fails: those who are left go on, and wait for nobody. */
static void
test_leaving (void)
{
  const char *properties = "batch-size=4 batch-timeout=10000";
  Stream streams[N_STREAMS];
  GstHarness *keeper = open_keeper (properties, N_STREAMS - 1);
  for (guint i = 0; i < N_STREAMS; i++)
    streams[i] = (Stream){ i, 64 + 16 * i, 4 + 8 * i, 0, properties };
  g_assert_cmpint (run_streams (streams, N_STREAMS), <, FOREVER * 1000);
  gst_harness_teardown (keeper);
}

static double
ms_of (GstHarness *h, guint n)
{
  gint64 start = g_get_monotonic_time ();
  run_checked (h, 64, n);
  return (double) (g_get_monotonic_time () - start) / 1e3;
}

static gpointer
meet (gpointer data)
{
  GstHarness *h = data;
  for (guint n = 0; stat_of (h, "batched") < 3; n++)
    run_checked (h, 64, n);
  return NULL;
}

/* Two that have been together: each expects the other's next frame. */
static GstHarness *
open_pair (guint timeout_ms, GstHarness **second)
{
  g_autofree char *properties =
      g_strdup_printf ("batch-size=2 batch-timeout=%u", timeout_ms);
  GstHarness *keeper = open_keeper (properties, N_STREAMS - 1);
  GstHarness *first = open_harness (model, 64, properties);
  *second = open_harness (model, 64, properties);
  GThread *threads[2] = { g_thread_new (NULL, meet, first),
    g_thread_new (NULL, meet, *second) };
  for (guint i = 0; i < 2; i++)
    g_thread_join (threads[i]);
  gst_harness_teardown (keeper);
  return first;
}

/* A stream that comes no more is waited for once. */
static void
test_timeout (void)
{
  enum { TIMEOUT_MS = 300 };
  GstHarness *stalled, *h = open_pair (TIMEOUT_MS, &stalled);
  double first = ms_of (h, 10), least = FOREVER;
  for (guint n = 11; n < 20; n++)
    least = MIN (least, ms_of (h, n));
  g_test_message ("waited %.1f ms, then %.1f ms", first, least);
  g_assert_cmpfloat (first, >=, TIMEOUT_MS);
  g_assert_cmpfloat (least, <, TIMEOUT_MS);
  gst_harness_teardown (h);
  gst_harness_teardown (stalled);
}

/* With nobody else there is nothing to wait for. */
static void
test_lone (void)
{
  GstHarness *h = open_harness (model, 64, "batch-size=4 batch-timeout=10000");
  for (guint n = 0; n < 10; n++)
    g_assert_cmpfloat (ms_of (h, n), <, FOREVER);
  g_assert_cmpuint (stat_of (h, "batched"), ==, 0);
  gst_harness_teardown (h);
}

static gpointer
push_some (gpointer data)
{
  GstHarness *h = data;
  while (gst_harness_push (h, new_frame (64, 30, 20)) == GST_FLOW_OK)
    ;
  return NULL;
}

/* Frames that wait for others do not hold up a flush. */
static void
test_flush (void)
{
  GstHarness *stalled, *h = open_pair (FOREVER, &stalled);
  GThread *thread = g_thread_new (NULL, push_some, h);
  g_usleep (50000); /* by now it waits */
  gint64 start = g_get_monotonic_time ();
  g_assert_true (gst_harness_push_event (h, gst_event_new_flush_start ()));
  g_thread_join (thread);
  g_assert_cmpint (g_get_monotonic_time () - start, <, FOREVER * 500);
  g_assert_true (gst_harness_push_event (h, gst_event_new_flush_stop (TRUE)));
  gst_harness_teardown (stalled);
  gst_harness_teardown (h);
}

/* --- what it is for -------------------------------------------------------------------------------------- */

#define N_MANY 60

typedef struct {
  GstHarness *h;
  gint *n_done; /* atomic: of each of the streams */
  guint number;
  guint least; /* frames that each had when this one had all of its own */
} Runner;

static gpointer
run_many (gpointer data)
{
  Runner *r = data;
  for (guint n = 0; n < N_MANY; n++) {
    gst_buffer_unref (run (r->h, 64, n));
    g_atomic_int_inc (&r->n_done[r->number]);
  }
  r->least = N_MANY;
  for (guint i = 0; i < N_STREAMS; i++)
    r->least = MIN (r->least, (guint) g_atomic_int_get (&r->n_done[i]));
  return NULL;
}

/* Seconds that four streams take, each in a thread, or one after the other. */
static double
time_streams (GstHarness *const *h, gboolean together, guint *least)
{
  gint n_done[N_STREAMS] = { 0 };
  Runner runners[N_STREAMS];
  GThread *threads[N_STREAMS];
  gint64 start = g_get_monotonic_time ();
  for (guint i = 0; i < N_STREAMS; i++) {
    runners[i] = (Runner){ h[i], n_done, i, 0 };
    threads[i] = together ? g_thread_new (NULL, run_many, &runners[i]) : NULL;
    if (!together)
      run_many (&runners[i]);
  }
  *least = N_MANY;
  for (guint i = 0; i < N_STREAMS; i++) {
    if (together)
      g_thread_join (threads[i]);
    *least = MIN (*least, runners[i].least);
  }
  return (double) (g_get_monotonic_time () - start) / 1e6;
}

/* That this process may use; g_get_num_processors() counts all. */
static guint
n_processors (void)
{
  cpu_set_t set;
  return sched_getaffinity (0, sizeof set, &set) == 0 ? (guint) CPU_COUNT (&set)
                                                      : g_get_num_processors ();
}

/* Four streams in batches take no longer than one after the other, and each has its share. Of each the
 * least time counts, of as many turns as a machine that others use makes necessary. With one processor
 * the threads change places on it, which one after the other need not. */
static void
test_sooner_done (void)
{
  enum { LEAST_TURNS = 4, MOST_TURNS = 16 };
  gboolean compare = n_processors () > 1;
  /* At the end the first does not come again: then others go alone. */
  const char *properties = "batch-size=4 batch-timeout=20";
  GstHarness *keeper = open_keeper (properties, N_STREAMS - 1), *batched[N_STREAMS],
             *alone[N_STREAMS];
  double batched_s = G_MAXDOUBLE, alone_s = G_MAXDOUBLE;
  guint least = 0, most_even = 0;
  for (guint i = 0; i < N_STREAMS; i++) {
    batched[i] = open_harness (model, 64, properties);
    alone[i] = open_harness (model, 64, "");
  }
  guint turns = 0;
  while (turns < LEAST_TURNS
         || (turns < MOST_TURNS
             && ((compare && batched_s > alone_s) || most_even < N_MANY * 3 / 4))) {
    turns++;
    alone_s = MIN (alone_s, time_streams (alone, FALSE, &least));
    batched_s = MIN (batched_s, time_streams (batched, TRUE, &least));
    most_even = MAX (most_even, least);
  }
  g_test_message (
      "%d frames each, %u turns: in batches %.3f s, one after the other %.3f s; when the "
      "first had all, the last had %u",
      N_MANY, turns, batched_s, alone_s, most_even);
  if (compare)
    g_assert_cmpfloat (batched_s, <=, alone_s);
  g_assert_cmpuint (most_even, >=, N_MANY * 3 / 4);
  for (guint i = 0; i < N_STREAMS; i++) {
    g_assert_cmpuint (stat_of (batched[i], "batched"), >, N_MANY);
    gst_harness_teardown (batched[i]);
    gst_harness_teardown (alone[i]);
  }
  gst_harness_teardown (keeper);
}

/* --- live ------------------------------------------------------------------------------------------------- */

static GstClockTime
latency_of (GstHarness *h)
{
  return gst_harness_query_latency (h);
}

static void
test_latency (void)
{
  GstHarness *keeper = open_keeper ("batch-size=4", N_STREAMS - 1);
  GstHarness *h = open_harness (model, 64, "batch-size=4 batch-timeout=500");
  gst_harness_set_live (h, TRUE);
  run_checked (h, 64, 0);
  g_assert_cmpuint (latency_of (h), >=, 500 * GST_MSECOND);
  g_object_set (h->element, "batch-timeout", 900, NULL);
  run_checked (h, 64, 1);
  /* and what the network takes, which is not always the same, but not the 500 of before */
  GstClockTime latency = latency_of (h);
  g_assert_cmpuint (latency, >=, 900 * GST_MSECOND);
  g_assert_cmpuint (latency, <, 1400 * GST_MSECOND);
  gst_harness_teardown (keeper);
  gst_harness_teardown (h);
}

/* What frames have waited for others is said once, and is no time of the network. By turns each waits for
 * the other, which does not come. */
static void
test_waiting (void)
{
  enum { TIMEOUT_MS = 600 };
  GstHarness *other, *h = open_pair (TIMEOUT_MS, &other);
  guint n_waited = 0;
  for (guint n = 10; n < 20 && n_waited < 3; n++) {
    n_waited += ms_of (h, n) >= TIMEOUT_MS;
    run_checked (other, 64, n);
  }
  GstClockTime latency = latency_of (h);
  g_test_message ("latency %.1f ms", (double) latency / (double) GST_MSECOND);
  g_assert_cmpuint (n_waited, ==, 3);
  g_assert_cmpuint (latency, >=, TIMEOUT_MS * GST_MSECOND);
  g_assert_cmpuint (latency, <, 2 * TIMEOUT_MS * GST_MSECOND);
  gst_harness_teardown (h);
  gst_harness_teardown (other);
}

static gpointer
stream_live (gpointer data)
{
  Stream *s = data;
  wait_for_others (s->n_to_come);
  for (guint n = 0; n < s->n_frames; n++)
    g_assert_cmpint (
        gst_harness_push (s->h, new_frame (s->width, n, border_of (s->width, n))), ==,
        GST_FLOW_OK);
  g_assert_true (gst_harness_push_event (s->h, gst_event_new_eos ()));
  for (guint n = 0; n < s->n_frames; n++) {
    g_autoptr (GstBuffer) out = gst_harness_pull (s->h);
    if (strstr (s->properties, "async") != NULL)
      check_labels (out, s->width, n);
  }
  s->n_batched = stat_of (s->h, "batched");
  gst_harness_teardown (s->h);
  return NULL;
}

/* The other modes, and one of each: all together. */
static void
test_modes (void)
{
  static const char *const properties[N_STREAMS] = {
    "batch-size=4 batch-timeout=50 mode=async",
    "batch-size=4 batch-timeout=50 mode=async frames-in-flight=5",
    "batch-size=4 batch-timeout=50 mode=drop", "batch-size=4 batch-timeout=50"
  };
  Stream streams[N_STREAMS];
  GThread *threads[N_STREAMS];
  GstHarness *keeper = open_keeper ("batch-size=4", N_STREAMS - 1);
  gint n_to_come = N_STREAMS;
  for (guint i = 0; i < N_STREAMS; i++) {
    streams[i] = (Stream){ i, 64 + 16 * i, N_FRAMES, 1000, properties[i] };
    streams[i].n_to_come = &n_to_come;
    streams[i].h = open_harness (model, streams[i].width, properties[i]);
  }
  for (guint i = 0; i < N_STREAMS; i++)
    threads[i] = g_thread_new (NULL, i < 3 ? stream_live : stream, &streams[i]);
  for (guint i = 0; i < N_STREAMS; i++) {
    g_thread_join (threads[i]);
    g_test_message (
        "stream %u: %" G_GUINT64_FORMAT " in batches", i, streams[i].n_batched);
  }
  g_assert_cmpuint (streams[0].n_batched + streams[1].n_batched, >, 0);
  gst_harness_teardown (keeper);
}

int
main (int argc, char **argv)
{
  int status = 0;
  dir = element_test_begin (&argc, &argv, &status);
  if (dir == NULL)
    return status;
  model = slow_net_write_of (dir, "small", &small);
  g_test_add_func ("/batch/pixels", test_pixels);
  g_test_add_func ("/batch/other-sizes", test_other_sizes);
  g_test_add_func ("/batch/ids", test_ids);
  g_test_add_func ("/batch/refused", test_refused);
  g_test_add_func ("/batch/leaving", test_leaving);
  g_test_add_func ("/batch/timeout", test_timeout);
  g_test_add_func ("/batch/lone", test_lone);
  g_test_add_func ("/batch/flush", test_flush);
  g_test_add_func ("/batch/sooner-done", test_sooner_done);
  g_test_add_func ("/batch/latency", test_latency);
  g_test_add_func ("/batch/waiting", test_waiting);
  g_test_add_func ("/batch/modes", test_modes);
  status = element_test_run ();
  g_free (model);
  return status;
}
