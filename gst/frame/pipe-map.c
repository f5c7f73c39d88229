/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame/mattedraw.h"
#include "frame/pipe-priv.h"

#include <string.h>

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
  SegDecodePlan *plan = &pipe->map.plan;
  gboolean one = info->decoder == SEG_DECODER_MATTE
                 || (info->decoder == SEG_DECODER_SIGMOID && info->n_classes == 1);
  gboolean matte = seg_output_wants_matte (pipe->config.output);
  gboolean odds = info->decoder == SEG_DECODER_SOFTMAX || matte;
  plan->kind = one ? SEG_DECODE_VALUE : odds ? SEG_DECODE_ODDS : SEG_DECODE_CLASSES;
  plan->scores = info->decoder == SEG_DECODER_INDEX          ? SEG_SCORES_INDEX
                 : info->decoder == SEG_DECODER_MATTE        ? SEG_SCORES_PROBABILITY
                 : info->decoder == SEG_DECODER_SIGMOID      ? SEG_SCORES_SIGMOID
                 : ends_in_softmax (graph, info->outputs[0]) ? SEG_SCORES_PROBABILITY
                                                             : SEG_SCORES_SOFTMAX;
  plan->class_axis = info->class_axis;
  guint height_axis, width_axis;
  seg_placement_axes (graph, info, &height_axis, &width_axis);
  plan->height_axis = (int) height_axis;
  plan->width_axis = (int) width_axis;
  plan->n_classes = one ? 1 : info->n_classes == 0 ? SEG_MAX_CLASSES : info->n_classes;
  plan->nearest = pipe->config.nearest || pipe->config.own_pixels;
  plan->cut = pipe->config.output == SEG_OUTPUT_OVERLAY;
  plan->guided = pipe->config.guided && plan->kind != SEG_DECODE_CLASSES && !plan->nearest
                 && !pipe->config.tile && seg_guide_can (&pipe->geometry);
  plan->smooth = matte && pipe->config.smoothing > 0.0 && !pipe->config.tile;
  plan->n_workers = seg_vk_info (pipe->vk)->type == SEG_DEVICE_CPU ? 1024 : 16384;
}

static gboolean
map_check (const SegGraph *graph, const SegModelInfo *info, GError **error)
{
  SegPlacement placement;
  return seg_placement_find (&placement, graph, info, error);
}

/* How many numbers a pixel of the output has. */
static guint
n_scores (const SegDecodePlan *plan)
{
  return plan->scores == SEG_SCORES_INDEX ? 1 : plan->n_classes;
}

static gboolean
plan_tiles (SegPipe *pipe, guint *grid_width, guint *grid_height, GError **error)
{
  const SegTiling *t = &pipe->tiles.tiling;
  SegPipeMap *map = &pipe->map;
  if (!seg_pipe_plan_tiles (pipe, n_scores (&map->plan), error))
    return FALSE;
  if (!t->merges)
    return TRUE;
  *grid_width = t->x.grid + t->x.halo;
  *grid_height = t->y.grid + t->y.halo;
  seg_tiling_sizes (t, &map->merge);
  return TRUE;
}

static void
list_pieces (SegPipe *pipe, SegPipeMemory *memory)
{
  SegDecodeMemory *m = &pipe->map.memory;
  SegMergeMemory *merge = &pipe->map.merge;
  SegGuide *guide = &pipe->map.guide;
  SegOutputKind output = pipe->config.output;
  SegPiece *pieces[] = { &m->labels, &m->cells, &m->numbers, &m->map, &m->matte,
    &m->before, &m->counts, &m->list, &merge->merged, &merge->below, &merge->beside,
    &guide->picture, &guide->lines };
  memory->n_pieces = 0;
  for (guint i = 0; i < G_N_ELEMENTS (pieces); i++)
    if (pieces[i]->n_bytes > 0)
      seg_pipe_add_piece (memory, pieces[i]);
  gboolean map = output == SEG_OUTPUT_META && pipe->map.plan.kind == SEG_DECODE_CLASSES;
  memory->result = output == SEG_OUTPUT_LABELS || map                        ? &m->map
                   : output == SEG_OUTPUT_MATTE || output == SEG_OUTPUT_META ? &m->matte
                                                                             : NULL;
  memory->downloads[0] = &m->counts;
  memory->n_downloads = 1;
}

static gboolean
map_plan (SegPipe *pipe, SegPipeMemory *memory, GError **error)
{
  const SegGraph *graph = seg_session_graph (pipe->session);
  const SegValue *scores = graph->outputs->pdata[pipe->info->outputs[0]];
  SegPipeMap *map = &pipe->map;
  const SegGeometry *g = &pipe->geometry;
  guint grid_width, grid_height;
  plan_decoding (pipe);
  seg_decode_grid (&map->plan, &scores->desc, &grid_width, &grid_height);
  if (pipe->config.tile && !plan_tiles (pipe, &grid_width, &grid_height, error))
    return FALSE;
  map->map_size = (SegMapSize){ pipe->config.width, pipe->config.height, 1.0, 1.0 };
  if (pipe->config.own_pixels)
    map->map_size = (SegMapSize){ pipe->result.width, pipe->result.height,
      g->cover_x.jump / g->scale_x, g->cover_y.jump / g->scale_y };
  seg_decode_sizes (
      &map->memory, map->map_size.width, map->map_size.height, grid_width, grid_height);
  if (map->plan.smooth)
    map->memory.before.n_bytes = map->memory.numbers.n_bytes;
  if (map->plan.guided)
    seg_guide_plan (&map->guide, grid_width, grid_height);
  list_pieces (pipe, memory);
  return TRUE;
}

static gboolean
prepare_params (SegPipe *pipe, GError **error)
{
  SegPipeMap *map = &pipe->map;
  SegBufferView zeros;
  SegParams *p = &pipe->params;
  map->style =
      seg_params_add (p, sizeof *map->style, SEG_VIEW_UNIFORM, &map->style_view, error);
  if (map->style == NULL)
    return FALSE;
  map->colors = seg_params_add (
      p, sizeof *map->colors, SEG_VIEW_TEXEL_U8X4, &map->colors_view, error);
  if (map->colors == NULL)
    return FALSE;
  if (seg_params_add (p, map->memory.counts.n_bytes, SEG_VIEW_STORAGE_READ, &zeros, error)
      == NULL)
    return FALSE;
  map->memory.zeros = (SegPiece){ zeros.buffer, zeros.offset, zeros.n_bytes };
  return TRUE;
}

/* With the label of each value of the class map. */
static gboolean
map_prepare (SegPipe *pipe, GError **error)
{
  char buffers[256][32];
  const char *texts[256];
  guint n = pipe->map.plan.kind == SEG_DECODE_CLASSES ? pipe->map.plan.n_classes : 2;
  if (!prepare_params (pipe, error))
    return FALSE;
  seg_pipe_map_set_style (pipe, &seg_style_default);
  if (pipe->config.output != SEG_OUTPUT_OVERLAY)
    return TRUE;
  for (guint v = 0; v < n; v++) {
    int c = seg_pipe_map_class_of_value (pipe, v);
    texts[v] = c < 0 ? NULL : seg_model_info_label (pipe->info, (guint) c, buffers[v]);
  }
  return seg_legend_init (&pipe->map.legend, pipe->vk, &pipe->params, texts, n,
      pipe->config.width, pipe->config.height, error);
}

static gboolean
map_start (SegPipe *pipe, GError **error)
{
  SegPipeMap *map = &pipe->map;
  const SegGrid none = { 1, 1 };
  map->frame_block = seg_params_add (&pipe->params, sizeof *map->frame_block,
      SEG_VIEW_UNIFORM, &map->decode_view, error);
  if (map->frame_block == NULL)
    return FALSE;
  seg_decode_fill (
      map->frame_block, &map->plan, &pipe->geometry, &none, &map->map_size, NULL);
  return TRUE;
}

static gboolean
map_finish (SegPipe *pipe, SegCmd *cmd, GError **error)
{
  const SegPipeMap *map = &pipe->map;
  if (map->late)
    return TRUE;
  return seg_count_record (cmd, &map->memory, &map->decode_view, map->map_size.width,
      map->map_size.height, error);
}

static gboolean
map_entry (SegPipe *pipe, const SegBound *outputs, guint lane, const SegTile *tile,
    guint8 *entry, GError **error)
{
  SegPipeMap *map = &pipe->map;
  SegDecodeBlock *decode = (SegDecodeBlock *) (entry + pipe->tiles.decode_at);
  if (tile == NULL) { /* decides nothing */
    decode->region[2] = decode->region[3] = 0;
    decode->grid[1] = 0;
    return TRUE;
  }
  seg_decode_fill (
      decode, &map->plan, &tile->geometry, &tile->grid, &map->map_size, &tile->region);
  *(SegMergeBlock *) (entry + pipe->tiles.merge_at) = tile->merge;
  return TRUE;
}

/* The scores of a tile as they are decoded, and its largest grid and part of the map. */
static gboolean
record_tile (
    SegPipe *pipe, SegCmd *cmd, const SegBound *output, guint lane, GError **error)
{
  SegPipeMap *map = &pipe->map;
  const SegPipeTiles *tiles = &pipe->tiles;
  SegDecodeJob job = {
    .plan = &map->plan, .memory = &map->memory, .style = map->style_view
  };
  job.decode = seg_pipe_tile_view (pipe, lane, tiles->decode_at, sizeof (SegDecodeBlock));
  const guint8 *table = seg_buffer_map (tiles->table);
  for (guint i = lane; i < tiles->tiling.n; i += tiles->tiling.batch) {
    SegDecodeJob one = job;
    seg_decode_job_init (&one,
        (const SegDecodeBlock *) (table + i * tiles->entry_bytes + tiles->decode_at));
    one.whole = one.whole && (i == lane || job.whole);
    one.grid_groups = MAX (one.grid_groups, job.grid_groups);
    one.map_groups = MAX (one.map_groups, job.map_groups);
    one.matte_groups = MAX (one.matte_groups, job.matte_groups);
    job = one;
  }
  seg_decode_job_scores (&job, output);
  if (tiles->tiling.merges) {
    SegBufferView block =
        seg_pipe_tile_view (pipe, lane, tiles->merge_at, sizeof (SegMergeBlock));
    if (!seg_merge_record (cmd, &tiles->tiling, &map->merge, &job.scores, &block, error))
      return FALSE;
    job.scores = seg_piece_view (&map->merge.merged, SEG_VIEW_TEXEL_F32X4);
    job.storage = SEG_STORAGE_F32;
  }
  return seg_decode_record_scores (cmd, &job, error);
}

static gboolean
record_one (SegPipe *pipe, SegCmd *cmd, const SegBound *output, GError **error)
{
  SegPipeMap *map = &pipe->map;
  SegDecodeJob *job = &map->job;
  *job = (SegDecodeJob){ .plan = &map->plan,
    .memory = &map->memory,
    .style = map->style_view,
    .decode = map->decode_view,
    .on_cpu = seg_vk_info (pipe->vk)->type == SEG_DEVICE_CPU };
  SegGrid grid = seg_decode_grid_of (&map->plan, output, 0);
  seg_decode_fill (
      map->frame_block, &map->plan, &pipe->geometry, &grid, &map->map_size, NULL);
  seg_decode_job_init (job, map->frame_block);
  seg_decode_job_scores (job, output);
  map->late = map->plan.guided
              || (pipe->config.output == SEG_OUTPUT_OVERLAY
                  && map->plan.kind != SEG_DECODE_CLASSES
                  && seg_matte_draw_can (map->frame_block, &pipe->frame));
  return map->late ? seg_decode_record_numbers (cmd, job, error)
                   : seg_decode_record_scores (cmd, job, error);
}

static gboolean
map_record (SegPipe *pipe, SegCmd *cmd, const SegBound *outputs, GError **error)
{
  if (!seg_decode_check (&pipe->map.plan, outputs[0].storage, error))
    return FALSE;
  if (!pipe->tiles.active)
    return record_one (pipe, cmd, &outputs[0], error);
  for (guint lane = 0; lane < pipe->tiles.tiling.batch; lane++)
    if (!record_tile (pipe, cmd, &outputs[0], lane, error))
      return FALSE;
  return TRUE;
}

/* Of the frame that it is about. */
static gboolean
record_late_matte (SegPipe *pipe, SegCmd *cmd, GError **error)
{
  const SegPipeMap *map = &pipe->map;
  return (map->plan.guided ? seg_guide_record (
              cmd, &map->guide, &map->job, map->frame_block, &pipe->source, error)
                           : seg_decode_record_matte (cmd, &map->job, error))
         && seg_count_record (cmd, &map->memory, &map->decode_view, map->map_size.width,
             map->map_size.height, error);
}

/* Without outlines a matte that only has to be interpolated need not be there. */
static gboolean
draw_overlay (SegPipe *pipe, SegCmd *cmd, const SegComposeInput *input, GError **error)
{
  const SegPipeMap *map = &pipe->map;
  if (map->late && !map->plan.guided && !input->contours)
    return seg_matte_draw_record (cmd, &pipe->params, input, &map->job, map->frame_block,
        &pipe->source, &pipe->drawn, error);
  if (map->late && !record_late_matte (pipe, cmd, error))
    return FALSE;
  return seg_compose_record (cmd, &pipe->params, input, &pipe->source, pipe->drawn.buffer,
      pipe->drawn.offset, error);
}

static gboolean
map_draw (SegPipe *pipe, SegCmd *cmd, GError **error)
{
  SegPipeMap *map = &pipe->map;
  SegComposeInput input = {
    .memory = &map->memory,
    .decode = map->decode_view,
    .style = map->style_view,
    .colors = map->colors_view,
    .soft = map->plan.kind != SEG_DECODE_CLASSES,
    .contours = (pipe->draw & SEG_DRAW_CONTOURS) != 0,
    .legend = pipe->draw & SEG_DRAW_LEGEND ? &map->legend : NULL,
  };
  if (pipe->config.output == SEG_OUTPUT_OVERLAY)
    return draw_overlay (pipe, cmd, &input, error);
  if (map->late && !record_late_matte (pipe, cmd, error))
    return FALSE;
  if (pipe->config.output == SEG_OUTPUT_CUTOUT)
    return seg_cutout_record (
        cmd, &input, &pipe->source, &pipe->result, &pipe->drawn, error);
  if (pipe->config.output == SEG_OUTPUT_BACKGROUND)
    return seg_backdrop_record (
        cmd, &pipe->params, &pipe->backdrop, &input, &pipe->source, &pipe->drawn, error);
  return TRUE;
}

static const guint32 *
map_areas (const SegPipe *pipe)
{
  return seg_pipe_download (pipe, 0);
}

static void
map_clear (SegPipe *pipe)
{
  seg_legend_clear (&pipe->map.legend);
}

const SegPipeDecoder seg_pipe_map = {
  .check = map_check,
  .plan = map_plan,
  .prepare = map_prepare,
  .set_style = seg_pipe_map_set_style,
  .start = map_start,
  .finish = map_finish,
  .record = map_record,
  .entry = map_entry,
  .draw = map_draw,
  .class_of_value = seg_pipe_map_class_of_value,
  .areas = map_areas,
  .clear = map_clear,
};
