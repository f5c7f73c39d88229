/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "engine/session.h"
#include "frame/geometry.h"
#include "frame/params.h"

G_BEGIN_DECLS

typedef enum { SEG_CHANNELS_RGB, SEG_CHANNELS_BGR, SEG_CHANNELS_GRAY } SegChannelOrder;

/* What a network wants to see. */
typedef struct {
  SegChannelOrder order;
  double lo[3],
      hi[3];     /* per channel of the network: what pixels of 0 and of 255 become */
  double pad[3]; /* per channel too: pixels beside a letterboxed frame, 0..255 */
} SegNormalize;

/* Whether an input of this description can be a picture: float [N,C,H,W] or [N,H,W,C] with 1
 * or 3 channels. `channel_axis` receives 1 or 3; when both fit, 1. */
gboolean seg_image_axes (const SegDesc *desc, guint *channel_axis, GError **error);
/* [C,H,W] and [H,W,C] as a batch of one; others as they are. */
SegDesc seg_image_batch (const SegDesc *desc);

/* Uniform block of shaders/preprocess.comp: where a picture of a batch comes from, and goes. */
typedef struct {
  gint32 net[4];
  gint32 inside[4];
  gint32 taps[4];
  gint32 dest[4];
  float map[4];
  float mix[3][4];
  float fill[4];
} SegPreprocessBlock;

/* For picture `lane` of a batch. */
gboolean seg_preprocess_fill (SegPreprocessBlock *block, const SegFrameSource *source,
    const SegGeometry *geometry, const SegNormalize *normalize, const SegBound *input,
    guint lane, GError **error);
/* Records the dispatch for a block that lies at `view` when it runs. scale: a block with the scale of
 * all that will, for a faster way; NULL: they differ. mirror: some block asks for pixels past the frame. */
gboolean seg_preprocess_record_block (SegCmd *cmd, const SegFrameSource *source,
    const SegBufferView *view, const SegPreprocessBlock *scale, gboolean mirror,
    const SegBound *input, GError **error);

/* Both, for a batch of one: records the dispatch that turns the frame into the network's input, where it lies. */
gboolean seg_preprocess_record (SegCmd *cmd, SegParams *params,
    const SegFrameSource *source, const SegGeometry *geometry,
    const SegNormalize *normalize, const SegBound *input, GError **error);

G_END_DECLS
