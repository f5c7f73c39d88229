/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "elements/settings.h"

#include <gst/video/video.h>

G_BEGIN_DECLS

/* What output=background puts behind the foreground of frames like `frame`: nothing for a blur, else
 * the settings' colour, or their picture, which GStreamer's own elements decode: this may take a moment.
 * Fails with SEG_ERROR_INPUT when it is no picture. */
gboolean seg_behind_set (SegPipe *pipe, const SegSettings *settings,
    const GstVideoInfo *frame, GError **error);

G_END_DECLS
