/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "elements/frameio.h"

G_BEGIN_DECLS

/* Frames in flight: a worker thread has a network look at frames, in their order, while the streaming
 * thread goes on. A frame leaves with an answer of its own when that is there; a frame that cannot
 * wait any longer leaves all the same, and is redrawn with the last answer that there is. Bounded: a
 * worker that is too slow skips frames. Nothing is allocated per frame.
 *
 * All functions are the streaming thread's, but for seg_live_queue_set_flushing. */
typedef struct _SegLiveQueue SegLiveQueue;

#define SEG_LIVE_MAX_DEPTH    8
#define SEG_LIVE_SLOTS(depth) ((depth) + 4) /* that the pipe must have */

/* Called by the worker, without locks. */
typedef struct {
  /* Whether take_style has something to do. */
  gboolean (*wants_style) (gpointer user_data);
  /* Nothing is in flight, and nothing is drawn meanwhile. */
  gboolean (*take_style) (gpointer user_data, GError **error);
  /* The network has seen a frame, which took so long. */
  void (*inferred) (gpointer user_data, double ms);
} SegLiveHooks;

typedef struct {
  /* of the frame that the network saw, counted from 1; 0: there is no answer yet */
  guint64 number;
  GstClockTime pts; /* its own */
} SegLiveAnswer;

/* A frame that leaves. */
typedef struct {
  GstBuffer *buffer; /* the caller's */
  SegTiledFrame tiled;
  guint64 number;
  /* the pipe's `slot` has its result, from `answer`; else it is to be redrawn */
  gboolean drawn;
  guint slot;
  SegLiveAnswer answer;
} SegLiveFrame;

/* depth: frames that may wait for their answers, 0 to SEG_LIVE_MAX_DEPTH. one_at_a_time: the pipe
 * takes turns, or its network runs partly on the host. pipe, and what user_data is, must outlive it. */
SegLiveQueue *seg_live_queue_new (SegPipe *pipe, SegFrameIo *io, guint depth,
    gboolean one_at_a_time, const SegLiveHooks *hooks, gpointer user_data);
/* Waits for what is in flight. NULL is allowed. */
void seg_live_queue_free (SegLiveQueue **queue);

/* A frame that will leave again (its reference is taken): INFER, or REDRAW for one that is not to be
 * looked at unless an answer is lacking. Its number. */
guint64 seg_live_queue_push (
    SegLiveQueue *queue, GstBuffer *buffer, const SegTiledFrame *tiled, SegPipeWork work);
/* A frame that leaves by itself: its number. `look`, or an answer is lacking: the worker looks at the newest of
 * these; *skipped receives the one that it now will not look at, or NULL. */
guint64 seg_live_queue_offer (SegLiveQueue *queue, GstBuffer *buffer,
    const SegTiledFrame *tiled, gboolean look, GstBuffer **skipped);

typedef enum {
  SEG_LIVE_DUE,  /* those that are done, or more than may wait */
  SEG_LIVE_FULL, /* the same, but the latter with their answers */
  SEG_LIVE_NOW,  /* all, as they are */
  SEG_LIVE_WAIT, /* all, each with its answer */
} SegLivePolicy;

/* The next frame that leaves. FALSE with an error when the worker has failed; FALSE without one: none
 * leaves, or the queue is flushing. To be released when its result has been read. */
gboolean seg_live_queue_next (
    SegLiveQueue *queue, SegLivePolicy policy, SegLiveFrame *frame, GError **error);
void seg_live_queue_release (SegLiveQueue *queue, SegLiveFrame *frame);

/* The answer there is; `wait`: there will be one, unless the queue is flushing, or no frame that is on its way
 * gives one. */
gboolean seg_live_queue_answer (
    SegLiveQueue *queue, gboolean wait, SegLiveAnswer *answer, GError **error);
/* Draws a frame with that answer, in slot 0. */
gboolean seg_live_queue_redraw (
    SegLiveQueue *queue, const SegLiveFrame *frame, GError **error);

/* Drops frames and the answer. After an error the worker begins again. */
void seg_live_queue_flush (SegLiveQueue *queue);
/* Waits until no frame is in flight, so that no buffer is held. FALSE: the queue is flushing, and one is. */
gboolean seg_live_queue_idle (SegLiveQueue *queue);
/* From any thread: while it is set nobody waits for the worker. */
void seg_live_queue_set_flushing (SegLiveQueue *queue, gboolean flushing);
/* From any thread: frames that wait to leave. */
guint seg_live_queue_length (SegLiveQueue *queue);

G_END_DECLS
