/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame/pipe.h"

#include "frame/hostnet.h"

#include <string.h>

struct _SegPipe {
  SegVk *vk;
  SegSession *session;
  const SegModelInfo *info;
  SegPipeConfig config;
  gboolean unified; /* the device reads and writes host memory as fast as its own */

  SegGeometry geometry;
  SegDecodePlan plan;
  SegParams params;
  SegStyleBlock *style;
  SegClassColor *colors;
  SegBufferView style_view, colors_view;

  SegFrame frame, result;
  SegFrameSource source;
  SegBuffer *upload, *work, *readback;
  gsize frame_offset; /* in work, unless unified */
  SegDecodeMemory memory;
  SegLegend legend;
  SegPiece drawn;      /* the result as the device writes it */
  gsize counts_offset; /* in readback; the result is at 0 */

  SegCmd *cmd, *cmd_after; /* the second: after a network that runs partly on the host */
  SegHostNet *host_net;    /* then */
  gint64 submitted_us;
  double last_ms;
};

const SegStyle seg_style_default = {
  .alpha = 0.5,
  .threshold = -1.0,
  .draw = SEG_DRAW_MASKS | SEG_DRAW_LEGEND,
  .keep = { ~0u, ~0u, ~0u, ~0u, ~0u, ~0u, ~0u, ~0u },
};

/* --- what is done with the network's output --------------------------------------------------- */

static gboolean
wants_matte (const SegPipe *pipe)
{
  return pipe->config.output == SEG_OUTPUT_MATTE
         || pipe->config.output == SEG_OUTPUT_CUTOUT;
}

/* argmax does not care for a softmax before it, thresholds do. */
static gboolean
ends_in_softmax (const SegGraph *graph, guint output)
{
  const SegValue *v = graph->outputs->pdata[output];
  return v->producer != NULL && strcmp (v->producer->op->name, "Softmax") == 0;
}

static void
plan_decoding (SegPipe *pipe)
{
  const SegModelInfo *info = pipe->info;
  const SegGraph *graph = seg_session_graph (pipe->session);
  SegDecodePlan *plan = &pipe->plan;
  gboolean one = info->decoder == SEG_DECODER_MATTE
                 || (info->decoder == SEG_DECODER_SIGMOID && info->n_classes == 1);
  gboolean odds = info->decoder == SEG_DECODER_SOFTMAX || wants_matte (pipe);
  plan->kind = one ? SEG_DECODE_VALUE : odds ? SEG_DECODE_ODDS : SEG_DECODE_CLASSES;
  plan->scores = info->decoder == SEG_DECODER_INDEX          ? SEG_SCORES_INDEX
                 : info->decoder == SEG_DECODER_MATTE        ? SEG_SCORES_PROBABILITY
                 : info->decoder == SEG_DECODER_SIGMOID      ? SEG_SCORES_SIGMOID
                 : ends_in_softmax (graph, info->outputs[0]) ? SEG_SCORES_PROBABILITY
                                                             : SEG_SCORES_SOFTMAX;
  plan->class_axis = info->class_axis;
  plan->height_axis = info->class_axis == 1 ? 2 : 1;
  plan->width_axis = plan->height_axis + 1;
  const SegValue *output = graph->outputs->pdata[info->outputs[0]];
  if (info->class_axis < 0 && output->desc.rank == 4) {
    plan->height_axis = 2;
    plan->width_axis = 3;
  }
  plan->n_classes = one ? 1 : info->n_classes == 0 ? SEG_MAX_CLASSES : info->n_classes;
  plan->nearest = pipe->config.nearest;
  plan->cut = pipe->config.output == SEG_OUTPUT_OVERLAY;
}

/* --- memory ------------------------------------------------------------------------------------ */

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
static gboolean
allocate (SegPipe *pipe, guint grid_width, guint grid_height, GError **error)
{
  SegDecodeMemory *m = &pipe->memory;
  SegOutputKind output = pipe->config.output;
  gsize align = pipe->params.align, used = 0, read = 0;
  seg_decode_sizes (m, pipe->frame.width, pipe->frame.height, grid_width, grid_height);
  SegPiece *in_work[] = { &m->labels, &m->cells, &m->numbers, &m->map, &m->matte,
    &m->counts };
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
  pipe->colors = seg_params_add (p, SEG_N_COLORS * sizeof *pipe->colors,
      SEG_VIEW_TEXEL_U32X4, &pipe->colors_view, error);
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

/* --- recording ----------------------------------------------------------------------------------- */

static gboolean
record_before (SegPipe *pipe, const SegBound *input, GError **error)
{
  if (!pipe->unified
      && !seg_cmd_copy (pipe->cmd, pipe->upload, 0, pipe->work, pipe->frame_offset,
          pipe->frame.n_bytes, error))
    return FALSE;
  return seg_preprocess_record (pipe->cmd, &pipe->params, &pipe->source, &pipe->geometry,
      &pipe->info->normalize, input, error);
}

static gboolean
record_picture (SegPipe *pipe, SegCmd *cmd, const SegBufferView *decode, GError **error)
{
  SegComposeInput input = {
    .memory = &pipe->memory,
    .decode = *decode,
    .style = pipe->style_view,
    .colors = pipe->colors_view,
    .legend = &pipe->legend,
    .soft = pipe->plan.kind != SEG_DECODE_CLASSES,
  };
  if (pipe->config.output == SEG_OUTPUT_OVERLAY)
    return seg_legend_record (
               cmd, &pipe->legend, &pipe->memory, decode, &pipe->style_view, error)
           && seg_compose_record (cmd, &pipe->params, &input, &pipe->source,
               pipe->drawn.buffer, pipe->drawn.offset, error);
  if (pipe->config.output == SEG_OUTPUT_CUTOUT)
    return seg_cutout_record (
        cmd, &input, &pipe->source, &pipe->result, &pipe->drawn, error);
  return TRUE;
}

static gboolean
record_after (SegPipe *pipe, SegCmd *cmd, const SegBound *output, GError **error)
{
  SegBufferView decode;
  const SegPiece *counts = &pipe->memory.counts;
  if (!seg_decode_record (cmd, &pipe->params, &pipe->plan, &pipe->geometry, output,
          &pipe->memory, &pipe->style_view, &decode, error)
      || !record_picture (pipe, cmd, &decode, error))
    return FALSE;
  if (!pipe->unified
      && !seg_cmd_copy (cmd, pipe->drawn.buffer, pipe->drawn.offset, pipe->readback, 0,
          pipe->drawn.n_bytes, error))
    return FALSE;
  return seg_cmd_copy (cmd, counts->buffer, counts->offset, pipe->readback,
             pipe->counts_offset, counts->n_bytes, error)
         && seg_cmd_end (cmd, error);
}

static SegCmd *
open_recording (SegPipe *pipe, GError **error)
{
  SegCmd *cmd = seg_cmd_new (pipe->vk, FALSE, error);
  if (cmd != NULL && !seg_cmd_begin (cmd, error))
    seg_cmd_free (&cmd);
  return cmd;
}

static gboolean
record_whole (SegPipe *pipe, GError **error)
{
  SegBound input, output;
  return seg_session_input (pipe->session, pipe->info->input, &input, error)
         && seg_session_output (pipe->session, pipe->info->outputs[0], &output, error)
         && record_before (pipe, &input, error)
         && seg_session_record (pipe->session, pipe->cmd, pipe->info->outputs, 1, error)
         && record_after (pipe, pipe->cmd, &output, error);
}

static gboolean
record_halves (SegPipe *pipe, GError **error)
{
  pipe->host_net =
      seg_host_net_new (pipe->session, pipe->vk, pipe->info->outputs[0], error);
  if (pipe->host_net == NULL || (pipe->cmd_after = open_recording (pipe, error)) == NULL)
    return FALSE;
  return record_before (pipe, seg_host_net_input (pipe->host_net), error)
         && seg_host_net_record_input (pipe->host_net, pipe->cmd, error)
         && seg_cmd_end (pipe->cmd, error)
         && record_after (
             pipe, pipe->cmd_after, seg_host_net_output (pipe->host_net), error);
}

/* --- the object -------------------------------------------------------------------------------------- */

gboolean
seg_pipe_check (SegSession *session, const SegModelInfo *info, GError **error)
{
  const SegGraph *graph = seg_session_graph (session);
  guint axis;
  if (graph->inputs->len != 1) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED,
        "the network has %u inputs: one picture is supported", graph->inputs->len);
    return FALSE;
  }
  if (info->decoder > SEG_DECODER_MATTE) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED,
        "decoder %s is not supported here: argmax, index, softmax, sigmoid and matte are",
        seg_decoder_name (info->decoder));
    return FALSE;
  }
  const SegValue *input = graph->inputs->pdata[info->input];
  return seg_image_axes (&input->desc, &axis, error);
}

static gboolean
build (SegPipe *pipe, GError **error)
{
  const SegModelInfo *info = pipe->info;
  const SegGraph *graph = seg_session_graph (pipe->session);
  if (!seg_pipe_check (pipe->session, info, error))
    return FALSE;
  plan_decoding (pipe);
  if (!seg_params_init (&pipe->params, pipe->vk, error)
      || !lay_out_frames (pipe, pipe->params.align, error))
    return FALSE;
  const SegValue *output = graph->outputs->pdata[info->outputs[0]];
  guint grid_width, grid_height;
  seg_decode_grid (&pipe->plan, &output->desc, &grid_width, &grid_height);
  seg_geometry_init (&pipe->geometry,
      pipe->config.override_fit ? pipe->config.fit : info->fit, pipe->config.width,
      pipe->config.height, info->width, info->height);
  if (!allocate (pipe, grid_width, grid_height, error) || !prepare_params (pipe, error)
      || !prepare_legend (pipe, error)
      || (pipe->cmd = open_recording (pipe, error)) == NULL)
    return FALSE;
  return seg_session_is_recordable (pipe->session) ? record_whole (pipe, error)
                                                   : record_halves (pipe, error);
}

SegPipe *
seg_pipe_new (SegVk *vk, SegSession *session, const SegModelInfo *info,
    const SegPipeConfig *config, GError **error)
{
  SegPipe *pipe = g_new0 (SegPipe, 1);
  SegDeviceType type = seg_vk_info (vk)->type;
  pipe->vk = vk;
  pipe->session = session;
  pipe->info = info;
  pipe->config = *config;
  pipe->unified = type == SEG_DEVICE_CPU || type == SEG_DEVICE_INTEGRATED;
  if (!build (pipe, error))
    seg_pipe_free (&pipe);
  return pipe;
}

void
seg_pipe_free (SegPipe **ppipe)
{
  SegPipe *pipe = *ppipe;
  *ppipe = NULL;
  if (pipe == NULL)
    return;
  seg_cmd_free (&pipe->cmd);
  seg_cmd_free (&pipe->cmd_after);
  seg_host_net_free (&pipe->host_net);
  seg_legend_clear (&pipe->legend);
  seg_params_clear (&pipe->params);
  seg_buffer_free (&pipe->upload);
  seg_buffer_free (&pipe->work);
  seg_buffer_free (&pipe->readback);
  g_free (pipe);
}

const SegFrame *
seg_pipe_input (const SegPipe *pipe, guint8 **data)
{
  *data = seg_buffer_map (pipe->upload);
  return &pipe->frame;
}

const SegFrame *
seg_pipe_result (const SegPipe *pipe, const guint8 **data)
{
  *data = seg_buffer_map (pipe->readback);
  return &pipe->result;
}

gboolean
seg_pipe_submit (SegPipe *pipe, GError **error)
{
  pipe->submitted_us = g_get_monotonic_time ();
  return seg_cmd_submit (pipe->cmd, error);
}

gboolean
seg_pipe_wait (SegPipe *pipe, GError **error)
{
  if (!seg_cmd_wait (pipe->cmd, error))
    return FALSE;
  if (pipe->host_net != NULL
      && (!seg_host_net_run (pipe->host_net, error)
          || !seg_cmd_submit (pipe->cmd_after, error)
          || !seg_cmd_wait (pipe->cmd_after, error)))
    return FALSE;
  pipe->last_ms = (double) (g_get_monotonic_time () - pipe->submitted_us) / 1e3;
  return TRUE;
}

const guint32 *
seg_pipe_areas (const SegPipe *pipe)
{
  return (const guint32 *) ((const guint8 *) seg_buffer_map (pipe->readback)
                            + pipe->counts_offset);
}

double
seg_pipe_last_ms (const SegPipe *pipe)
{
  return pipe->last_ms;
}

/* --- style --------------------------------------------------------------------------------------------- */

static gboolean
is_kept (const SegStyleBlock *block, guint class_id)
{
  return class_id < 256 && (block->keep[class_id / 32] >> (class_id % 32) & 1) != 0;
}

/* Classes of a matte: the caller's, as far as the model's info calls them foreground. */
static void
keep_foreground (const SegPipe *pipe, SegStyleBlock *block)
{
  guint32 set[8] = { 0 };
  const GArray *foreground = pipe->info->foreground;
  if (foreground->len == 0 && pipe->info->decoder == SEG_DECODER_SOFTMAX
      && pipe->plan.n_classes == 2)
    set[0] = 2;
  else if (foreground->len == 0)
    return;
  for (guint i = 0; i < foreground->len; i++) {
    guint c = g_array_index (foreground, guint, i);
    if (c < 256)
      set[c / 32] |= 1u << (c % 32);
  }
  for (guint i = 0; i < 8; i++)
    block->keep[i] &= set[i];
}

int
seg_pipe_class_of_value (const SegPipe *pipe, guint v)
{
  if (pipe->plan.kind == SEG_DECODE_CLASSES)
    return v < pipe->plan.n_classes ? (int) v : -1;
  if (v != 1)
    return -1;
  if (pipe->plan.kind == SEG_DECODE_VALUE)
    return pipe->info->background == 0 ? 1 : 0;
  for (guint c = 0; c < pipe->plan.n_classes; c++)
    if ((int) c != pipe->info->background && is_kept (pipe->style, c))
      return (int) c;
  return -1;
}

static void
set_colors (SegPipe *pipe, const SegStyle *style)
{
  static const guint8 white[3] = { 255, 255, 255 }, black[3] = { 0, 0, 0 };
  const SegStyleBlock *block = pipe->style;
  for (guint v = 0; v < 256; v++) {
    int c = seg_pipe_class_of_value (pipe, v);
    gboolean drawn = c >= 0 && c != pipe->info->background && is_kept (block, (guint) c);
    const guint8 *rgba = pipe->info->palette.rgba[c >= 0 ? c : 0];
    double strength =
        drawn && (style->draw & SEG_DRAW_MASKS) ? style->alpha * rgba[3] / 255.0 : 0.0;
    seg_class_color (&pipe->colors[v], &pipe->frame, rgba, (float) strength);
  }
  seg_class_color (&pipe->colors[SEG_COLOR_TEXT], &pipe->frame, white, 1.0f);
  seg_class_color (&pipe->colors[SEG_COLOR_PANEL], &pipe->frame, black, 0.6f);
}

void
seg_pipe_set_style (SegPipe *pipe, const SegStyle *style)
{
  SegStyleBlock *block = pipe->style;
  double threshold = style->threshold < 0.0 ? pipe->info->threshold : style->threshold;
  gboolean classes = pipe->plan.kind == SEG_DECODE_CLASSES;
  memcpy (block->keep, style->keep, sizeof block->keep);
  if (pipe->plan.kind == SEG_DECODE_ODDS)
    keep_foreground (pipe, block);
  block->threshold = (float) threshold;
  block->map_threshold = (float) (threshold > 0.0 ? threshold : 0.5);
  block->background = !classes                      ? 0
                      : pipe->info->background >= 0 ? pipe->info->background
                                                    : 255;
  block->draw = style->draw;
  block->legend_share = 0.002f;
  set_colors (pipe, style);
}
