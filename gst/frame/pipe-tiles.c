/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame/pipe-priv.h"

#include "shaders.h"

static gsize
align_up (const SegPipe *pipe, gsize n)
{
  gsize align = pipe->params.align;
  return (n + align - 1) / align * align;
}

SegBufferView
seg_pipe_tile_view (const SegPipe *pipe, guint lane, gsize at, gsize n_bytes)
{
  const SegPipeTiles *t = &pipe->tiles;
  return (SegBufferView){ t->current.buffer,
    t->current.offset + lane * t->entry_bytes + at, n_bytes, SEG_VIEW_UNIFORM };
}

gboolean
seg_pipe_plan_tiles (SegPipe *pipe, guint n_scores, GError **error)
{
  SegPipeTiles *t = &pipe->tiles;
  const SegPipeConfig *c = &pipe->config;
  const SegValue *input =
      seg_session_graph (pipe->session)->inputs->pdata[pipe->info->input];
  gboolean index = pipe->info->decoder == SEG_DECODER_INDEX;
  gboolean nearest = c->nearest || c->own_pixels || index;
  /* Class numbers cannot be blended. */
  if (!seg_tiling_plan (&t->tiling, &pipe->placement, c->width, c->height,
          index ? 0 : c->tile_overlap, nearest, n_scores, (guint) input->desc.dims[0],
          error))
    return FALSE;
  t->active = TRUE;
  t->decode_at = align_up (pipe, sizeof (SegPreprocessBlock));
  t->merge_at = t->decode_at + align_up (pipe, sizeof (SegDecodeBlock));
  t->entry_bytes = t->merge_at + align_up (pipe, sizeof (SegMergeBlock));
  t->current.n_bytes = t->entry_bytes * t->tiling.batch;
  t->state.n_bytes = 16;
  t->table = seg_buffer_new (
      pipe->vk, t->current.n_bytes * t->tiling.rounds, SEG_BUFFER_UPLOAD, error);
  return t->table != NULL;
}

static gboolean
fill_entry (SegPipe *pipe, const SegBound *input, const SegBound *outputs, guint i,
    GError **error)
{
  SegPipeTiles *t = &pipe->tiles;
  guint8 *entry = (guint8 *) seg_buffer_map (t->table) + i * t->entry_bytes;
  guint lane = i % t->tiling.batch;
  SegTile tile;
  SegGrid grid = seg_decode_grid_of (&pipe->map.plan, &outputs[0], lane);
  guint n_scores =
      pipe->map.plan.scores == SEG_SCORES_INDEX ? 1 : pipe->map.plan.n_classes;
  /* The last round may have places for more tiles than there are: they repeat one, for nobody. */
  seg_tiling_tile (&t->tiling, &pipe->placement, pipe->config.width, pipe->config.height,
      &grid, n_scores, &pipe->map.map_size, MIN (i, t->tiling.n - 1), &tile);
  t->mirror = t->mirror || tile.geometry.mirror;
  return seg_preprocess_fill ((SegPreprocessBlock *) entry, &pipe->source, &tile.geometry,
             &pipe->info->normalize, input, lane, error)
         && pipe->decoder->entry (
             pipe, outputs, lane, i < t->tiling.n ? &tile : NULL, entry, error);
}

gboolean
seg_pipe_fill_tiles (
    SegPipe *pipe, const SegBound *input, const SegBound *outputs, GError **error)
{
  const SegTiling *t = &pipe->tiles.tiling;
  pipe->tiles.mirror = FALSE;
  for (guint i = 0; i < t->rounds * t->batch; i++)
    if (!fill_entry (pipe, input, outputs, i, error))
      return FALSE;
  return TRUE;
}

gboolean
seg_pipe_record_next (SegPipe *pipe, SegCmd *cmd, GError **error)
{
  const SegPipeTiles *t = &pipe->tiles;
  guint32 push[2] = { (guint32) t->current.n_bytes / 16, t->tiling.rounds };
  SegBufferView views[3] = {
    { t->table, 0, seg_buffer_bytes (t->table), SEG_VIEW_STORAGE_READ },
    seg_piece_view (&t->state, SEG_VIEW_STORAGE_READ_WRITE),
    seg_piece_view (&t->current, SEG_VIEW_STORAGE_WRITE),
  };
  SegVkDispatch d = {
    .shader = &seg_shader_tile_next,
    .views = views,
    .n_views = 3,
    .push = push,
    .n_push = 2,
    .groups = { 1, 1, 1 },
    .label = "tile_next",
  };
  return seg_cmd_dispatch (cmd, &d, error);
}
