/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vk/vk.h"

#include <gst/video/video.h>

G_BEGIN_DECLS

/* DRM's names of how pixels lie in a dma-buf, which GStreamer knows from 1.24 on: "AB24" is RGBA row after row,
 * "AB24:0x0100000000000002" in tiles that this modifier stands for. */

gboolean seg_drm_is_known (void);

/* FALSE: it is no such name, or of a format that GStreamer does not know. Modifier 0: row after row. */
gboolean seg_drm_parse (const char *name, GstVideoFormat *format, guint64 *modifier);
/* NULL: DRM has no name for it. */
char *seg_drm_name (GstVideoFormat format, guint64 modifier);
/* The modifier of fixed caps; 0 also where they are of something else. */
guint64 seg_drm_modifier (const GstCaps *caps);

/* Names of the tiled frames that the device imports; NULL-terminated, perhaps empty. */
char **seg_drm_tiled (const SegVk *vk);

G_END_DECLS
