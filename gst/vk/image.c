/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vk/private.h"

#include <string.h>

static const SegImageFormat formats[] = {
  { VK_FORMAT_R8_UNORM, 1, { { 1, 1 } } },
  { VK_FORMAT_R8G8_UNORM, 1, { { 2, 1 } } },
  { VK_FORMAT_R8G8B8A8_UNORM, 1, { { 4, 1 } } },
  { VK_FORMAT_B8G8R8A8_UNORM, 1, { { 4, 1 } } },
  { VK_FORMAT_G8_B8R8_2PLANE_420_UNORM, 2, { { 1, 1 }, { 2, 2 } } },
  { VK_FORMAT_G10X6_B10X6R10X6_2PLANE_420_UNORM_3PACK16, 2, { { 2, 1 }, { 4, 2 } } },
  { VK_FORMAT_G8_B8_R8_3PLANE_420_UNORM, 3, { { 1, 1 }, { 1, 2 }, { 1, 2 } } },
};

const SegImageFormat *
seg_image_format (VkFormat format)
{
  for (guint i = 0; i < G_N_ELEMENTS (formats); i++)
    if (formats[i].format == format)
      return &formats[i];
  return NULL;
}

/* After everything on the queue before it, by whatever stage that was: what made the image is not
 * ours to know, and the copy would have to wait for it anyway. */
gboolean
seg_cmd_use_image (SegCmd *cmd, SegImage *image, gboolean write, GError **error)
{
  const VkImageMemoryBarrier barrier = {
    .sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER,
    .srcAccessMask = VK_ACCESS_MEMORY_WRITE_BIT,
    .dstAccessMask = write ? VK_ACCESS_TRANSFER_WRITE_BIT : VK_ACCESS_TRANSFER_READ_BIT,
    .oldLayout = write ? VK_IMAGE_LAYOUT_UNDEFINED : image->layout,
    .newLayout = write ? VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL
                       : VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL,
    .srcQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
    .dstQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
    .image = image->handle,
    .subresourceRange = { VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1 },
  };
  if (!seg_record_check (cmd, error))
    return FALSE;
  vkCmdPipelineBarrier (cmd->buffer, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT,
      VK_PIPELINE_STAGE_TRANSFER_BIT, 0, 0, NULL, 0, NULL, 1, &barrier);
  image->layout = barrier.newLayout;
  return TRUE;
}

static gboolean
check_plane (
    const SegCmd *cmd, const SegBuffer *buffer, const SegImagePlane *p, GError **error)
{
  gsize row = (gsize) p->width * p->texel_bytes;
  gsize size = buffer == NULL || buffer->vk != cmd->vk ? 0 : buffer->n_bytes;
  gboolean ok = p->width > 0 && p->height > 0 && p->texel_bytes > 0
                && p->stride_bytes >= row && p->stride_bytes % p->texel_bytes == 0
                && p->offset % p->texel_bytes == 0 && p->offset % 4 == 0
                && p->offset <= size && row <= size - p->offset
                && p->height - 1 <= (size - p->offset - row) / p->stride_bytes;
  if (!ok)
    g_set_error (error, SEG_ERROR, SEG_ERROR_INPUT,
        "a plane of %ux%u texels of %u bytes, rows of %" G_GSIZE_FORMAT
        " bytes from %" G_GSIZE_FORMAT " on, does not fit a buffer of %" G_GSIZE_FORMAT,
        p->width, p->height, p->texel_bytes, p->stride_bytes, p->offset, size);
  return ok;
}

static VkBufferImageCopy
region_of (const SegImagePlane *p)
{
  return (VkBufferImageCopy){
    .bufferOffset = p->offset,
    .bufferRowLength = (guint32) (p->stride_bytes / p->texel_bytes),
    .imageSubresource = { p->aspect, 0, 0, 1 },
    .imageExtent = { p->width, p->height, 1 },
  };
}

/* Rows with what is between them, which the copy leaves alone. */
static SegAccess
access_of (SegBuffer *buffer, const SegImagePlane *p, gboolean write)
{
  gsize n = (p->height - 1) * p->stride_bytes + (gsize) p->width * p->texel_bytes;
  return (SegAccess){ buffer, p->offset, p->offset + n, write };
}

gboolean
seg_cmd_from_image (SegCmd *cmd, const SegImage *image, const SegImagePlane *plane,
    SegBuffer *dst, GError **error)
{
  if (!seg_record_check (cmd, error) || !check_plane (cmd, dst, plane, error))
    return FALSE;
  const VkBufferImageCopy region = region_of (plane);
  const SegAccess access = access_of (dst, plane, TRUE);
  seg_record_begin (cmd, &access, 1, VK_PIPELINE_STAGE_TRANSFER_BIT, "from image");
  vkCmdCopyImageToBuffer (
      cmd->buffer, image->handle, image->layout, dst->handle, 1, &region);
  return seg_record_end (cmd, error);
}

gboolean
seg_cmd_to_image (SegCmd *cmd, SegBuffer *src, const SegImagePlane *plane,
    const SegImage *image, GError **error)
{
  if (!seg_record_check (cmd, error) || !check_plane (cmd, src, plane, error))
    return FALSE;
  const VkBufferImageCopy region = region_of (plane);
  const SegAccess access = access_of (src, plane, FALSE);
  seg_record_begin (cmd, &access, 1, VK_PIPELINE_STAGE_TRANSFER_BIT, "to image");
  vkCmdCopyBufferToImage (
      cmd->buffer, src->handle, image->handle, image->layout, 1, &region);
  return seg_record_end (cmd, error);
}

gboolean
seg_cmd_clear_image (SegCmd *cmd, const SegImage *image, guint8 value, GError **error)
{
  float v = (float) value / 255.0f;
  const VkClearColorValue color = { .float32 = { v, v, v, v } };
  const VkImageSubresourceRange all = { VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1 };
  if (!seg_record_check (cmd, error))
    return FALSE;
  seg_record_begin (cmd, NULL, 0, VK_PIPELINE_STAGE_TRANSFER_BIT, "clear image");
  vkCmdClearColorImage (cmd->buffer, image->handle, image->layout, &color, 1, &all);
  return seg_record_end (cmd, error);
}

void
seg_cmd_set_timelines (SegCmd *cmd, const SegTimelinePoint *points, guint n)
{
  cmd->n_points = MIN (n, SEG_MAX_TIMELINES);
  memcpy (cmd->points, points, cmd->n_points * sizeof *points);
}
