/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "meta/gstvksegmeta.h"

G_BEGIN_DECLS

/* Which object of a frame is which of the frames before: ByteTrack (Zhang et al., "ByteTrack:
 * multi-object tracking by associating every detection box", 2022). Objects with a high score are
 * matched with all tracks first, those with a low one then with what is left of the tracks seen
 * last time. How alike a track and an object are is the IoU of boxes and, where both have them, of
 * masks moved along; matches are the best there are together (Hungarian method), as crossing
 * people are just where taking the best pair first goes wrong. One thread. */
typedef struct _SegTracker SegTracker;

typedef struct {
  guint max_age;            /* frames that an object may be out of sight */
  guint min_hits;           /* sightings before it gets an id */
  double iou_threshold;     /* of the first matching */
  double low_iou_threshold; /* of the second */
  double high_score, low_score;
  double mask_weight;   /* part of the mask's IoU */
  gboolean class_aware; /* objects of different classes are different */
} SegTrackerParams;

/* Objects past these many of a frame, by score, get no id. */
#define SEG_TRACKER_MAX_OBJECTS 256

SegTracker *seg_tracker_new (void);
void seg_tracker_free (SegTracker **tracker);

/* Forgets all tracks. Ids are not used again. */
void seg_tracker_reset (SegTracker *tracker);
/* Frames without a result: objects move on. */
void seg_tracker_skip (SegTracker *tracker, guint n_frames);
/* The next frame: sets the track ids of the result's instances. */
void seg_tracker_update (
    SegTracker *tracker, const SegTrackerParams *params, GstVkSegMeta *meta);

guint seg_tracker_n_tracks (const SegTracker *tracker);

G_END_DECLS
