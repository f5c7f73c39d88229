/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/base/gstbasetransform.h>

G_BEGIN_DECLS

#define SEG_QOS_TIMES 64

/* What an element that takes its time owes a live pipeline: it says its latency, and when a sink
 * reports that frames come late it does less for them. Safe from any thread. */
typedef struct {
  GMutex lock;
  GstClockTime latency; /* time of a frame, without waiting, measured, and a bit more */
  GstClockTime queued;  /* time of the frames that may wait */
  GstClockTime waiting; /* time that a frame may wait for those of other streams */
  /* from one to the next of a live source for which frames wait; or 0 */
  GstClockTime frame;
  GstClockTime upstream;             /* latency of what is before */
  GstClockTime times[SEG_QOS_TIMES]; /* of the last frames */
  guint n_measured;
  GstClockTime earliest; /* running time up to which frames are late, or NONE */
} SegQos;

void seg_qos_init (SegQos *qos);
void seg_qos_clear (SegQos *qos);
/* It says no latency, and knows no source, until it is told. */
void seg_qos_restart (SegQos *qos, GstElement *element);
/* After a flush or with a new segment: nothing is known to be late. */
void seg_qos_reset (SegQos *qos);
/* A frame takes so long; posts a LATENCY message for the element when what it says has changed. */
void seg_qos_set_latency (SegQos *qos, GstElement *element, GstClockTime taken);
/* Time that frames wait for others; the same. */
void seg_qos_set_queued (SegQos *qos, GstElement *element, GstClockTime queued);
/* Time that it waits for those of other streams; the same. */
void seg_qos_set_waiting (SegQos *qos, GstElement *element, GstClockTime waiting);
/* See `frame`; upstream is what a LATENCY query says, until the next goes through. */
void seg_qos_set_source (SegQos *qos, GstClockTime frame, GstClockTime upstream);
/* A frame took so long. What is said covers all but one of the last SEG_QOS_TIMES frames: it goes up
 * with the second that takes longer, and down when they take much less. */
void seg_qos_measure (SegQos *qos, GstElement *element, GstClockTime taken);
/* Looks at a QOS event from downstream, which goes on as before. */
void seg_qos_take_event (SegQos *qos, GstEvent *event);
/* Adds the latency to an answered LATENCY query. */
void seg_qos_add_latency (SegQos *qos, GstQuery *query);

/* A frame takes longer than there is from one to the next of a live source. */
gboolean seg_qos_is_slow (SegQos *qos);
/* How late a frame may come that is to leave in time, by the latency that is said. */
GstClockTimeDiff seg_qos_latest_arrival (SegQos *qos);
/* Frames of a live source that come while one is worked on. */
guint seg_qos_frames_meanwhile (SegQos *qos);
gboolean seg_qos_is_late (SegQos *qos, const GstSegment *segment, GstBuffer *buffer);
/* Tells the application that less was done for a buffer. */
void seg_qos_post (GstElement *element, const GstSegment *segment, GstBuffer *buffer,
    guint64 n_processed, guint64 n_dropped);

G_END_DECLS
