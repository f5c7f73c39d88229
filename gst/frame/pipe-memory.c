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
  case SEG_OUTPUT_OVERLAY:
  case SEG_OUTPUT_BACKGROUND: return config->format;
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
  if (result_format (c) == SEG_FORMAT_GRAY8 && !seg_output_is_frame (c->output)) {
    pipe->result.stride[0] = seg_map_stride (width);
    pipe->result.n_bytes = pipe->result.stride[0] * height;
  }
  return TRUE;
}

void
seg_pipe_add_piece (SegPipeMemory *memory, SegPiece *piece)
{
  g_assert (memory->n_pieces < SEG_PIPE_MAX_PIECES);
  memory->pieces[memory->n_pieces++] = piece;
}

/* Work buffer: the frames, the decoder's pieces, the result as it is drawn. */
static void
place_pieces (SegPipe *pipe, SegPiece *result, gsize *used)
{
  const SegPipeMemory *m = &pipe->memory;
  gsize align = pipe->params.align;
  for (guint i = 0; i < pipe->n_slots && pipe->staged; i++)
    pipe->slots[i].frame_offset = place (used, align, pipe->frame.n_bytes);
  if (pipe->tiles.active) {
    pipe->tiles.current.offset = place (used, align, pipe->tiles.current.n_bytes);
    pipe->tiles.state.offset = place (used, align, pipe->tiles.state.n_bytes);
  }
  for (guint i = 0; i < m->n_pieces; i++)
    if (m->pieces[i] != result || !pipe->direct)
      m->pieces[i]->offset = place (used, align, m->pieces[i]->n_bytes);
  if (!pipe->direct && !pipe->config.result_on_device && result == &pipe->drawn)
    result->offset = place (used, align, result->n_bytes);
  for (guint i = 0; i < pipe->n_slots && pipe->config.result_on_device; i++)
    pipe->slots[i].kept.offset = place (used, align, result->n_bytes);
}

static gsize
place_downloads (SegPipe *pipe, const SegPiece *result)
{
  gsize used = 0, align = pipe->params.align;
  if (!pipe->config.result_on_device && !pipe->in_place)
    place (&used, align, result->n_bytes);
  for (guint i = 0; i < pipe->memory.n_downloads; i++)
    pipe->download_offsets[i] = place (&used, align, pipe->memory.downloads[i]->n_bytes);
  return MAX (used, 16);
}

static gboolean
allocate_slot (SegPipe *pipe, SegPipeSlot *slot, gsize readback_bytes, GError **error)
{
  slot->batch = seg_batch_new (pipe->vk, error);
  if (slot->batch == NULL)
    return FALSE;
  if (!pipe->config.input_on_device) {
    slot->upload = seg_buffer_new (
        pipe->vk, (pipe->frame.n_bytes + 15) & ~(gsize) 15, SEG_BUFFER_UPLOAD, error);
    if (slot->upload == NULL)
      return FALSE;
  }
  slot->readback = seg_buffer_new (pipe->vk, readback_bytes, SEG_BUFFER_READBACK, error);
  return slot->readback != NULL;
}

/* The result: made in the frame's memory or in readback memory where the device does that well, or where
 * it stays on the device, unless it is what other slots redraw from; else in the work buffer, and copied. */
static void
place_results (SegPipe *pipe, SegPiece *result)
{
  for (guint i = 0; i < pipe->n_slots; i++) {
    SegPiece *drawn = &pipe->slots[i].drawn;
    *drawn = *result;
    drawn->buffer = pipe->in_place ? pipe->slots[i].upload
                    : pipe->direct ? pipe->slots[i].readback
                                   : pipe->work;
    if (pipe->direct)
      drawn->offset = 0;
    if (!pipe->config.result_on_device)
      continue;
    pipe->slots[i].kept.buffer = pipe->work;
    pipe->slots[i].kept.n_bytes = drawn->n_bytes;
    if (result == &pipe->drawn)
      *drawn = pipe->slots[i].kept;
  }
  *result = pipe->slots[0].drawn;
}

static void
plan_backdrop (SegPipe *pipe)
{
  const SegPipeConfig *c = &pipe->config;
  SegPipeMemory *m = &pipe->memory;
  if (c->output != SEG_OUTPUT_BACKGROUND)
    return;
  seg_backdrop_plan (&pipe->backdrop, c->blur_sigma, c->width, c->height);
  for (guint i = 0; i < 2 && pipe->backdrop.small[i].n_bytes > 0; i++)
    seg_pipe_add_piece (m, &pipe->backdrop.small[i]);
}

gboolean
seg_pipe_allocate (SegPipe *pipe, GError **error)
{
  SegPipeMemory *m = &pipe->memory;
  gsize used = 0;
  if (!lay_out_frames (pipe, pipe->params.align, error)
      || !pipe->decoder->plan (pipe, m, error))
    return FALSE;
  plan_backdrop (pipe);
  pipe->drawn.n_bytes = (pipe->result.n_bytes + 15) & ~(gsize) 15;
  SegPiece *result = m->result != NULL ? m->result : &pipe->drawn;
  pipe->direct = pipe->unified && !pipe->config.result_on_device
                 && (pipe->n_slots == 1 || result == &pipe->drawn);
  place_pieces (pipe, result, &used);
  pipe->work = seg_buffer_new (pipe->vk, used, SEG_BUFFER_DEVICE, error);
  if (pipe->work == NULL)
    return FALSE;
  gsize readback_bytes = place_downloads (pipe, result);
  for (guint i = 0; i < pipe->n_slots; i++)
    if (!allocate_slot (pipe, &pipe->slots[i], readback_bytes, error))
      return FALSE;
  for (guint i = 0; i < m->n_pieces; i++)
    m->pieces[i]->buffer = pipe->work;
  pipe->tiles.current.buffer = pipe->tiles.state.buffer = pipe->work;
  place_results (pipe, result);
  return TRUE;
}

gboolean
seg_pipe_prepare (SegPipe *pipe, GError **error)
{
  for (guint i = 0; i < pipe->n_slots; i++) {
    SegPipeSlot *slot = &pipe->slots[i];
    if (!seg_frame_source_init (&slot->source, &pipe->params, &pipe->frame,
            pipe->staged ? pipe->work : slot->upload, slot->frame_offset, error))
      return FALSE;
  }
  pipe->source = pipe->slots[0].source;
  return pipe->decoder->prepare (pipe, error);
}
