/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "elements/vksegdemux.h"

#include "elements/demuxpad.h"
#include "elements/demuxstream.h"
#include "meta/gstvksegshape.h"

#include <gst/base/gstflowcombiner.h>

G_BEGIN_DECLS

/* Between the element's own files: vksegdemux.c is the object and its pads, vksegdemux-flow.c what goes
 * through them. */

struct _GstVkSegDemux {
  GstElement parent;
  GstPad *sink, *src;

  guint hold;             /* object lock */
  GstVkSegJsonFlags json; /* object lock */

  GMutex lock;     /* pads, combiner, streams_changed, and `released` of pads */
  GPtrArray *pads; /* SegDemuxPad, by kind and number */
  GstFlowCombiner *combiner;
  gboolean streams_changed;

  /* streaming thread */
  GPtrArray *linked; /* pads of this frame; kept so that frames do not allocate */
  SegStreamState state;
  GstStream *video; /* upstream's */
};

/* Functions of pads: of `sink`, of `src`, and of requested ones. */
GstFlowReturn seg_demux_chain (GstPad *sink, GstObject *parent, GstBuffer *video);
gboolean seg_demux_sink_event (GstPad *sink, GstObject *parent, GstEvent *event);
gboolean seg_demux_sink_query (GstPad *sink, GstObject *parent, GstQuery *query);
gboolean seg_demux_src_query (GstPad *src, GstObject *parent, GstQuery *query);
/* A slow sink of masks does not slow down the network. */
gboolean seg_demux_stream_event (GstPad *pad, GstObject *parent, GstEvent *event);

/* For the requested pads that there are now, without a lock. */
void seg_demux_for_each_pad (GstVkSegDemux *self, void (*function) (SegDemuxPad *pad));

G_END_DECLS
