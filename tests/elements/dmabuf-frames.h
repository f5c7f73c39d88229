/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/video/video.h>

/* Frames in dma-bufs without hardware: a memfd can be mapped as a dma-buf can, and lavapipe (from Mesa 24.3 on)
 * imports it. */

#define DMABUF_PAGE 4096

/* How planes lie in memory. */
typedef enum {
  PLAIN,   /* as GstVideoInfo says, without a meta */
  PADDED,  /* wider rows, and something before each plane */
  APART,   /* a memory for each plane */
  UNEVEN,  /* offsets that are no whole words: never imported */
  PART_OF, /* the second part of a larger memory */
  N_LAYOUTS,
  TILED = N_LAYOUTS /* as FAKE_MODIFIER means it */
} DmabufLayout;

/* Dma-bufs of whole pages, as those of drivers are, with `before` bytes that are not part of the memory. The
 * caller owns what is returned, here and below. */
GstMemory *dmabuf_memory (const guint8 *data, gsize n_bytes, gsize before);
/* Takes fd, which may be shorter than size says. */
GstMemory *dmabuf_memory_of_fd (int fd, gsize size);
/* Makes fd so long and writes there. */
void dmabuf_write_fd (
    int fd, gsize size, const guint8 *data, gsize n_bytes, gsize offset);

/* Bytes of plane p's rows that are the picture's, and how many rows there are. */
gsize dmabuf_row_bytes (const GstVideoInfo *info, guint p, guint *n_rows);
/* The bytes of frame `number`, planes laid out as offset and stride then say; what is in no plane is 0xee. */
GByteArray *dmabuf_draw (const GstVideoInfo *info, guint number, DmabufLayout layout,
    gsize *offset, gint *stride);
/* The same as a buffer of 30 frames a second, in dma-bufs or host memory. */
GstBuffer *dmabuf_frame (
    const GstVideoInfo *info, guint number, DmabufLayout layout, gboolean dmabuf);
