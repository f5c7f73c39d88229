/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "meta/gstvksegmeta.h"
#include "meta/paint.h"

#include <string.h>

/**
 * gst_vk_seg_meta_get_map_at_size: (skip)
 * @meta: a result
 * @width: pixels of a row, 1 to #GST_VK_SEG_MAX_PX
 * @height: rows
 * @pixels: (array) (out caller-allocates): room for @height rows
 * @stride: bytes from one row to the next, at least @width
 *
 * The whole frame at a size: classes of a label map (the nearest; outside of the map the
 * background, or 255), or alpha of a matte (interpolated; 0 outside).
 *
 * Returns: %FALSE, and nothing written, when there is no map or the size is out of range
 */
gboolean
gst_vk_seg_meta_get_map_at_size (
    const GstVkSegMeta *meta, guint width, guint height, guint8 *pixels, gsize stride)
{
  SegWindow window;
  if (meta->map == NULL || stride < width
      || !seg_window_init (&window, meta->frame_width, meta->frame_height, width, height))
    return FALSE;
  seg_mask_paint (meta->map,
      meta->type == GST_VK_SEG_RESULT_MATTE ? SEG_PAINT_PROBABILITY : SEG_PAINT_NEAREST,
      (guint8) meta->background, &window, pixels, stride);
  return TRUE;
}

static void
paint_objects (const GstVkSegMeta *meta, SegPaint how, const SegWindow *all,
    guint8 *pixels, gsize stride)
{
  GArray *scratch = g_array_new (FALSE, FALSE, 1);
  guint state = 0;
  GstVkSegInstance *instance;
  while ((instance = gst_vk_seg_meta_iterate_instances (meta, &state)) != NULL) {
    SegWindow w;
    if (!seg_instance_window (instance, all->width, all->height, &w))
      continue;
    guint n_x = w.x1 - w.x0;
    g_array_set_size (scratch, MAX (scratch->len, n_x * (w.y1 - w.y0)));
    seg_instance_paint (instance, how, &w, (guint8 *) scratch->data, n_x);
    for (guint y = w.y0; y < w.y1; y++) {
      guint8 *to = pixels + y * stride + w.x0;
      const guint8 *from = (guint8 *) scratch->data + (gsize) (y - w.y0) * n_x;
      for (guint x = 0; x < n_x; x++)
        to[x] = MAX (to[x], from[x]);
    }
  }
  g_array_free (scratch, TRUE);
}

/* A label map has become 255 where a class is. */
static void
classes_to_foreground (
    gint background, guint width, guint height, guint8 *pixels, gsize stride)
{
  for (guint y = 0; y < height; y++)
    for (guint x = 0; x < width; x++)
      pixels[y * stride + x] = pixels[y * stride + x] == background ? 0 : 255;
}

/**
 * gst_vk_seg_meta_get_foreground_at_size: (skip)
 * @meta: a result
 * @soft: probabilities (of a matte, the alpha) and not only 0 and 255
 * @width: pixels of a row, 1 to #GST_VK_SEG_MAX_PX
 * @height: rows
 * @pixels: (array) (out caller-allocates): room for @height rows
 * @stride: bytes from one row to the next, at least @width
 *
 * What of the whole frame is not background: all objects together, or every class of a label map
 * other than its background, or a matte.
 *
 * Returns: %FALSE, and nothing written, when the size is out of range
 */
gboolean
gst_vk_seg_meta_get_foreground_at_size (const GstVkSegMeta *meta, gboolean soft,
    guint width, guint height, guint8 *pixels, gsize stride)
{
  SegPaint how = soft ? SEG_PAINT_PROBABILITY : SEG_PAINT_BINARY;
  SegWindow w;
  if (stride < width
      || !seg_window_init (&w, meta->frame_width, meta->frame_height, width, height))
    return FALSE;
  if (meta->type == GST_VK_SEG_RESULT_SEMANTIC && meta->map != NULL) {
    /* 255 is no class where a map has no background and does not cover the frame. */
    gint background = meta->background < 0 ? 255 : meta->background;
    seg_mask_paint (
        meta->map, SEG_PAINT_NEAREST, (guint8) background, &w, pixels, stride);
    classes_to_foreground (background, width, height, pixels, stride);
    return TRUE;
  }
  if (meta->map != NULL) {
    seg_mask_paint (meta->map, how, 0, &w, pixels, stride);
    return TRUE;
  }
  for (guint y = 0; y < height; y++)
    memset (pixels + y * stride, 0, width);
  paint_objects (meta, how, &w, pixels, stride);
  return TRUE;
}
