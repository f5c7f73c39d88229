/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE /* RTLD_NEXT */
#include "vk/fake-modifier.h"

#include "vk/image.h"

#include <dlfcn.h>
#include <glib.h>
#include <string.h>

#define NAME       VK_EXT_IMAGE_DRM_FORMAT_MODIFIER_EXTENSION_NAME
#define REAL(name) PFN_##name real = (PFN_##name) dlsym (RTLD_NEXT, #name)

VkResult fake_modifier_answer = VK_SUCCESS;

static VkDevice first;
static GMutex lock;
static GHashTable *offsets; /* lock; of images, that the first plane has */

static const void *
find (const void *chain, VkStructureType type)
{
  const VkBaseInStructure *s = chain;
  while (s != NULL && s->sType != type)
    s = s->pNext;
  return s;
}

/* --- the device ------------------------------------------------------------------------------------- */

VKAPI_ATTR VkResult VKAPI_CALL
vkEnumerateDeviceExtensionProperties (
    VkPhysicalDevice p, const char *layer, uint32_t *n, VkExtensionProperties *all)
{
  REAL (vkEnumerateDeviceExtensionProperties);
  uint32_t room = *n;
  if (all != NULL && room > 0)
    *n = room - 1;
  VkResult result = real (p, layer, n, all);
  if (result < 0 || (all != NULL && *n >= room))
    return result;
  if (all != NULL)
    all[*n] = (VkExtensionProperties){ NAME, 1 };
  ++*n;
  return VK_SUCCESS;
}

VKAPI_ATTR VkResult VKAPI_CALL
vkCreateDevice (VkPhysicalDevice p, const VkDeviceCreateInfo *info,
    const VkAllocationCallbacks *a, VkDevice *device)
{
  REAL (vkCreateDevice);
  VkDeviceCreateInfo without = *info;
  g_autofree const char **names = g_new (const char *, info->enabledExtensionCount + 1);
  without.enabledExtensionCount = 0;
  without.ppEnabledExtensionNames = names;
  for (uint32_t i = 0; i < info->enabledExtensionCount; i++)
    if (strcmp (info->ppEnabledExtensionNames[i], NAME) != 0)
      names[without.enabledExtensionCount++] = info->ppEnabledExtensionNames[i];
  VkResult result = real (p, &without, a, device);
  if (result == VK_SUCCESS && first == VK_NULL_HANDLE)
    first = *device;
  return result;
}

/* --- formats ------------------------------------------------------------------------------------------ */

VKAPI_ATTR void VKAPI_CALL
vkGetPhysicalDeviceFormatProperties2 (
    VkPhysicalDevice p, VkFormat format, VkFormatProperties2 *properties)
{
  REAL (vkGetPhysicalDeviceFormatProperties2);
  VkDrmFormatModifierPropertiesListEXT *list =
      (VkDrmFormatModifierPropertiesListEXT *) find (
          properties->pNext, VK_STRUCTURE_TYPE_DRM_FORMAT_MODIFIER_PROPERTIES_LIST_EXT);
  g_assert_true (list == properties->pNext); /* alone, if it is there */
  properties->pNext = NULL;
  real (p, format, properties);
  properties->pNext = list;
  if (list == NULL)
    return;
  /* Where the planes of a linear image of several are, lavapipe (25.0) does not tell. */
  VkFormatFeatureFlags features =
      seg_image_format (format) != NULL && seg_image_format (format)->n_planes == 1
          ? properties->formatProperties.linearTilingFeatures
          : 0;
  if (list->pDrmFormatModifierProperties != NULL && list->drmFormatModifierCount > 0)
    list->pDrmFormatModifierProperties[0] =
        (VkDrmFormatModifierPropertiesEXT){ FAKE_MODIFIER, 1, features };
  list->drmFormatModifierCount = features != 0;
}

VKAPI_ATTR VkResult VKAPI_CALL
vkGetPhysicalDeviceImageFormatProperties2 (VkPhysicalDevice p,
    const VkPhysicalDeviceImageFormatInfo2 *info, VkImageFormatProperties2 *properties)
{
  REAL (vkGetPhysicalDeviceImageFormatProperties2);
  VkPhysicalDeviceImageFormatInfo2 linear = *info;
  void *next = properties->pNext;
  VkExternalImageFormatProperties *memory = (VkExternalImageFormatProperties *) find (
      next, VK_STRUCTURE_TYPE_EXTERNAL_IMAGE_FORMAT_PROPERTIES);
  linear.tiling = VK_IMAGE_TILING_LINEAR;
  linear.pNext = NULL;
  properties->pNext = NULL;
  VkResult result = real (p, &linear, properties);
  properties->pNext = next;
  if (memory != NULL)
    memory->externalMemoryProperties.externalMemoryFeatures =
        VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT;
  return result;
}

/* --- images --------------------------------------------------------------------------------------------- */

uint64_t
fake_modifier_layout (
    VkFormat format, uint32_t width, uint32_t height, VkSubresourceLayout *layout)
{
  REAL (vkCreateImage);
  const VkImageCreateInfo info = {
    .sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
    .imageType = VK_IMAGE_TYPE_2D,
    .format = format,
    .extent = { width, height, 1 },
    .mipLevels = 1,
    .arrayLayers = 1,
    .samples = VK_SAMPLE_COUNT_1_BIT,
    .tiling = VK_IMAGE_TILING_LINEAR,
    .usage = VK_IMAGE_USAGE_TRANSFER_SRC_BIT,
  };
  const VkImageSubresource all = { VK_IMAGE_ASPECT_COLOR_BIT, 0, 0 };
  VkImage image;
  VkMemoryRequirements need;
  g_assert_cmpint (real (first, &info, NULL, &image), ==, VK_SUCCESS);
  vkGetImageSubresourceLayout (first, image, &all, layout);
  vkGetImageMemoryRequirements (first, image, &need);
  vkDestroyImage (first, image, NULL);
  return need.size;
}

static gboolean
is_there (const VkImageCreateInfo *info,
    const VkImageDrmFormatModifierExplicitCreateInfoEXT *tiling)
{
  const VkSubresourceLayout *p = tiling->pPlaneLayouts;
  VkSubresourceLayout layout;
  g_assert_cmpuint (tiling->drmFormatModifierPlaneCount, ==, 1);
  g_assert_cmphex (tiling->drmFormatModifier, ==, FAKE_MODIFIER);
  g_assert_cmpuint (p->size + p->arrayPitch + p->depthPitch, ==, 0);
  fake_modifier_layout (info->format, info->extent.width, info->extent.height, &layout);
  return p->rowPitch == layout.rowPitch;
}

VKAPI_ATTR VkResult VKAPI_CALL
vkCreateImage (VkDevice device, const VkImageCreateInfo *info,
    const VkAllocationCallbacks *a, VkImage *image)
{
  REAL (vkCreateImage);
  const VkImageDrmFormatModifierExplicitCreateInfoEXT *tiling = find (
      info->pNext, VK_STRUCTURE_TYPE_IMAGE_DRM_FORMAT_MODIFIER_EXPLICIT_CREATE_INFO_EXT);
  if (tiling == NULL)
    return real (device, info, a, image);
  if (!is_there (info, tiling))
    return VK_ERROR_INVALID_DRM_FORMAT_MODIFIER_PLANE_LAYOUT_EXT;
  VkExternalMemoryImageCreateInfo external =
      *(const VkExternalMemoryImageCreateInfo *) find (
          info->pNext, VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_IMAGE_CREATE_INFO);
  VkImageCreateInfo linear = *info;
  linear.tiling = VK_IMAGE_TILING_LINEAR;
  linear.pNext = &external;
  external.pNext = NULL;
  VkResult result = real (device, &linear, a, image);
  if (result == VK_SUCCESS) {
    g_mutex_lock (&lock);
    if (offsets == NULL)
      offsets = g_hash_table_new (NULL, NULL);
    g_hash_table_insert (offsets, (gpointer) (guintptr) *image,
        GSIZE_TO_POINTER (tiling->pPlaneLayouts[0].offset));
    g_mutex_unlock (&lock);
  }
  return result;
}

VKAPI_ATTR VkResult VKAPI_CALL
vkAllocateMemory (VkDevice device, const VkMemoryAllocateInfo *info,
    const VkAllocationCallbacks *a, VkDeviceMemory *memory)
{
  REAL (vkAllocateMemory);
  VkResult result = fake_modifier_answer;
  if (result == VK_SUCCESS
      || find (info->pNext, VK_STRUCTURE_TYPE_IMPORT_MEMORY_FD_INFO_KHR) == NULL)
    return real (device, info, a, memory);
  return result;
}

static VkDeviceSize
offset_of (VkImage image)
{
  g_mutex_lock (&lock);
  gpointer found =
      offsets == NULL ? NULL : g_hash_table_lookup (offsets, (gpointer) (guintptr) image);
  g_mutex_unlock (&lock);
  return GPOINTER_TO_SIZE (found);
}

VKAPI_ATTR void VKAPI_CALL
vkGetImageMemoryRequirements2 (VkDevice device,
    const VkImageMemoryRequirementsInfo2 *info, VkMemoryRequirements2 *need)
{
  REAL (vkGetImageMemoryRequirements2);
  real (device, info, need);
  need->memoryRequirements.size += offset_of (info->image);
}

VKAPI_ATTR VkResult VKAPI_CALL
vkBindImageMemory (
    VkDevice device, VkImage image, VkDeviceMemory memory, VkDeviceSize offset)
{
  REAL (vkBindImageMemory);
  return real (device, image, memory, offset + offset_of (image));
}
