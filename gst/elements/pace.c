/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "elements/pace.h"

/* Sources say less than how late their frames are, since decoders between do not say what they take: what
 * is the least in so many frames is the source's own. */
#define ROUND_FRAMES 64
/* So many pushes in a row that blocked are a sink that holds frames; fewer may be anything, and count
 * for as many frames as would tell. */
#define HELD_RUN   3
#define HELD_TRIAL 4

void
seg_pace_init (SegPace *pace, GstClockTime frame)
{
  *pace = (SegPace){ .frame = frame };
  seg_pace_reset (pace);
}

void
seg_pace_reset (SegPace *pace)
{
  pace->least = pace->least_before = G_MAXINT64;
  pace->n = 0;
}

void
seg_pace_leave (SegPace *pace)
{
  pace->left_us = g_get_monotonic_time ();
}

void
seg_pace_return (SegPace *pace)
{
  if (pace->left_us == 0)
    return;
  GstClockTime pushed =
      (GstClockTime) (g_get_monotonic_time () - pace->left_us) * GST_USECOND;
  pace->left_us = 0;
  if (pushed > pace->frame / 2) {
    pace->held_run++;
    pace->n_held =
        MAX (pace->n_held, pace->held_run < HELD_RUN ? HELD_TRIAL : ROUND_FRAMES);
  } else if (!pace->waited) { /* no sink holds what is late */
    pace->held_run = 0;
    pace->n_held -= pace->n_held > 0;
  }
}

/* How long ago a frame was due here, or before it is, by the clock. */
static gboolean
lateness_of (GstElement *element, const GstSegment *segment, GstBuffer *buffer,
    GstClockTimeDiff *late)
{
  g_autoptr (GstClock) clock = gst_element_get_clock (element);
  if (clock == NULL || segment->format != GST_FORMAT_TIME
      || !GST_BUFFER_PTS_IS_VALID (buffer))
    return FALSE;
  GstClockTime at =
      gst_segment_to_running_time (segment, GST_FORMAT_TIME, GST_BUFFER_PTS (buffer));
  GstClockTime now = gst_clock_get_time (clock),
               base = gst_element_get_base_time (element);
  if (!GST_CLOCK_TIME_IS_VALID (at) || !GST_CLOCK_TIME_IS_VALID (base))
    return FALSE;
  *late = GST_CLOCK_DIFF (base + at, now);
  return TRUE;
}

static GstClockTimeDiff
keep_least (SegPace *pace, GstClockTimeDiff late)
{
  pace->least = MIN (pace->least, late);
  GstClockTimeDiff least = MIN (pace->least, pace->least_before);
  if (++pace->n < ROUND_FRAMES)
    return least;
  pace->least_before = pace->least;
  pace->least = G_MAXINT64;
  pace->n = 0;
  return least;
}

gboolean
seg_pace_is_behind (SegPace *pace, SegQos *qos, GstElement *element,
    const GstSegment *segment, GstBuffer *buffer)
{
  GstClockTimeDiff late;
  if (pace->frame == 0 || !lateness_of (element, segment, buffer, &late))
    return FALSE;
  GstClockTimeDiff least = keep_least (pace, late);
  pace->waited = late > least + (GstClockTimeDiff) (pace->frame / 2);
  if (!seg_qos_is_slow (qos))
    return FALSE;
  /* A sink that waits holds all frames that are not late: none then comes before the one before it is
   * shown, and late ones only until those behind the network have caught up. */
  gboolean held = pace->n_held > 0 && late > seg_qos_latest_arrival (qos);
  return held || pace->waited;
}
