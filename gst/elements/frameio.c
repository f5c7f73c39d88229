/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "elements/frameio.h"

#include "elements/videoframe.h"
#include "meta/videomap.h"

#include <string.h>

gboolean
seg_frame_io_open (SegFrameIo *io, SegVk *vk, const GstVideoInfo *in, guint64 modifier,
    const GstVideoInfo *out, const SegPipeConfig *config, GError **error)
{
  guint n_slots = MAX (config->n_slots, 1);
  io->in = *in;
  io->out = *out;
  io->modifier = modifier;
  if (config->input_on_device)
    io->in_images = seg_images_new (vk, n_slots, error);
  else
    io->dmabufs = seg_dmabufs_new (vk, n_slots);
  io->n_slots = n_slots;
  if (config->result_on_device)
    io->out_images = seg_images_new (vk, n_slots + 1, error);
  return (io->in_images != NULL) == config->input_on_device
         && (io->out_images != NULL) == config->result_on_device;
}

void
seg_frame_io_close (SegFrameIo *io)
{
  seg_images_free (&io->in_images);
  seg_images_free (&io->out_images);
  seg_dmabufs_free (&io->dmabufs);
}

static gboolean
map (GstVideoFrame *frame, const GstVideoInfo *info, GstBuffer *buffer, GstMapFlags flags,
    GError **error)
{
  if (seg_video_map (frame, info, buffer, flags))
    return TRUE;
  g_set_error (error, SEG_ERROR, SEG_ERROR_INPUT, "a frame that is not as its caps say");
  return FALSE;
}

gboolean
seg_frame_io_receive (SegFrameIo *io, GError **error)
{
  return io->in_images == NULL || !io->waits || seg_images_wait (io->in_images, error);
}

gboolean
seg_frame_io_find (SegFrameIo *io, SegPipe *pipe, GstBuffer *buffer, SegTiledFrame *tiled,
    GError **error)
{
  guint8 *unused;
  *tiled = (SegTiledFrame){ NULL };
  return io->modifier == 0
         || seg_dmabufs_find_tiled (io->dmabufs, buffer, &io->in, io->modifier,
             seg_pipe_slot_input (pipe, 0, &unused), tiled, error);
}

/* Before the CPU writes where the slot's frame is: the copy to images of one that left as it was, from
 * slot 0, may still wait behind the network. */
static void
settle (SegFrameIo *io, guint slot)
{
  if (slot == 0 && io->out_images != NULL)
    seg_images_release (io->out_images, io->n_slots);
}

/* What the CPU cannot read. */
static gboolean
load_tiled (
    SegFrameIo *io, SegPipe *pipe, guint slot, const SegTiledFrame *tiled, GError **error)
{
  guint8 *unused;
  const SegPiece at = seg_pipe_slot_seen (pipe, slot);
  seg_dmabufs_use_tiled (io->dmabufs, slot, tiled);
  seg_pipe_slot_is_there (pipe, slot, TRUE);
  return seg_dmabufs_load (
      io->dmabufs, slot, seg_pipe_slot_input (pipe, slot, &unused), &at, error);
}

/* By the device if that can, else by the CPU; *at is where shaders look at it then. */
static gboolean
load_dmabuf (SegFrameIo *io, SegPipe *pipe, guint slot, GstBuffer *buffer, SegPiece *at,
    GError **error)
{
  guint8 *upload;
  SegDmaPlane planes[SEG_MAX_PLANES];
  const SegFrame *frame = seg_pipe_slot_input (pipe, slot, &upload);
  if (!seg_dmabuf_find (buffer, &io->in, frame, planes, error))
    return FALSE;
  if (seg_dmabufs_import (io->dmabufs, slot, planes, frame)) {
    *at = seg_pipe_slot_seen (pipe, slot);
    seg_pipe_slot_is_there (pipe, slot, TRUE);
    return seg_dmabufs_load (io->dmabufs, slot, frame, at, error);
  }
  g_atomic_int_inc (&io->n_copies);
  settle (io, slot);
  return seg_dmabuf_load_mapped (planes, frame, upload, error);
}

static gboolean
load_mapped (SegFrameIo *io, SegPipe *pipe, guint slot, GstBuffer *buffer, GError **error)
{
  GstVideoFrame video;
  guint8 *upload;
  const SegFrame *frame = seg_pipe_slot_input (pipe, slot, &upload);
  if (!map (&video, &io->in, buffer, GST_MAP_READ, error))
    return FALSE;
  settle (io, slot);
  seg_video_load (frame, upload, &video);
  gst_video_frame_unmap (&video);
  g_atomic_int_inc (&io->n_copies);
  return TRUE;
}

/* *at: where it is, for the device. */
static gboolean
load (SegFrameIo *io, SegPipe *pipe, guint slot, GstBuffer *buffer, SegPiece *at,
    GError **error)
{
  guint8 *unused;
  *at = seg_pipe_slot_frame (pipe, slot);
  seg_pipe_slot_is_there (pipe, slot, FALSE);
  if (io->in_images != NULL)
    return seg_images_load (io->in_images, slot, buffer,
        seg_pipe_slot_input (pipe, slot, &unused), at, error);
  return seg_buffer_is_dmabuf (buffer) ? load_dmabuf (io, pipe, slot, buffer, at, error)
                                       : load_mapped (io, pipe, slot, buffer, error);
}

gboolean
seg_frame_io_load (SegFrameIo *io, SegPipe *pipe, guint slot, GstBuffer *buffer,
    const SegTiledFrame *tiled, GError **error)
{
  SegPiece at;
  return tiled->image != NULL ? load_tiled (io, pipe, slot, tiled, error)
                              : load (io, pipe, slot, buffer, &at, error);
}

gboolean
seg_frame_io_store (
    SegFrameIo *io, SegPipe *pipe, guint slot, GstBuffer *buffer, GError **error)
{
  GstVideoFrame video;
  const guint8 *data;
  seg_pipe_select (pipe, slot);
  const SegFrame *result = seg_pipe_result (pipe, &data);
  if (io->out_images != NULL) {
    const SegPiece at = seg_pipe_slot_kept (pipe, slot);
    return seg_images_store (io->out_images, slot, result, &at, buffer, error);
  }
  if (!map (&video, &io->out, buffer, GST_MAP_WRITE, error))
    return FALSE;
  seg_video_store (result, data, &video);
  gst_video_frame_unmap (&video);
  g_atomic_int_inc (&io->n_copies);
  return TRUE;
}

/* --- nothing --------------------------------------------------------------------------------------- */

/* What upstream's driver has is read through slot 0: nobody else knows all its layouts. */
static gboolean
copy_dmabuf (SegFrameIo *io, SegPipe *pipe, GstBuffer *in, GstBuffer *out, GError **error)
{
  GstVideoFrame to;
  guint8 *upload;
  SegDmaPlane planes[SEG_MAX_PLANES];
  const SegFrame *frame = seg_pipe_slot_input (pipe, 0, &upload);
  if (!seg_dmabuf_find (in, &io->in, frame, planes, error)
      || !seg_dmabuf_load_mapped (planes, frame, upload, error)
      || !map (&to, &io->out, out, GST_MAP_WRITE, error))
    return FALSE;
  seg_video_store (frame, upload, &to);
  gst_video_frame_unmap (&to);
  g_atomic_int_inc (&io->n_copies);
  return TRUE;
}

static gboolean
copy_picture (
    SegFrameIo *io, SegPipe *pipe, GstBuffer *in, GstBuffer *out, GError **error)
{
  GstVideoFrame from, to;
  if (seg_buffer_is_dmabuf (in))
    return copy_dmabuf (io, pipe, in, out, error);
  if (!map (&from, &io->in, in, GST_MAP_READ, error))
    return FALSE;
  gboolean ok = map (&to, &io->out, out, GST_MAP_WRITE, error);
  if (ok) {
    gst_video_frame_copy (&to, &from);
    gst_video_frame_unmap (&to);
    g_atomic_int_inc (&io->n_copies);
  }
  gst_video_frame_unmap (&from);
  return ok;
}

static gboolean
fill (SegFrameIo *io, guint8 value, GstBuffer *out, GError **error)
{
  GstVideoFrame to;
  if (!map (&to, &io->out, out, GST_MAP_WRITE, error))
    return FALSE;
  gsize row =
      (gsize) (GST_VIDEO_FRAME_WIDTH (&to) * GST_VIDEO_FRAME_COMP_PSTRIDE (&to, 0));
  for (gint y = 0; y < GST_VIDEO_FRAME_HEIGHT (&to); y++)
    memset ((guint8 *) GST_VIDEO_FRAME_PLANE_DATA (&to, 0)
                + y * GST_VIDEO_FRAME_PLANE_STRIDE (&to, 0),
        value, row);
  gst_video_frame_unmap (&to);
  return TRUE;
}

gboolean
seg_frame_io_can_store_nothing (const SegFrameIo *io, gboolean picture)
{
  return !picture || io->out_images != NULL
         || (io->in_images == NULL && io->modifier == 0);
}

gboolean
seg_frame_io_store_nothing (SegFrameIo *io, SegPipe *pipe, gboolean picture, guint8 value,
    GstBuffer *in, GstBuffer *out, GError **error)
{
  guint8 *data;
  const guint8 *unused;
  const SegFrame *frame = seg_pipe_slot_input (pipe, 0, &data);
  if (io->out_images == NULL)
    return picture ? copy_picture (io, pipe, in, out, error)
                   : fill (io, value, out, error);
  if (!picture)
    return seg_images_clear (
        io->out_images, 0, value, seg_pipe_result (pipe, &unused), out, error);
  SegPiece at;
  return load (io, pipe, 0, in, &at, error)
         && seg_images_store (io->out_images, io->n_slots, frame, &at, out, error);
}

void
seg_frame_io_release (SegFrameIo *io, guint slot)
{
  if (io->in_images != NULL)
    seg_images_release (io->in_images, slot);
  if (io->dmabufs != NULL)
    seg_dmabufs_release (io->dmabufs, slot);
}

void
seg_frame_io_release_all (SegFrameIo *io)
{
  for (guint i = 0; i < io->n_slots; i++)
    seg_frame_io_release (io, i);
}
