/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame/pipe-priv.h"

#include <string.h>

const SegStyle seg_style_default = {
  .alpha = 0.5,
  .threshold = -1.0,
  .mask_threshold = -1.0,
  .iou_threshold = -1.0,
  .draw = SEG_DRAW_MASKS | SEG_DRAW_LEGEND | SEG_DRAW_BOXES | SEG_DRAW_LABELS,
  .keep = { ~0u, ~0u, ~0u, ~0u, ~0u, ~0u, ~0u, ~0u },
};

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
      && pipe->map.plan.n_classes == 2)
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
seg_pipe_map_class_of_value (const SegPipe *pipe, guint v)
{
  if (pipe->map.plan.kind == SEG_DECODE_CLASSES)
    return v < pipe->map.plan.n_classes ? (int) v : -1;
  if (v != 1)
    return -1;
  if (pipe->map.plan.kind == SEG_DECODE_VALUE)
    return pipe->info->background == 0 ? 1 : 0;
  for (guint c = 0; c < pipe->map.plan.n_classes; c++)
    if ((int) c != pipe->info->background && is_kept (pipe->map.style, c))
      return (int) c;
  return -1;
}

static void
set_colors (SegPipe *pipe, const SegStyle *style)
{
  static const guint8 white[3] = { 255, 255, 255 }, black[3] = { 0, 0, 0 };
  const SegStyleBlock *block = pipe->map.style;
  for (guint v = 0; v < 256; v++) {
    int c = seg_pipe_map_class_of_value (pipe, v);
    gboolean drawn = c >= 0 && c != pipe->info->background && is_kept (block, (guint) c);
    const guint8 *rgba = pipe->info->palette.rgba[c >= 0 ? c : 0];
    double strength =
        drawn && (style->draw & SEG_DRAW_MASKS) ? style->alpha * rgba[3] / 255.0 : 0.0;
    seg_color_table_set (pipe->map.colors, v, &pipe->frame, rgba, strength);
  }
  seg_color_table_set (pipe->map.colors, SEG_COLOR_TEXT, &pipe->frame, white, 1.0);
  seg_color_table_set (pipe->map.colors, SEG_COLOR_PANEL, &pipe->frame, black, 0.6);
}

void
seg_pipe_map_set_style (SegPipe *pipe, const SegStyle *style)
{
  SegStyleBlock *block = pipe->map.style;
  double threshold = style->threshold < 0.0 ? pipe->info->threshold : style->threshold;
  gboolean classes = pipe->map.plan.kind == SEG_DECODE_CLASSES;
  memcpy (block->keep, style->keep, sizeof block->keep);
  if (pipe->map.plan.kind == SEG_DECODE_ODDS)
    keep_foreground (pipe, block);
  block->threshold = (float) threshold;
  block->map_threshold = (float) (threshold > 0.0 ? threshold : 0.5);
  block->background = !classes                      ? 0
                      : pipe->info->background >= 0 ? pipe->info->background
                                                    : 255;
  pipe->draw = style->draw;
  block->legend_share = 0.002f;
  block->smoothing = (float) pipe->config.smoothing;
  set_colors (pipe, style);
}
