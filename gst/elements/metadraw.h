/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "elements/labeltext.h"
#include "elements/painter.h"
#include "frame/palette.h"
#include "meta/gstvksegmeta.h"

G_BEGIN_DECLS

typedef enum {
  SEG_OVERLAY_MASKS = 1 << 0,
  SEG_OVERLAY_CONTOURS = 1 << 1,
  SEG_OVERLAY_BOXES = 1 << 2,
  SEG_OVERLAY_LABELS = 1 << 3,
  SEG_OVERLAY_SCORES = 1 << 4,
} SegOverlayFlags;

typedef enum {
  SEG_META_COLOR_AUTO, /* by track where there is one */
  SEG_META_COLOR_CLASS,
  SEG_META_COLOR_INSTANCE,
} SegMetaColorBy;

typedef struct {
  SegOverlayFlags draw;
  SegMetaColorBy color_by;
  double alpha; /* of masks, 0 to 1 */
  guint line_px;
} SegMetaDrawStyle;

/* Draws results over frames of one kind. One thread. */
typedef struct {
  SegPainter painter;
  SegTextCache *text;
  SegPalette objects,
      classes;      /* for objects, and for label maps with a background of 0 */
  SegInk inks[256]; /* of `classes` */
  GByteArray *cover, *scratch; /* kept, so that frames do not allocate */
} SegMetaDraw;

/* FALSE: the format cannot be painted, and nothing is to be cleared. */
gboolean seg_meta_draw_init (SegMetaDraw *drawing, const GstVideoInfo *info,
    guint text_px, const SegPalette *objects, const SegPalette *classes);
void seg_meta_draw_clear (SegMetaDraw *drawing); /* also of zeros */

void seg_meta_draw_paint (SegMetaDraw *drawing, const SegMetaDrawStyle *style,
    const GstVkSegMeta *meta, GstVideoFrame *frame);

G_END_DECLS
