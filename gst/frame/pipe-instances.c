/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame/instancedraw.h"
#include "frame/pipe-priv.h"

#include <string.h>

typedef struct {
  SegInstancePlan plan;
  SegInstanceMemory memory;
  SegDrawingMemory drawn;
  SegDrawing drawing;
  SegDecodeMemory maps; /* map, matte, counts and zeros of it */
  SegInstanceLimits *limits;
  SegStyleBlock *style; /* of the shaders that draw maps: value 0 is no instance */
  SegBufferView limits_view, style_view, decode_view;
  int records, masks; /* downloads; -1: none */
  gboolean map_is_made;

  SegInstance *items;
  SegInstances result;
  guint32 areas[256];
} State;

static gboolean
make_plan (SegInstancePlan *plan, const SegGraph *graph, const SegModelInfo *info,
    GError **error)
{
  gboolean masks = info->decoder == SEG_DECODER_YOLO_SEG;
  if (info->n_outputs < 1u + masks) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED,
        "decoder yolo-seg takes two outputs, detections and prototypes, and there is "
        "one");
    return FALSE;
  }
  const SegValue *detections = graph->outputs->pdata[info->outputs[0]];
  const SegValue *prototypes = masks ? graph->outputs->pdata[info->outputs[1]] : NULL;
  if (seg_instance_plan_init (
          plan, info, &detections->desc, masks ? &prototypes->desc : NULL, error))
    return TRUE;
  g_prefix_error (error, "decoder %s: ", seg_decoder_name (info->decoder));
  return FALSE;
}

static gboolean
yolo_check (const SegGraph *graph, const SegModelInfo *info, GError **error)
{
  SegInstancePlan plan;
  return make_plan (&plan, graph, info, error);
}

static void
add_piece (SegPipeMemory *memory, SegPiece *piece)
{
  memory->pieces[memory->n_pieces++] = piece;
}

static int
add_download (SegPipeMemory *memory, SegPiece *piece)
{
  memory->downloads[memory->n_downloads] = piece;
  return (int) memory->n_downloads++;
}

static gboolean
yolo_plan (SegPipe *pipe, SegPipeMemory *memory, GError **error)
{
  State *s = pipe->decoder_state = g_new0 (State, 1);
  SegOutputKind output = pipe->config.output;
  if (!make_plan (&s->plan, seg_session_graph (pipe->session), pipe->info, error))
    return FALSE;
  if (seg_vk_info (pipe->vk)->type == SEG_DEVICE_CPU)
    s->plan.n_workers = 1024;
  SegInstanceMemory *m = &s->memory;
  SegDrawingMemory *d = &s->drawn;
  seg_instance_sizes (m, &s->plan);
  seg_drawing_sizes (d, pipe->frame.width, pipe->frame.height);
  s->maps.counts.n_bytes = 256 * sizeof (guint32);
  SegPiece *pieces[] = { &m->keys, &m->candidates, &m->boxes, &m->sorted, &m->overlaps,
    &m->records, &m->masks, &d->map, &d->matte, &d->ink, &d->draws, &d->colors,
    &s->maps.counts };
  for (guint i = 0; i < G_N_ELEMENTS (pieces); i++)
    add_piece (memory, pieces[i]);
  memory->result = output == SEG_OUTPUT_LABELS  ? &d->map
                   : output == SEG_OUTPUT_MATTE ? &d->matte
                   : output == SEG_OUTPUT_META  ? &d->draws /* nobody asks for it */
                                                : NULL;
  add_download (memory, &s->maps.counts);
  s->records = add_download (memory, &m->records);
  s->masks = pipe->config.masks && s->plan.n_coefficients > 0
                 ? add_download (memory, &m->masks)
                 : -1;
  s->items = g_new (SegInstance, s->plan.max_instances);
  return TRUE;
}

static gboolean
prepare_drawing (SegPipe *pipe, State *s, GError **error)
{
  guint n = s->plan.n_classes;
  g_autofree char (*buffers)[32] = g_malloc (sizeof (char[32]) * n);
  g_autofree const char **texts = g_new (const char *, n);
  for (guint c = 0; c < n; c++)
    texts[c] = seg_model_info_label (pipe->info, c, buffers[c]);
  gboolean overlay = pipe->config.output == SEG_OUTPUT_OVERLAY;
  return seg_drawing_init (&s->drawing, pipe->vk, &pipe->params, &pipe->frame,
      overlay ? texts : NULL, n, error);
}

static void yolo_set_style (SegPipe *pipe, const SegStyle *style);

static gboolean
yolo_prepare (SegPipe *pipe, GError **error)
{
  State *s = pipe->decoder_state;
  SegParams *p = &pipe->params;
  SegBufferView zeros;
  s->limits =
      seg_params_add (p, sizeof *s->limits, SEG_VIEW_UNIFORM, &s->limits_view, error);
  if (s->limits == NULL)
    return FALSE;
  s->style =
      seg_params_add (p, sizeof *s->style, SEG_VIEW_UNIFORM, &s->style_view, error);
  if (s->style == NULL
      || seg_params_add (p, s->maps.counts.n_bytes, SEG_VIEW_STORAGE_READ, &zeros, error)
             == NULL
      || !seg_decode_frame_view (
          p, pipe->frame.width, pipe->frame.height, &s->decode_view, error)
      || !prepare_drawing (pipe, s, error))
    return FALSE;
  s->maps.zeros = (SegPiece){ zeros.buffer, zeros.offset, zeros.n_bytes };
  s->maps.map = s->drawn.map;
  s->maps.matte = s->drawn.matte;
  yolo_set_style (pipe, &seg_style_default);
  return TRUE;
}

/* --- style ------------------------------------------------------------------------------------- */

static void
keep_classes (const SegPipe *pipe, State *s, const SegStyle *style)
{
  const SegModelInfo *info = pipe->info;
  guint32 all = ~0u, *keep = s->limits->keep;
  for (guint i = 0; i < G_N_ELEMENTS (style->keep); i++)
    all &= style->keep[i];
  memset (keep, all == ~0u ? 0xff : 0, sizeof s->limits->keep);
  memcpy (keep, style->keep, sizeof style->keep);
  gboolean matte =
      pipe->config.output == SEG_OUTPUT_MATTE || pipe->config.output == SEG_OUTPUT_CUTOUT;
  if (matte && info->foreground->len > 0) {
    guint32 set[SEG_INFO_MAX_LABELS / 32] = { 0 };
    for (guint i = 0; i < info->foreground->len; i++) {
      guint c = g_array_index (info->foreground, guint, i) % SEG_INFO_MAX_LABELS;
      set[c / 32] |= 1u << c % 32;
    }
    for (guint i = 0; i < G_N_ELEMENTS (set); i++)
      keep[i] &= set[i];
  }
  if (info->background >= 0 && info->background < SEG_INFO_MAX_LABELS)
    keep[info->background / 32] &= ~(1u << info->background % 32);
}

static float
or_else (double value, double fallback)
{
  return (float) (value < 0.0 ? fallback : value);
}

static void
yolo_set_style (SegPipe *pipe, const SegStyle *style)
{
  State *s = pipe->decoder_state;
  const SegModelInfo *info = pipe->info;
  gboolean by_instance = style->color_by == SEG_COLOR_BY_AUTO
                             ? s->plan.n_classes == 1
                             : style->color_by == SEG_COLOR_BY_INSTANCE;
  keep_classes (pipe, s, style);
  s->limits->threshold = or_else (style->threshold, info->threshold);
  s->limits->iou_threshold = or_else (style->iou_threshold, info->iou_threshold);
  s->limits->max_instances = (gint32) s->plan.max_instances;
  s->drawing.values->mask_threshold =
      or_else (style->mask_threshold, info->mask_threshold);
  s->drawing.values->choice[0] = pipe->config.output != SEG_OUTPUT_LABELS ? 0
                                 : info->background >= 0 ? info->background
                                                         : 255;
  memset (s->style->keep, 0xff, sizeof s->style->keep);
  seg_drawing_set_colors (&s->drawing, &pipe->frame, &info->palette,
      style->draw & SEG_DRAW_MASKS ? style->alpha : 0.0, by_instance);
  pipe->draw = style->draw;
}

/* --- frames -------------------------------------------------------------------------------------- */

static gboolean
yolo_record (SegPipe *pipe, SegCmd *cmd, const SegBound *outputs, GError **error)
{
  State *s = pipe->decoder_state;
  return seg_instances_record (cmd, &pipe->params, &s->plan, &pipe->geometry, &outputs[0],
      s->plan.n_coefficients > 0 ? &outputs[1] : NULL, &s->memory, &s->limits_view,
      error);
}

static gboolean
instances_draw (SegPipe *pipe, SegCmd *cmd, GError **error)
{
  State *s = pipe->decoder_state;
  SegOutputKind output = pipe->config.output;
  gboolean overlay = output == SEG_OUTPUT_OVERLAY, ok = TRUE;
  SegDrawingParts parts = {
    .classes = output == SEG_OUTPUT_LABELS,
    .masks = !overlay || (pipe->draw & (SEG_DRAW_MASKS | SEG_DRAW_CONTOURS)) != 0,
    .boxes = overlay && (pipe->draw & SEG_DRAW_BOXES) != 0,
    .labels = overlay && (pipe->draw & SEG_DRAW_LABELS) != 0,
    .filled = !overlay,
    .nearest = pipe->config.nearest,
  };
  SegComposeInput input = {
    .memory = &s->maps,
    .decode = s->decode_view,
    .style = s->style_view,
    .colors = seg_piece_view (&s->drawn.colors, SEG_VIEW_TEXEL_U8X4),
    .contours = (pipe->draw & SEG_DRAW_CONTOURS) != 0,
    .ink = parts.boxes || parts.labels ? &s->drawn.ink : NULL,
  };
  if (output == SEG_OUTPUT_META)
    return TRUE;
  s->map_is_made = parts.masks && (parts.filled || s->plan.n_coefficients > 0);
  if (!seg_drawing_record (cmd, &s->drawing, &s->drawn, &s->memory, &parts, error)
      || !seg_count_record (
          cmd, &s->maps, &s->decode_view, pipe->frame.width, pipe->frame.height, error))
    return FALSE;
  if (overlay)
    ok = seg_compose_record (cmd, &pipe->params, &input, &pipe->source,
        pipe->drawn.buffer, pipe->drawn.offset, error);
  else if (output == SEG_OUTPUT_CUTOUT)
    ok = seg_cutout_record (
        cmd, &input, &pipe->source, &pipe->result, &pipe->drawn, error);
  return ok;
}

static int
instances_class_of_value (const SegPipe *pipe, guint v)
{
  const State *s = pipe->decoder_state;
  return v < MIN (s->plan.n_classes, 255) ? (int) v : -1;
}

static const SegInstances *
instances_list (SegPipe *pipe)
{
  State *s = pipe->decoder_state;
  s->result.n = seg_instances_read (
      seg_pipe_download (pipe, (guint) s->records), s->items, s->plan.max_instances);
  s->result.items = s->items;
  s->result.masks = s->masks >= 0 ? seg_pipe_download (pipe, (guint) s->masks) : NULL;
  return &s->result;
}

/* Of each class the pixels of its instances in the map; where there is none, of their boxes. */
static const guint32 *
instances_areas (const SegPipe *pipe)
{
  State *s = pipe->decoder_state;
  const guint32 *counts = seg_pipe_download (pipe, 0);
  if (pipe->config.output == SEG_OUTPUT_LABELS)
    return counts;
  const SegInstances *list = instances_list ((SegPipe *) pipe);
  memset (s->areas, 0, sizeof s->areas);
  for (guint i = 0; i < list->n; i++) {
    const SegInstance *item = &list->items[i];
    guint32 box = (guint32) (item->width * item->height);
    guint32 n = !s->map_is_made ? box : i < SEG_MAX_DRAWN ? counts[i + 1] : 0;
    s->areas[MIN (item->class_id, 255)] += n;
  }
  return s->areas;
}

static void
instances_clear (SegPipe *pipe)
{
  State *s = pipe->decoder_state;
  if (s == NULL)
    return;
  seg_drawing_clear (&s->drawing);
  g_free (s->items);
  g_free (s);
  pipe->decoder_state = NULL;
}

const SegPipeDecoder seg_pipe_yolo = {
  .check = yolo_check,
  .plan = yolo_plan,
  .prepare = yolo_prepare,
  .set_style = yolo_set_style,
  .record = yolo_record,
  .draw = instances_draw,
  .class_of_value = instances_class_of_value,
  .areas = instances_areas,
  .instances = instances_list,
  .clear = instances_clear,
};
