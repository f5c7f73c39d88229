/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "elements/qos.h"

void
seg_qos_init (SegQos *qos)
{
  g_mutex_init (&qos->lock);
  qos->latency = qos->queued = qos->waiting = qos->mean = 0;
  qos->n_measured = 0;
  qos->earliest = GST_CLOCK_TIME_NONE;
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

void
seg_qos_set_latency (SegQos *qos, GstElement *element, GstClockTime latency)
{
  g_mutex_lock (&qos->lock);
  qos->mean = latency;
  qos->n_measured = 0;
  g_mutex_unlock (&qos->lock);
  set (qos, element, &qos->latency, latency);
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

/* Frames over which times are averaged, and after which what was said is looked at. */
#define MEAN_FRAMES 16
/* Differences that are not worth a new latency of the whole pipeline. */
#define SMALL_PART 4
#define SMALL_TIME (3 * GST_MSECOND)

void
seg_qos_measure (SegQos *qos, GstElement *element, GstClockTime taken)
{
  g_mutex_lock (&qos->lock);
  qos->mean = (qos->mean * (MEAN_FRAMES - 1) + taken) / MEAN_FRAMES;
  GstClockTime mean = qos->mean, said = qos->latency;
  gboolean look = ++qos->n_measured >= MEAN_FRAMES;
  if (look)
    qos->n_measured = 0;
  g_mutex_unlock (&qos->lock);
  GstClockTime apart = mean > said ? mean - said : said - mean;
  if (look && apart > MAX (said / SMALL_PART, SMALL_TIME))
    set (qos, element, &qos->latency, mean);
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

void
seg_qos_add_latency (SegQos *qos, GstQuery *query)
{
  gboolean live;
  GstClockTime min, max;
  gst_query_parse_latency (query, &live, &min, &max);
  g_mutex_lock (&qos->lock);
  GstClockTime own = qos->latency + qos->queued + qos->waiting;
  min += own;
  if (GST_CLOCK_TIME_IS_VALID (max))
    max += own;
  g_mutex_unlock (&qos->lock);
  gst_query_set_latency (query, live, min, max);
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
  GstClockTime pts = GST_BUFFER_PTS (buffer);
  GstMessage *message = gst_message_new_qos (GST_OBJECT (element), FALSE,
      gst_segment_to_running_time (segment, GST_FORMAT_TIME, pts),
      gst_segment_to_stream_time (segment, GST_FORMAT_TIME, pts), pts,
      GST_BUFFER_DURATION (buffer));
  gst_message_set_qos_stats (message, GST_FORMAT_BUFFERS, n_processed, n_dropped);
  gst_element_post_message (element, message);
}
