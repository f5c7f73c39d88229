/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "elements/metadraw.h"

#include <math.h>
#include <string.h>

gboolean
seg_meta_draw_init (SegMetaDraw *d, const GstVideoInfo *info, guint text_px,
    const SegPalette *objects, const SegPalette *classes)
{
  memset (d, 0, sizeof *d);
  if (!seg_painter_init (&d->painter, info))
    return FALSE;
  d->text = seg_text_cache_new (text_px);
  d->objects = *objects;
  d->classes = *classes;
  for (guint i = 0; i < 256; i++)
    d->inks[i] = seg_painter_ink (&d->painter, classes->rgba[i]);
  d->cover = g_byte_array_new ();
  d->scratch = g_byte_array_new ();
  return TRUE;
}

void
seg_meta_draw_clear (SegMetaDraw *d)
{
  seg_painter_clear (&d->painter);
  seg_text_cache_free (&d->text);
  g_clear_pointer (&d->cover, g_byte_array_unref);
  g_clear_pointer (&d->scratch, g_byte_array_unref);
}

/* --- cover --------------------------------------------------------------------------------------- */

/* 255 where a pixel and those left, right, above and below of it are the same, else 0; outside of
 * the patch is 0. */
static void
erode (const guint8 *from, guint8 *to, guint width, guint height)
{
  for (guint y = 0; y < height; y++) {
    const guint8 *row = from + (gsize) y * width;
    guint8 *out = to + (gsize) y * width;
    if (y == 0 || y + 1 == height || width < 3) {
      memset (out, 0, width);
      continue;
    }
    const guint8 *above = row - width, *below = row + width;
    out[0] = out[width - 1] = 0;
    for (guint x = 1; x + 1 < width; x++)
      out[x] = row[x] & row[x - 1] & row[x + 1] & above[x] & below[x];
  }
}

static void
apply_strength (guint8 *cover, gsize n, guint8 strength)
{
  for (gsize i = 0; i < n; i++)
    cover[i] &= strength;
}

/* From a mask of 0 and 255: the strength inside, full along the border. */
static void
cover_of_mask (SegMetaDraw *d, const SegMetaDrawStyle *style, guint width, guint height)
{
  gsize n = (gsize) width * height;
  guint8 strength =
      style->draw & SEG_OVERLAY_MASKS ? (guint8) lround (style->alpha * 255.0) : 0;
  if (!(style->draw & SEG_OVERLAY_CONTOURS)) {
    apply_strength (d->cover->data, n, strength);
    return;
  }
  g_byte_array_set_size (d->scratch, (guint) (2 * n));
  guint8 *inner = d->scratch->data, *next = inner + n;
  erode (d->cover->data, inner, width, height);
  for (guint i = 1; i < style->line_px; i++) {
    erode (inner, next, width, height);
    guint8 *swap = inner;
    inner = next;
    next = swap;
  }
  for (gsize i = 0; i < n; i++)
    d->cover->data[i] = (guint8) (inner[i] & strength) | (d->cover->data[i] & ~inner[i]);
}

/* --- colours ------------------------------------------------------------------------------------- */

/* Hues a golden section apart: neighbours in number are far in colour. */
static void
color_of_number (guint64 number, guint8 rgb[3])
{
  double hue = fmod ((double) (number % 100000) * 0.61803398875, 1.0) * 6.0;
  for (guint c = 0; c < 3; c++) {
    double k = fmod (5.0 - 2.0 * c + hue, 6.0);
    rgb[c] = (guint8) lround (255.0 * (1.0 - 0.8 * CLAMP (MIN (k, 4.0 - k), 0.0, 1.0)));
  }
}

static void
choose_color (const SegMetaDraw *d, const SegMetaDrawStyle *style,
    const GstVkSegInstance *instance, guint number, guint8 rgb[3])
{
  gboolean tracked = instance->track_id >= 0;
  if (style->color_by == SEG_META_COLOR_CLASS
      || (style->color_by == SEG_META_COLOR_AUTO && !tracked))
    memcpy (
        rgb, d->objects.rgba[(guint) MAX (instance->class_id, 0) % SEG_PALETTE_SIZE], 3);
  else
    color_of_number (tracked ? (guint64) instance->track_id : number, rgb);
}

/* --- objects ------------------------------------------------------------------------------------- */

static void
draw_mask (SegMetaDraw *d, const SegMetaDrawStyle *style,
    const GstVkSegInstance *instance, SegInk ink)
{
  guint width = (guint) GST_VIDEO_FRAME_WIDTH (d->painter.frame);
  guint height = (guint) GST_VIDEO_FRAME_HEIGHT (d->painter.frame);
  GstVideoRectangle r;
  if (instance->mask == NULL
      || !(style->draw & (SEG_OVERLAY_MASKS | SEG_OVERLAY_CONTOURS))
      || !gst_vk_seg_instance_get_extent (instance, width, height, &r) || r.w == 0
      || r.h == 0)
    return;
  g_byte_array_set_size (d->cover, (guint) r.w * (guint) r.h);
  gst_vk_seg_instance_get_mask_in_extent (
      instance, width, height, d->cover->data, (gsize) r.w);
  cover_of_mask (d, style, (guint) r.w, (guint) r.h);
  const SegPatch patch = { r.x, r.y, (guint) r.w, (guint) r.h, (gsize) r.w };
  seg_painter_blend (&d->painter, &patch, d->cover->data, ink);
}

static void
draw_box (
    SegMetaDraw *d, const SegMetaDrawStyle *style, const GstVideoRectangle *r, SegInk ink)
{
  SegPainter *p = &d->painter;
  gint t = (gint) MIN (style->line_px, (guint) MIN (r->w, r->h));
  if (!(style->draw & SEG_OVERLAY_BOXES))
    return;
  seg_painter_fill (p, r->x, r->y, r->w, t, 255, ink);
  seg_painter_fill (p, r->x, r->y + r->h - t, r->w, t, 255, ink);
  seg_painter_fill (p, r->x, r->y + t, t, r->h - 2 * t, 255, ink);
  seg_painter_fill (p, r->x + r->w - t, r->y + t, t, r->h - 2 * t, 255, ink);
}

/* The parts of a label, each drawn once for all frames. */
static guint
label_pieces (SegMetaDraw *d, const SegMetaDrawStyle *style,
    const GstVkSegInstance *instance, const SegText *pieces[3])
{
  char text[64];
  guint n = 0;
  if (style->draw & SEG_OVERLAY_LABELS) {
    if (instance->label != NULL)
      pieces[n++] = seg_text_cache_get (d->text, instance->label);
    if (instance->track_id >= 0) {
      g_snprintf (text, sizeof text, "#%" G_GINT64_FORMAT, instance->track_id);
      pieces[n++] = seg_text_cache_get (d->text, text);
    }
  }
  if (style->draw & SEG_OVERLAY_SCORES) {
    g_snprintf (text, sizeof text, "%d%%", (int) lround (instance->score * 100.0));
    pieces[n++] = seg_text_cache_get (d->text, text);
  }
  return n;
}

/* Above the box, or in it where there is no room. */
static void
draw_label (SegMetaDraw *d, const SegMetaDrawStyle *style,
    const GstVkSegInstance *instance, const GstVideoRectangle *r, SegInk ink,
    const guint8 rgb[3])
{
  static const guint8 black[3] = { 0, 0, 0 }, white[3] = { 255, 255, 255 };
  const SegText *pieces[3];
  guint n = label_pieces (d, style, instance, pieces);
  gint height = (gint) seg_text_cache_height (d->text), gap = height / 4, width = gap;
  if (n == 0)
    return;
  for (guint i = 0; i < n; i++)
    width += (gint) pieces[i]->width + gap;
  gint x = MIN (r->x, GST_VIDEO_FRAME_WIDTH (d->painter.frame) - width);
  gint y = r->y >= height ? r->y - height : r->y;
  x = MAX (x, 0);
  gboolean light = rgb[0] * 299 + rgb[1] * 587 + rgb[2] * 114 > 140000;
  SegInk letters = seg_painter_ink (&d->painter, light ? black : white);
  seg_painter_fill (&d->painter, x, y, width, height, 220, ink);
  for (guint i = 0; i < n; i++) {
    const SegPatch patch = { x + gap, y, pieces[i]->width, pieces[i]->height,
      pieces[i]->stride };
    seg_painter_blend (&d->painter, &patch, pieces[i]->pixels, letters);
    x += (gint) pieces[i]->width + gap;
  }
}

static void
draw_instance (SegMetaDraw *d, const SegMetaDrawStyle *style,
    const GstVkSegInstance *instance, guint number, gboolean label)
{
  GstVideoRectangle r;
  guint8 rgb[3];
  if (!gst_vk_seg_instance_get_extent (instance,
          (guint) GST_VIDEO_FRAME_WIDTH (d->painter.frame),
          (guint) GST_VIDEO_FRAME_HEIGHT (d->painter.frame), &r))
    return;
  choose_color (d, style, instance, number, rgb);
  SegInk ink = seg_painter_ink (&d->painter, rgb);
  if (label) {
    draw_label (d, style, instance, &r, ink, rgb);
  } else {
    draw_mask (d, style, instance, ink);
    draw_box (d, style, &r, ink);
  }
}

/* --- maps ---------------------------------------------------------------------------------------- */

/* Where a value differs from the one to the left or above; the first row and column do not. */
static void
cover_of_values (SegMetaDraw *d, const SegMetaDrawStyle *style, gint background,
    const guint8 *values, guint width, guint height)
{
  guint8 *cover = d->cover->data, strength[256];
  for (guint v = 0; v < 256; v++)
    strength[v] = (gint) v == background || !(style->draw & SEG_OVERLAY_MASKS)
                      ? 0
                      : (guint8) lround (style->alpha * d->classes.rgba[v][3]);
  for (guint y = 0; y < height; y++) {
    const guint8 *row = values + (gsize) y * width, *above = y > 0 ? row - width : row;
    guint8 *out = cover + (gsize) y * width;
    for (guint x = 0; x < width; x++)
      out[x] = strength[row[x]];
    if (style->draw & SEG_OVERLAY_CONTOURS)
      for (guint x = 1; x < width; x++)
        if ((row[x] != row[x - 1] || row[x] != above[x]) && (gint) row[x] != background)
          out[x] = 255;
  }
}

/* As soft as it is; its outline is where it is half. */
static void
draw_matte (SegMetaDraw *d, const SegMetaDrawStyle *style, const GstVkSegMeta *meta,
    const SegPatch *all)
{
  guint8 *cover = d->cover->data;
  gsize n = (gsize) all->width * all->height;
  SegMetaDrawStyle lines = *style;
  lines.draw &= ~(guint) SEG_OVERLAY_MASKS;
  if (!gst_vk_seg_meta_get_map_at_size (
          meta, all->width, all->height, cover, all->stride))
    return;
  if (style->draw & SEG_OVERLAY_MASKS) {
    for (gsize i = 0; i < n; i++)
      cover[i] = (guint8) (cover[i] * style->alpha);
    seg_painter_blend (&d->painter, all, cover, d->inks[1]);
  }
  if (!(style->draw & SEG_OVERLAY_CONTOURS)
      || !gst_vk_seg_meta_get_map_at_size (
          meta, all->width, all->height, cover, all->stride))
    return;
  for (gsize i = 0; i < n; i++)
    cover[i] = cover[i] >= 128 ? 255 : 0;
  cover_of_mask (d, &lines, all->width, all->height);
  seg_painter_blend (&d->painter, all, cover, d->inks[1]);
}

static void
draw_map (SegMetaDraw *d, const SegMetaDrawStyle *style, const GstVkSegMeta *meta)
{
  guint width = (guint) GST_VIDEO_FRAME_WIDTH (d->painter.frame);
  guint height = (guint) GST_VIDEO_FRAME_HEIGHT (d->painter.frame);
  const SegPatch all = { 0, 0, width, height, width };
  g_byte_array_set_size (d->cover, width * height);
  if (meta->type == GST_VK_SEG_RESULT_MATTE) {
    draw_matte (d, style, meta, &all);
    return;
  }
  g_byte_array_set_size (d->scratch, width * height);
  if (!gst_vk_seg_meta_get_map_at_size (meta, width, height, d->scratch->data, width))
    return;
  cover_of_values (d, style, meta->background < 0 ? 255 : meta->background,
      d->scratch->data, width, height);
  seg_painter_blend_values (&d->painter, &all, d->cover->data, d->scratch->data, d->inks);
}

void
seg_meta_draw_paint (SegMetaDraw *d, const SegMetaDrawStyle *style,
    const GstVkSegMeta *meta, GstVideoFrame *frame)
{
  guint n = gst_vk_seg_meta_get_n_instances (meta);
  d->painter.frame = frame;
  if (meta->map != NULL && (style->draw & (SEG_OVERLAY_MASKS | SEG_OVERLAY_CONTOURS)))
    draw_map (d, style, meta);
  /* The surest object last, on top; all labels over all masks. */
  for (guint pass = 0; pass < 2; pass++)
    for (guint i = n; i-- > 0;)
      draw_instance (d, style, gst_vk_seg_meta_get_instance (meta, i), i, pass == 1);
  d->painter.frame = NULL;
}
