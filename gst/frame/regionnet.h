/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "frame/modelinfo.h"

G_BEGIN_DECLS

/* A network that sees parts of a frame: a batch of pictures, each from a rectangle of its own,
 * or the whole frame with a list of regions. Recorded once; where the rectangles are is in a buffer
 * that the host writes before each run. Networks with steps on the host run through
 * seg_session_run. One thread. */
typedef struct _SegRegionNet SegRegionNet;

typedef struct {
  SegFormat format; /* of the frame */
  SegColor color;
  guint width, height;
  gboolean separate_memory; /* as if the device had memory of its own: tests */
} SegRegionFrame;

/* An output in host memory: row-major floats, until the next run. */
typedef struct {
  SegDesc desc;
  const float *data;
} SegRegionOutput;

/* vk, session and info must outlive it. */
SegRegionNet *seg_region_net_new (SegVk *vk, SegSession *session,
    const SegModelInfo *info, const SegRegionFrame *frame, GError **error);
void seg_region_net_free (SegRegionNet **net); /* NULL is allowed */

/* Where the frame is to be written. */
const SegFrame *seg_region_net_input (const SegRegionNet *net, guint8 **data);
guint seg_region_net_batch (const SegRegionNet *net);
/* Picture `lane` of the next runs shows this part of the frame. */
gboolean seg_region_net_place (
    SegRegionNet *net, guint lane, const SegGeometry *geometry, GError **error);
/* Rows of the list of regions, to be written before a run; NULL where the network has none. */
float *seg_region_net_regions (SegRegionNet *net, guint *n_rows, guint *n_columns);

/* new_frame: the frame has changed since the last run. */
gboolean seg_region_net_run (SegRegionNet *net, gboolean new_frame, GError **error);
/* In info's order. */
const SegRegionOutput *seg_region_net_output (const SegRegionNet *net, guint i);

G_END_DECLS
