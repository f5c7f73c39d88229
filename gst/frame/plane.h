/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "frame/decode.h"
#include "frame/image.h"

G_BEGIN_DECLS

/* A plane that somebody else has laid out, in a buffer of the device. */
typedef struct {
  SegBuffer *buffer;
  gsize offset, stride; /* bytes */
} SegPlane;

/* Whether the device can read it as plane p of such a frame: whole words, all inside the buffer and what a
 * shader may see. Otherwise why not. */
gboolean seg_plane_check (const SegVk *vk, const SegPlane *plane, const SegFrame *frame,
    guint p, GError **error);
/* Records its copy to where `frame` says it lies, from at->offset on. It has been checked. */
gboolean seg_plane_record (SegCmd *cmd, const SegPlane *plane, const SegFrame *frame,
    guint p, const SegPiece *at, GError **error);

G_END_DECLS
