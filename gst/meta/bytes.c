/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pictures of results in memory of their own, for languages in which there are no pointers. */
#include "meta/gstvksegmeta.h"

/* Room for a picture, unless it is larger than one may be. */
static guint8 *
new_pixels (guint width, guint height)
{
  if (width < 1 || width > GST_VK_SEG_MAX_PX || height < 1 || height > GST_VK_SEG_MAX_PX)
    return NULL;
  return g_try_malloc ((gsize) width * height);
}

static GBytes *
take_pixels (guint8 *pixels, guint width, guint height, gboolean painted)
{
  if (painted)
    return g_bytes_new_take (pixels, (gsize) width * height);
  g_free (pixels);
  return NULL;
}

/**
 * gst_vk_seg_instance_get_mask_bytes:
 * @instance: an instance
 * @width: pixels of a row, 1 to #GST_VK_SEG_MAX_PX; the frame's for a mask of the frame's size
 * @height: rows
 *
 * What gst_vk_seg_instance_get_mask_at_size() gives, rows one after another.
 *
 * Returns: (transfer full) (nullable): a byte a pixel, 255 where the object is; %NULL when the size is
 *   out of range or there is no memory
 */
GBytes *
gst_vk_seg_instance_get_mask_bytes (
    const GstVkSegInstance *instance, guint width, guint height)
{
  guint8 *pixels = new_pixels (width, height);
  gboolean painted =
      pixels != NULL
      && gst_vk_seg_instance_get_mask_at_size (instance, width, height, pixels, width);
  return take_pixels (pixels, width, height, painted);
}

/**
 * gst_vk_seg_meta_get_map_bytes:
 * @meta: a result
 * @width: pixels of a row, 1 to #GST_VK_SEG_MAX_PX
 * @height: rows
 *
 * What gst_vk_seg_meta_get_map_at_size() gives, rows one after another.
 *
 * Returns: (transfer full) (nullable): a byte a pixel; %NULL when there is no map, the size is out of
 *   range or there is no memory
 */
GBytes *
gst_vk_seg_meta_get_map_bytes (const GstVkSegMeta *meta, guint width, guint height)
{
  guint8 *pixels = new_pixels (width, height);
  gboolean painted =
      pixels != NULL
      && gst_vk_seg_meta_get_map_at_size (meta, width, height, pixels, width);
  return take_pixels (pixels, width, height, painted);
}

/**
 * gst_vk_seg_meta_get_foreground_bytes:
 * @meta: a result
 * @soft: probabilities (of a matte, the alpha) and not only 0 and 255
 * @width: pixels of a row, 1 to #GST_VK_SEG_MAX_PX
 * @height: rows
 *
 * What gst_vk_seg_meta_get_foreground_at_size() gives, rows one after another.
 *
 * Returns: (transfer full) (nullable): a byte a pixel; %NULL when the size is out of range or there is no
 *   memory
 */
GBytes *
gst_vk_seg_meta_get_foreground_bytes (
    const GstVkSegMeta *meta, gboolean soft, guint width, guint height)
{
  guint8 *pixels = new_pixels (width, height);
  gboolean painted = pixels != NULL
                     && gst_vk_seg_meta_get_foreground_at_size (
                         meta, soft, width, height, pixels, width);
  return take_pixels (pixels, width, height, painted);
}
