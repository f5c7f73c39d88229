/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_VK_BACKGROUND (gst_vk_background_get_type ())
GType gst_vk_background_get_type (void);

GST_ELEMENT_REGISTER_DECLARE (vkbackground)

G_END_DECLS
