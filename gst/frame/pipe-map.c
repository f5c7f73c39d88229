/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame/pipe-priv.h"

#include <string.h>

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
  SegDecodePlan *plan = &pipe->map.plan;
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
  plan->n_workers = seg_vk_info (pipe->vk)->type == SEG_DEVICE_CPU ? 1024 : 16384;
}

static gboolean
map_plan (SegPipe *pipe, SegPipeMemory *memory, GError **error)
{
  const SegGraph *graph = seg_session_graph (pipe->session);
  const SegValue *scores = graph->outputs->pdata[pipe->info->outputs[0]];
  SegDecodeMemory *m = &pipe->map.memory;
  SegOutputKind output = pipe->config.output;
  guint grid_width, grid_height;
  plan_decoding (pipe);
  seg_decode_grid (&pipe->map.plan, &scores->desc, &grid_width, &grid_height);
  seg_decode_sizes (m, pipe->frame.width, pipe->frame.height, grid_width, grid_height);
  SegPiece *pieces[] = { &m->labels, &m->cells, &m->numbers, &m->map, &m->matte,
    &m->counts, &m->list };
  memcpy (memory->pieces, pieces, sizeof pieces);
  memory->n_pieces = G_N_ELEMENTS (pieces);
  gboolean map = output == SEG_OUTPUT_META && pipe->map.plan.kind == SEG_DECODE_CLASSES;
  memory->result = output == SEG_OUTPUT_LABELS || map                        ? &m->map
                   : output == SEG_OUTPUT_MATTE || output == SEG_OUTPUT_META ? &m->matte
                                                                             : NULL;
  memory->downloads[0] = &m->counts;
  memory->n_downloads = 1;
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
map_record (SegPipe *pipe, SegCmd *cmd, const SegBound *outputs, GError **error)
{
  SegPipeMap *map = &pipe->map;
  return seg_decode_record (cmd, &pipe->params, &map->plan, &pipe->geometry, &outputs[0],
      &map->memory, &map->style_view, &map->decode_view, error);
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
    return seg_compose_record (cmd, &pipe->params, &input, &pipe->source,
        pipe->drawn.buffer, pipe->drawn.offset, error);
  if (pipe->config.output == SEG_OUTPUT_CUTOUT)
    return seg_cutout_record (
        cmd, &input, &pipe->source, &pipe->result, &pipe->drawn, error);
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
  .plan = map_plan,
  .prepare = map_prepare,
  .set_style = seg_pipe_map_set_style,
  .record = map_record,
  .draw = map_draw,
  .class_of_value = seg_pipe_map_class_of_value,
  .areas = map_areas,
  .clear = map_clear,
};
