/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame/pipe-priv.h"

static gsize
place (gsize *used, gsize align, gsize n_bytes)
{
  gsize offset = (*used + align - 1) & ~(align - 1);
  /* Views may read up to 16 bytes at a time. */
  *used = offset + ((n_bytes + 15) & ~(gsize) 15);
  return offset;
}

static SegFormat
result_format (const SegPipeConfig *config)
{
  switch (config->output) {
  case SEG_OUTPUT_OVERLAY: return config->format;
  case SEG_OUTPUT_CUTOUT: return config->result_format;
  default: return SEG_FORMAT_GRAY8;
  }
}

static gboolean
lay_out_frames (SegPipe *pipe, gsize align, GError **error)
{
  const SegPipeConfig *c = &pipe->config;
  if (c->output == SEG_OUTPUT_CUTOUT && c->result_format != SEG_FORMAT_RGBA
      && c->result_format != SEG_FORMAT_BGRA) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_INPUT, "a cutout is RGBA or BGRA");
    return FALSE;
  }
  guint width = c->width, height = c->height;
  if (c->own_pixels)
    seg_placement_map_size (&pipe->geometry, &width, &height);
  if (!seg_frame_layout (
          &pipe->frame, c->format, &c->color, c->width, c->height, align, error)
      || !seg_frame_layout (
          &pipe->result, result_format (c), &c->color, width, height, align, error))
    return FALSE;
  if (result_format (c) == SEG_FORMAT_GRAY8 && c->output != SEG_OUTPUT_OVERLAY) {
    pipe->result.stride[0] = seg_map_stride (width);
    pipe->result.n_bytes = pipe->result.stride[0] * height;
  }
  return TRUE;
}

/* Work buffer: the frame, the decoder's pieces, the result as it is drawn. A piece may be the
 * result itself. */
static void
place_pieces (SegPipe *pipe, SegPiece *result, gsize *used)
{
  const SegPipeMemory *m = &pipe->memory;
  gsize align = pipe->params.align;
  pipe->frame_offset = pipe->unified ? 0 : place (used, align, pipe->frame.n_bytes);
  if (pipe->tiles.active) {
    pipe->tiles.current.offset = place (used, align, pipe->tiles.current.n_bytes);
    pipe->tiles.state.offset = place (used, align, pipe->tiles.state.n_bytes);
  }
  for (guint i = 0; i < m->n_pieces; i++)
    if (m->pieces[i] != result || !pipe->unified)
      m->pieces[i]->offset = place (used, align, m->pieces[i]->n_bytes);
  if (!pipe->unified && result == &pipe->drawn)
    result->offset = place (used, align, result->n_bytes);
}

static gsize
place_downloads (SegPipe *pipe, const SegPiece *result)
{
  gsize used = 0, align = pipe->params.align;
  place (&used, align, result->n_bytes);
  for (guint i = 0; i < pipe->memory.n_downloads; i++)
    pipe->download_offsets[i] = place (&used, align, pipe->memory.downloads[i]->n_bytes);
  return used;
}

gboolean
seg_pipe_allocate (SegPipe *pipe, GError **error)
{
  SegPipeMemory *m = &pipe->memory;
  gsize used = 0;
  if (!lay_out_frames (pipe, pipe->params.align, error)
      || !pipe->decoder->plan (pipe, m, error))
    return FALSE;
  pipe->drawn.n_bytes = (pipe->result.n_bytes + 15) & ~(gsize) 15;
  SegPiece *result = m->result != NULL ? m->result : &pipe->drawn;
  place_pieces (pipe, result, &used);

  pipe->upload = seg_buffer_new (
      pipe->vk, (pipe->frame.n_bytes + 15) & ~(gsize) 15, SEG_BUFFER_UPLOAD, error);
  if (pipe->upload == NULL)
    return FALSE;
  pipe->work = seg_buffer_new (pipe->vk, used, SEG_BUFFER_DEVICE, error);
  if (pipe->work == NULL)
    return FALSE;
  pipe->readback = seg_buffer_new (
      pipe->vk, place_downloads (pipe, result), SEG_BUFFER_READBACK, error);
  for (guint i = 0; i < m->n_pieces; i++)
    m->pieces[i]->buffer = pipe->work;
  pipe->tiles.current.buffer = pipe->tiles.state.buffer = pipe->work;
  result->buffer = pipe->unified ? pipe->readback : pipe->work;
  if (pipe->unified)
    result->offset = 0;
  pipe->drawn = *result;
  return pipe->readback != NULL;
}

gboolean
seg_pipe_prepare (SegPipe *pipe, GError **error)
{
  return seg_frame_source_init (&pipe->source, &pipe->params, &pipe->frame,
             pipe->unified ? pipe->upload : pipe->work, pipe->frame_offset, error)
         && pipe->decoder->prepare (pipe, error);
}
