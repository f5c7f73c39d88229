/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "frame/decode.h"
#include "vk/tiled.h"

#include <gst/video/video.h>

G_BEGIN_DECLS

/* What frames are as images. */

/* Of an image with all of a frame's planes; VK_FORMAT_UNDEFINED: there is none. */
VkFormat seg_tiling_format (SegFormat format);

/* What the buffer's GstVideoMeta says of a tiled frame, whose planes are all in one dma-buf, of which *memory is
 * a part: the buffer's. SEG_ERROR_INPUT: it has none, or of another frame. Whether that can be is not looked
 * at. */
gboolean seg_tiling_find (GstBuffer *buffer, const GstVideoInfo *info,
    const SegFrame *frame, guint64 modifier, SegTiling *tiling, GstMemory **memory,
    GError **error);

/* Where plane p of a frame lies in a buffer, from at->offset on; of an image of its own, or of one that has all
 * planes together. */
SegImagePlane seg_image_plane (
    const SegFrame *frame, const SegPiece *at, guint p, gboolean together);

G_END_DECLS
