/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "meta/gstvksegmeta.h"

G_BEGIN_DECLS

/* GstMetaTransformFunction: copies, gst-video's scaling, and where GStreamer has it (1.28) its
 * matrices that scale and move. Others: no meta on the other buffer. */
gboolean seg_meta_transform (
    GstBuffer *dest, GstMeta *base, GstBuffer *buffer, GQuark type, gpointer data);

G_END_DECLS
