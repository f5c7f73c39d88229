/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* Caps of frames that come in dma-bufs: with formats' own names, and, from GStreamer 1.24 on, with DRM's. Those
 * tell also how pixels lie: row after row where there is no modifier ("linear"), otherwise as the device knows
 * it ("tiled"). `tiled` is always the names of what the device imports of the latter, as seg_drm_tiled gives
 * them; NULL: it is not known yet which device. All take the caps that they are given. */

/* For templates: all that there may be. */
GstCaps *seg_caps_dmabuf (void);

/* Without the frames whose DRM name we do not know, or whose pixels the device cannot find. */
GstCaps *seg_caps_known_dmabuf (GstCaps *caps, const char *const *tiled);
/* Of frames that come in: where they may be when they come out again, no longer in dma-bufs. Without those that
 * are tiled; and those alone. */
GstCaps *seg_caps_leave_dmabuf (GstCaps *caps);
GstCaps *seg_caps_leave_tiled (GstCaps *caps);
/* The other way: what is to come out, and is never in dma-bufs, may have come in in linear ones too, which are
 * named before or after the rest; and in which tiled ones that may be which is to come out of host memory. */
GstCaps *seg_caps_enter_dmabuf (GstCaps *caps, gboolean before);
GstCaps *seg_caps_enter_tiled (GstCaps *caps, const char *const *tiled);
/* Without dma-bufs whose formats have DRM's names: as host memory, seg_video_map knows only those with their
 * own. */
GstCaps *seg_caps_without_drm (GstCaps *caps);

G_END_DECLS
