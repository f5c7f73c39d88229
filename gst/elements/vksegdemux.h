/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_VK_SEG_DEMUX (gst_vk_seg_demux_get_type ())
G_DECLARE_FINAL_TYPE (GstVkSegDemux, gst_vk_seg_demux, GST, VK_SEG_DEMUX, GstElement)

GST_ELEMENT_REGISTER_DECLARE (vksegdemux)

G_END_DECLS
