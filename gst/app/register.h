/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "meta/gstvksegmask.h"

G_BEGIN_DECLS

/* For the plugin, which has the elements from the library, so that a process has one copy of them all.
 * Exported, but in no public header. */
GST_VK_SEG_API gboolean gst_vk_seg_register_elements (GstPlugin *plugin);

G_END_DECLS
