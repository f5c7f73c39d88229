/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "frame/pipe.h"

#include <gst/gst.h>

G_BEGIN_DECLS

/* Caps on the other side of an element that makes `output`: sink caps to source caps, or, for
 * GST_PAD_SRC, source caps to the sink caps that can become them. any_size: the result's size is
 * its own, whatever the frame's. A new reference. */
GstCaps *seg_caps_other_side (
    GstCaps *caps, GstPadDirection direction, SegOutputKind output, gboolean any_size);

/* Formats in dma-bufs whose rows lie one after the other, for templates: with their own names, and, from
 * GStreamer 1.24 on, with those of DRM (without a modifier, which means LINEAR). Where the pixels of a tiled
 * frame are, only the driver that made it knows. */
GstCaps *seg_caps_dmabuf (void);
/* Takes caps of frames that come in, and says where they may be when they come out again: no longer in
 * dma-bufs. */
GstCaps *seg_caps_leave_dmabuf (GstCaps *caps);
/* Takes caps and leaves out dma-bufs whose formats have DRM's names: as host memory, seg_video_map knows
 * only those with their own. */
GstCaps *seg_caps_without_drm (GstCaps *caps);
/* The other way: what is to come out, and is never in dma-bufs, may have come in in those too, which are
 * named before or after the rest. Takes caps. */
GstCaps *seg_caps_enter_dmabuf (GstCaps *caps, gboolean before);

/* Takes caps and adds, after them, the same in the other of system memory and the device's images. */
GstCaps *seg_caps_add_memories (GstCaps *caps);

G_END_DECLS
