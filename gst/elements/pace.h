/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "elements/qos.h"

G_BEGIN_DECLS

/* Where a streaming thread is with a live source whose network is slower than a frame: while the network
 * looks at one, those behind it wait, and each of them would wait for as long again if it were looked at
 * too. So the next to be looked at is one that has not waited. The streaming thread's. */
typedef struct {
  GstClockTime frame; /* from one to the next; 0: not known, or the source is not live */
  /* How late frames come, at the least: of the last frames, and of those before */
  GstClockTimeDiff least, least_before;
  guint n;         /* of the last frames */
  gboolean waited; /* the last that came has, for those before it */
  gint64 left_us;  /* when one went downstream, until it is back; else 0 */
  guint held_run;  /* pushes that blocked, one after another */
  guint n_held;    /* so many more frames a sink counts as one that holds them */
} SegPace;

void seg_pace_init (SegPace *pace, GstClockTime frame);
/* After a flush or with a new segment. */
void seg_pace_reset (SegPace *pace);
/* A frame goes downstream; it has come back, if one went. */
void seg_pace_leave (SegPace *pace);
void seg_pace_return (SegPace *pace);

/* For each frame that comes, by the element's clock: whether it has waited for others, or will by waiting
 * for a sink in the same thread be late for certain when it is looked at. FALSE without a clock. */
gboolean seg_pace_is_behind (SegPace *pace, SegQos *qos, GstElement *element,
    const GstSegment *segment, GstBuffer *buffer);

G_END_DECLS
