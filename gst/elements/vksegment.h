/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/video/gstvideofilter.h>

G_BEGIN_DECLS

#define GST_TYPE_VK_SEGMENT (gst_vk_segment_get_type ())
G_DECLARE_FINAL_TYPE (GstVkSegment, gst_vk_segment, GST, VK_SEGMENT, GstVideoFilter)

GST_ELEMENT_REGISTER_DECLARE (vksegment)

G_END_DECLS
