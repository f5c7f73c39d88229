/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vk/private.h"

static const struct {
  VkDescriptorType type;
  VkFormat format;
  guint texel_bytes;
} kinds[] = {
  [SEG_VIEW_STORAGE_READ] = { VK_DESCRIPTOR_TYPE_STORAGE_BUFFER },
  [SEG_VIEW_STORAGE_WRITE] = { VK_DESCRIPTOR_TYPE_STORAGE_BUFFER },
  [SEG_VIEW_STORAGE_READ_WRITE] = { VK_DESCRIPTOR_TYPE_STORAGE_BUFFER },
  [SEG_VIEW_UNIFORM] = { VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER },
#define IMAGE(FORMAT, BYTES)                                                             \
  {                                                                                      \
    VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER, VK_FORMAT_##FORMAT, BYTES                   \
  }
#define TEXEL(FORMAT, BYTES)                                                             \
  {                                                                                      \
    VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER, VK_FORMAT_##FORMAT, BYTES                   \
  }
  [SEG_VIEW_TEXEL_F32X4] = TEXEL (R32G32B32A32_SFLOAT, 16),
  [SEG_VIEW_TEXEL_F32X1] = TEXEL (R32_SFLOAT, 4),
  [SEG_VIEW_TEXEL_F16X4] = TEXEL (R16G16B16A16_SFLOAT, 8),
  [SEG_VIEW_TEXEL_I32X4] = TEXEL (R32G32B32A32_SINT, 16),
  [SEG_VIEW_TEXEL_U32X4] = TEXEL (R32G32B32A32_UINT, 16),
  [SEG_VIEW_TEXEL_U16X4] = TEXEL (R16G16B16A16_UINT, 8),
  [SEG_VIEW_TEXEL_U8X1] = TEXEL (R8_UINT, 1),
  [SEG_VIEW_TEXEL_U8X4] = TEXEL (R8G8B8A8_UINT, 4),
  [SEG_VIEW_TEXEL_U16X1] = TEXEL (R16_UINT, 2),
  [SEG_VIEW_IMAGE_F32X4] = IMAGE (R32G32B32A32_SFLOAT, 16),
  [SEG_VIEW_IMAGE_F16X4] = IMAGE (R16G16B16A16_SFLOAT, 8),
#undef TEXEL
#undef IMAGE
};

VkDescriptorType
seg_view_descriptor_type (SegViewKind kind)
{
  return kinds[kind].type;
}

VkFormat
seg_view_format (SegViewKind kind)
{
  return kinds[kind].format;
}

guint
seg_view_texel_bytes (SegViewKind kind)
{
  return kinds[kind].texel_bytes;
}

gboolean
seg_view_writes (SegViewKind kind)
{
  return kind == SEG_VIEW_STORAGE_WRITE || kind == SEG_VIEW_STORAGE_READ_WRITE;
}

static guint64
most_bytes (const SegVk *vk, SegViewKind kind)
{
  const SegDeviceInfo *info = &vk->physical.info;
  guint texel = kinds[kind].texel_bytes;
  return texel != 0                 ? info->max_texels * texel
         : kind == SEG_VIEW_UNIFORM ? vk->physical.max_uniform_bytes
                                    : info->max_storage_bytes;
}

gsize
seg_view_room (const SegVk *vk, SegViewKind kind, gsize n_bytes)
{
  gsize room = seg_texel_room (n_bytes);
  return room <= most_bytes (vk, kind) ? room : n_bytes;
}

static gboolean
past_limit (const SegVk *vk, const SegBufferView *view, GError **error)
{
  guint64 most = most_bytes (vk, view->kind);
  if (view->n_bytes <= most)
    return FALSE;
  g_set_error (error, SEG_ERROR, SEG_ERROR_MEMORY,
      "a view of %" G_GSIZE_FORMAT " bytes is more than the %" G_GUINT64_FORMAT
      " bytes that a shader on %s can see at once",
      view->n_bytes, most, vk->physical.info.name);
  return TRUE;
}

/* All view formats of a buffer for images must be good for images (VUID-VkBufferViewCreateInfo-format-08779);
 * Vulkan asks that of devices for all of ours but those of one component of 8 or 16 bits. */
static gboolean
is_for_buffer (const SegBufferView *view)
{
  if (kinds[view->kind].type == VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER)
    return view->buffer->for_images;
  return !view->buffer->for_images
         || (view->kind != SEG_VIEW_TEXEL_U8X1 && view->kind != SEG_VIEW_TEXEL_U16X1);
}

gboolean
seg_view_check (const SegVk *vk, const SegBufferView *view, GError **error)
{
  guint32 align = vk->physical.info.buffer_align;
  guint texel =
      (guint) view->kind < G_N_ELEMENTS (kinds) ? kinds[view->kind].texel_bytes : 0;
  gsize size = view->buffer == NULL ? 0 : view->buffer->n_bytes;
  const char *wrong = NULL;
  if ((guint) view->kind >= G_N_ELEMENTS (kinds))
    wrong = "has no kind";
  else if (view->buffer == NULL || view->buffer->vk != vk)
    wrong = "has no buffer of this device";
  else if (view->n_bytes == 0 || view->offset > size
           || view->n_bytes > size - view->offset)
    wrong = "is empty or outside its buffer";
  else if (view->offset % align != 0)
    wrong = "does not start at a multiple of the device's buffer_align";
  else if (texel != 0 && view->n_bytes % texel != 0)
    wrong = "is not a whole number of texels";
  else if (!is_for_buffer (view))
    wrong = "is of a kind that its buffer is not for";
  if (wrong != NULL) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_INPUT,
        "view of bytes %" G_GSIZE_FORMAT " + %" G_GSIZE_FORMAT
        " of a buffer of %" G_GSIZE_FORMAT " (alignment %u, kind %d) %s",
        view->offset, view->n_bytes, size, align, view->kind, wrong);
    return FALSE;
  }
  return !past_limit (vk, view, error);
}
