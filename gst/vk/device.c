/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/log.h"
#include "vk/coopmat.h"
#include "vk/private.h"

#include <string.h>

#define MAX_EXTENSIONS 8

static gboolean
imports_dmabufs (const SegPhysical *p)
{
  return p->info.dmabuf || p->info.modifiers;
}

/* Those that the device is used with; how many. */
static guint32
list_extensions (const SegPhysical *p, const char *names[MAX_EXTENSIONS])
{
  const struct {
    gboolean wanted;
    const char *name;
  } all[MAX_EXTENSIONS] = {
    { p->float16_extension && p->info.float16,
        VK_KHR_SHADER_FLOAT16_INT8_EXTENSION_NAME },
    { p->info.n_matrix_shapes > 0, VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME },
    { p->info.workgroup_matrices.invocations > 0,
        VK_NV_COOPERATIVE_MATRIX_2_EXTENSION_NAME },
    { imports_dmabufs (p), VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME },
    { imports_dmabufs (p), VK_EXT_EXTERNAL_MEMORY_DMA_BUF_EXTENSION_NAME },
    { p->info.modifiers, VK_EXT_IMAGE_DRM_FORMAT_MODIFIER_EXTENSION_NAME },
    { p->foreign, VK_EXT_QUEUE_FAMILY_FOREIGN_EXTENSION_NAME },
    { p->portability, "VK_KHR_portability_subset" },
  };
  guint32 n = 0;
  for (guint i = 0; i < MAX_EXTENSIONS; i++)
    if (all[i].wanted)
      names[n++] = all[i].name;
  return n;
}

static gboolean
create_device (SegVk *vk, GError **error)
{
  const SegPhysical *p = &vk->physical;
  static const float priority = 1;
  const VkDeviceQueueCreateInfo queue = {
    .sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
    .queueFamilyIndex = p->queue_family,
    .queueCount = 1,
    .pQueuePriorities = &priority,
  };
  VkPhysicalDeviceShaderFloat16Int8Features float16 = {
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_FLOAT16_INT8_FEATURES,
    .shaderFloat16 = VK_TRUE,
  };
  VkPhysicalDevice16BitStorageFeatures storage16 = {
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_16BIT_STORAGE_FEATURES,
    .pNext = p->info.float16 ? &float16 : NULL,
    .storageBuffer16BitAccess = p->info.storage16,
  };
  VkPhysicalDeviceShaderSubgroupExtendedTypesFeatures subgroup = {
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_SUBGROUP_EXTENDED_TYPES_FEATURES,
    .pNext = &storage16,
    .shaderSubgroupExtendedTypes = VK_TRUE,
  };
  void *basic = p->info.subgroup_int64 ? (void *) &subgroup : &storage16;
  VkPhysicalDeviceShaderIntegerDotProductFeatures integer_dot = {
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_INTEGER_DOT_PRODUCT_FEATURES,
    .pNext = basic,
    .shaderIntegerDotProduct = VK_TRUE,
  };
  void *next = p->info.integer_dot ? (void *) &integer_dot : basic;
  SegCoopmatFeatures matrices;
  seg_coopmat_enable (&matrices, p, next);
  /* No robustBufferAccess: kernels stay inside their views without it. */
  const VkPhysicalDeviceFeatures2 features = {
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2,
    .pNext = p->info.n_matrix_shapes > 0 ? &matrices.size : next,
    .features = { .shaderInt64 = p->info.int64 },
  };
  const char *extensions[MAX_EXTENSIONS];
  const VkDeviceCreateInfo info = {
    .sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
    .pNext = &features,
    .queueCreateInfoCount = 1,
    .pQueueCreateInfos = &queue,
    .ppEnabledExtensionNames = extensions,
    .enabledExtensionCount = list_extensions (p, extensions),
  };
  if (!seg_vk_check (vk, vkCreateDevice (p->handle, &info, NULL, &vk->device),
          "vkCreateDevice", error))
    return FALSE;
  vkGetDeviceQueue (vk->device, p->queue_family, 0, &vk->queue);
  if (imports_dmabufs (p))
    vk->fd_properties = (PFN_vkGetMemoryFdPropertiesKHR) vkGetDeviceProcAddr (
        vk->device, "vkGetMemoryFdPropertiesKHR");
  return TRUE;
}

static void
load_labels (SegVk *vk)
{
  if (!vk->instance.labels)
    return;
  vk->begin_label = (PFN_vkCmdBeginDebugUtilsLabelEXT) vkGetDeviceProcAddr (
      vk->device, "vkCmdBeginDebugUtilsLabelEXT");
  vk->end_label = (PFN_vkCmdEndDebugUtilsLabelEXT) vkGetDeviceProcAddr (
      vk->device, "vkCmdEndDebugUtilsLabelEXT");
  if (vk->end_label == NULL)
    vk->begin_label = NULL;
}

static gboolean
choose (SegVk *vk, const char *device, GError **error)
{
  g_autoptr (GArray) list = seg_physical_list (&vk->instance, error);
  const SegPhysical *p = list == NULL ? NULL : seg_physical_choose (list, device, error);
  if (p == NULL)
    return FALSE;
  vk->physical = *p;
  return TRUE;
}

static void
log_device (const SegVk *vk)
{
  const SegDeviceInfo *i = &vk->physical.info;
  seg_info (
      "%s%s: %s, Vulkan %u.%u, queue family %u; fp16 %s, 16-bit storage %s, int64 %s, "
      "dot products %s, matrices %u shapes, dma-bufs %s, tiled ones %s",
      vk->adopted ? "shared device " : "device ", i->name, i->driver,
      VK_API_VERSION_MAJOR (i->api_version), VK_API_VERSION_MINOR (i->api_version),
      vk->physical.queue_family, i->float16 ? "yes" : "no", i->storage16 ? "yes" : "no",
      i->int64 ? "yes" : "no",
      i->integer_dot_fast ? "fast"
      : i->integer_dot    ? "yes"
                          : "no",
      i->n_matrix_shapes, i->dmabuf ? "imported" : "not imported",
      i->modifiers ? "too" : "not");
}

gboolean
seg_vk_complete (SegVk *vk, const char *cache_dir, GError **error)
{
  load_labels (vk);
  log_device (vk);
  vk->pipelines = seg_pipelines_new (vk, cache_dir, error);
  return vk->pipelines != NULL;
}

SegVk *
seg_vk_choose (const SegVkOptions *options, GError **error)
{
  const char *env = g_getenv ("VKSEG_VALIDATE");
  gboolean validate = options->validate || (env != NULL && *env != '\0' && *env != '0');

  g_autoptr (SegVk) vk = g_new0 (SegVk, 1);
  vk->ref_count = 1;
  g_mutex_init (&vk->queue_lock);
  if (!seg_instance_init (&vk->instance, validate, error)
      || !choose (vk, options->device, error))
    return NULL;
  return g_steal_pointer (&vk);
}

gboolean
seg_vk_finish (SegVk *vk, const SegVkOptions *options, GError **error)
{
  return create_device (vk, error) && seg_vk_complete (vk, options->cache_dir, error);
}

SegVk *
seg_vk_new (const SegVkOptions *options, GError **error)
{
  static const SegVkOptions none = { 0 };
  if (options == NULL)
    options = &none;
  g_autoptr (SegVk) vk = seg_vk_choose (options, error);
  return vk != NULL && seg_vk_finish (vk, options, error) ? g_steal_pointer (&vk) : NULL;
}

SegVk *
seg_vk_ref (SegVk *vk)
{
  g_atomic_int_inc (&vk->ref_count);
  return vk;
}

void
seg_vk_unref (SegVk *vk)
{
  if (vk == NULL || !g_atomic_int_dec_and_test (&vk->ref_count))
    return;
  /* Memory that a hung device may still write to cannot be given back. */
  if (g_atomic_int_get (&vk->state) == SEG_VK_HUNG) {
    g_warning ("%s hangs: its objects are left to the end of the process",
        vk->physical.info.name);
    return;
  }
  /* Of an adopted device the queues are not ours to wait for; but recordings and batches have waited
   * for themselves, and keep a reference until they have. */
  if (vk->device != NULL && !vk->adopted)
    vkDeviceWaitIdle (vk->device);
  if (vk->device != NULL)
    seg_pipelines_free (vk);
  if (vk->adopted) {
    if (vk->adoption.release != NULL)
      vk->adoption.release (vk->adoption.owner);
  } else {
    if (vk->device != NULL)
      vkDestroyDevice (vk->device, NULL);
    seg_instance_clear (&vk->instance);
  }
  g_mutex_clear (&vk->queue_lock);
  g_free (vk);
}

const SegDeviceInfo *
seg_vk_info (const SegVk *vk)
{
  return &vk->physical.info;
}

guint
seg_vk_once (SegVk *vk, guint (*f) (SegVk *vk))
{
  if (g_once_init_enter (&vk->once))
    g_once_init_leave (&vk->once, (gsize) f (vk) + 1);
  return (guint) (vk->once - 1);
}
