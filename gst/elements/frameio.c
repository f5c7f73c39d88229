/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "elements/frameio.h"

#include "elements/videoframe.h"

#include <string.h>

gboolean
seg_frame_io_open (SegFrameIo *io, SegVk *vk, const GstVideoInfo *in,
    const GstVideoInfo *out, const SegPipeConfig *config, GError **error)
{
  guint n_slots = MAX (config->n_slots, 1);
  io->in = *in;
  io->out = *out;
  if (config->input_on_device)
    io->in_images = seg_images_new (vk, n_slots, error);
  if (config->result_on_device)
    io->out_images = seg_images_new (vk, n_slots, error);
  return (io->in_images != NULL) == config->input_on_device
         && (io->out_images != NULL) == config->result_on_device;
}

void
seg_frame_io_close (SegFrameIo *io)
{
  seg_images_free (&io->in_images);
  seg_images_free (&io->out_images);
}

/* The buffer is not referenced, so that it stays writable where its metas are what changes. */
static gboolean
map (GstVideoFrame *frame, const GstVideoInfo *info, GstBuffer *buffer, GstMapFlags flags,
    GError **error)
{
  if (gst_video_frame_map (
          frame, info, buffer, flags | (GstMapFlags) GST_VIDEO_FRAME_MAP_FLAG_NO_REF))
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
seg_frame_io_load (
    SegFrameIo *io, SegPipe *pipe, guint slot, GstBuffer *buffer, GError **error)
{
  GstVideoFrame video;
  guint8 *upload;
  const SegFrame *frame = seg_pipe_slot_input (pipe, slot, &upload);
  if (io->in_images != NULL) {
    const SegPiece at = seg_pipe_slot_frame (pipe, slot);
    return seg_images_load (io->in_images, slot, buffer, frame, &at, error);
  }
  if (!map (&video, &io->in, buffer, GST_MAP_READ, error))
    return FALSE;
  seg_video_load (frame, upload, &video);
  gst_video_frame_unmap (&video);
  g_atomic_int_inc (&io->n_copies);
  return TRUE;
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

static gboolean
copy_picture (SegFrameIo *io, GstBuffer *in, GstBuffer *out, GError **error)
{
  GstVideoFrame from, to;
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
  return !picture || io->in_images == NULL || io->out_images != NULL;
}

gboolean
seg_frame_io_store_nothing (SegFrameIo *io, SegPipe *pipe, gboolean picture, guint8 value,
    GstBuffer *in, GstBuffer *out, GError **error)
{
  guint8 *data;
  const guint8 *unused;
  const SegFrame *frame = seg_pipe_slot_input (pipe, 0, &data);
  if (io->out_images == NULL)
    return picture ? copy_picture (io, in, out, error) : fill (io, value, out, error);
  if (!picture)
    return seg_images_clear (
        io->out_images, 0, value, seg_pipe_result (pipe, &unused), out, error);
  const SegPiece at = seg_pipe_slot_frame (pipe, 0);
  return seg_frame_io_load (io, pipe, 0, in, error)
         && seg_images_store (io->out_images, 0, frame, &at, out, error);
}

void
seg_frame_io_release (SegFrameIo *io, guint slot)
{
  if (io->in_images != NULL)
    seg_images_release (io->in_images, slot);
}
