/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The latency that is said, from the times that frames take: what a pipeline is told, and when. And which
 * frames of a live source the network is to see. */
#include "elements/pace.h"

#include <gst/check/gsttestclock.h>

#define FRAME (100 * GST_MSECOND)

typedef struct {
  SegQos qos;
  GstElement *element;
  GstBus *bus;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  (void) data;
  f->element = gst_object_ref_sink (gst_pipeline_new (NULL));
  f->bus = gst_bus_new ();
  gst_element_set_bus (f->element, f->bus);
  seg_qos_init (&f->qos);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  (void) data;
  seg_qos_clear (&f->qos);
  gst_element_set_bus (f->element, NULL);
  gst_object_unref (f->bus);
  gst_object_unref (f->element);
}

/* LATENCY messages since the last call. */
static guint
n_posted (Fixture *f)
{
  GstMessage *message;
  guint n = 0;
  while ((message = gst_bus_pop (f->bus)) != NULL) {
    n += GST_MESSAGE_TYPE (message) == GST_MESSAGE_LATENCY;
    g_assert_true (GST_MESSAGE_SRC (message) == GST_OBJECT (f->element));
    gst_message_unref (message);
  }
  return n;
}

/* What is said, of a source that itself says nothing. */
static GstClockTime
latency_of (Fixture *f)
{
  GstClockTime min = 0;
  GstQuery *query = gst_query_new_latency ();
  gst_query_set_latency (query, TRUE, 0, GST_CLOCK_TIME_NONE);
  seg_qos_add_latency (&f->qos, query);
  gst_query_parse_latency (query, NULL, &min, NULL);
  gst_query_unref (query);
  return min;
}

static void
measure (Fixture *f, GstClockTime taken, guint n)
{
  for (guint i = 0; i < n; i++)
    seg_qos_measure (&f->qos, f->element, taken);
}

/* Up with the second frame that takes longer: one alone may have had to wait for other programs. */
static void
test_up (Fixture *f, gconstpointer data)
{
  (void) data;
  seg_qos_set_latency (&f->qos, f->element, FRAME);
  g_assert_cmpuint (n_posted (f), ==, 1);
  GstClockTime before = latency_of (f);
  g_assert_cmpuint (before, >=, FRAME);
  measure (f, FRAME, 3 * SEG_QOS_TIMES);
  measure (f, 2 * FRAME, 1);
  g_assert_cmpuint (n_posted (f), ==, 0);
  g_assert_cmpuint (latency_of (f), ==, before);
  measure (f, 2 * FRAME, 1);
  g_assert_cmpuint (n_posted (f), ==, 1);
  g_assert_cmpuint (latency_of (f), >=, 2 * FRAME);
  g_assert_cmpuint (latency_of (f), <, 3 * FRAME);
  measure (f, 2 * FRAME, 3 * SEG_QOS_TIMES);
  g_assert_cmpuint (n_posted (f), ==, 0);
}

/* Down when none of the last takes nearly as long, and not for less. */
static void
test_down (Fixture *f, gconstpointer data)
{
  (void) data;
  seg_qos_set_latency (&f->qos, f->element, FRAME);
  measure (f, FRAME, SEG_QOS_TIMES);
  measure (f, FRAME - FRAME / 10, 2 * SEG_QOS_TIMES);
  g_assert_cmpuint (n_posted (f), ==, 1); /* the first */
  measure (f, FRAME / 4, SEG_QOS_TIMES - 2);
  g_assert_cmpuint (n_posted (f), ==, 0);
  g_assert_cmpuint (latency_of (f), >=, FRAME);
  measure (f, FRAME / 4, 6);
  g_assert_cmpuint (n_posted (f), ==, 1);
  g_assert_cmpuint (latency_of (f), >=, FRAME / 4);
  g_assert_cmpuint (latency_of (f), <, FRAME / 2);
}

/* What frames wait for is said with it. */
static void
test_waiting (Fixture *f, gconstpointer data)
{
  (void) data;
  seg_qos_set_latency (&f->qos, f->element, FRAME);
  GstClockTime alone = latency_of (f);
  seg_qos_set_queued (&f->qos, f->element, 2 * FRAME);
  seg_qos_set_waiting (&f->qos, f->element, 5 * FRAME);
  g_assert_cmpuint (n_posted (f), ==, 3);
  g_assert_cmpuint (latency_of (f), ==, alone + 7 * FRAME);
  seg_qos_set_waiting (&f->qos, f->element, 5 * FRAME);
  g_assert_cmpuint (n_posted (f), ==, 0);
  seg_qos_restart (&f->qos, f->element);
  g_assert_cmpuint (n_posted (f), ==, 3);
  g_assert_cmpuint (latency_of (f), ==, 0);
}

/* --- pace: a live source of 100 frames a second, and a network that takes six of them ---------------------- */

#define SHORT   (10 * GST_MSECOND)
#define NETWORK 6

/* Whether frame n is left out that comes so long after its time stamp. */
static gboolean
is_behind (Fixture *f, SegPace *pace, guint n, GstClockTime late)
{
  GstSegment segment;
  g_autoptr (GstClock) clock = gst_element_get_clock (f->element);
  g_autoptr (GstBuffer) buffer = gst_buffer_new ();
  gst_segment_init (&segment, GST_FORMAT_TIME);
  GST_BUFFER_PTS (buffer) = n * SHORT;
  gst_test_clock_set_time (GST_TEST_CLOCK (clock), n * SHORT + late);
  return seg_pace_is_behind (pace, &f->qos, f->element, &segment, buffer);
}

static void
push (SegPace *pace, gboolean is_held)
{
  seg_pace_leave (pace);
  if (is_held)
    g_usleep (SHORT / GST_USECOND);
  seg_pace_return (pace);
}

static void
start_pace (Fixture *f, SegPace *pace)
{
  g_autoptr (GstClock) clock = gst_test_clock_new ();
  gst_element_set_clock (f->element, clock);
  gst_element_set_base_time (f->element, 0);
  seg_qos_set_latency (&f->qos, f->element, NETWORK * SHORT);
  seg_qos_set_source (&f->qos, SHORT, 0);
  seg_pace_init (pace, SHORT);
}

/* Those behind the one that it looks at do not wait as well. */
static void
test_queued (Fixture *f, gconstpointer data)
{
  SegPace pace;
  guint n = 0;
  (void) data;
  start_pace (f, &pace);
  for (guint round = 0; round < 20; round++) {
    g_assert_false (is_behind (f, &pace, n++, 0));
    push (&pace, FALSE);
    for (guint i = NETWORK - 1; i > 0; i--, push (&pace, FALSE))
      g_assert_true (is_behind (f, &pace, n++, i * SHORT));
  }
}

/* Of a sink in the same thread the next comes when one has been shown: it would be late. It holds those that
 * are late already no longer, and is not forgotten for that. */
static void
test_held (Fixture *f, gconstpointer data)
{
  enum { HELD = 8 };
  SegPace pace;
  guint n = 0, n_left = 0;
  (void) data;
  start_pace (f, &pace);
  for (guint i = 0; i < 10; i++) {
    is_behind (f, &pace, n++, HELD * SHORT);
    push (&pace, TRUE);
  }
  g_assert_true (is_behind (f, &pace, n++, HELD * SHORT));
  push (&pace, FALSE); /* the network has seen it all the same */
  for (guint i = NETWORK; i > 0; i--, push (&pace, FALSE))
    g_assert_true (is_behind (f, &pace, n++, (HELD + i) * SHORT));
  g_assert_true (is_behind (f, &pace, n++, HELD * SHORT));
  /* But when it has held none that was not late for long it is another. */
  while (is_behind (f, &pace, n++, HELD * SHORT) && ++n_left < 1000)
    push (&pace, FALSE);
  g_assert_cmpuint (n_left, >=, 20);
  g_assert_cmpuint (n_left, <, 200);
}

/* Of a source that is later than it says (decoders do not say what they take): what blocks now and then is
 * no sink that holds frames, and the network sees nearly as many as it could. */
static void
test_hiccups (Fixture *f, gconstpointer data)
{
  enum { N = 600, EVERY = 60 };
  const GstClockTime late = SHORT * 8 / 10, redrawn = SHORT / 20;
  GstClockTime idle = 0; /* when the streaming thread is */
  SegPace pace;
  guint n_seen = 0;
  (void) data;
  start_pace (f, &pace);
  for (guint n = 0; n < N; n++) {
    GstClockTime at = MAX (n * SHORT + late, idle);
    gboolean seen = !is_behind (f, &pace, n, at - n * SHORT),
             blocks = n % EVERY == EVERY - 1;
    n_seen += seen;
    idle = at + (seen ? NETWORK * SHORT : redrawn) + (blocks ? SHORT : 0);
    push (&pace, blocks);
  }
  g_test_message ("%u of %d seen", n_seen, N);
  g_assert_cmpuint (n_seen, >=, N / (NETWORK + 2));
}

/* An application's source may have segments in bytes: then nobody knows when a frame is shown. */
static void
test_bytes (Fixture *f, gconstpointer data)
{
  GstSegment segment;
  guint64 running = 0, stream = 0;
  (void) data;
  gst_segment_init (&segment, GST_FORMAT_BYTES);
  g_autoptr (GstBuffer) buffer = gst_buffer_new ();
  GST_BUFFER_PTS (buffer) = GST_SECOND;
  seg_qos_post (f->element, &segment, buffer, 1, 1);
  g_autoptr (GstMessage) message = gst_bus_pop_filtered (f->bus, GST_MESSAGE_QOS);
  g_assert_nonnull (message);
  gst_message_parse_qos (message, NULL, &running, &stream, NULL, NULL);
  g_assert_cmpuint (running, ==, GST_CLOCK_TIME_NONE);
  g_assert_cmpuint (stream, ==, GST_CLOCK_TIME_NONE);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/qos/up", Fixture, NULL, set_up, test_up, tear_down);
  g_test_add ("/qos/down", Fixture, NULL, set_up, test_down, tear_down);
  g_test_add ("/qos/waiting", Fixture, NULL, set_up, test_waiting, tear_down);
  g_test_add ("/qos/bytes", Fixture, NULL, set_up, test_bytes, tear_down);
  g_test_add ("/pace/queued", Fixture, NULL, set_up, test_queued, tear_down);
  g_test_add ("/pace/held", Fixture, NULL, set_up, test_held, tear_down);
  g_test_add ("/pace/hiccups", Fixture, NULL, set_up, test_hiccups, tear_down);
  int status = g_test_run ();
  gst_deinit ();
  return status;
}
