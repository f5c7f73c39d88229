/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "frame/pipe.h"
#include "zerocopy/dmabuf.h"
#include "zerocopy/images.h"

#include <gst/video/video.h>

G_BEGIN_DECLS

/* How frames get into a pipe and its results out of it: by the CPU from and to host memory, or, on a
 * side whose buffers are images of the device, by copies there that nobody waits for. So do frames in
 * dma-bufs that the device can import, whatever their caps. Slots may be used by different threads. */
typedef struct {
  GstVideoInfo in, out;
  SegImages *in_images, *out_images; /* NULL: host memory */
  SegDmabufs *dmabufs;               /* unless frames come as images */
  guint64 modifier; /* 0 unless frames come in tiled dma-bufs: see seg_drm_modifier */
  gboolean waits;   /* frames that come as images are waited for: see seg_gpu_must_wait */
  gint n_copies;    /* atomic: frames that the CPU has copied, in or out */
  guint n_slots;    /* of the pipe; out_images has one more: frames as they came */
} SegFrameIo;

/* For caps. What is on the device must be so in the pipe's configuration too. io is 0 or closed. */
gboolean seg_frame_io_open (SegFrameIo *io, SegVk *vk, const GstVideoInfo *in,
    guint64 modifier, const GstVideoInfo *out, const SegPipeConfig *config,
    GError **error);
/* Before the pipe is freed. Waits for copies in flight; keeps n_copies. */
void seg_frame_io_close (SegFrameIo *io);

/* First of all, when a frame comes. */
gboolean seg_frame_io_receive (SegFrameIo *io, GError **error);
/* Then, what the device has of it where frames come in tiled dma-bufs; errors are those of seg_dmabufs_find_tiled. */
gboolean seg_frame_io_find (SegFrameIo *io, SegPipe *pipe, GstBuffer *buffer,
    SegTiledFrame *tiled, GError **error);
/* Before the slot is submitted. A buffer of images is kept until the slot is released. */
gboolean seg_frame_io_load (SegFrameIo *io, SegPipe *pipe, guint slot, GstBuffer *buffer,
    const SegTiledFrame *tiled, GError **error);
/* The slot's result, which is there, or in images will be. Selects the slot. */
gboolean seg_frame_io_store (
    SegFrameIo *io, SegPipe *pipe, guint slot, GstBuffer *buffer, GError **error);
/* What shows nothing: the frame `in` itself, which is not tiled, when the result is one like it, else bytes of
 * `value`. Uses slot 0. */
gboolean seg_frame_io_store_nothing (SegFrameIo *io, SegPipe *pipe, gboolean picture,
    guint8 value, GstBuffer *in, GstBuffer *out, GError **error);
/* FALSE: not for a picture, which would have to go over the host's memory. */
gboolean seg_frame_io_can_store_nothing (const SegFrameIo *io, gboolean picture);
/* The slot has been waited for. */
void seg_frame_io_release (SegFrameIo *io, guint slot);
/* All of them have, or failed: no frame that came is held. */
void seg_frame_io_release_all (SegFrameIo *io);

G_END_DECLS
