/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "frame/compose.h"
#include "frame/instances.h"

G_BEGIN_DECLS

/* From the list of instances to maps of the frame's size, on the device. Where masks overlap, a pixel
 * belongs to the instance whose probability there times its score is the largest (MaskFormer, Cheng
 * et al. 2021). Of lines that cross, and of labels, the better score's is on top; labels are over
 * lines. */

/* The best so many are drawn: a map has a byte a pixel, the table of colours two for each. */
#define SEG_MAX_DRAWN 252

/* `Drawing` of shaders/lib/draws.glsl: what may change from frame to frame. */
typedef struct {
  gint32 frame[4], text[4], atlas[4], choice[4];
  float mask_threshold, unused[3];
  guint32 dark[8];
} SegDrawingBlock;

typedef struct {
  SegPiece map;   /* a byte a pixel: instance + 1, or its class */
  SegPiece matte; /* a byte a pixel: the largest of their probabilities */
  SegPiece ink;   /* 16 bits a pixel: boxes and labels */
  SegPiece draws, colors;
  SegPiece tiles; /* of the frame, where something is */
} SegDrawingMemory;

/* The texts, drawn once, and what the shaders need beside. */
typedef struct {
  SegDrawingBlock *values;
  SegBufferView block;
  SegColorTable *colors; /* of the classes; see seg_drawing_set_colors */
  SegBufferView palette;
  SegPiece atlas, widths;
  SegBuffer *memory;
  guint32 n_groups; /* workgroups that share the tiles */
} SegDrawing;

/* Bytes that the pieces need: n_bytes of each is filled in. */
void seg_drawing_sizes (SegDrawingMemory *memory, guint width, guint height);

/* Texts of classes 0 .. n - 1 (NULL: no labels are drawn at all). Frames that are too small get no
 * labels. Waits for the upload. */
gboolean seg_drawing_init (SegDrawing *drawing, SegVk *vk, SegParams *params,
    const SegFrame *frame, const char *const *texts, guint n, GError **error);
void seg_drawing_clear (SegDrawing *drawing);

/* Colours of the classes; masks as strong as `strength` says, 0 .. 1. by_instance: the colours are
 * given to the instances in turn. */
void seg_drawing_set_colors (SegDrawing *drawing, const SegFrame *frame,
    const SegPalette *palette, double strength, gboolean by_instance);

typedef struct {
  gboolean classes; /* the map has classes, 254 at most, and not instances */
  gboolean masks, boxes, labels;
  gboolean nearest; /* masks are not interpolated */
  gboolean filled;  /* an instance without a mask has all of its box */
} SegDrawingParts;

gboolean seg_drawing_record (SegCmd *cmd, const SegDrawing *drawing,
    const SegDrawingMemory *memory, const SegPiece *records, const SegPiece *masks,
    const SegDrawingParts *parts, GError **error);

G_END_DECLS
