/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/base/gstbasetransform.h>

G_BEGIN_DECLS

#define GST_TYPE_VK_SEG_TRACK (gst_vk_seg_track_get_type ())
G_DECLARE_FINAL_TYPE (
    GstVkSegTrack, gst_vk_seg_track, GST, VK_SEG_TRACK, GstBaseTransform)

GST_ELEMENT_REGISTER_DECLARE (vksegtrack)

G_END_DECLS
