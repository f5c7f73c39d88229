/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vk/private.h"

#include <string.h>

/* What a use asks of memory, and what it likes or dislikes. */
static const struct {
  VkMemoryPropertyFlags need, like, dislike;
  const char *name;
} uses[] = {
  [SEG_BUFFER_DEVICE] = { VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT, 0,
      VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT, "device" },
  /* Written once from front to back: uncached, write-combined memory does best, and the small
   * window of host-visible video memory is left to those who need it. */
  [SEG_BUFFER_UPLOAD] = { VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT
                              | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT,
      0, VK_MEMORY_PROPERTY_HOST_CACHED_BIT | VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT,
      "upload" },
  [SEG_BUFFER_READBACK] = { VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT
                                | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT,
      VK_MEMORY_PROPERTY_HOST_CACHED_BIT, VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT,
      "readback" },
};

/* Types that need a feature we do not enable (AMD's device-coherent memory, protected memory) or
 * that buffers cannot live in. */
#define FOREIGN                                                                          \
  (VK_MEMORY_PROPERTY_PROTECTED_BIT | VK_MEMORY_PROPERTY_LAZILY_ALLOCATED_BIT            \
      | VK_MEMORY_PROPERTY_DEVICE_COHERENT_BIT_AMD                                       \
      | VK_MEMORY_PROPERTY_RDMA_CAPABLE_BIT_NV)

guint32
seg_memory_types (const VkPhysicalDeviceMemoryProperties *memory)
{
  guint32 types = 0;
  for (guint i = 0; i < memory->memoryTypeCount; i++)
    if ((memory->memoryTypes[i].propertyFlags & FOREIGN) == 0)
      types |= 1u << i;
  return types;
}

static int
score (VkMemoryPropertyFlags flags, SegBufferUse use)
{
  if ((flags & uses[use].need) != uses[use].need)
    return -1;
  int s = 10;
  s += flags & uses[use].like ? 4 : 0;
  for (guint bit = 0; bit < 32; bit++)
    s -= flags & uses[use].dislike & (1u << bit) ? 1 : 0;
  return s;
}

/* The best type among `allowed` (a bit each) whose heap can hold n_bytes, or -1. */
static int
best_type (const SegVk *vk, guint32 allowed, SegBufferUse use, gsize n_bytes)
{
  const VkPhysicalDeviceMemoryProperties *m = &vk->physical.memory;
  int best = -1, best_score = -1;
  for (guint i = 0; i < m->memoryTypeCount; i++) {
    int s = score (m->memoryTypes[i].propertyFlags, use);
    if ((allowed & (1u << i)) && s > best_score
        && n_bytes <= m->memoryHeaps[m->memoryTypes[i].heapIndex].size) {
      best = (int) i;
      best_score = s;
    }
  }
  return best;
}

/* Tries type after type, best first, until one has room. */
static VkResult
allocate (SegBuffer *buffer, const VkMemoryRequirements *need, SegBufferUse use)
{
  VkResult result = VK_ERROR_OUT_OF_DEVICE_MEMORY;
  guint32 allowed =
      need->memoryTypeBits & seg_memory_types (&buffer->vk->physical.memory);
  for (;;) {
    int type = best_type (buffer->vk, allowed, use, need->size);
    if (type < 0)
      return result;
    const VkMemoryAllocateInfo info = {
      .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
      .allocationSize = need->size,
      .memoryTypeIndex = (guint32) type,
    };
    result = vkAllocateMemory (buffer->vk->device, &info, NULL, &buffer->memory);
    if (result != VK_ERROR_OUT_OF_DEVICE_MEMORY && result != VK_ERROR_OUT_OF_HOST_MEMORY)
      return result;
    allowed &= ~(1u << type);
  }
}

static gboolean
create_memory (SegBuffer *buffer, SegBufferUse use, GError **error)
{
  SegVk *vk = buffer->vk;
  VkMemoryRequirements need;
  vkGetBufferMemoryRequirements (vk->device, buffer->handle, &need);
  VkResult result = allocate (buffer, &need, use);
  if (!seg_vk_check (vk, result, "vkAllocateMemory", error)) {
    g_prefix_error (error,
        "no room for a %s buffer of %" G_GSIZE_FORMAT " bytes: ", uses[use].name,
        buffer->n_bytes);
    return FALSE;
  }
  if (!seg_vk_check (vk,
          vkBindBufferMemory (vk->device, buffer->handle, buffer->memory, 0),
          "vkBindBufferMemory", error))
    return FALSE;
  return use == SEG_BUFFER_DEVICE
         || seg_vk_check (vk,
             vkMapMemory (vk->device, buffer->memory, 0, VK_WHOLE_SIZE, 0, &buffer->map),
             "vkMapMemory", error);
}

static gboolean
check_size (SegVk *vk, gsize n_bytes, SegBufferUse use, GError **error)
{
  guint64 most = vk->physical.info.max_allocation_bytes;
  if (n_bytes == 0) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_INPUT, "a buffer of 0 bytes was asked for");
    return FALSE;
  }
  if (n_bytes > most) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_MEMORY,
        "a %s buffer of %" G_GSIZE_FORMAT " bytes is more than the %" G_GUINT64_FORMAT
        " bytes that %s can allocate at once",
        uses[use].name, n_bytes, most, vk->physical.info.name);
    return FALSE;
  }
  return TRUE;
}

/* llvmpipe compiles a shader once more for a texture whose width is a power of two, and takes a buffer's
 * bytes for the width: no buffer's are, but of the most that there can be (and see seg_texel_room). */
static VkDeviceSize
size_to_create (const SegVk *vk, gsize n_bytes)
{
  gboolean more = (n_bytes & (n_bytes - 1)) == 0
                  && n_bytes + 16 <= vk->physical.info.max_allocation_bytes;
  return more ? n_bytes + 16 : n_bytes;
}

static SegBuffer *
new_buffer (
    SegVk *vk, gsize n_bytes, SegBufferUse use, gboolean for_images, GError **error)
{
  if (!seg_vk_alive (vk, error) || !check_size (vk, n_bytes, use, error))
    return NULL;
  const VkBufferCreateInfo info = {
    .sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
    .size = size_to_create (vk, n_bytes),
    .usage = VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT
             | VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_UNIFORM_BUFFER_BIT
             | VK_BUFFER_USAGE_INDIRECT_BUFFER_BIT
             | VK_BUFFER_USAGE_UNIFORM_TEXEL_BUFFER_BIT
             | (for_images ? VK_BUFFER_USAGE_STORAGE_TEXEL_BUFFER_BIT : 0),
    .sharingMode = VK_SHARING_MODE_EXCLUSIVE,
  };
  SegBuffer *buffer = g_new0 (SegBuffer, 1);
  buffer->vk = seg_vk_ref (vk);
  buffer->n_bytes = n_bytes;
  buffer->for_images = for_images;
  if (!seg_vk_check (vk, vkCreateBuffer (vk->device, &info, NULL, &buffer->handle),
          "vkCreateBuffer", error)
      || !create_memory (buffer, use, error))
    seg_buffer_free (&buffer);
  return buffer;
}

SegBuffer *
seg_buffer_new (SegVk *vk, gsize n_bytes, SegBufferUse use, GError **error)
{
  return new_buffer (vk, n_bytes, use, FALSE, error);
}

SegBuffer *
seg_buffer_new_for_images (SegVk *vk, gsize n_bytes, SegBufferUse use, GError **error)
{
  return new_buffer (vk, n_bytes, use, TRUE, error);
}

void
seg_buffer_free (SegBuffer **buffer)
{
  SegBuffer *b = *buffer;
  *buffer = NULL;
  if (b == NULL)
    return;
  if (g_atomic_int_get (&b->vk->state) != SEG_VK_HUNG) {
    vkDestroyBuffer (b->vk->device, b->handle, NULL);
    vkFreeMemory (b->vk->device, b->memory, NULL); /* unmaps */
  }
  seg_vk_unref (b->vk);
  g_free (b);
}

gpointer
seg_buffer_map (const SegBuffer *buffer)
{
  return buffer->map;
}

gsize
seg_buffer_bytes (const SegBuffer *buffer)
{
  return buffer->n_bytes;
}

const SegVk *
seg_buffer_vk (const SegBuffer *buffer)
{
  return buffer->vk;
}
