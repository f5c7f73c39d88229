/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "frame/decode.h"
#include "frame/legend.h"

G_BEGIN_DECLS

/* From the class map or the matte to a picture. */

typedef enum {
  SEG_DRAW_MASKS = 1 << 0,
  SEG_DRAW_CONTOURS = 1 << 1, /* as in shaders/lib/decode.glsl */
  SEG_DRAW_LEGEND = 1 << 2,
} SegDrawFlags;

/* A class as the shaders draw it: bytes of a sample of each plane, and strength as a float's
 * bits. Entries 256 and 257 are the legend's text and panel. */
typedef struct {
  guint32 planes[3];
  float strength;
} SegClassColor;

#define SEG_COLOR_TEXT  256
#define SEG_COLOR_PANEL 257
#define SEG_N_COLORS    258

/* rgb as the frame's planes store it. */
void seg_class_color (
    SegClassColor *out, const SegFrame *frame, const guint8 rgb[3], float strength);

typedef struct {
  SegDecodeMemory *memory;
  SegBufferView decode, style, colors; /* uniform, uniform, texels of SegClassColor */
  const SegLegend *legend;             /* not for cutouts */
  gboolean soft;                       /* strength by the matte, colour of class 1 */
} SegComposeInput;

/* Draws the classes over the frame into a frame of the same format and size at `target`; both
 * laid out by seg_frame_layout. */
gboolean seg_compose_record (SegCmd *cmd, SegParams *params, const SegComposeInput *input,
    const SegFrameSource *source, SegBuffer *target, gsize target_offset, GError **error);

/* The frame as RGBA or BGRA with the matte as alpha. */
gboolean seg_cutout_record (SegCmd *cmd, const SegComposeInput *input,
    const SegFrameSource *source, const SegFrame *result, const SegPiece *target,
    GError **error);

G_END_DECLS
