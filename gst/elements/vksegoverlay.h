/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/video/gstvideofilter.h>

G_BEGIN_DECLS

#define GST_TYPE_VK_SEG_OVERLAY (gst_vk_seg_overlay_get_type ())
G_DECLARE_FINAL_TYPE (
    GstVkSegOverlay, gst_vk_seg_overlay, GST, VK_SEG_OVERLAY, GstVideoFilter)

GST_ELEMENT_REGISTER_DECLARE (vksegoverlay)

G_END_DECLS
