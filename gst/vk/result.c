/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vk/private.h"

#define NAME(r)                                                                          \
  case r: return #r

const char *
seg_vk_result_name (VkResult result)
{
  switch ((int) result) {
    NAME (VK_SUCCESS);
    NAME (VK_NOT_READY);
    NAME (VK_TIMEOUT);
    NAME (VK_EVENT_SET);
    NAME (VK_EVENT_RESET);
    NAME (VK_INCOMPLETE);
    NAME (VK_ERROR_OUT_OF_HOST_MEMORY);
    NAME (VK_ERROR_OUT_OF_DEVICE_MEMORY);
    NAME (VK_ERROR_INITIALIZATION_FAILED);
    NAME (VK_ERROR_DEVICE_LOST);
    NAME (VK_ERROR_MEMORY_MAP_FAILED);
    NAME (VK_ERROR_LAYER_NOT_PRESENT);
    NAME (VK_ERROR_EXTENSION_NOT_PRESENT);
    NAME (VK_ERROR_FEATURE_NOT_PRESENT);
    NAME (VK_ERROR_INCOMPATIBLE_DRIVER);
    NAME (VK_ERROR_TOO_MANY_OBJECTS);
    NAME (VK_ERROR_FORMAT_NOT_SUPPORTED);
    NAME (VK_ERROR_FRAGMENTED_POOL);
    NAME (VK_ERROR_UNKNOWN);
    NAME (VK_ERROR_OUT_OF_POOL_MEMORY);
    NAME (VK_ERROR_INVALID_EXTERNAL_HANDLE);
    NAME (VK_ERROR_FRAGMENTATION);
    NAME (VK_ERROR_INVALID_OPAQUE_CAPTURE_ADDRESS);
    NAME (VK_PIPELINE_COMPILE_REQUIRED);
    NAME (VK_ERROR_VALIDATION_FAILED_EXT);
    NAME (VK_ERROR_INVALID_SHADER_NV);
    NAME (VK_ERROR_INVALID_DRM_FORMAT_MODIFIER_PLANE_LAYOUT_EXT);
    NAME (VK_ERROR_NOT_PERMITTED_KHR);
  default: return "an unknown VkResult";
  }
}

static SegError
kind (VkResult result)
{
  switch (result) {
  case VK_ERROR_OUT_OF_HOST_MEMORY:
  case VK_ERROR_OUT_OF_DEVICE_MEMORY:
  case VK_ERROR_OUT_OF_POOL_MEMORY:
  case VK_ERROR_FRAGMENTED_POOL:
  case VK_ERROR_FRAGMENTATION:
  case VK_ERROR_MEMORY_MAP_FAILED:
  case VK_ERROR_TOO_MANY_OBJECTS: return SEG_ERROR_MEMORY;
  default: return SEG_ERROR_DEVICE;
  }
}

gboolean
seg_vk_check (SegVk *vk, VkResult result, const char *what, GError **error)
{
  if (result == VK_SUCCESS)
    return TRUE;
  if (result == VK_ERROR_DEVICE_LOST) {
    if (vk != NULL)
      g_atomic_int_compare_and_exchange (&vk->state, SEG_VK_OK, SEG_VK_LOST);
    g_set_error (error, SEG_ERROR, SEG_ERROR_DEVICE,
        "device lost (%s: VK_ERROR_DEVICE_LOST)", what);
    return FALSE;
  }
  g_set_error (error, SEG_ERROR, kind (result), "%s: %s (%d)", what,
      seg_vk_result_name (result), result);
  return FALSE;
}

gboolean
seg_vk_alive (SegVk *vk, GError **error)
{
  if (g_atomic_int_get (&vk->state) == SEG_VK_OK)
    return TRUE;
  g_set_error (
      error, SEG_ERROR, SEG_ERROR_DEVICE, "device lost: %s", vk->physical.info.name);
  return FALSE;
}
