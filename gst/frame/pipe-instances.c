/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame/pipe-instances.h"

#include <string.h>

/* --- memory -------------------------------------------------------------------------------------- */

static int
add_download (SegPipeMemory *memory, SegPiece *piece)
{
  g_assert (memory->n_downloads < SEG_PIPE_MAX_DOWNLOADS);
  memory->downloads[memory->n_downloads] = piece;
  return (int) memory->n_downloads++;
}

void
seg_pipe_plan_instances (SegPipe *pipe, SegPipeInstances *s, SegPipeMemory *memory)
{
  SegOutputKind output = pipe->config.output;
  SegDrawingMemory *d = &s->drawn;
  seg_drawing_sizes (d, pipe->frame.width, pipe->frame.height);
  s->maps.counts.n_bytes = 256 * sizeof (guint32);
  SegPiece *pieces[] = { &s->records, &s->masks, &d->map, &d->matte, &d->ink, &d->draws,
    &d->colors, &d->tiles, &s->maps.counts };
  for (guint i = 0; i < G_N_ELEMENTS (pieces); i++)
    seg_pipe_add_piece (memory, pieces[i]);
  memory->result = output == SEG_OUTPUT_LABELS  ? &d->map
                   : output == SEG_OUTPUT_MATTE ? &d->matte
                   : output == SEG_OUTPUT_META  ? &d->draws /* nobody asks for it */
                                                : NULL;
  add_download (memory, &s->maps.counts);
  s->records_download = add_download (memory, &s->records);
  s->masks_download =
      pipe->config.masks && s->has_masks ? add_download (memory, &s->masks) : -1;
  s->items = g_new (SegInstance, s->max_instances);
}

static gboolean
prepare_drawing (SegPipe *pipe, SegPipeInstances *s, GError **error)
{
  guint n = s->n_classes;
  g_autofree char (*buffers)[32] = g_malloc (sizeof (char[32]) * n);
  g_autofree const char **texts = g_new (const char *, n);
  for (guint c = 0; c < n; c++)
    texts[c] = seg_model_info_label (pipe->info, c, buffers[c]);
  gboolean overlay = pipe->config.output == SEG_OUTPUT_OVERLAY;
  return seg_drawing_init (&s->drawing, pipe->vk, &pipe->params, &pipe->frame,
      overlay ? texts : NULL, n, error);
}

gboolean
seg_pipe_prepare_instances (SegPipe *pipe, SegPipeInstances *s, GError **error)
{
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
  seg_pipe_instances_set_style (pipe, &seg_style_default);
  return TRUE;
}

void
seg_pipe_clear_instances (SegPipeInstances *s)
{
  seg_drawing_clear (&s->drawing);
  g_clear_pointer (&s->items, g_free);
}

/* --- style ------------------------------------------------------------------------------------- */

static void
keep_classes (const SegPipe *pipe, SegPipeInstances *s, const SegStyle *style)
{
  const SegModelInfo *info = pipe->info;
  guint32 all = ~0u, *keep = s->limits->keep;
  for (guint i = 0; i < G_N_ELEMENTS (style->keep); i++)
    all &= style->keep[i];
  memset (keep, all == ~0u ? 0xff : 0, sizeof s->limits->keep);
  memcpy (keep, style->keep, sizeof style->keep);
  if (seg_output_wants_matte (pipe->config.output) && info->foreground->len > 0) {
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

void
seg_pipe_instances_set_style (SegPipe *pipe, const SegStyle *style)
{
  SegPipeInstances *s = pipe->decoder_state;
  const SegModelInfo *info = pipe->info;
  gboolean by_instance = style->color_by == SEG_COLOR_BY_AUTO
                             ? s->n_classes == 1
                             : style->color_by == SEG_COLOR_BY_INSTANCE;
  keep_classes (pipe, s, style);
  s->limits->threshold = or_else (style->threshold, info->threshold);
  s->limits->iou_threshold = or_else (style->iou_threshold, info->iou_threshold);
  s->limits->max_instances = (gint32) s->max_instances;
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

gboolean
seg_pipe_instances_draw (SegPipe *pipe, SegCmd *cmd, GError **error)
{
  SegPipeInstances *s = pipe->decoder_state;
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
  s->map_is_made = parts.masks && (parts.filled || s->has_masks);
  if (!seg_drawing_record (
          cmd, &s->drawing, &s->drawn, &s->records, &s->masks, &parts, error)
      || !seg_count_record (
          cmd, &s->maps, &s->decode_view, pipe->frame.width, pipe->frame.height, error))
    return FALSE;
  if (overlay)
    ok = seg_compose_record (cmd, &pipe->params, &input, &pipe->source,
        pipe->drawn.buffer, pipe->drawn.offset, error);
  else if (output == SEG_OUTPUT_CUTOUT)
    ok = seg_cutout_record (
        cmd, &input, &pipe->source, &pipe->result, &pipe->drawn, error);
  else if (output == SEG_OUTPUT_BACKGROUND)
    ok = seg_backdrop_record (
        cmd, &pipe->params, &pipe->backdrop, &input, &pipe->source, &pipe->drawn, error);
  return ok;
}

int
seg_pipe_instances_class_of_value (const SegPipe *pipe, guint v)
{
  const SegPipeInstances *s = pipe->decoder_state;
  return v < MIN (s->n_classes, 255) ? (int) v : -1;
}

const SegInstances *
seg_pipe_instances_list (SegPipe *pipe)
{
  SegPipeInstances *s = pipe->decoder_state;
  s->result.n = seg_instances_read (
      seg_pipe_download (pipe, (guint) s->records_download), s->items, s->max_instances);
  s->result.items = s->items;
  s->result.masks =
      s->masks_download >= 0 ? seg_pipe_download (pipe, (guint) s->masks_download) : NULL;
  return &s->result;
}

/* Of each class the pixels of its instances in the map; where there is none, of their boxes. */
const guint32 *
seg_pipe_instances_areas (const SegPipe *pipe)
{
  SegPipeInstances *s = pipe->decoder_state;
  const guint32 *counts = seg_pipe_download (pipe, 0);
  if (pipe->config.output == SEG_OUTPUT_LABELS)
    return counts;
  const SegInstances *list = seg_pipe_instances_list ((SegPipe *) pipe);
  memset (s->areas, 0, sizeof s->areas);
  for (guint i = 0; i < list->n; i++) {
    const SegInstance *item = &list->items[i];
    guint32 box = (guint32) (item->width * item->height);
    guint32 n = !s->map_is_made ? box : i < SEG_MAX_DRAWN ? counts[i + 1] : 0;
    s->areas[MIN (item->class_id, 255)] += n;
  }
  return s->areas;
}
