/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/video/video.h>

G_BEGIN_DECLS

/* As gst_video_frame_map, but a buffer or a GstVideoMeta that is of another frame, or in which a plane's rows
 * end after its memory (of formats whose rows are pixel by pixel), is refused without a word. The buffer is
 * not referenced, so that it stays writable where its metas are what changes. */
gboolean seg_video_map (
    GstVideoFrame *video, const GstVideoInfo *info, GstBuffer *buffer, GstMapFlags flags);

/* A frame that was mapped is as large as info says: its GstVideoMeta may be larger, by rows and columns that
 * are no picture. */
void seg_video_crop (GstVideoFrame *video, const GstVideoInfo *info);

G_END_DECLS
