/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vk/private.h"
#include "vk/tiled.h"

gboolean
seg_modifier_query (const SegVk *vk, VkFormat format, VkImageUsageFlags usage,
    SegModifier *m, VkExternalMemoryFeatureFlags *can)
{
  const VkPhysicalDeviceImageDrmFormatModifierInfoEXT tiling = {
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_IMAGE_DRM_FORMAT_MODIFIER_INFO_EXT,
    .drmFormatModifier = m->modifier,
    .sharingMode = VK_SHARING_MODE_EXCLUSIVE,
  };
  const VkPhysicalDeviceExternalImageFormatInfo external = {
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_IMAGE_FORMAT_INFO,
    .pNext = &tiling,
    .handleType = SEG_IMPORT_HANDLE,
  };
  const VkPhysicalDeviceImageFormatInfo2 info = {
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_IMAGE_FORMAT_INFO_2,
    .pNext = &external,
    .format = format,
    .type = VK_IMAGE_TYPE_2D,
    .tiling = VK_IMAGE_TILING_DRM_FORMAT_MODIFIER_EXT,
    .usage = usage,
  };
  VkExternalImageFormatProperties memory = {
    VK_STRUCTURE_TYPE_EXTERNAL_IMAGE_FORMAT_PROPERTIES
  };
  VkImageFormatProperties2 image = { VK_STRUCTURE_TYPE_IMAGE_FORMAT_PROPERTIES_2,
    &memory };
  if (vkGetPhysicalDeviceImageFormatProperties2 (vk->physical.handle, &info, &image)
      != VK_SUCCESS)
    return FALSE;
  *can = memory.externalMemoryProperties.externalMemoryFeatures;
  m->max_width = image.imageFormatProperties.maxExtent.width;
  m->max_height = image.imageFormatProperties.maxExtent.height;
  m->alone = (*can & VK_EXTERNAL_MEMORY_FEATURE_DEDICATED_ONLY_BIT) != 0;
  return TRUE;
}

/* FALSE: the device has such images, but not of dma-bufs, or not to be copied from. */
static gboolean
can_import (const SegVk *vk, VkFormat format, SegModifier *m)
{
  VkExternalMemoryFeatureFlags can;
  return seg_modifier_query (vk, format, SEG_TILED_USAGE, m, &can)
         && (can & VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT) != 0;
}

static void
append (const SegVk *vk, VkFormat format, const VkDrmFormatModifierPropertiesEXT *found,
    GArray *modifiers)
{
  SegModifier m = { .modifier = found->drmFormatModifier,
    .n_planes = found->drmFormatModifierPlaneCount };
  const VkFormatFeatureFlags needed = VK_FORMAT_FEATURE_TRANSFER_SRC_BIT;
  if ((found->drmFormatModifierTilingFeatures & needed) != 0 && m.n_planes > 0
      && m.n_planes <= SEG_MAX_MEMORY_PLANES && can_import (vk, format, &m))
    g_array_append_val (modifiers, m);
}

GArray *
seg_vk_modifiers (const SegVk *vk, VkFormat format)
{
  GArray *modifiers = g_array_new (FALSE, FALSE, sizeof (SegModifier));
  if (!vk->physical.info.modifiers || seg_image_format (format) == NULL)
    return modifiers;
  VkDrmFormatModifierPropertiesListEXT list = {
    VK_STRUCTURE_TYPE_DRM_FORMAT_MODIFIER_PROPERTIES_LIST_EXT
  };
  VkFormatProperties2 properties = { VK_STRUCTURE_TYPE_FORMAT_PROPERTIES_2, &list };
  vkGetPhysicalDeviceFormatProperties2 (vk->physical.handle, format, &properties);
  g_autofree VkDrmFormatModifierPropertiesEXT *found =
      g_new0 (VkDrmFormatModifierPropertiesEXT, list.drmFormatModifierCount + 1);
  list.pDrmFormatModifierProperties = found;
  vkGetPhysicalDeviceFormatProperties2 (vk->physical.handle, format, &properties);
  for (guint i = 0; i < list.drmFormatModifierCount; i++)
    append (vk, format, &found[i], modifiers);
  return modifiers;
}
