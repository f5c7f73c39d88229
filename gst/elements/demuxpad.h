/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "meta/gstvksegmeta.h"

#include <gst/video/video.h>

G_BEGIN_DECLS

/* A request pad of vksegdemux: one stream made from the metas of the video. The streaming thread
 * of the element calls everything here, except where said. */

typedef enum {
  SEG_STREAM_META,
  SEG_STREAM_MASK,
  SEG_STREAM_MATTE,
  SEG_STREAM_INSTANCE,
} SegStreamKind;

#define SEG_TYPE_DEMUX_PAD (seg_demux_pad_get_type ())
G_DECLARE_FINAL_TYPE (SegDemuxPad, seg_demux_pad, SEG, DEMUX_PAD, GstPad)

struct _SegDemuxPad {
  GstPad parent;
  SegStreamKind kind;
  guint number;      /* of instance_%u */
  gboolean released; /* the element's lock */

  /* What has still to be sent before data. */
  gboolean needs_stream_start, needs_collection, needs_caps, needs_segment;
  GstStream *stream;
  GstVideoInfo info;
  GstBufferPool *pool;

  gint64 track_id;                  /* object lock: the object that has this pad */
  guint n_absent;                   /* frames since it was there */
  const GstVkSegInstance *instance; /* in this frame; NULL: a gap */
};

/* What the streams of one element have in common. */
typedef struct {
  guint group_id;
  GstStreamCollection *collection;
  GstVideoInfo info; /* of the video; width 0: no caps yet */
  GstSegment segment;
  guint32 seqnum; /* of the segment: that of the seek it is an answer to */
  gboolean has_segment;
} SegStreamState;

/* Starts over: everything is sent again before the next data. Drops the pool. */
void seg_demux_pad_restart (SegDemuxPad *pad);
/* The video has other caps. */
void seg_demux_pad_renegotiate (SegDemuxPad *pad);
/* Another object, or none (GST_VK_SEG_NO_TRACK). */
void seg_demux_pad_bind (SegDemuxPad *pad, gint64 track_id);

/* Sends what has to come before data; nothing while the pad has no stream. */
void seg_demux_pad_start (SegDemuxPad *pad, const SegStreamState *state);

/* A writable GRAY8 frame of the video's size, with the video frame's time. */
GstFlowReturn seg_demux_pad_new_frame (
    SegDemuxPad *pad, GstBuffer *video, GstBuffer **frame);

G_END_DECLS
