/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "meta/gstvksegmeta.h"
#include "meta/paint.h"

#include <string.h>

G_DEFINE_BOXED_TYPE (GstVkSegInstance, gst_vk_seg_instance, gst_vk_seg_instance_copy,
    gst_vk_seg_instance_free)

/**
 * gst_vk_seg_instance_copy:
 * @instance: an instance
 *
 * Copies an object, to keep it longer than the frame.
 *
 * Returns: (transfer full): one that outlives the meta; the mask's pixels are shared
 */
GstVkSegInstance *
gst_vk_seg_instance_copy (const GstVkSegInstance *instance)
{
  GstVkSegInstance *copy = g_memdup2 (instance, sizeof *instance);
  if (copy->mask != NULL)
    gst_vk_seg_mask_ref (copy->mask);
  return copy;
}

/**
 * gst_vk_seg_instance_free:
 * @instance: (transfer full): from gst_vk_seg_instance_copy()
 *
 * Frees a copy.
 */
void
gst_vk_seg_instance_free (GstVkSegInstance *instance)
{
  g_clear_pointer (&instance->mask, gst_vk_seg_mask_unref);
  g_free (instance);
}

gboolean
seg_instance_window (
    const GstVkSegInstance *instance, guint width, guint height, SegWindow *window)
{
  if (!seg_window_init (
          window, instance->frame_width, instance->frame_height, width, height))
    return FALSE;
  seg_window_clip (window, &instance->box);
  return TRUE;
}

void
seg_instance_paint (const GstVkSegInstance *instance, SegPaint how,
    const SegWindow *window, guint8 *pixels, gsize stride)
{
  if (instance->mask != NULL) {
    seg_mask_paint (instance->mask, how, 0, window, pixels, stride);
    return;
  }
  for (guint y = window->y0; y < window->y1; y++)
    memset (pixels + (y - window->y0) * stride, 255, window->x1 - window->x0);
}

/**
 * gst_vk_seg_instance_get_mask_at_size: (skip)
 * @instance: an instance
 * @width: pixels of a row, 1 to #GST_VK_SEG_MAX_PX; the frame's for a mask of the frame's size
 * @height: rows
 * @pixels: (array) (out caller-allocates): room for @height rows
 * @stride: bytes from one row to the next, at least @width
 *
 * The whole frame at a size, 255 where the object is and 0 elsewhere: probabilities are
 * interpolated, then compared with the mask's threshold. An object without a mask fills its box.
 *
 * Returns: %FALSE, and nothing written, when the size is out of range
 */
gboolean
gst_vk_seg_instance_get_mask_at_size (const GstVkSegInstance *instance, guint width,
    guint height, guint8 *pixels, gsize stride)
{
  SegWindow window;
  if (stride < width || !seg_instance_window (instance, width, height, &window))
    return FALSE;
  for (guint y = 0; y < height; y++)
    memset (pixels + y * stride, 0, width);
  seg_instance_paint (instance, SEG_PAINT_BINARY, &window,
      pixels + window.y0 * stride + window.x0, stride);
  return TRUE;
}

/**
 * gst_vk_seg_instance_get_extent:
 * @instance: an instance
 * @width: of the picture in pixels, 1 to #GST_VK_SEG_MAX_PX
 * @height: its rows
 * @extent: (out): the pixels that its box covers when the frame has that size; may be empty
 *
 * Tells how large a picture gst_vk_seg_instance_get_mask_in_extent() needs.
 *
 * Returns: %FALSE when the size is out of range
 */
gboolean
gst_vk_seg_instance_get_extent (const GstVkSegInstance *instance, guint width,
    guint height, GstVideoRectangle *extent)
{
  SegWindow w;
  if (!seg_instance_window (instance, width, height, &w))
    return FALSE;
  *extent = (GstVideoRectangle){ (gint) w.x0, (gint) w.y0, (gint) (w.x1 - w.x0),
    (gint) (w.y1 - w.y0) };
  return TRUE;
}

/**
 * gst_vk_seg_instance_get_mask_in_extent: (skip)
 * @instance: an instance
 * @width: of the picture in pixels, 1 to #GST_VK_SEG_MAX_PX
 * @height: its rows
 * @pixels: (array) (out caller-allocates): room for the rows of the extent
 * @stride: bytes from one row to the next, at least the extent's width
 *
 * What gst_vk_seg_instance_get_mask_at_size() gives, but only the part that
 * gst_vk_seg_instance_get_extent() tells: all pixels of the object are in it.
 *
 * Returns: %FALSE, and nothing written, when the size is out of range
 */
gboolean
gst_vk_seg_instance_get_mask_in_extent (const GstVkSegInstance *instance, guint width,
    guint height, guint8 *pixels, gsize stride)
{
  SegWindow w;
  if (!seg_instance_window (instance, width, height, &w) || stride < w.x1 - w.x0)
    return FALSE;
  seg_instance_paint (instance, SEG_PAINT_BINARY, &w, pixels, stride);
  return TRUE;
}
