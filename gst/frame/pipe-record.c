/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame/pipe-priv.h"

static gboolean
record_upload (SegPipe *pipe, SegCmd *cmd, GError **error)
{
  return pipe->unified
         || seg_cmd_copy (cmd, pipe->upload, 0, pipe->work, pipe->frame_offset,
             pipe->frame.n_bytes, error);
}

/* The pictures of a round, where the network takes them. */
static gboolean
record_input (SegPipe *pipe, SegCmd *cmd, const SegBound *input, GError **error)
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
            cmd, &pipe->source, &block, t->mirror, input, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
record_start (SegPipe *pipe, SegCmd *cmd, GError **error)
{
  const SegPiece *state = &pipe->tiles.state;
  return record_upload (pipe, cmd, error)
         && (pipe->decoder->start == NULL || pipe->decoder->start (pipe, cmd, error))
         && (!pipe->tiles.active
             || seg_cmd_fill (cmd, state->buffer, state->offset, 4, 0, error));
}

/* The picture, and what the host reads. */
static gboolean
record_result (SegPipe *pipe, SegCmd *cmd, GError **error)
{
  const SegPipeMemory *m = &pipe->memory;
  if (!pipe->decoder->draw (pipe, cmd, error))
    return FALSE;
  if (!pipe->unified
      && !seg_cmd_copy (cmd, pipe->drawn.buffer, pipe->drawn.offset, pipe->readback, 0,
          pipe->drawn.n_bytes, error))
    return FALSE;
  for (guint i = 0; i < m->n_downloads; i++)
    if (!seg_cmd_copy (cmd, m->downloads[i]->buffer, m->downloads[i]->offset,
            pipe->readback, pipe->download_offsets[i], m->downloads[i]->n_bytes, error))
      return FALSE;
  return seg_cmd_end (cmd, error);
}

static gboolean
open_recording (SegPipe *pipe, SegCmd **cmd, GError **error)
{
  if (*cmd == NULL)
    *cmd = seg_cmd_new (pipe->vk, pipe->config.timed, error);
  return *cmd != NULL && seg_cmd_begin (*cmd, error);
}

static gboolean
record_finish (SegPipe *pipe, SegCmd *cmd, GError **error)
{
  return (pipe->decoder->finish == NULL || pipe->decoder->finish (pipe, cmd, error))
         && record_result (pipe, cmd, error);
}

/* What a frame has before its first round, and after its last: in the same recording as the round
 * when there is just one. */
static gboolean
open_frame (SegPipe *pipe, GError **error)
{
  if (!pipe->tiles.active)
    return open_recording (pipe, &pipe->cmd, error)
           && record_start (pipe, pipe->cmd, error);
  return open_recording (pipe, &pipe->cmd_first, error)
         && record_start (pipe, pipe->cmd_first, error)
         && seg_cmd_end (pipe->cmd_first, error)
         && open_recording (pipe, &pipe->cmd, error);
}

static gboolean
close_frame (SegPipe *pipe, SegCmd *cmd, GError **error)
{
  if (!pipe->tiles.active)
    return record_finish (pipe, cmd, error);
  return seg_cmd_end (cmd, error) && open_recording (pipe, &pipe->cmd_last, error)
         && record_finish (pipe, pipe->cmd_last, error);
}

static gboolean
record_whole (SegPipe *pipe, GError **error)
{
  const SegModelInfo *info = pipe->info;
  SegBound input, outputs[SEG_INFO_MAX_OUTPUTS];
  if (!seg_session_input (pipe->session, info->input, &input, error))
    return FALSE;
  for (guint i = 0; i < info->n_outputs; i++)
    if (!seg_session_output (pipe->session, info->outputs[i], &outputs[i], error))
      return FALSE;
  if (pipe->tiles.active && !seg_pipe_fill_tiles (pipe, &input, outputs, error))
    return FALSE;
  return open_frame (pipe, error) && record_input (pipe, pipe->cmd, &input, error)
         && seg_session_record (
             pipe->session, pipe->cmd, info->outputs, info->n_outputs, error)
         && pipe->decoder->record (pipe, pipe->cmd, outputs, error)
         && close_frame (pipe, pipe->cmd, error);
}

static gboolean
record_halves (SegPipe *pipe, GError **error)
{
  const SegModelInfo *info = pipe->info;
  SegHostNetKind kind =
      pipe->decoder->take != NULL ? SEG_HOST_NET_TENSORS : SEG_HOST_NET_BUFFERS;
  if (pipe->host_net == NULL)
    pipe->host_net = seg_host_net_new (
        pipe->session, pipe->vk, kind, info->outputs, info->n_outputs, error);
  if (pipe->host_net == NULL)
    return FALSE;
  const SegBound *input = seg_host_net_input (pipe->host_net),
                 *outputs = seg_host_net_outputs (pipe->host_net);
  if (pipe->tiles.active && !seg_pipe_fill_tiles (pipe, input, outputs, error))
    return FALSE;
  return open_frame (pipe, error) && record_input (pipe, pipe->cmd, input, error)
         && seg_host_net_record_input (pipe->host_net, pipe->cmd, error)
         && seg_cmd_end (pipe->cmd, error)
         && open_recording (pipe, &pipe->cmd_after, error)
         && pipe->decoder->record (pipe, pipe->cmd_after, outputs, error)
         && close_frame (pipe, pipe->cmd_after, error);
}

static gboolean
record_redraw (SegPipe *pipe, GError **error)
{
  return open_recording (pipe, &pipe->cmd_redraw, error)
         && record_upload (pipe, pipe->cmd_redraw, error)
         && record_result (pipe, pipe->cmd_redraw, error);
}

/* What is drawn decides which dispatches there are; everything else is parameters. */
gboolean
seg_pipe_record (SegPipe *pipe, GError **error)
{
  if (pipe->recorded && pipe->draw == pipe->recorded_draw)
    return TRUE;
  pipe->recorded = FALSE;
  pipe->params.used_bytes = pipe->params_mark;
  gboolean whole =
      seg_session_is_recordable (pipe->session) && pipe->decoder->take == NULL;
  gboolean ok = whole ? record_whole (pipe, error) : record_halves (pipe, error);
  pipe->recorded = ok && record_redraw (pipe, error);
  pipe->recorded_draw = pipe->draw;
  return pipe->recorded;
}
