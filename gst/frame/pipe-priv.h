/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "frame/hostnet.h"
#include "frame/pipe.h"

G_BEGIN_DECLS

/* The pipe's own files: pipe.c (the object), pipe-plan.c (what is made of the network's output),
 * pipe-memory.c, pipe-record.c, pipe-style.c. */
struct _SegPipe {
  SegVk *vk;
  SegSession *session;
  const SegModelInfo *info;
  SegPipeConfig config;
  gboolean unified; /* the device reads and writes host memory as fast as its own */

  SegGeometry geometry;
  SegDecodePlan plan;
  SegParams params;
  SegStyleBlock *style;
  SegColorTable *colors;
  SegBufferView style_view, colors_view, decode_view;

  SegFrame frame, result;
  SegFrameSource source;
  SegBuffer *upload, *work, *readback;
  gsize frame_offset; /* in work, unless unified */
  SegDecodeMemory memory;
  SegLegend legend;
  SegPiece drawn;      /* the result as the device writes it */
  gsize counts_offset; /* in readback; the result is at 0 */

  SegDrawFlags draw, recorded_draw;
  gboolean recorded;
  gsize params_mark; /* parameters of a recording come after this */
  SegCmd *cmd;
  SegCmd *cmd_after;    /* what comes after a network that runs partly on the host */
  SegHostNet *host_net; /* then */
  SegCmd *cmd_redraw;   /* a new frame with the last one's classes */
  SegPipeWork doing;    /* in flight, or done last */
  gboolean has_classes; /* a frame has been inferred */
  gint64 submitted_us;
  double last_ms;
};

void seg_pipe_plan (SegPipe *pipe);
/* Lays the frames out and takes the buffers. */
gboolean seg_pipe_allocate (SegPipe *pipe, GError **error);
/* Parameters that outlive a recording. */
gboolean seg_pipe_prepare (SegPipe *pipe, GError **error);
/* Records what is not recorded as `draw` wants it. */
gboolean seg_pipe_record (SegPipe *pipe, GError **error);

G_END_DECLS
