/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "zerocopy/tiling.h"

#include "zerocopy/dmabuf.h"

#include <gst/allocators/gstdmabuf.h>

#include <sys/stat.h>

VkFormat
seg_tiling_format (SegFormat format)
{
  switch (format) {
  case SEG_FORMAT_NV12:
  case SEG_FORMAT_NV21: return VK_FORMAT_G8_B8R8_2PLANE_420_UNORM;
  case SEG_FORMAT_P010: return VK_FORMAT_G10X6_B10X6R10X6_2PLANE_420_UNORM_3PACK16;
  case SEG_FORMAT_I420:
  case SEG_FORMAT_YV12: return VK_FORMAT_G8_B8_R8_3PLANE_420_UNORM;
  case SEG_FORMAT_RGBA:
  case SEG_FORMAT_RGBX: return VK_FORMAT_R8G8B8A8_UNORM;
  case SEG_FORMAT_BGRA:
  case SEG_FORMAT_BGRX: return VK_FORMAT_B8G8R8A8_UNORM;
  case SEG_FORMAT_GRAY8: return VK_FORMAT_R8_UNORM;
  default: return VK_FORMAT_UNDEFINED;
  }
}

SegImagePlane
seg_image_plane (const SegFrame *frame, const SegPiece *at, guint p, gboolean together)
{
  static const VkImageAspectFlags aspects[] = { VK_IMAGE_ASPECT_PLANE_0_BIT,
    VK_IMAGE_ASPECT_PLANE_1_BIT, VK_IMAGE_ASPECT_PLANE_2_BIT };
  const SegFormatInfo *info = seg_format_info (frame->format);
  guint bytes = info->planes[p].bytes;
  return (SegImagePlane){
    .aspect = together && info->n_planes > 1 ? aspects[p] : VK_IMAGE_ASPECT_COLOR_BIT,
    .width = (guint32) (seg_frame_row_bytes (frame, p) / bytes),
    .height = seg_frame_n_rows (frame, p),
    .texel_bytes = bytes,
    .offset = at->offset + frame->offset[p],
    .stride_bytes = frame->stride[p],
  };
}

/* --- what a meta says --------------------------------------------------------------------------------- */

static gboolean
wrong (const char *what, GError **error)
{
  g_set_error (error, SEG_ERROR, SEG_ERROR_INPUT, "a frame in tiled dma-bufs %s", what);
  return FALSE;
}

/* With compression there are planes beside those of the format. */
static gboolean
is_of (const GstVideoMeta *meta, const GstVideoInfo *info)
{
  return seg_dmabuf_meta_fits (meta, info) && meta->n_planes > 0
         && meta->n_planes <= SEG_MAX_MEMORY_PLANES;
}

/* Of one dma-buf there may be several fds; from Linux 5.3 on each has an inode of its own. */
static gboolean
are_of_one (const GstMemory *a, const GstMemory *b)
{
  struct stat x, y;
  return a == b
         || (fstat (gst_dmabuf_memory_get_fd ((GstMemory *) a), &x) == 0
             && fstat (gst_dmabuf_memory_get_fd ((GstMemory *) b), &y) == 0
             && x.st_dev == y.st_dev && x.st_ino == y.st_ino);
}

static gboolean
find_plane (GstBuffer *buffer, const GstVideoMeta *meta, guint p, SegTiling *tiling,
    GstMemory **memory, GError **error)
{
  guint first, n;
  gsize skip;
  if (meta->stride[p] <= 0)
    return wrong ("with a pitch that cannot be", error);
  if (!gst_buffer_find_memory (buffer, meta->offset[p], 1, &first, &n, &skip))
    return wrong ("with a plane that begins after their end", error);
  GstMemory *found = gst_buffer_peek_memory (buffer, first);
  if (p > 0 && !are_of_one (*memory, found))
    return wrong ("of which it needs more than one", error);
  if (p == 0)
    *memory = found;
  tiling->planes[p].offset = found->offset + skip;
  tiling->planes[p].pitch = (guint64) meta->stride[p];
  return TRUE;
}

gboolean
seg_tiling_find (GstBuffer *buffer, const GstVideoInfo *info, const SegFrame *frame,
    guint64 modifier, SegTiling *tiling, GstMemory **memory, GError **error)
{
  const GstVideoMeta *meta = gst_buffer_get_video_meta (buffer);
  guint even = 1;
  if (meta == NULL)
    return wrong ("that come without a GstVideoMeta, which says where planes are", error);
  if (!is_of (meta, info))
    return wrong ("whose GstVideoMeta is not as their caps", error);
  for (guint p = 0; p < seg_format_info (frame->format)->n_planes; p++)
    if (seg_format_info (frame->format)->planes[p].vsub > 0)
      even = 2;
  *tiling = (SegTiling){ .format = seg_tiling_format (frame->format),
    .width = (frame->width + even - 1) / even * even,
    .height = (frame->height + even - 1) / even * even,
    .modifier = modifier,
    .n_planes = meta->n_planes };
  for (guint p = 0; p < meta->n_planes; p++)
    if (!find_plane (buffer, meta, p, tiling, memory, error))
      return FALSE;
  return TRUE;
}
