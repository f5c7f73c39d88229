/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "frame/image.h"

#include <gst/video/video.h>

G_BEGIN_DECLS

/* Blends colours into a frame in system memory, row by row: any format of SEG_VIDEO_FORMATS, any
 * stride. What is outside of the frame is left out. */
typedef struct {
  GstVideoFrame *frame;
  const SegFormatInfo *format;
  SegColor color;
  GByteArray *scratch; /* rows at the resolution of chroma */
} SegPainter;

/* R'G'B' as the components of the frame. */
typedef struct {
  guint8 bytes[3];
} SegInk;

/* FALSE: not a format that it can paint. */
gboolean seg_painter_init (SegPainter *painter, const GstVideoInfo *info);
void seg_painter_clear (SegPainter *painter);

SegInk seg_painter_ink (const SegPainter *painter, const guint8 rgb[3]);

/* Where the picture goes: x, y of its upper left corner may be negative. */
typedef struct {
  gint x, y;
  guint width, height;
  gsize stride; /* bytes */
} SegPatch;

/* One colour, as strong as `cover` says: 0 nothing, 255 all. */
void seg_painter_blend (
    SegPainter *painter, const SegPatch *patch, const guint8 *cover, SegInk ink);
/* A colour for each value. */
void seg_painter_blend_values (SegPainter *painter, const SegPatch *patch,
    const guint8 *cover, const guint8 *values, const SegInk inks[256]);
void seg_painter_fill (SegPainter *painter, gint x, gint y, gint width, gint height,
    guint8 cover, SegInk ink);

G_END_DECLS
