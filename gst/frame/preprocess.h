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

/* Whether an input of this description can be a picture: float [1,C,H,W] or [1,H,W,C] with 1
 * or 3 channels. `channel_axis` receives 1 or 3; when both fit, 1. */
gboolean seg_image_axes (const SegDesc *desc, guint *channel_axis, GError **error);

/* Records the dispatch that turns the frame into the network's input, where it lies. */
gboolean seg_preprocess_record (SegCmd *cmd, SegParams *params,
    const SegFrameSource *source, const SegGeometry *geometry,
    const SegNormalize *normalize, const SegBound *input, GError **error);

G_END_DECLS
