/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame/pipe-priv.h"

static gboolean
record_upload (SegPipe *pipe, SegCmd *cmd, GError **error)
{
  return pipe->unified
         || seg_cmd_copy (cmd, pipe->upload, 0, pipe->work, pipe->frame_offset,
             pipe->frame.n_bytes, error);
}

static gboolean
record_input (SegPipe *pipe, const SegBound *input, GError **error)
{
  return record_upload (pipe, pipe->cmd, error)
         && seg_preprocess_record (pipe->cmd, &pipe->params, &pipe->source,
             &pipe->geometry, &pipe->info->normalize, input, error);
}

/* The last of a recording: the picture, and what the host reads. */
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
record_whole (SegPipe *pipe, GError **error)
{
  const SegModelInfo *info = pipe->info;
  SegBound input, outputs[SEG_INFO_MAX_OUTPUTS];
  if (!seg_session_input (pipe->session, info->input, &input, error))
    return FALSE;
  for (guint i = 0; i < info->n_outputs; i++)
    if (!seg_session_output (pipe->session, info->outputs[i], &outputs[i], error))
      return FALSE;
  return record_input (pipe, &input, error)
         && seg_session_record (
             pipe->session, pipe->cmd, info->outputs, info->n_outputs, error)
         && pipe->decoder->record (pipe, pipe->cmd, outputs, error)
         && record_result (pipe, pipe->cmd, error);
}

static gboolean
record_halves (SegPipe *pipe, GError **error)
{
  const SegModelInfo *info = pipe->info;
  if (pipe->host_net == NULL)
    pipe->host_net =
        seg_host_net_new (pipe->session, pipe->vk, info->outputs, info->n_outputs, error);
  if (pipe->host_net == NULL || !open_recording (pipe, &pipe->cmd_after, error))
    return FALSE;
  return record_input (pipe, seg_host_net_input (pipe->host_net), error)
         && seg_host_net_record_input (pipe->host_net, pipe->cmd, error)
         && seg_cmd_end (pipe->cmd, error)
         && pipe->decoder->record (
             pipe, pipe->cmd_after, seg_host_net_outputs (pipe->host_net), error)
         && record_result (pipe, pipe->cmd_after, error);
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
  if (!open_recording (pipe, &pipe->cmd, error))
    return FALSE;
  gboolean ok = seg_session_is_recordable (pipe->session) ? record_whole (pipe, error)
                                                          : record_halves (pipe, error);
  pipe->recorded = ok && record_redraw (pipe, error);
  pipe->recorded_draw = pipe->draw;
  return pipe->recorded;
}
