/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "frame/decode.h"
#include "frame/legend.h"

G_BEGIN_DECLS

/* From the class map or the matte to a picture. */

/* Entries after those of the classes: the legend's text and panel, dark text. */
#define SEG_COLOR_TEXT  256
#define SEG_COLOR_PANEL 257
#define SEG_COLOR_DARK  258
/* And, for instances, the text on each one's colour (+ its value in the map). */
#define SEG_COLOR_INK 259
#define SEG_N_COLORS  512

typedef enum {
  SEG_DRAW_MASKS = 1 << 0,
  SEG_DRAW_CONTOURS = 1 << 1,
  SEG_DRAW_LEGEND = 1 << 2,
  SEG_DRAW_BOXES = 1 << 3,  /* of instances */
  SEG_DRAW_LABELS = 1 << 4, /* of instances, with their scores */
} SegDrawFlags;

/* A class as the shaders draw it, for each plane: up to three bytes as the plane stores them (YUY2
 * and UYVY: Y, U, V), and strength. */
typedef struct {
  guint8 planes[SEG_MAX_PLANES][SEG_N_COLORS][4];
} SegColorTable;

/* rgb as the frame's planes store it; strength 0 .. 1. */
void seg_color_table_set (SegColorTable *table, guint i, const SegFrame *frame,
    const guint8 rgb[3], double strength);

typedef struct {
  const SegDecodeMemory *memory;
  SegBufferView decode, style; /* uniforms */
  SegBufferView colors;        /* of a SegColorTable */
  gboolean soft;               /* strength by the matte, colour of class 1 */
  gboolean contours;
  const SegLegend *legend; /* NULL: none */
  const SegPiece *ink;     /* NULL: none; see shaders/instance_map.comp */
} SegComposeInput;

/* Draws the classes, and the legend, over the frame into a frame of the same format and size at `target`;
 * both laid out by seg_frame_layout. */
gboolean seg_compose_record (SegCmd *cmd, SegParams *params, const SegComposeInput *input,
    const SegFrameSource *source, SegBuffer *target, gsize target_offset, GError **error);
/* Of it, the legend, if there is one, over what is at `target`. */
gboolean seg_compose_legend_record (SegCmd *cmd, SegParams *params,
    const SegComposeInput *input, const SegFrameSource *source, const SegPiece *target,
    GError **error);

/* PAIR and CHANGED of shaders/lib/sample.glsl. */
#define SEG_PAIR_WIDE 3
guint32 seg_compose_pair (const SegFrame *frame);
guint32 seg_compose_changed (const SegFrame *frame, guint plane);

/* A plane of a frame that is drawn into by lib/sample.glsl: its uniform block `Plane`, the first
 * specialisation constants, and how many groups of four samples it has. */
#define SEG_N_PLANE_SPECS 5
typedef struct {
  SegBufferView block;
  guint32 spec[SEG_N_PLANE_SPECS];
  guint64 n_groups;
} SegDrawnPlane;
gboolean seg_drawn_plane_init (SegDrawnPlane *plane, SegParams *params,
    const SegFrame *frame, guint index, GError **error);

/* The frame as RGBA or BGRA with the matte as alpha. */
gboolean seg_cutout_record (SegCmd *cmd, const SegComposeInput *input,
    const SegFrameSource *source, const SegFrame *result, const SegPiece *target,
    GError **error);

G_END_DECLS
