/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "frame/decode.h"

G_BEGIN_DECLS

/* A list of the classes that are in the frame, in its upper left corner: a swatch and a label each.
 * Labels are drawn once, into an atlas with a row for each value of the class map; which rows are
 * shown is decided on the device, frame by frame. */

#define SEG_LEGEND_MAX_ROWS 12

/* `Legend` of shaders/lib/legend.glsl. */
typedef struct {
  gint32 box[4];   /* x, y, width, height of a row; width 0: no legend */
  gint32 parts[4]; /* margin, side of a swatch, x of the text, width of the atlas */
  gint32 limit[4]; /* rows at most, values in the atlas, rows of pixels at most */
} SegLegendBlock;

typedef struct {
  SegPiece rows;       /* on the device: count, then values, then what was shown before */
  SegPiece atlas;      /* coverage, a byte a pixel */
  SegBufferView block; /* uniform */
  const SegLegendBlock *values;
  SegBuffer *memory;
} SegLegend;

/* Texts for values 0 .. n - 1 of the class map (NULL: none). The legend takes no more than a
 * frame of this size has room for, which may be nothing. Waits for the upload. */
gboolean seg_legend_init (SegLegend *legend, SegVk *vk, SegParams *params,
    const char *const *texts, guint n, guint frame_width, guint frame_height,
    GError **error);
void seg_legend_clear (SegLegend *legend);

/* Chooses the rows, from the counts. */
gboolean seg_legend_record (SegCmd *cmd, const SegLegend *legend,
    const SegDecodeMemory *memory, const SegBufferView *decode,
    const SegBufferView *style, GError **error);

G_END_DECLS
