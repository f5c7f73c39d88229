/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:gstvksegmask
 * @title: GstVkSegMask
 * @short_description: a byte a pixel, somewhere in a frame
 */
#include "meta/gstvksegmask.h"

#include "meta/check.h"

GST_DEFINE_MINI_OBJECT_TYPE (GstVkSegMask, gst_vk_seg_mask);

static void
mask_free (GstMiniObject *object)
{
  GstVkSegMask *mask = (GstVkSegMask *) object;
  g_bytes_unref (mask->bytes);
  g_free (mask);
}

static gboolean
fits (GBytes *bytes, guint width, guint height, gsize stride)
{
  if (width == 0 || height == 0 || width > GST_VK_SEG_MAX_PX
      || height > GST_VK_SEG_MAX_PX)
    return FALSE;
  gsize n = g_bytes_get_size (bytes);
  return stride >= width && n >= width && stride <= G_MAXSIZE / height
         && (height == 1 || (n - width) / stride >= height - 1);
}

gboolean
seg_rect_is_sane (const GstVkSegRect *r)
{
  const gdouble far = 1e7;
  /* Written so that NaN fails. */
  return r->x > -far && r->x < far && r->y > -far && r->y < far && r->width > 1e-6
         && r->width < far && r->height > 1e-6 && r->height < far;
}

/**
 * gst_vk_seg_mask_new:
 * @bytes: (transfer none): rows of bytes
 * @width: pixels of a row
 * @height: rows
 * @stride: bytes from one row to the next
 * @rect: where the mask lies in the frame, in the frame's pixels; may reach out of it
 *
 * A mask of probabilities, 0 for 0 and 255 for 1, with a threshold of 1/2.
 *
 * Returns: (transfer full) (nullable): %NULL when @bytes are too few for the size, when a side is
 *   0 or longer than #GST_VK_SEG_MAX_PX, or when @rect is empty, not finite or absurdly far away
 */
GstVkSegMask *
gst_vk_seg_mask_new (
    GBytes *bytes, guint width, guint height, gsize stride, const GstVkSegRect *rect)
{
  return gst_vk_seg_mask_new_full (bytes, width, height, stride, rect, 0, 255, 0.5);
}

/**
 * gst_vk_seg_mask_new_full:
 * @bytes: (transfer none): rows of bytes
 * @width: pixels of a row
 * @height: rows
 * @stride: bytes from one row to the next
 * @rect: where the mask lies in the frame
 * @low: the value that stands for the probability 0
 * @high: the value that stands for the probability 1
 * @threshold: what is more probable belongs to the object, 0 to 1
 *
 * Makes a mask of probabilities.
 *
 * Returns: (transfer full) (nullable): %NULL as gst_vk_seg_mask_new() does, and when @high is not
 *   more than @low or @threshold is not from 0 to 1
 */
GstVkSegMask *
gst_vk_seg_mask_new_full (GBytes *bytes, guint width, guint height, gsize stride,
    const GstVkSegRect *rect, guint8 low, guint8 high, gdouble threshold)
{
  g_return_val_if_fail (bytes != NULL && rect != NULL, NULL);
  if (!fits (bytes, width, height, stride) || !seg_rect_is_sane (rect) || high <= low
      || !(threshold >= 0.0 && threshold <= 1.0))
    return NULL;
  GstVkSegMask *mask = g_new0 (GstVkSegMask, 1);
  gst_mini_object_init (
      GST_MINI_OBJECT_CAST (mask), 0, GST_TYPE_VK_SEG_MASK, NULL, NULL, mask_free);
  mask->width = width;
  mask->height = height;
  mask->stride = stride;
  mask->low = low;
  mask->high = high;
  mask->threshold = threshold;
  mask->rect = *rect;
  mask->bytes = g_bytes_ref (bytes);
  mask->data = g_bytes_get_data (bytes, NULL);
  return mask;
}

/**
 * gst_vk_seg_mask_moved:
 * @mask: a mask
 * @rect: another place in the frame
 *
 * The same pixels, which are shared, elsewhere.
 *
 * Returns: (transfer full) (nullable): %NULL when @rect is empty, not finite or absurdly far away
 */
GstVkSegMask *
gst_vk_seg_mask_moved (const GstVkSegMask *mask, const GstVkSegRect *rect)
{
  g_return_val_if_fail (mask != NULL, NULL);
  return gst_vk_seg_mask_new_full (mask->bytes, mask->width, mask->height, mask->stride,
      rect, mask->low, mask->high, mask->threshold);
}

/**
 * gst_vk_seg_mask_ref:
 * @mask: a mask
 *
 * Takes a reference.
 *
 * Returns: (transfer full): @mask
 */
GstVkSegMask *
gst_vk_seg_mask_ref (GstVkSegMask *mask)
{
  return (GstVkSegMask *) gst_mini_object_ref (GST_MINI_OBJECT_CAST (mask));
}

/**
 * gst_vk_seg_mask_unref:
 * @mask: (transfer full): a mask
 *
 * Drops a reference; the mask goes with the last.
 */
void
gst_vk_seg_mask_unref (GstVkSegMask *mask)
{
  gst_mini_object_unref (GST_MINI_OBJECT_CAST (mask));
}
