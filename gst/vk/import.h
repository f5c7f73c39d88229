/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vk/vk.h"

G_BEGIN_DECLS

/* Memory of other drivers (dma-bufs: cameras, decoders) as buffers that are read, where
 * SegDeviceInfo.dmabuf says that the device can. */

/* The whole of what fd stands for, which stays the caller's and may be closed. What was written to it is seen
 * by submissions that acquire the buffer. SEG_ERROR_UNSUPPORTED: the device cannot have this one. */
SegBuffer *seg_buffer_import (SegVk *vk, int fd, GError **error);

/* In a recording, before and after imported buffers are read: whoever writes to them has them outside of
 * that. */
gboolean seg_cmd_acquire (SegCmd *cmd, SegBuffer *imported, GError **error);
gboolean seg_cmd_release (SegCmd *cmd, SegBuffer *imported, GError **error);

G_END_DECLS
