/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "elements/demuxpad.h"
#include "meta/gstvksegshape.h"

G_BEGIN_DECLS

/* What the streams of vksegdemux consist of. */

/* The buffer for this frame, or *buffer NULL for a gap (meta may be NULL: no result). */
GstFlowReturn seg_stream_make (SegDemuxPad *pad, const GstVkSegMeta *meta,
    GstBuffer *video, GstVkSegJsonFlags json, GstBuffer **buffer);
/* Says that there is nothing for the time of this frame. */
void seg_stream_gap (SegDemuxPad *pad, GstBuffer *video, const SegStreamState *state);

/* Size, frame rate and aspect of any video, whatever its memory. */
void seg_stream_info_from_caps (GstVideoInfo *info, const GstCaps *caps);

/* Replaces *video by the stream that a stream-start event speaks of. */
void seg_streams_take_video (GstStream **video, GstEvent *stream_start);
/* Makes the streams that pads do not have yet, and a new collection of all. */
void seg_streams_collect (
    GstElement *element, GstStream *video, GPtrArray *pads, SegStreamState *state);

G_END_DECLS
