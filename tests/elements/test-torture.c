/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Elements while several threads do to their pipeline what applications do, in any order: states,
 * seeks, caps, properties, pads. By default 60 rounds each, or VKSEG_TORTURE_ROUNDS; VKSEG_SOAK_MINUTES=30
 * goes on for so long, looks at the memory, and adds live sources with a slow network (tests/soak.sh). */
#include "element-test.h"
#include "elements/slow-net.h"
#include "frame/color-net.h"

#include "elements/settings.h"

#include <malloc.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef __GLIBC_PREREQ
#if __GLIBC_PREREQ(2, 33)
#define HAS_MALLINFO2
#endif
#endif

#define ROUNDS     60  /* of each thread, when there is no time to fill */
#define STUCK_S    120 /* without a round: hung */
#define MOST_PADS  5
#define KEPT       16384 /* samples of memory */
#define LEAST      0.02  /* of the samples are below what is called the least */
#define SHORT_S    300   /* of less, a quarter says nothing */
#define NETWORK_MS 200.0

static char *dir, *semantic, *instances;
static double minutes; /* 0: only so many rounds: */
static int n_rounds = ROUNDS;

/* --- memory ------------------------------------------------------------------------------------------ */

/* Resident memory holds what the heap once took, in its largest moment. What is allocated swings between 10
 * and 90 MB here, as the driver compiles; what stays is the least of it, and a leak raises that first. */
typedef struct {
  double resident[KEPT], allocated[KEPT]; /* MB */
  guint n, thinned;
  gint64 start, next; /* monotonic time */
} Memory;

static double
resident_mb (void)
{
  g_autofree char *text = NULL;
  unsigned long size = 0, resident = 0;
  if (!g_file_get_contents ("/proc/self/statm", &text, NULL, NULL)
      || sscanf (text, "%lu %lu", &size, &resident) != 2)
    return NAN;
  return (double) resident * (double) sysconf (_SC_PAGESIZE) / 1e6;
}

static double
allocated_mb (void)
{
#ifdef HAS_MALLINFO2
  struct mallinfo2 info = mallinfo2 ();
  return (double) (info.uordblks + info.hblkhd) / 1e6;
#else
  return 0.0;
#endif
}

/* Five times a second, or half as often for each time that there is no more room. */
static void
sample (Memory *m)
{
  gint64 now = g_get_monotonic_time ();
  if (now < m->next)
    return;
  if (m->n == KEPT) {
    m->n /= 2;
    for (guint i = 0; i < m->n; i++) {
      m->resident[i] = m->resident[2 * i];
      m->allocated[i] = m->allocated[2 * i];
    }
    m->thinned++;
  }
  m->start = m->n == 0 ? now : m->start;
  m->next = now + ((gint64) (G_USEC_PER_SEC / 5) << m->thinned);
  m->resident[m->n] = resident_mb ();
  m->allocated[m->n++] = allocated_mb ();
}

static int
compare_doubles (gconstpointer a, gconstpointer b)
{
  double x = *(const double *) a, y = *(const double *) b;
  return (x > y) - (x < y);
}

/* What that part of the values is below: 0.5 for the median. */
static double
quantile (const double *values, guint n, double part)
{
  g_autofree double *sorted = g_memdup2 (values, n * sizeof *values);
  qsort (sorted, n, sizeof *sorted, compare_doubles);
  return sorted[(guint) (part * n)];
}

/* What the second quarter of the time held, the last one holds: the first fills caches. */
static void
check_flat_values (
    const double *mb, guint n, double part, const char *name, const char *what)
{
  double early = quantile (mb + n / 4, n / 4, part);
  double late = quantile (mb + n * 3 / 4, n / 4, part);
  g_test_message ("%s: %s %.1f MB in the second quarter, %.1f MB in the last", name, what,
      early, late);
#if !defined(__SANITIZE_ADDRESS__)                                                       \
    && !defined(__SANITIZE_THREAD__) /* with memory of their own */
  g_assert_cmpfloat (late, <, 1.05 * early + 4.0);
#endif
}

static void
check_flat (const Memory *m, const char *name)
{
  if (m->next - m->start < SHORT_S * G_USEC_PER_SEC) {
    g_test_message ("%s: too short to compare memory", name);
    return;
  }
  check_flat_values (m->resident, m->n, 0.5, name, "resident");
  check_flat_values (m->allocated, m->n, LEAST, name, "allocated at least");
}

/* --- threads that disturb ---------------------------------------------------------------------------- */

typedef struct {
  GstElement *pipeline, *segment, *filter, *demux;
  int stop; /* atomic */
} Stage;

typedef struct _Actor Actor;
struct _Actor {
  const char *name;
  void (*act) (Actor *actor);
  guint pause_ms; /* at most, between rounds */
  Stage *stage;
  GRand *rand;
  GThread *thread;
  int rounds; /* atomic */
  GstPad *pads[MOST_PADS];
  guint n_pads;
};

static void
change_state (Actor *a)
{
  static const GstState states[] = { GST_STATE_NULL, GST_STATE_READY, GST_STATE_PAUSED,
    GST_STATE_PLAYING, GST_STATE_PLAYING, GST_STATE_PLAYING };
  gst_element_set_state (
      a->stage->pipeline, states[g_rand_int_range (a->rand, 0, G_N_ELEMENTS (states))]);
}

/* One that does not flush would wait in PAUSED until somebody plays, and nobody could. */
static void
seek (Actor *a)
{
  gst_element_seek_simple (a->stage->pipeline, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH,
      g_rand_int_range (a->rand, 0, 3) * GST_SECOND);
}

static void
change_caps (Actor *a)
{
  static const char *formats[] = { "NV12", "I420", "RGBx", "BGRA", "YUY2" };
  g_autofree char *caps =
      g_strdup_printf ("video/x-raw,format=%s,width=%d,height=72,framerate=60/1",
          formats[g_rand_int_range (a->rand, 0, G_N_ELEMENTS (formats))],
          64 + 16 * g_rand_int_range (a->rand, 0, 3));
  gst_util_set_object_arg (G_OBJECT (a->stage->filter), "caps", caps);
}

static void
change_properties (Actor *a)
{
  GObject *segment = G_OBJECT (a->stage->segment);
  switch (g_rand_int_range (a->rand, 0, 5)) {
  case 0:
    g_object_set (segment, "mode", g_rand_int_range (a->rand, 0, 3), "output",
        g_rand_boolean (a->rand) ? SEG_OUTPUT_OVERLAY : SEG_OUTPUT_META, NULL);
    break;
  case 1:
    g_object_set (segment, "interval", g_rand_int_range (a->rand, 1, 4), "threshold",
        g_rand_double (a->rand), NULL);
    break;
  case 2:
    g_object_set (
        segment, "model", g_rand_boolean (a->rand) ? instances : semantic, NULL);
    break;
  case 3: /* alone, or with the other stream */
    g_object_set (segment, "batch-size", g_rand_int_range (a->rand, 1, 3),
        "batch-timeout", g_rand_int_range (a->rand, 0, 30), NULL);
    break;
  default:
    g_object_set (segment, "draw", g_rand_int_range (a->rand, 0, 32), "alpha",
        g_rand_double (a->rand), NULL);
  }
}

/* The sink has a state of its own: pads come and go whatever the pipeline does. */
static GstPad *
add_pad (Actor *a)
{
  static const char *names[] = { "mask", "matte", "meta", "instance_%u", "instance_%u" };
  const char *name = names[g_rand_int_range (a->rand, 0, G_N_ELEMENTS (names))];
  GstPad *pad = gst_element_get_static_pad (a->stage->demux, name);
  if (pad != NULL) { /* there is one of that name */
    gst_object_unref (pad);
    return NULL;
  }
  pad = gst_element_request_pad_simple (a->stage->demux, name);
  g_assert_nonnull (pad);
  GstElement *sink = gst_element_factory_make ("fakesink", NULL);
  g_object_set (sink, "sync", FALSE, "async", FALSE, NULL);
  gst_element_set_locked_state (sink, TRUE);
  gst_bin_add (GST_BIN (a->stage->pipeline), sink);
  gst_element_set_state (sink, GST_STATE_PLAYING);
  GstPad *to = gst_element_get_static_pad (sink, "sink");
  g_assert_cmpint (gst_pad_link (pad, to), ==, GST_PAD_LINK_OK);
  gst_object_unref (to);
  return pad;
}

static void
remove_pad (Actor *a, GstPad *pad)
{
  GstPad *to = gst_pad_get_peer (pad);
  GstElement *sink = gst_pad_get_parent_element (to);
  gst_pad_unlink (pad, to);
  gst_element_release_request_pad (a->stage->demux, pad);
  gst_element_set_state (sink, GST_STATE_NULL);
  gst_bin_remove (GST_BIN (a->stage->pipeline), sink);
  gst_object_unref (sink);
  gst_object_unref (to);
  gst_object_unref (pad);
}

static void
change_pads (Actor *a)
{
  guint i = (guint) g_rand_int_range (a->rand, 0, MOST_PADS);
  if (i < a->n_pads) {
    remove_pad (a, a->pads[i]);
    a->pads[i] = a->pads[--a->n_pads];
    return;
  }
  GstPad *pad = add_pad (a);
  if (pad != NULL)
    a->pads[a->n_pads++] = pad;
}

static gpointer
act (gpointer data)
{
  Actor *a = data;
  for (int i = 0; !g_atomic_int_get (&a->stage->stop) && (minutes > 0 || i < n_rounds);
       i++) {
    a->act (a);
    g_atomic_int_inc (&a->rounds);
    g_usleep ((gulong) g_rand_int_range (a->rand, 0, (gint) (1000 * a->pause_ms)));
  }
  while (a->n_pads > 0)
    remove_pad (a, a->pads[--a->n_pads]);
  g_atomic_int_set (&a->rounds, -g_atomic_int_get (&a->rounds));
  return NULL;
}

/* --- the main thread --------------------------------------------------------------------------------- */

/* Takes what is on the bus; TRUE: latencies have changed. */
static gboolean
fail_on_error (GstBus *bus)
{
  GstMessage *message;
  gboolean latency = FALSE;
  while ((message = gst_bus_pop (bus)) != NULL) {
    g_autoptr (GError) error = NULL;
    g_autofree char *debug = NULL;
    if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
      gst_message_parse_error (message, &error, &debug);
      g_error ("%s: %s (%s)", GST_OBJECT_NAME (message->src), error->message, debug);
    }
    latency = latency || GST_MESSAGE_TYPE (message) == GST_MESSAGE_LATENCY;
    gst_message_unref (message);
  }
  return latency;
}

/* Whether one still acts; a round that never ends is an error. */
static gboolean
are_acting (Actor *actors, guint n, int *last, gint64 *moved)
{
  gboolean acting = FALSE;
  int sum = 0;
  for (guint i = 0; i < n; i++) {
    int rounds = g_atomic_int_get (&actors[i].rounds);
    acting = acting || rounds >= 0;
    sum += ABS (rounds);
  }
  if (sum != *last)
    *moved = g_get_monotonic_time ();
  *last = sum;
  if (g_get_monotonic_time () - *moved > STUCK_S * G_USEC_PER_SEC)
    g_error ("no round has ended in %d s: a thread hangs", STUCK_S);
  return acting;
}

static void
direct (Stage *stage, Actor *actors, guint n)
{
  GstBus *bus = gst_element_get_bus (stage->pipeline);
  gint64 start = g_get_monotonic_time (), moved = start;
  g_autofree Memory *memory = g_new0 (Memory, 1);
  int rounds = 0;
  for (guint i = 0; i < n; i++) {
    actors[i].stage = stage;
    actors[i].rand = g_rand_new_with_seed ((guint32) g_test_rand_int ());
    actors[i].thread = g_thread_new (actors[i].name, act, &actors[i]);
  }
  while (are_acting (actors, n, &rounds, &moved)) {
    fail_on_error (bus);
    sample (memory);
    g_usleep (20000);
    if (minutes > 0
        && (double) (g_get_monotonic_time () - start) > minutes * 60.0 * G_USEC_PER_SEC)
      g_atomic_int_set (&stage->stop, 1);
  }
  for (guint i = 0; i < n; i++) {
    g_thread_join (actors[i].thread);
    g_rand_free (actors[i].rand);
    g_test_message ("%s: %d rounds", actors[i].name, -actors[i].rounds);
  }
  fail_on_error (bus);
  gst_object_unref (bus);
  check_flat (memory, "torture");
}

static void
test_threads (void)
{
  static const char text[] =
      "videotestsrc ! capsfilter name=filter caps-change-mode=delayed ! vksegment "
      "name=segment output=meta ! vksegtrack ! vksegdemux name=demux  demux.src ! "
      "vksegoverlay ! fakesink sync=false  videotestsrc ! "
      "video/x-raw,format=I420,width=80,height=64 ! vksegment name=other batch-size=2 ! "
      "fakesink async=false";
  Actor actors[] = { { "states", change_state, 40 }, { "seeks", seek, 60 },
    { "caps", change_caps, 100 }, { "properties", change_properties, 30 },
    { "pads", change_pads, 20 } };
  g_autoptr (GError) error = NULL;
  GstElement *pipeline = gst_parse_launch (text, &error);
  if (pipeline == NULL) {
    g_test_skip (error->message);
    return;
  }
  Stage stage = { .pipeline = pipeline,
    .segment = gst_bin_get_by_name (GST_BIN (pipeline), "segment"),
    .filter = gst_bin_get_by_name (GST_BIN (pipeline), "filter"),
    .demux = gst_bin_get_by_name (GST_BIN (pipeline), "demux") };
  g_autoptr (GstElement) other = gst_bin_get_by_name (GST_BIN (pipeline), "other");
  g_object_set (stage.segment, "model", instances, "cache-dir", dir, NULL);
  g_object_set (other, "model", instances, "cache-dir", dir, NULL);
  gst_util_set_object_arg (
      G_OBJECT (stage.filter), "caps", "video/x-raw,format=NV12,width=96,height=72");
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  direct (&stage, actors, G_N_ELEMENTS (actors));
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (stage.segment);
  gst_object_unref (stage.filter);
  gst_object_unref (stage.demux);
  gst_object_unref (pipeline);
}

/* --- a live source, a network of 200 ms --------------------------------------------------------------- */

typedef struct {
  GstElement *pipeline;
  gint announced_us; /* atomic: what the pipeline was last told */
  guint n, n_in_time;
  GstClockTime last, longest_gap, latest; /* running time after its timestamp, at most */
  GArray *late;
} Watch;

static GstPadProbeReturn
count_frame (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Watch *w = data;
  (void) pad;
  GstClockTime now = gst_element_get_current_running_time (w->pipeline);
  GstClockTime pts = GST_BUFFER_PTS (GST_PAD_PROBE_INFO_BUFFER (info));
  GstClockTime late = now > pts ? now - pts : 0;
  if (w->n++ > 0)
    w->longest_gap = MAX (w->longest_gap, now - w->last);
  w->last = now;
  w->latest = MAX (w->latest, late);
  w->n_in_time += late / GST_USECOND <= (guint64) g_atomic_int_get (&w->announced_us);
  double ms = (double) late / 1e6;
  g_array_append_val (w->late, ms);
  return GST_PAD_PROBE_OK;
}

static GstElement *
live_pipeline (const char *model, SegMode mode)
{
  g_autoptr (GError) error = NULL;
  GstElement *pipeline =
      gst_parse_launch ("videotestsrc is-live=true ! "
                        "video/x-raw,format=NV12,width=640,height=480,framerate=30/1 ! "
                        "vksegment name=segment ! queue max-size-bytes=0 ! "
                        "fakesink name=sink sync=true qos=true",
          &error);
  if (pipeline == NULL) {
    g_test_skip (error->message);
    return NULL;
  }
  GstElement *segment = gst_bin_get_by_name (GST_BIN (pipeline), "segment");
  g_object_set (segment, "model", model, "cache-dir", dir, "mode", mode, "tiling",
      SEG_TILING_NONE, NULL);
  gst_object_unref (segment);
  return pipeline;
}

static void
watch_for (Watch *w, GstPad *pad, double seconds, Memory *memory)
{
  GstBus *bus = gst_element_get_bus (w->pipeline);
  gint64 end = g_get_monotonic_time () + (gint64) (seconds * G_USEC_PER_SEC);
  while (g_get_monotonic_time () < end) {
    if (fail_on_error (bus))
      g_atomic_int_set (&w->announced_us, element_test_take_latency (w->pipeline, pad));
    sample (memory);
    g_usleep (10000);
  }
  gst_object_unref (bus);
}

static void
watch_live (const char *model, SegMode mode, double seconds)
{
  static const char *names[] = { "sync", "async", "drop" };
  GstElement *pipeline = live_pipeline (model, mode);
  if (pipeline == NULL)
    return;
  GstElement *segment = gst_bin_get_by_name (GST_BIN (pipeline), "segment");
  GstPad *pad = gst_element_get_static_pad (segment, "src");
  Watch w = { .pipeline = pipeline, .late = g_array_new (FALSE, FALSE, sizeof (double)) };
  g_autofree Memory *memory = g_new0 (Memory, 1);
  g_autoptr (GstStructure) stats = NULL;
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  watch_for (&w, pad, 5.0, memory); /* the driver compiles */
  gulong probe =
      gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, count_frame, &w, NULL);
  watch_for (&w, pad, seconds, memory);
  gst_pad_remove_probe (pad, probe);
  g_object_get (segment, "stats", &stats, NULL);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  double *late = (double *) (gpointer) w.late->data;
  double in_time = 100.0 * w.n_in_time / MAX (1, w.n);
  g_autofree char *text = gst_structure_to_string (stats);
  g_test_message ("%s: %.1f frames/s, longest gap %.0f ms; announced %.1f ms: median "
                  "%.1f, latest %.1f, %.2f %% in time; %s",
      names[mode], w.n / seconds, (double) w.longest_gap / 1e6, w.announced_us / 1e3,
      w.n > 0 ? quantile (late, w.n, 0.5) : NAN, (double) w.latest / 1e6, in_time, text);
  g_assert_cmpfloat (w.n / seconds, >, mode == SEG_MODE_SYNC ? 27.0 : 29.5);
  g_assert_cmpfloat (in_time, >, mode == SEG_MODE_SYNC ? 90.0 : 95.0);
  check_flat (memory, names[mode]);
  g_array_unref (w.late);
  gst_object_unref (pad);
  gst_object_unref (segment);
  gst_object_unref (pipeline);
}

static void
test_live (void)
{
  if (minutes <= 0) {
    g_test_skip ("takes minutes: see tests/soak.sh");
    return;
  }
  g_autofree char *model = slow_net_write_ms (dir, "slow", NETWORK_MS);
  watch_live (model, SEG_MODE_SYNC, MIN (30.0, 60.0 * minutes / 3));
  watch_live (model, SEG_MODE_ASYNC, 60.0 * minutes / 3);
  watch_live (model, SEG_MODE_DROP, 60.0 * minutes / 3);
}

int
main (int argc, char **argv)
{
#ifdef M_ARENA_MAX
  /* One heap for all threads. Of several, one for each thread that once was, what is free in one is of no
   * use to the others, and they grow for long though nothing is lost. */
  mallopt (M_ARENA_MAX, 1);
#endif
  int status = 0;
  dir = element_test_begin (&argc, &argv, &status);
  if (dir == NULL)
    return status;
  const char *time = g_getenv ("VKSEG_SOAK_MINUTES");
  minutes = time != NULL ? g_ascii_strtod (time, NULL) : 0.0;
  const char *rounds = g_getenv ("VKSEG_TORTURE_ROUNDS");
  n_rounds = rounds != NULL ? atoi (rounds) : ROUNDS;
  semantic = color_net_write (dir, "semantic", COLOR_NET_PLAIN, COLOR_NET_INFO);
  instances = color_net_write (dir, "instances", COLOR_NET_YOLO, COLOR_NET_YOLO_INFO);
  g_test_add_func ("/torture/threads", test_threads);
  g_test_add_func ("/torture/live", test_live);
  status = element_test_run ();
  g_free (semantic);
  g_free (instances);
  return status;
}
