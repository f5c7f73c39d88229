/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "zerocopy/dmabuf.h"

#include <gst/allocators/gstdmabuf.h>

#include <unistd.h>

gboolean
seg_caps_are_dmabuf (const GstCaps *caps)
{
  return caps != NULL && gst_caps_get_size (caps) > 0
         && gst_caps_features_contains (
             gst_caps_get_features (caps, 0), SEG_MEMORY_DMABUF);
}

gboolean
seg_buffer_is_dmabuf (GstBuffer *buffer)
{
  guint n = gst_buffer_n_memory (buffer), i = 0;
  while (i < n && gst_is_dmabuf_memory (gst_buffer_peek_memory (buffer, i)))
    i++;
  return n > 0 && i == n;
}

/* --- where planes are ------------------------------------------------------------------------------ */

static gboolean
wrong (const char *what, GError **error)
{
  g_set_error (error, SEG_ERROR, SEG_ERROR_INPUT, "a frame in dma-bufs %s", what);
  return FALSE;
}

gboolean
seg_dmabuf_meta_fits (const GstVideoMeta *meta, const GstVideoInfo *info)
{
  gboolean known = meta->format == GST_VIDEO_INFO_FORMAT (info);
#if GST_CHECK_VERSION(1, 24, 0)
  known = known || meta->format == GST_VIDEO_FORMAT_DMA_DRM;
#endif
  return known && meta->width >= (guint) GST_VIDEO_INFO_WIDTH (info)
         && meta->height >= (guint) GST_VIDEO_INFO_HEIGHT (info);
}

/* What is said of an fd's size need not be so, and to read past its end is a crash. */
static gboolean
reaches (const GstMemory *memory, gsize end)
{
  off_t size = lseek (gst_dmabuf_memory_get_fd ((GstMemory *) memory), 0, SEEK_END);
  return size < 0 || end <= (gsize) size;
}

static gboolean
find_plane (GstBuffer *buffer, gsize offset, gint stride, const SegFrame *frame, guint p,
    SegDmaPlane *plane, GError **error)
{
  guint first, n;
  gsize row = seg_frame_row_bytes (frame, p), skip;
  guint n_rows = seg_frame_n_rows (frame, p);
  if (stride < 0 || (gsize) stride < row)
    return wrong ("whose rows overlap", error);
  if (!gst_buffer_find_memory (buffer, offset, 1, &first, &n, &skip))
    return wrong ("with a plane that begins after their end", error);
  *plane = (SegDmaPlane){ gst_buffer_peek_memory (buffer, first), skip, stride };
  gsize left = plane->memory->size - skip;
  if (row > left || (n_rows > 1 && (gsize) stride > (left - row) / (n_rows - 1)))
    return wrong ("with a plane that ends after the memory that it begins in", error);
  if (!reaches (plane->memory,
          plane->memory->offset + skip + (n_rows - 1) * (gsize) stride + row))
    return wrong ("with a plane that ends after what its fd stands for", error);
  return TRUE;
}

gboolean
seg_dmabuf_find (GstBuffer *buffer, const GstVideoInfo *info, const SegFrame *frame,
    SegDmaPlane planes[SEG_MAX_PLANES], GError **error)
{
  const GstVideoMeta *meta = gst_buffer_get_video_meta (buffer);
  if (meta != NULL
      && (!seg_dmabuf_meta_fits (meta, info)
          || meta->n_planes != GST_VIDEO_INFO_N_PLANES (info)))
    return wrong ("whose GstVideoMeta is not as their caps", error);
  for (guint p = 0; p < GST_VIDEO_INFO_N_PLANES (info); p++) {
    gsize offset = meta != NULL ? meta->offset[p] : GST_VIDEO_INFO_PLANE_OFFSET (info, p);
    gint stride = meta != NULL ? meta->stride[p] : GST_VIDEO_INFO_PLANE_STRIDE (info, p);
    if (!find_plane (buffer, offset, stride, frame, p, &planes[p], error))
      return FALSE;
  }
  return TRUE;
}

gboolean
seg_dmabuf_load_mapped (const SegDmaPlane planes[SEG_MAX_PLANES], const SegFrame *frame,
    guint8 *data, GError **error)
{
  for (guint p = 0; p < seg_format_info (frame->format)->n_planes; p++) {
    GstMapInfo map;
    if (!gst_memory_map (planes[p].memory, &map, GST_MAP_READ))
      return wrong ("that cannot be mapped", error);
    seg_frame_load_plane (frame, p, data, map.data + planes[p].skip, planes[p].stride);
    gst_memory_unmap (planes[p].memory, &map);
  }
  return TRUE;
}
