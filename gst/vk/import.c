/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vk/import.h"

#include "vk/private.h"

#include <fcntl.h>
#include <unistd.h>

static gboolean
refuse (const SegVk *vk, const char *why, GError **error)
{
  g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED,
      "%s cannot import this dma-buf: %s", vk->physical.info.name, why);
  return FALSE;
}

static gboolean
is_refusal (VkResult result)
{
  return result == VK_ERROR_FORMAT_NOT_SUPPORTED
         || result == VK_ERROR_INVALID_EXTERNAL_HANDLE
         || result == VK_ERROR_INVALID_DRM_FORMAT_MODIFIER_PLANE_LAYOUT_EXT;
}

gboolean
seg_import_check (SegVk *vk, VkResult result, const char *what, GError **error)
{
  if (!is_refusal (result))
    return seg_vk_check (vk, result, what, error);
  g_autofree char *why = g_strdup_printf ("%s: %s", what, seg_vk_result_name (result));
  return refuse (vk, why, error);
}

/* The driver takes a copy of the fd. */
static VkResult
take_memory_of (SegVk *vk, int fd, guint32 type, guint64 n_bytes,
    const VkMemoryDedicatedAllocateInfo *alone, VkDeviceMemory *memory)
{
  const VkImportMemoryFdInfoKHR import = {
    .sType = VK_STRUCTURE_TYPE_IMPORT_MEMORY_FD_INFO_KHR,
    .pNext = alone,
    .handleType = SEG_IMPORT_HANDLE,
    .fd = fcntl (fd, F_DUPFD_CLOEXEC, 0),
  };
  const VkMemoryAllocateInfo info = {
    .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
    .pNext = &import,
    .allocationSize = n_bytes,
    .memoryTypeIndex = type,
  };
  if (import.fd < 0)
    return VK_ERROR_TOO_MANY_OBJECTS;
  VkResult result = vkAllocateMemory (vk->device, &info, NULL, memory);
  if (result != VK_SUCCESS)
    close (import.fd);
  return result;
}

gboolean
seg_import_memory (SegVk *vk, int fd, guint32 types, guint64 n_bytes,
    const VkMemoryDedicatedAllocateInfo *alone, VkDeviceMemory *memory, GError **error)
{
  VkMemoryFdPropertiesKHR properties = { VK_STRUCTURE_TYPE_MEMORY_FD_PROPERTIES_KHR };
  if (!seg_import_check (vk,
          vk->fd_properties (vk->device, SEG_IMPORT_HANDLE, fd, &properties),
          "vkGetMemoryFdPropertiesKHR", error))
    return FALSE;
  types &= properties.memoryTypeBits & seg_memory_types (&vk->physical.memory);
  if (types == 0)
    return refuse (vk, "it is in memory that the device does not reach", error);
  /* It is refused where it is refused in memory of each type. */
  VkResult result = VK_ERROR_INVALID_EXTERNAL_HANDLE;
  for (; types != 0 && result != VK_SUCCESS && result != VK_ERROR_DEVICE_LOST;
       types &= types - 1) {
    VkResult of_type = take_memory_of (
        vk, fd, (guint32) g_bit_nth_lsf (types, -1), n_bytes, alone, memory);
    if (of_type == VK_SUCCESS || is_refusal (result))
      result = of_type;
  }
  return seg_import_check (vk, result, "vkAllocateMemory of a dma-buf", error);
}

guint64
seg_import_size (const SegVk *vk, int fd, GError **error)
{
  off_t size = lseek (fd, 0, SEEK_END);
  guint64 most = vk->physical.info.max_allocation_bytes;
  if (vk->fd_properties != NULL && size > 0 && (guint64) size <= most)
    return (guint64) size;
  refuse (vk,
      vk->fd_properties == NULL ? "the device has no VK_EXT_external_memory_dma_buf"
      : size <= 0               ? "its size cannot be told"
                                : "it is larger than what the device can allocate",
      error);
  return 0;
}

static gboolean
create (SegBuffer *buffer, int fd, GError **error)
{
  SegVk *vk = buffer->vk;
  const VkExternalMemoryBufferCreateInfo external = {
    .sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO,
    .handleTypes = SEG_IMPORT_HANDLE,
  };
  const VkBufferCreateInfo info = {
    .sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
    .pNext = &external,
    .size = buffer->n_bytes,
    .usage = SEG_IMPORT_USAGE,
    .sharingMode = VK_SHARING_MODE_EXCLUSIVE,
  };
  VkMemoryRequirements need;
  if (!seg_import_check (vk, vkCreateBuffer (vk->device, &info, NULL, &buffer->handle),
          "vkCreateBuffer of a dma-buf", error))
    return FALSE;
  vkGetBufferMemoryRequirements (vk->device, buffer->handle, &need);
  if (need.size > buffer->n_bytes)
    return refuse (vk, "it is not a whole number of pages", error);
  const VkMemoryDedicatedAllocateInfo alone = {
    .sType = VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO,
    .buffer = buffer->handle,
  };
  return seg_import_memory (vk, fd, need.memoryTypeBits, buffer->n_bytes,
             vk->physical.dmabuf_alone ? &alone : NULL, &buffer->memory, error)
         && seg_vk_check (vk,
             vkBindBufferMemory (vk->device, buffer->handle, buffer->memory, 0),
             "vkBindBufferMemory of a dma-buf", error);
}

SegBuffer *
seg_buffer_import (SegVk *vk, int fd, GError **error)
{
  guint64 size = seg_vk_alive (vk, error) ? seg_import_size (vk, fd, error) : 0;
  if (size == 0)
    return NULL;
  SegBuffer *buffer = g_new0 (SegBuffer, 1);
  buffer->vk = seg_vk_ref (vk);
  buffer->n_bytes = (gsize) size;
  if (!create (buffer, fd, error))
    seg_buffer_free (&buffer);
  return buffer;
}

/* --- whose it is --------------------------------------------------------------------------------- */

guint32
seg_import_owner (const SegVk *vk)
{
  return vk->physical.foreign ? VK_QUEUE_FAMILY_FOREIGN_EXT : VK_QUEUE_FAMILY_EXTERNAL;
}

#define STAGES (VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT)

static gboolean
hand_over (SegCmd *cmd, SegBuffer *buffer, gboolean to_us, GError **error)
{
  guint32 ours = cmd->vk->physical.queue_family;
  guint32 theirs = seg_import_owner (cmd->vk);
  const VkBufferMemoryBarrier barrier = {
    .sType = VK_STRUCTURE_TYPE_BUFFER_MEMORY_BARRIER,
    .dstAccessMask = to_us ? VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_TRANSFER_READ_BIT : 0,
    .srcQueueFamilyIndex = to_us ? theirs : ours,
    .dstQueueFamilyIndex = to_us ? ours : theirs,
    .buffer = buffer->handle,
    .size = VK_WHOLE_SIZE,
  };
  if (!seg_record_check (cmd, error))
    return FALSE;
  vkCmdPipelineBarrier (cmd->buffer, STAGES, STAGES, 0, 0, NULL, 1, &barrier, 0, NULL);
  return TRUE;
}

gboolean
seg_cmd_acquire (SegCmd *cmd, SegBuffer *imported, GError **error)
{
  return hand_over (cmd, imported, TRUE, error);
}

gboolean
seg_cmd_release (SegCmd *cmd, SegBuffer *imported, GError **error)
{
  return hand_over (cmd, imported, FALSE, error);
}
