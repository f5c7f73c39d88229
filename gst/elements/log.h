/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A debug category for each room below: GST_DEBUG=vkseg-vk:4, vkseg-engine:5 for each kernel, vkseg-*:4 for
 * all. Cheap after the first call; gst_init has been called. */
void seg_log_to_gst (void);

G_END_DECLS
