/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/base/gstbasetransform.h>

G_BEGIN_DECLS

/* What an element that takes its time owes a live pipeline: it says its latency, and when a sink
 * reports that frames come late it does less for them. Safe from any thread. */
typedef struct {
  GMutex lock;
  GstClockTime latency;  /* time of a frame, measured */
  GstClockTime queued;   /* time of the frames that may wait */
  GstClockTime waiting;  /* time that a frame may wait for those of other streams */
  GstClockTime mean;     /* of the last frames */
  guint n_measured;      /* since `latency` was looked at */
  GstClockTime earliest; /* running time up to which frames are late, or NONE */
} SegQos;

void seg_qos_init (SegQos *qos);
void seg_qos_clear (SegQos *qos);
/* After a flush or with a new segment: nothing is known to be late. */
void seg_qos_reset (SegQos *qos);
/* Sets the latency; posts a LATENCY message for the element when it has changed. */
void seg_qos_set_latency (SegQos *qos, GstElement *element, GstClockTime latency);
/* Time that frames wait for others; the same. */
void seg_qos_set_queued (SegQos *qos, GstElement *element, GstClockTime queued);
/* Time that it waits for those of other streams; the same. */
void seg_qos_set_waiting (SegQos *qos, GstElement *element, GstClockTime waiting);
/* A frame took so long; when that is no longer what was said, sets the latency. */
void seg_qos_measure (SegQos *qos, GstElement *element, GstClockTime taken);
/* Looks at a QOS event from downstream, which goes on as before. */
void seg_qos_take_event (SegQos *qos, GstEvent *event);
/* Adds the latency to an answered LATENCY query. */
void seg_qos_add_latency (SegQos *qos, GstQuery *query);

gboolean seg_qos_is_late (SegQos *qos, const GstSegment *segment, GstBuffer *buffer);
/* Tells the application that less was done for a buffer. */
void seg_qos_post (GstElement *element, const GstSegment *segment, GstBuffer *buffer,
    guint64 n_processed, guint64 n_dropped);

G_END_DECLS
