/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame/pipe-priv.h"

static gboolean
open_recording (SegPipe *pipe, SegCmd **cmd, GError **error)
{
  if (*cmd == NULL) {
    *cmd = seg_cmd_new (pipe->vk, pipe->config.timed, error);
    if (*cmd != NULL && pipe->config.staged)
      seg_cmd_stamp_ends (*cmd);
  }
  return *cmd != NULL && seg_cmd_begin (*cmd, error);
}

/* --- a slot's own -------------------------------------------------------------------------------- */

/* What decoders are told of the slot that is recorded. */
static void
turn_to (SegPipe *pipe, const SegPipeSlot *slot)
{
  pipe->source = slot->source;
  pipe->drawn = slot->drawn;
}

static gboolean
record_bring (SegPipe *pipe, SegPipeSlot *slot, GError **error)
{
  return slot->upload == NULL || pipe->unified
         || (open_recording (pipe, &slot->bring, error)
             && seg_cmd_copy (slot->bring, slot->upload, 0, pipe->work,
                 slot->frame_offset, pipe->frame.n_bytes, error)
             && seg_cmd_end (slot->bring, error));
}

/* The pictures of a round, where the network takes them. */
static gboolean
record_pictures (SegPipe *pipe, SegCmd *cmd, const SegBound *input, GError **error)
{
  const SegPipeTiles *t = &pipe->tiles;
  if (!t->active)
    return seg_preprocess_record (cmd, &pipe->params, &pipe->source, &pipe->geometry,
        &pipe->info->normalize, input, error);
  if (!seg_pipe_record_next (pipe, cmd, error))
    return FALSE;
  for (guint lane = 0; lane < t->tiling.batch; lane++) {
    SegBufferView block = seg_pipe_tile_view (pipe, lane, 0, sizeof (SegPreprocessBlock));
    if (!seg_preprocess_record_block (
            cmd, &pipe->source, &block, NULL, t->mirror, input, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
record_look (SegPipe *pipe, SegPipeSlot *slot, const SegBound *input, GError **error)
{
  turn_to (pipe, slot);
  return open_recording (pipe, &slot->look, error)
         && record_pictures (pipe, slot->look, input, error)
         && (pipe->host_net == NULL
             || seg_host_net_record_input (pipe->host_net, slot->look, error))
         && seg_cmd_end (slot->look, error);
}

/* The result to where the slot has it for itself. */
static gboolean
bring_back (SegPipe *pipe, SegPipeSlot *slot, GError **error)
{
  const SegPiece *from = &slot->drawn;
  SegPiece to = { slot->readback, 0, from->n_bytes };
  if (pipe->in_place)
    return TRUE;
  if (pipe->config.result_on_device)
    to = slot->kept;
  return (from->buffer == to.buffer && from->offset == to.offset)
         || seg_cmd_copy (slot->show, from->buffer, from->offset, to.buffer, to.offset,
             to.n_bytes, error);
}

static gboolean
record_show (SegPipe *pipe, SegPipeSlot *slot, GError **error)
{
  const SegPipeMemory *m = &pipe->memory;
  turn_to (pipe, slot);
  if (!open_recording (pipe, &slot->show, error)
      || !pipe->decoder->draw (pipe, slot->show, error))
    return FALSE;
  if (!bring_back (pipe, slot, error))
    return FALSE;
  for (guint i = 0; i < m->n_downloads; i++)
    if (!seg_cmd_copy (slot->show, m->downloads[i]->buffer, m->downloads[i]->offset,
            slot->readback, pipe->download_offsets[i], m->downloads[i]->n_bytes, error))
      return FALSE;
  return seg_cmd_end (slot->show, error);
}

/* --- what all share -------------------------------------------------------------------------------- */

static gboolean
record_begin (SegPipe *pipe, GError **error)
{
  const SegPiece *state = &pipe->tiles.state;
  return open_recording (pipe, &pipe->begin, error)
         && seg_cmd_fill (pipe->begin, state->buffer, state->offset, 4, 0, error)
         && seg_cmd_end (pipe->begin, error);
}

/* What is no probability is not mixed with one: see shaders/smooth.comp. */
#define UNKNOWN 0xbf800000u /* -1.0f */

static gboolean
record_forget (SegPipe *pipe, GError **error)
{
  const SegPiece *before = &pipe->map.memory.before;
  return before->n_bytes == 0
         || (open_recording (pipe, &pipe->forget, error)
             && seg_cmd_fill (pipe->forget, before->buffer, before->offset,
                 before->n_bytes, UNKNOWN, error)
             && seg_cmd_end (pipe->forget, error));
}

static gboolean
record_net (SegPipe *pipe, GError **error)
{
  const SegModelInfo *info = pipe->info;
  g_ptr_array_set_size (pipe->net, 0);
  for (guint i = 0; i < pipe->n_parts; i++) {
    SegCmd *cmd = NULL;
    gboolean ok = open_recording (pipe, &cmd, error);
    if (cmd != NULL)
      g_ptr_array_add (pipe->net, cmd);
    if (!ok
        || !seg_session_record_part (
            pipe->session, cmd, info->outputs, info->n_outputs, i, pipe->n_parts, error)
        || !seg_cmd_end (cmd, error))
      return FALSE;
  }
  return TRUE;
}

/* From the outputs to what is drawn. A frame that is one round needs no recording to finish. */
static gboolean
record_decode (SegPipe *pipe, const SegBound *outputs, GError **error)
{
  const SegPipeDecoder *decoder = pipe->decoder;
  SegCmd **last = &pipe->decode;
  if (!open_recording (pipe, &pipe->decode, error)
      || !decoder->record (pipe, pipe->decode, outputs, error))
    return FALSE;
  if (pipe->tiles.active) {
    last = &pipe->finish;
    if (!seg_cmd_end (pipe->decode, error)
        || !open_recording (pipe, &pipe->finish, error))
      return FALSE;
  }
  return (decoder->finish == NULL || decoder->finish (pipe, *last, error))
         && seg_cmd_end (*last, error);
}

static gboolean
bind_host_net (SegPipe *pipe, GError **error)
{
  const SegModelInfo *info = pipe->info;
  SegHostNetKind kind =
      pipe->decoder->take != NULL ? SEG_HOST_NET_TENSORS : SEG_HOST_NET_BUFFERS;
  if (pipe->host_net == NULL)
    pipe->host_net = seg_host_net_new (
        pipe->session, pipe->vk, kind, info->outputs, info->n_outputs, error);
  return pipe->host_net != NULL;
}

/* Where the network's input and outputs are. */
static gboolean
bind (SegPipe *pipe, SegBound *input, SegBound *outputs, GError **error)
{
  const SegModelInfo *info = pipe->info;
  if (!seg_session_is_recordable (pipe->session) || pipe->decoder->take != NULL) {
    if (!bind_host_net (pipe, error))
      return FALSE;
    *input = *seg_host_net_input (pipe->host_net);
    for (guint i = 0; i < info->n_outputs; i++)
      outputs[i] = seg_host_net_outputs (pipe->host_net)[i];
    return TRUE;
  }
  if (!seg_session_input (pipe->session, info->input, input, error))
    return FALSE;
  for (guint i = 0; i < info->n_outputs; i++)
    if (!seg_session_output (pipe->session, info->outputs[i], &outputs[i], error))
      return FALSE;
  return TRUE;
}

static gboolean
record_all (SegPipe *pipe, GError **error)
{
  SegBound input, outputs[SEG_INFO_MAX_OUTPUTS];
  turn_to (pipe, &pipe->slots[0]);
  if (!bind (pipe, &input, outputs, error)
      || (pipe->tiles.active
          && (!seg_pipe_fill_tiles (pipe, &input, outputs, error)
              || !record_begin (pipe, error)))
      || !record_forget (pipe, error)
      || (pipe->decoder->start != NULL && !pipe->decoder->start (pipe, error)))
    return FALSE;
  for (guint i = 0; i < pipe->n_slots; i++)
    if (!record_bring (pipe, &pipe->slots[i], error)
        || !record_look (pipe, &pipe->slots[i], &input, error))
      return FALSE;
  return (pipe->host_net != NULL || record_net (pipe, error))
         && record_decode (pipe, outputs, error);
}

/* What is drawn decides which dispatches there are; everything else is parameters. */
gboolean
seg_pipe_record (SegPipe *pipe, GError **error)
{
  if (!pipe->recorded) {
    pipe->shown = FALSE;
    pipe->params.used_bytes = pipe->params_mark;
    pipe->recorded = record_all (pipe, error);
    pipe->shown_mark = pipe->params.used_bytes;
  }
  if (!pipe->recorded || (pipe->shown && pipe->draw == pipe->shown_draw))
    return pipe->recorded;
  pipe->params.used_bytes = pipe->shown_mark;
  pipe->shown_draw = pipe->draw;
  pipe->shown = TRUE;
  for (guint i = 0; i < pipe->n_slots && pipe->shown; i++)
    pipe->shown = record_show (pipe, &pipe->slots[i], error);
  return pipe->shown;
}
