/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/base/gstbasetransform.h>

G_BEGIN_DECLS

#define GST_TYPE_VK_SEG_PROPOSALS (gst_vk_seg_proposals_get_type ())
G_DECLARE_FINAL_TYPE (
    GstVkSegProposals, gst_vk_seg_proposals, GST, VK_SEG_PROPOSALS, GstBaseTransform)

GST_ELEMENT_REGISTER_DECLARE (vksegproposals)

G_END_DECLS
