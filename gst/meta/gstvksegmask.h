/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#ifndef GST_VK_SEG_API
#define GST_VK_SEG_API GST_API_EXPORT
#endif

/**
 * GST_VK_SEG_MAX_PX:
 *
 * Sides of masks and of the pictures that are made from them: longer ones are refused.
 */
#define GST_VK_SEG_MAX_PX 16384

/**
 * GstVkSegRect:
 * @x: left edge
 * @y: upper edge
 * @width: width
 * @height: height
 *
 * A rectangle in pixels. Positions are continuous: pixel i covers [i, i + 1).
 */
typedef struct {
  gdouble x, y, width, height;
} GstVkSegRect;

#define GST_TYPE_VK_SEG_MASK (gst_vk_seg_mask_get_type ())
typedef struct _GstVkSegMask GstVkSegMask;

/**
 * GstVkSegMask:
 * @width: pixels of a row, 1 to #GST_VK_SEG_MAX_PX
 * @height: rows
 * @stride: bytes from one row to the next, at least @width
 * @low: the value that stands for the probability 0
 * @high: the value that stands for the probability 1, more than @low
 * @threshold: what is more probable than this belongs to the object, 0 to 1
 * @rect: where the mask lies in the frame; may reach out of it
 * @data: the first row
 * @bytes: what holds @data
 *
 * A byte a pixel, at a resolution of its own: probabilities of an object (or the alpha of a
 * matte), or classes of a label map, for which @low, @high and @threshold mean nothing. Does not
 * change once made, so that any thread may read it.
 */
struct _GstVkSegMask {
  GstMiniObject mini_object;
  guint width, height;
  gsize stride;
  guint8 low, high;
  gdouble threshold;
  GstVkSegRect rect;
  const guint8 *data;
  GBytes *bytes;
  /*< private >*/
  gpointer _gst_reserved[GST_PADDING];
};

GST_VK_SEG_API GType gst_vk_seg_mask_get_type (void);

GST_VK_SEG_API GstVkSegMask *gst_vk_seg_mask_new (
    GBytes *bytes, guint width, guint height, gsize stride, const GstVkSegRect *rect);
GST_VK_SEG_API GstVkSegMask *gst_vk_seg_mask_new_full (GBytes *bytes, guint width,
    guint height, gsize stride, const GstVkSegRect *rect, guint8 low, guint8 high,
    gdouble threshold);
GST_VK_SEG_API GstVkSegMask *gst_vk_seg_mask_moved (
    const GstVkSegMask *mask, const GstVkSegRect *rect);
GST_VK_SEG_API GstVkSegMask *gst_vk_seg_mask_ref (GstVkSegMask *mask);
GST_VK_SEG_API void gst_vk_seg_mask_unref (GstVkSegMask *mask);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstVkSegMask, gst_vk_seg_mask_unref)

G_END_DECLS
