/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "app/register.h"

GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, vkseg,
    "Segmentation of video with ONNX networks on Vulkan", gst_vk_seg_register_elements,
    VKSEG_VERSION, "LGPL", "vkseg", VKSEG_URL)
