/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vk/private.h"

/* What nobody has enabled is not there: each feature of SegDeviceInfo. Cooperative matrices, which are an
 * extension, are not even looked for. */
static void
forget_features (SegPhysical *p, gboolean core_features)
{
  SegDeviceInfo *info = &p->info;
  info->float16 = info->float16 && core_features && !p->float16_extension;
  info->storage16 = info->storage16 && core_features;
  info->dmabuf = info->modifiers = FALSE;
  info->int64 = info->int64 && core_features;
  info->subgroup_int64 = info->subgroup_int64 && core_features;
  info->integer_dot = info->integer_dot && core_features;
  info->integer_dot_fast = info->integer_dot_fast && core_features;
}

/* Its place in Vulkan's enumeration. */
static guint
index_of (const SegVkAdoption *a)
{
  guint32 n = 0, i = 0;
  if (vkEnumeratePhysicalDevices (a->instance, &n, NULL) != VK_SUCCESS)
    return 0;
  g_autofree VkPhysicalDevice *all = g_new0 (VkPhysicalDevice, n + 1);
  if (vkEnumeratePhysicalDevices (a->instance, &n, all) < 0)
    return 0;
  while (i < n && all[i] != a->physical_device)
    i++;
  return i < n ? i : 0;
}

SegVk *
seg_vk_adopt (const SegVkAdoption *a, GError **error)
{
  SegPhysical physical;
  const SegInstance instance = { .handle = a->instance,
    .api_version = MIN (a->api_version, VK_API_VERSION_1_3) };
  if (instance.api_version < VK_API_VERSION_1_1
      || !seg_physical_read (&physical, a->physical_device, a->queue_family, &instance)) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_DEVICE,
        "the Vulkan device that is to be shared has no Vulkan 1.1, or its queue does not "
        "compute");
    return NULL;
  }
  physical.info.index = index_of (a);
  forget_features (&physical, a->core_features);
  SegVk *vk = g_new0 (SegVk, 1);
  vk->ref_count = 1;
  g_mutex_init (&vk->queue_lock);
  vk->adopted = TRUE;
  vk->adoption = *a;
  vk->adoption.cache_dir = NULL; /* the caller's */
  vk->instance = instance;
  vk->physical = physical;
  vk->device = a->device;
  vk->queue = a->queue;
  if (seg_vk_complete (vk, a->cache_dir, error))
    return vk;
  vk->adoption.release = NULL;
  seg_vk_unref (vk);
  return NULL;
}

gboolean
seg_vk_is_on (const SegVk *vk, VkDevice device)
{
  return vk->device == device;
}

void
seg_vk_lock_queue (SegVk *vk)
{
  if (vk->adopted)
    vk->adoption.lock (vk->adoption.owner);
  else
    g_mutex_lock (&vk->queue_lock);
}

void
seg_vk_unlock_queue (SegVk *vk)
{
  if (vk->adopted)
    vk->adoption.unlock (vk->adoption.owner);
  else
    g_mutex_unlock (&vk->queue_lock);
}
