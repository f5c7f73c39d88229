/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "elements/qos.h"

#include <string.h>

void
seg_qos_init (SegQos *qos)
{
  *qos = (SegQos){ .earliest = GST_CLOCK_TIME_NONE };
  g_mutex_init (&qos->lock);
}

void
seg_qos_clear (SegQos *qos)
{
  g_mutex_clear (&qos->lock);
}

void
seg_qos_reset (SegQos *qos)
{
  g_mutex_lock (&qos->lock);
  qos->earliest = GST_CLOCK_TIME_NONE;
  g_mutex_unlock (&qos->lock);
}

static void
set (SegQos *qos, GstElement *element, GstClockTime *what, GstClockTime value)
{
  g_mutex_lock (&qos->lock);
  gboolean changed = *what != value;
  *what = value;
  g_mutex_unlock (&qos->lock);
  if (changed)
    gst_element_post_message (element, gst_message_new_latency (GST_OBJECT (element)));
}

/* Times of frames vary by more than that. */
#define SMALL_TIME (2 * GST_MSECOND)

static GstClockTime
with_margin (GstClockTime taken)
{
  return taken == 0 ? 0 : taken + MAX (taken / 8, SMALL_TIME);
}

void
seg_qos_set_latency (SegQos *qos, GstElement *element, GstClockTime taken)
{
  g_mutex_lock (&qos->lock);
  memset (qos->times, 0, sizeof qos->times);
  qos->n_measured = 0;
  g_mutex_unlock (&qos->lock);
  set (qos, element, &qos->latency, with_margin (taken));
}

void
seg_qos_set_queued (SegQos *qos, GstElement *element, GstClockTime queued)
{
  set (qos, element, &qos->queued, queued);
}

void
seg_qos_set_waiting (SegQos *qos, GstElement *element, GstClockTime waiting)
{
  set (qos, element, &qos->waiting, waiting);
}

void
seg_qos_set_source (SegQos *qos, GstClockTime frame, GstClockTime upstream)
{
  g_mutex_lock (&qos->lock);
  qos->frame = frame;
  qos->upstream = upstream;
  g_mutex_unlock (&qos->lock);
}

void
seg_qos_restart (SegQos *qos, GstElement *element)
{
  seg_qos_reset (qos);
  seg_qos_set_source (qos, 0, 0);
  seg_qos_set_queued (qos, element, 0);
  seg_qos_set_waiting (qos, element, 0);
  seg_qos_set_latency (qos, element, 0);
}

/* All but one of the last frames take no longer: one alone may have had to wait for other programs. */
static GstClockTime
usual_time (const SegQos *qos)
{
  GstClockTime most = 0, second = 0;
  for (guint i = 0; i < SEG_QOS_TIMES; i++) {
    second = MAX (second, MIN (most, qos->times[i]));
    most = MAX (most, qos->times[i]);
  }
  return second;
}

/* After so many it may go down. */
#define LOOK_FRAMES 4

void
seg_qos_measure (SegQos *qos, GstElement *element, GstClockTime taken)
{
  g_mutex_lock (&qos->lock);
  qos->times[qos->n_measured++ % SEG_QOS_TIMES] = taken;
  GstClockTime usual = usual_time (qos), said = qos->latency;
  gboolean look = qos->n_measured % LOOK_FRAMES == 0;
  g_mutex_unlock (&qos->lock);
  gboolean less = with_margin (usual) + SMALL_TIME < said - said / 4;
  if (usual > said || (look && less))
    set (qos, element, &qos->latency, with_margin (usual));
}

void
seg_qos_take_event (SegQos *qos, GstEvent *event)
{
  GstClockTimeDiff diff;
  GstClockTime at;
  if (GST_EVENT_TYPE (event) != GST_EVENT_QOS)
    return;
  gst_event_parse_qos (event, NULL, NULL, &diff, &at);
  g_mutex_lock (&qos->lock);
  qos->earliest = diff > 0 ? at + (GstClockTime) diff : GST_CLOCK_TIME_NONE;
  g_mutex_unlock (&qos->lock);
}

static gboolean
is_slow (const SegQos *qos)
{
  return qos->frame > 0 && qos->latency > qos->frame;
}

void
seg_qos_add_latency (SegQos *qos, GstQuery *query)
{
  gboolean live;
  GstClockTime min, max;
  gst_query_parse_latency (query, &live, &min, &max);
  g_mutex_lock (&qos->lock);
  GstClockTime own = qos->latency + qos->queued + qos->waiting;
  if (is_slow (qos)) /* frames that come so late are still looked at: see pace.h */
    own += qos->frame / 2;
  qos->upstream = min;
  min += own;
  if (GST_CLOCK_TIME_IS_VALID (max))
    max += own;
  g_mutex_unlock (&qos->lock);
  gst_query_set_latency (query, live, min, max);
}

gboolean
seg_qos_is_slow (SegQos *qos)
{
  g_mutex_lock (&qos->lock);
  gboolean slow = is_slow (qos);
  g_mutex_unlock (&qos->lock);
  return slow;
}

GstClockTimeDiff
seg_qos_latest_arrival (SegQos *qos)
{
  g_mutex_lock (&qos->lock);
  GstClockTime latest = qos->upstream + qos->frame / 2;
  g_mutex_unlock (&qos->lock);
  return (GstClockTimeDiff) latest;
}

guint
seg_qos_frames_meanwhile (SegQos *qos)
{
  g_mutex_lock (&qos->lock);
  guint n = qos->frame > 0 ? (guint) (qos->latency / qos->frame) : 0;
  g_mutex_unlock (&qos->lock);
  return n;
}

gboolean
seg_qos_is_late (SegQos *qos, const GstSegment *segment, GstBuffer *buffer)
{
  if (segment->format != GST_FORMAT_TIME || !GST_BUFFER_PTS_IS_VALID (buffer))
    return FALSE;
  GstClockTime at =
      gst_segment_to_running_time (segment, GST_FORMAT_TIME, GST_BUFFER_PTS (buffer));
  g_mutex_lock (&qos->lock);
  gboolean late = GST_CLOCK_TIME_IS_VALID (at) && GST_CLOCK_TIME_IS_VALID (qos->earliest)
                  && at <= qos->earliest;
  g_mutex_unlock (&qos->lock);
  return late;
}

void
seg_qos_post (GstElement *element, const GstSegment *segment, GstBuffer *buffer,
    guint64 n_processed, guint64 n_dropped)
{
  GstClockTime pts = GST_BUFFER_PTS (buffer), running = GST_CLOCK_TIME_NONE,
               stream = GST_CLOCK_TIME_NONE;
  if (segment->format == GST_FORMAT_TIME) {
    running = gst_segment_to_running_time (segment, GST_FORMAT_TIME, pts);
    stream = gst_segment_to_stream_time (segment, GST_FORMAT_TIME, pts);
  }
  GstMessage *message = gst_message_new_qos (
      GST_OBJECT (element), FALSE, running, stream, pts, GST_BUFFER_DURATION (buffer));
  gst_message_set_qos_stats (message, GST_FORMAT_BUFFERS, n_processed, n_dropped);
  gst_element_post_message (element, message);
}
