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

static void
put_piece (SegPiece *piece, SegBuffer *buffer, gsize *used, gsize align)
{
  piece->buffer = buffer;
  piece->offset = place (used, align, piece->n_bytes);
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
  if (!seg_frame_layout (
          &pipe->frame, c->format, &c->color, c->width, c->height, align, error)
      || !seg_frame_layout (
          &pipe->result, result_format (c), &c->color, c->width, c->height, align, error))
    return FALSE;
  if (c->output == SEG_OUTPUT_LABELS || c->output == SEG_OUTPUT_MATTE) {
    pipe->result.stride[0] = seg_map_stride (c->width);
    pipe->result.n_bytes = pipe->result.stride[0] * c->height;
  }
  return TRUE;
}

/* Work buffer: the frame, the maps, the result as it is drawn. The map or matte may be the
 * result itself. */
gboolean
seg_pipe_allocate (SegPipe *pipe, GError **error)
{
  const SegGraph *graph = seg_session_graph (pipe->session);
  const SegValue *scores = graph->outputs->pdata[pipe->info->outputs[0]];
  guint grid_width, grid_height;
  seg_decode_grid (&pipe->plan, &scores->desc, &grid_width, &grid_height);
  if (!lay_out_frames (pipe, pipe->params.align, error))
    return FALSE;
  SegDecodeMemory *m = &pipe->memory;
  SegOutputKind output = pipe->config.output;
  gsize align = pipe->params.align, used = 0, read = 0;
  seg_decode_sizes (m, pipe->frame.width, pipe->frame.height, grid_width, grid_height);
  SegPiece *in_work[] = { &m->labels, &m->cells, &m->numbers, &m->map, &m->matte,
    &m->counts, &m->list };
  SegPiece *result = output == SEG_OUTPUT_LABELS  ? &m->map
                     : output == SEG_OUTPUT_MATTE ? &m->matte
                                                  : &pipe->drawn;
  pipe->drawn.n_bytes = (pipe->result.n_bytes + 15) & ~(gsize) 15;
  pipe->frame_offset = pipe->unified ? 0 : place (&used, align, pipe->frame.n_bytes);
  for (guint i = 0; i < G_N_ELEMENTS (in_work); i++)
    if (in_work[i] != result || !pipe->unified)
      put_piece (in_work[i], NULL, &used, align);
  if (!pipe->unified && result == &pipe->drawn)
    put_piece (result, NULL, &used, align);
  place (&read, align, result->n_bytes);
  pipe->counts_offset = place (&read, align, m->counts.n_bytes);

  pipe->upload = seg_buffer_new (
      pipe->vk, (pipe->frame.n_bytes + 15) & ~(gsize) 15, SEG_BUFFER_UPLOAD, error);
  if (pipe->upload == NULL)
    return FALSE;
  pipe->work = seg_buffer_new (pipe->vk, used, SEG_BUFFER_DEVICE, error);
  if (pipe->work == NULL)
    return FALSE;
  pipe->readback = seg_buffer_new (pipe->vk, read, SEG_BUFFER_READBACK, error);
  for (guint i = 0; i < G_N_ELEMENTS (in_work); i++)
    in_work[i]->buffer = pipe->work;
  result->buffer = pipe->unified ? pipe->readback : pipe->work;
  if (pipe->unified)
    result->offset = 0;
  pipe->drawn = *result;
  return pipe->readback != NULL;
}

static gboolean
prepare_params (SegPipe *pipe, GError **error)
{
  SegBufferView zeros;
  SegParams *p = &pipe->params;
  pipe->style =
      seg_params_add (p, sizeof *pipe->style, SEG_VIEW_UNIFORM, &pipe->style_view, error);
  if (pipe->style == NULL)
    return FALSE;
  pipe->colors = seg_params_add (
      p, sizeof *pipe->colors, SEG_VIEW_TEXEL_U8X4, &pipe->colors_view, error);
  if (pipe->colors == NULL)
    return FALSE;
  if (seg_params_add (
          p, pipe->memory.counts.n_bytes, SEG_VIEW_STORAGE_READ, &zeros, error)
      == NULL)
    return FALSE;
  pipe->memory.zeros = (SegPiece){ zeros.buffer, zeros.offset, zeros.n_bytes };
  return seg_frame_source_init (&pipe->source, p, &pipe->frame,
      pipe->unified ? pipe->upload : pipe->work, pipe->frame_offset, error);
}

/* The label of each value of the class map. */
static gboolean
prepare_legend (SegPipe *pipe, GError **error)
{
  char buffers[256][32];
  const char *texts[256];
  guint n = pipe->plan.kind == SEG_DECODE_CLASSES ? pipe->plan.n_classes : 2;
  seg_pipe_set_style (pipe, &seg_style_default);
  if (pipe->config.output != SEG_OUTPUT_OVERLAY)
    return TRUE;
  for (guint v = 0; v < n; v++) {
    int c = seg_pipe_class_of_value (pipe, v);
    texts[v] = c < 0 ? NULL : seg_model_info_label (pipe->info, (guint) c, buffers[v]);
  }
  return seg_legend_init (&pipe->legend, pipe->vk, &pipe->params, texts, n,
      pipe->config.width, pipe->config.height, error);
}

gboolean
seg_pipe_prepare (SegPipe *pipe, GError **error)
{
  return prepare_params (pipe, error) && prepare_legend (pipe, error);
}
