/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vk/tiled.h"

#include "vk/private.h"

struct _SegTiled {
  SegVk *vk;
  SegImage image; /* always in GENERAL: what others know of no layout */
  VkDeviceMemory memory;
};

/* --- what is said of it ---------------------------------------------------------------------------- */

static gboolean
wrong (const char *what, GError **error)
{
  g_set_error (error, SEG_ERROR, SEG_ERROR_INPUT, "a tiled frame in a dma-buf %s", what);
  return FALSE;
}

/* A plane of the picture has at least the bytes of its texels, and where rows follow one another, these. What
 * a compression keeps beside it only the driver knows. */
static gboolean
check_plane (const SegTiling *t, guint p, guint64 n_bytes, GError **error)
{
  const SegImageFormat *format = seg_image_format (t->format);
  guint64 offset = t->planes[p].offset, pitch = t->planes[p].pitch;
  if (offset >= n_bytes)
    return wrong ("with a plane that begins after its end", error);
  if (pitch == 0 || pitch > n_bytes)
    return wrong ("with a pitch that cannot be", error);
  if (p >= format->n_planes)
    return TRUE;
  guint side = format->planes[p].side_px;
  guint64 row = (guint64) (t->width / side) * format->planes[p].bytes;
  guint64 n_rows = t->height / side, left = n_bytes - offset;
  if (t->modifier == SEG_MODIFIER_LINEAR && pitch < row)
    return wrong ("whose rows overlap", error);
  guint64 step = t->modifier == SEG_MODIFIER_LINEAR ? pitch : row;
  if (row > left || n_rows - 1 > (left - row) / step)
    return wrong ("with a plane that ends after its end", error);
  return TRUE;
}

gboolean
seg_tiling_check (
    const SegTiling *t, const SegModifier *modifier, guint64 n_bytes, GError **error)
{
  const SegImageFormat *format = seg_image_format (t->format);
  guint side = 1;
  if (format == NULL || t->modifier != modifier->modifier)
    return wrong ("of another format", error);
  for (guint p = 0; p < format->n_planes; p++)
    side = MAX (side, format->planes[p].side_px);
  if (t->n_planes != modifier->n_planes || t->n_planes < format->n_planes)
    return wrong ("with another number of planes than its format has", error);
  if (t->width == 0 || t->height == 0 || t->width > modifier->max_width
      || t->height > modifier->max_height)
    return wrong ("of a size that the device does not have", error);
  if (t->width % side != 0 || t->height % side != 0)
    return wrong ("whose sides are odd", error);
  for (guint p = 0; p < t->n_planes; p++)
    if (!check_plane (t, p, n_bytes, error))
      return FALSE;
  return TRUE;
}

/* --- the image -------------------------------------------------------------------------------------- */

VkResult
seg_tiled_create_image (const SegVk *vk, const SegTiling *t, VkImageUsageFlags usage,
    const void *modifier, VkImage *image)
{
  const VkExternalMemoryImageCreateInfo external = {
    .sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_IMAGE_CREATE_INFO,
    .pNext = modifier,
    .handleTypes = SEG_IMPORT_HANDLE,
  };
  const VkImageCreateInfo info = {
    .sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
    .pNext = &external,
    .imageType = VK_IMAGE_TYPE_2D,
    .format = t->format,
    .extent = { t->width, t->height, 1 },
    .mipLevels = 1,
    .arrayLayers = 1,
    .samples = VK_SAMPLE_COUNT_1_BIT,
    .tiling = VK_IMAGE_TILING_DRM_FORMAT_MODIFIER_EXT,
    .usage = usage,
    .sharingMode = VK_SHARING_MODE_EXCLUSIVE,
    .initialLayout = VK_IMAGE_LAYOUT_UNDEFINED,
  };
  return vkCreateImage (vk->device, &info, NULL, image);
}

static gboolean
create_image (SegTiled *self, const SegTiling *t, GError **error)
{
  VkSubresourceLayout planes[SEG_MAX_MEMORY_PLANES] = { 0 };
  for (guint p = 0; p < t->n_planes; p++) {
    planes[p].offset = t->planes[p].offset;
    planes[p].rowPitch = t->planes[p].pitch;
  }
  const VkImageDrmFormatModifierExplicitCreateInfoEXT tiling = {
    .sType = VK_STRUCTURE_TYPE_IMAGE_DRM_FORMAT_MODIFIER_EXPLICIT_CREATE_INFO_EXT,
    .drmFormatModifier = t->modifier,
    .drmFormatModifierPlaneCount = t->n_planes,
    .pPlaneLayouts = planes,
  };
  self->image.layout = VK_IMAGE_LAYOUT_GENERAL;
  VkResult result =
      seg_tiled_create_image (self->vk, t, SEG_TILED_USAGE, &tiling, &self->image.handle);
  return seg_import_check (self->vk, result, "vkCreateImage of a dma-buf", error);
}

/* The driver has seen where the planes are, and says how much memory they reach into. */
static gboolean
take_memory (SegTiled *self, int fd, guint64 n_bytes, gboolean alone, GError **error)
{
  SegVk *vk = self->vk;
  const VkImageMemoryRequirementsInfo2 of = {
    .sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_REQUIREMENTS_INFO_2,
    .image = self->image.handle,
  };
  const VkMemoryDedicatedAllocateInfo this_one = {
    .sType = VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO,
    .image = self->image.handle,
  };
  VkMemoryDedicatedRequirements dedicated = {
    VK_STRUCTURE_TYPE_MEMORY_DEDICATED_REQUIREMENTS
  };
  VkMemoryRequirements2 need = { VK_STRUCTURE_TYPE_MEMORY_REQUIREMENTS_2, &dedicated };
  vkGetImageMemoryRequirements2 (vk->device, &of, &need);
  alone = alone || dedicated.requiresDedicatedAllocation;
  if (need.memoryRequirements.size > n_bytes)
    return wrong ("that ends after its end", error);
  return seg_import_memory (vk, fd, need.memoryRequirements.memoryTypeBits,
             need.memoryRequirements.size, alone ? &this_one : NULL, &self->memory, error)
         && seg_vk_check (vk,
             vkBindImageMemory (vk->device, self->image.handle, self->memory, 0),
             "vkBindImageMemory of a dma-buf", error);
}

static gboolean
find_modifier (const SegVk *vk, const SegTiling *t, SegModifier *modifier, GError **error)
{
  g_autoptr (GArray) all = seg_vk_modifiers (vk, t->format);
  for (guint i = 0; i < all->len; i++) {
    *modifier = g_array_index (all, SegModifier, i);
    if (modifier->modifier == t->modifier)
      return TRUE;
  }
  g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED,
      "%s cannot import a dma-buf with modifier 0x%016" G_GINT64_MODIFIER "x in this "
      "format",
      vk->physical.info.name, t->modifier);
  return FALSE;
}

SegTiled *
seg_tiled_import (SegVk *vk, int fd, const SegTiling *tiling, GError **error)
{
  SegModifier modifier;
  if (!seg_vk_alive (vk, error) || !find_modifier (vk, tiling, &modifier, error))
    return NULL;
  guint64 n_bytes = seg_import_size (vk, fd, error);
  if (n_bytes == 0 || !seg_tiling_check (tiling, &modifier, n_bytes, error))
    return NULL;
  SegTiled *self = g_new0 (SegTiled, 1);
  self->vk = seg_vk_ref (vk);
  if (!create_image (self, tiling, error)
      || !take_memory (self, fd, n_bytes, modifier.alone, error))
    seg_tiled_free (&self);
  return self;
}

void
seg_tiled_free (SegTiled **tiled)
{
  SegTiled *self = *tiled;
  *tiled = NULL;
  if (self == NULL)
    return;
  if (g_atomic_int_get (&self->vk->state) != SEG_VK_HUNG) {
    vkDestroyImage (self->vk->device, self->image.handle, NULL);
    vkFreeMemory (self->vk->device, self->memory, NULL);
  }
  seg_vk_unref (self->vk);
  g_free (self);
}

const SegImage *
seg_tiled_image (const SegTiled *tiled)
{
  return &tiled->image;
}

/* --- whose it is --------------------------------------------------------------------------------- */

static gboolean
hand_over (SegCmd *cmd, const SegTiled *tiled, gboolean to_us, GError **error)
{
  guint32 ours = cmd->vk->physical.queue_family;
  guint32 theirs = seg_import_owner (cmd->vk);
  const VkImageMemoryBarrier barrier = {
    .sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER,
    .dstAccessMask = to_us ? VK_ACCESS_TRANSFER_READ_BIT : 0,
    .oldLayout = tiled->image.layout,
    .newLayout = tiled->image.layout,
    .srcQueueFamilyIndex = to_us ? theirs : ours,
    .dstQueueFamilyIndex = to_us ? ours : theirs,
    .image = tiled->image.handle,
    .subresourceRange = { VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1 },
  };
  if (!seg_record_check (cmd, error))
    return FALSE;
  vkCmdPipelineBarrier (cmd->buffer, VK_PIPELINE_STAGE_TRANSFER_BIT,
      VK_PIPELINE_STAGE_TRANSFER_BIT, 0, 0, NULL, 0, NULL, 1, &barrier);
  return TRUE;
}

gboolean
seg_cmd_acquire_tiled (SegCmd *cmd, const SegTiled *tiled, GError **error)
{
  return hand_over (cmd, tiled, TRUE, error);
}

gboolean
seg_cmd_release_tiled (SegCmd *cmd, const SegTiled *tiled, GError **error)
{
  return hand_over (cmd, tiled, FALSE, error);
}
