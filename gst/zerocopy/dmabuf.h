/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "frame/image.h"
#include "frame/decode.h"
#include "vk/tiled.h"

#include <gst/video/video.h>

G_BEGIN_DECLS

/* Frames in the memory of another driver (a camera's, a decoder's): dma-bufs, which the device reads where
 * it can import them, and the CPU otherwise. */

/* "memory:DMABuf" */
#define SEG_MEMORY_DMABUF "memory:DMABuf"
gboolean seg_caps_are_dmabuf (const GstCaps *caps);
/* Whether all of the buffer's memory is, whatever its caps. */
gboolean seg_buffer_is_dmabuf (GstBuffer *buffer);

/* The meta is of such a frame, or of a larger one; its format may be DMA_DRM. Of planes nothing is said. */
gboolean seg_dmabuf_meta_fits (const GstVideoMeta *meta, const GstVideoInfo *info);

/* Where a plane is: bytes [skip, skip + its size) of a memory. */
typedef struct {
  GstMemory *memory; /* the buffer's */
  gsize skip;
  gint stride; /* bytes; positive */
} SegDmaPlane;

/* Of a frame as info and the buffer's GstVideoMeta say, each plane within one memory; a meta's format may be
 * DMA_DRM. SEG_ERROR_INPUT: a plane ends after its memory, or the meta is of another frame. */
gboolean seg_dmabuf_find (GstBuffer *buffer, const GstVideoInfo *info,
    const SegFrame *frame, SegDmaPlane planes[SEG_MAX_PLANES], GError **error);
/* By the CPU, to where frame lies in data; with DMA_BUF_IOCTL_SYNC, which is GStreamer's to do. */
gboolean seg_dmabuf_load_mapped (const SegDmaPlane planes[SEG_MAX_PLANES],
    const SegFrame *frame, guint8 *data, GError **error);

/* By the device. What was imported for a memory is kept for as long as that lives, or this. Slots may be
 * used by different threads. */
typedef struct _SegDmabufs SegDmabufs;

SegDmabufs *seg_dmabufs_new (SegVk *vk, guint n_slots);
void seg_dmabufs_free (SegDmabufs **dmabufs); /* NULL is allowed; waits */

/* Whether the device can have these planes; imports what it has not seen before. Which way frames go is
 * logged, with the reason, when it is another than the last frame's. */
gboolean seg_dmabufs_import (SegDmabufs *dmabufs, guint slot,
    const SegDmaPlane planes[SEG_MAX_PLANES], const SegFrame *frame);

/* What the device has of a frame in a tiled dma-buf. Stays for as long as the frame's buffer. */
typedef struct {
  const SegTiled *image; /* NULL: the frame is not tiled */
  GstMemory *memory;     /* the buffer's */
} SegTiledFrame;

/* Of a frame of fixed caps with this modifier, whose planes are as its GstVideoMeta says; imports what it has not
 * seen before. Nobody else can read it: SEG_ERROR_UNSUPPORTED where the device refuses it, though its modifier is
 * one that it imports; SEG_ERROR_INPUT where the buffer or its meta is not of such a frame, or frames are all over
 * one memory; SEG_ERROR_MEMORY and SEG_ERROR_DEVICE of the device itself. */
gboolean seg_dmabufs_find_tiled (SegDmabufs *dmabufs, GstBuffer *buffer,
    const GstVideoInfo *info, guint64 modifier, const SegFrame *frame,
    SegTiledFrame *found, GError **error);
/* The slot's frame is that one. */
void seg_dmabufs_use_tiled (SegDmabufs *dmabufs, guint slot, const SegTiledFrame *tiled);
/* After either: waits for whoever writes them, and submits their copy to where frame lies from at->offset on.
 * The memory is kept until the slot is used again or released. */
gboolean seg_dmabufs_load (SegDmabufs *dmabufs, guint slot, const SegFrame *frame,
    const SegPiece *at, GError **error);
/* Whether whoever writes these is done within ms, all of them together. */
gboolean seg_dmabufs_wait_written (const int *fds, guint n_fds, guint ms, GError **error);
/* What was submitted for the slot is done, as is known from what came after it on the queue. */
void seg_dmabufs_release (SegDmabufs *dmabufs, guint slot);

G_END_DECLS
