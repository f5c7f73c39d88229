/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/log.h"
#include "vk/coopmat.h"
#include "vk/private.h"

#include <string.h>

static gboolean
has_extension (VkPhysicalDevice device, const char *name)
{
  guint32 n = 0;
  if (vkEnumerateDeviceExtensionProperties (device, NULL, &n, NULL) != VK_SUCCESS
      || n == 0)
    return FALSE;
  g_autofree VkExtensionProperties *all = g_new0 (VkExtensionProperties, n);
  if (vkEnumerateDeviceExtensionProperties (device, NULL, &n, all) < 0)
    return FALSE;
  for (guint i = 0; i < n; i++)
    if (strcmp (all[i].extensionName, name) == 0)
      return TRUE;
  return FALSE;
}

static void
take_queue (SegPhysical *p, guint32 family, const VkQueueFamilyProperties *properties)
{
  guint32 bits = properties->timestampValidBits;
  p->queue_family = family;
  p->info.timestamps = bits != 0;
  p->timestamp_mask = bits >= 64 ? G_MAXUINT64 : (G_GUINT64_CONSTANT (1) << bits) - 1;
}

/* A family for compute alone leaves the one that draws the desktop in peace; it counts only
 * when it can be timed like the others. */
static gboolean
choose_queue (SegPhysical *p, guint32 wanted)
{
  guint32 n = 0;
  vkGetPhysicalDeviceQueueFamilyProperties (p->handle, &n, NULL);
  g_autofree VkQueueFamilyProperties *families = g_new0 (VkQueueFamilyProperties, n + 1);
  vkGetPhysicalDeviceQueueFamilyProperties (p->handle, &n, families);
  int best = -1, best_score = -1;
  for (guint i = 0; i < n; i++) {
    VkQueueFlags flags = families[i].queueFlags;
    if (families[i].queueCount == 0 || !(flags & VK_QUEUE_COMPUTE_BIT)
        || (wanted != SEG_ANY_QUEUE && wanted != i))
      continue;
    int score = (families[i].timestampValidBits != 0 ? 2 : 0)
                + (flags & VK_QUEUE_GRAPHICS_BIT ? 0 : 1);
    if (score > best_score) {
      best = (int) i;
      best_score = score;
    }
  }
  if (best < 0)
    return FALSE;
  take_queue (p, (guint32) best, &families[best]);
  return TRUE;
}

static SegDeviceType
device_type (VkPhysicalDeviceType type)
{
  switch (type) {
  case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU: return SEG_DEVICE_DISCRETE;
  case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU: return SEG_DEVICE_INTEGRATED;
  case VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU: return SEG_DEVICE_VIRTUAL;
  case VK_PHYSICAL_DEVICE_TYPE_CPU: return SEG_DEVICE_CPU;
  default: return SEG_DEVICE_OTHER;
  }
}

static guint32
estimated_cores (SegDeviceType type)
{
  switch (type) {
  case SEG_DEVICE_DISCRETE: return 48;
  case SEG_DEVICE_INTEGRATED: return 8;
  default: return 32;
  }
}

static guint32
host_vector_registers (void)
{
#if defined(__x86_64__)
  return __builtin_cpu_supports ("avx512vl") ? 32 : 16;
#elif defined(__i386__)
  return 8;
#else
  return 32;
#endif
}

/* How many of what runs a workgroup there are, by the extension that the vendor has for it.
 * These only ask for properties and need not be enabled. */
static guint32
count_cores (const SegPhysical *p)
{
  VkPhysicalDeviceShaderSMBuiltinsPropertiesNV nv = {
    VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_SM_BUILTINS_PROPERTIES_NV
  };
  VkPhysicalDeviceShaderCorePropertiesAMD amd = {
    VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_CORE_PROPERTIES_AMD
  };
  VkPhysicalDeviceShaderCoreBuiltinsPropertiesARM arm = {
    VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_CORE_BUILTINS_PROPERTIES_ARM
  };
  VkPhysicalDeviceProperties2 all = { VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2 };
  if (has_extension (p->handle, VK_NV_SHADER_SM_BUILTINS_EXTENSION_NAME))
    all.pNext = &nv;
  else if (has_extension (p->handle, VK_AMD_SHADER_CORE_PROPERTIES_EXTENSION_NAME))
    all.pNext = &amd;
  else if (has_extension (p->handle, VK_ARM_SHADER_CORE_BUILTINS_EXTENSION_NAME))
    all.pNext = &arm;
  vkGetPhysicalDeviceProperties2 (p->handle, &all);
  guint32 n = nv.shaderSMCount + arm.shaderCoreCount
              + amd.shaderEngineCount * amd.shaderArraysPerEngineCount
                    * amd.computeUnitsPerShaderArray;
  return n > 0 && n < 4096 ? n : estimated_cores (p->info.type);
}

static void
read_limits (SegPhysical *p, const VkPhysicalDeviceLimits *limits)
{
  SegDeviceInfo *info = &p->info;
  info->timestamp_ns = limits->timestampPeriod;
  info->max_storage_bytes = limits->maxStorageBufferRange;
  info->max_texels = limits->maxTexelBufferElements;
  memcpy (info->max_groups, limits->maxComputeWorkGroupCount, sizeof info->max_groups);
  info->max_shared_bytes = limits->maxComputeSharedMemorySize;
  info->max_invocations = limits->maxComputeWorkGroupInvocations;
  VkDeviceSize align = MAX (limits->minTexelBufferOffsetAlignment, 16);
  align = MAX (align, limits->minStorageBufferOffsetAlignment);
  info->buffer_align = (guint32) MAX (align, limits->minUniformBufferOffsetAlignment);
  p->max_uniform_bytes = limits->maxUniformBufferRange;
}

static void
read_memory (SegPhysical *p)
{
  vkGetPhysicalDeviceMemoryProperties (p->handle, &p->memory);
  for (guint i = 0; i < p->memory.memoryHeapCount; i++)
    if (p->memory.memoryHeaps[i].flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT)
      p->info.heap_bytes = MAX (p->info.heap_bytes, p->memory.memoryHeaps[i].size);
}

static void
read_properties (SegPhysical *p, guint32 api_version)
{
  gboolean has_driver =
      api_version >= VK_API_VERSION_1_2
      || has_extension (p->handle, VK_KHR_DRIVER_PROPERTIES_EXTENSION_NAME);
  VkPhysicalDeviceMaintenance4Properties maintenance4 = {
    VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_4_PROPERTIES
  };
  VkPhysicalDeviceDriverProperties driver = {
    VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES
  };
  VkPhysicalDeviceMaintenance3Properties maintenance3 = {
    VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_3_PROPERTIES
  };
  VkPhysicalDeviceSubgroupProperties subgroup = {
    VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_PROPERTIES, &maintenance3
  };
  VkPhysicalDeviceProperties2 all = { VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2,
    &subgroup };
  maintenance3.pNext = has_driver ? &driver : NULL;
  if (api_version >= VK_API_VERSION_1_3)
    driver.pNext = &maintenance4;
  vkGetPhysicalDeviceProperties2 (p->handle, &all);

  SegDeviceInfo *info = &p->info;
  const VkPhysicalDeviceProperties *properties = &all.properties;
  g_strlcpy (info->name, properties->deviceName, sizeof info->name);
  g_snprintf (info->driver, sizeof info->driver, "%s%s%s",
      has_driver ? driver.driverName : "unknown driver", has_driver ? ", " : "",
      driver.driverInfo);
  info->type = device_type (properties->deviceType);
  info->api_version = properties->apiVersion;
  info->driver_version = properties->driverVersion;
  info->vendor_id = properties->vendorID;
  info->device_id = properties->deviceID;
  memcpy (info->uuid, properties->pipelineCacheUUID, sizeof info->uuid);
  info->cores = count_cores (p);
  info->vector_registers = info->type == SEG_DEVICE_CPU ? host_vector_registers () : 0;
  info->subgroup_size = subgroup.subgroupSize;
  const VkSubgroupFeatureFlags needed =
      VK_SUBGROUP_FEATURE_SHUFFLE_BIT | VK_SUBGROUP_FEATURE_VOTE_BIT;
  info->subgroup_shuffle = (subgroup.supportedStages & VK_SHADER_STAGE_COMPUTE_BIT)
                           && (subgroup.supportedOperations & needed) == needed;
  read_limits (p, &properties->limits);
  read_memory (p);
  info->max_allocation_bytes =
      MIN (maintenance3.maxMemoryAllocationSize, info->heap_bytes);
  if (maintenance4.maxBufferSize != 0)
    info->max_allocation_bytes =
        MIN (info->max_allocation_bytes, maintenance4.maxBufferSize);
  info->max_storage_bytes = MIN (info->max_storage_bytes, info->max_allocation_bytes);
}

static void
read_features (SegPhysical *p, guint32 api_version)
{
  p->float16_extension =
      api_version < VK_API_VERSION_1_2
      && has_extension (p->handle, VK_KHR_SHADER_FLOAT16_INT8_EXTENSION_NAME);
  p->portability = has_extension (p->handle, "VK_KHR_portability_subset");
  VkPhysicalDeviceShaderFloat16Int8Features float16 = {
    VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_FLOAT16_INT8_FEATURES
  };
  VkPhysicalDevice16BitStorageFeatures storage16 = {
    VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_16BIT_STORAGE_FEATURES
  };
  VkPhysicalDeviceShaderSubgroupExtendedTypesFeatures subgroup = {
    VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_SUBGROUP_EXTENDED_TYPES_FEATURES
  };
  VkPhysicalDeviceFeatures2 all = { VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2,
    &storage16 };
  if (p->float16_extension || api_version >= VK_API_VERSION_1_2)
    storage16.pNext = &float16;
  if (api_version >= VK_API_VERSION_1_2)
    float16.pNext = &subgroup;
  vkGetPhysicalDeviceFeatures2 (p->handle, &all);
  p->info.float16 = float16.shaderFloat16 == VK_TRUE;
  p->info.storage16 = storage16.storageBuffer16BitAccess == VK_TRUE;
  p->info.int64 = all.features.shaderInt64 == VK_TRUE;
  p->info.subgroup_int64 = p->info.int64 && subgroup.shaderSubgroupExtendedTypes;
}

/* Whether dma-bufs can become buffers. Two extensions of the device; what they stand on is in Vulkan 1.1. And
 * images: one more, which stands on Vulkan 1.2. */
static void
read_dmabuf (SegPhysical *p, guint32 api_version)
{
  const VkPhysicalDeviceExternalBufferInfo info = {
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_BUFFER_INFO,
    .usage = SEG_IMPORT_USAGE,
    .handleType = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT,
  };
  VkExternalBufferProperties properties = {
    VK_STRUCTURE_TYPE_EXTERNAL_BUFFER_PROPERTIES
  };
  if (!has_extension (p->handle, VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME)
      || !has_extension (p->handle, VK_EXT_EXTERNAL_MEMORY_DMA_BUF_EXTENSION_NAME))
    return;
  vkGetPhysicalDeviceExternalBufferProperties (p->handle, &info, &properties);
  VkExternalMemoryFeatureFlags can =
      properties.externalMemoryProperties.externalMemoryFeatures;
  p->info.dmabuf = (can & VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT) != 0;
  p->dmabuf_alone = (can & VK_EXTERNAL_MEMORY_FEATURE_DEDICATED_ONLY_BIT) != 0;
  p->info.modifiers =
      api_version >= VK_API_VERSION_1_2
      && has_extension (p->handle, VK_EXT_IMAGE_DRM_FORMAT_MODIFIER_EXTENSION_NAME);
  p->foreign = (p->info.dmabuf || p->info.modifiers)
               && has_extension (p->handle, VK_EXT_QUEUE_FAMILY_FOREIGN_EXTENSION_NAME);
}

/* Of Vulkan 1.3; the extension before it is not worth the trouble. */
static void
read_integer_dot (SegPhysical *p, guint32 api_version)
{
  VkPhysicalDeviceShaderIntegerDotProductFeatures features = {
    VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_INTEGER_DOT_PRODUCT_FEATURES
  };
  VkPhysicalDeviceShaderIntegerDotProductProperties properties = {
    VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_INTEGER_DOT_PRODUCT_PROPERTIES
  };
  VkPhysicalDeviceFeatures2 f = { VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2,
    &features };
  VkPhysicalDeviceProperties2 all = { VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2,
    &properties };
  if (api_version < VK_API_VERSION_1_3)
    return;
  vkGetPhysicalDeviceFeatures2 (p->handle, &f);
  vkGetPhysicalDeviceProperties2 (p->handle, &all);
  p->info.integer_dot = features.shaderIntegerDotProduct == VK_TRUE;
  p->info.integer_dot_fast =
      p->info.integer_dot && properties.integerDotProduct4x8BitPackedSignedAccelerated;
}

gboolean
seg_physical_read (SegPhysical *p, VkPhysicalDevice handle, guint32 queue_family,
    const SegInstance *instance)
{
  VkPhysicalDeviceProperties properties;
  memset (p, 0, sizeof *p);
  p->handle = handle;
  vkGetPhysicalDeviceProperties (handle, &properties);
  if (properties.apiVersion < VK_API_VERSION_1_1 || !choose_queue (p, queue_family)) {
    seg_info (
        "%s has no Vulkan 1.1 or no compute queue: left out", properties.deviceName);
    return FALSE;
  }
  guint32 version = MIN (properties.apiVersion, instance->api_version);
  read_properties (p, version);
  read_features (p, version);
  read_integer_dot (p, version);
  read_dmabuf (p, version);
  return TRUE;
}

static void
read_matrices (SegPhysical *p, const SegInstance *instance)
{
  if (MIN (p->info.api_version, instance->api_version) >= VK_API_VERSION_1_3
      && has_extension (p->handle, VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME))
    seg_coopmat_read (p, instance);
  if (p->info.n_matrix_shapes > 0
      && has_extension (p->handle, VK_NV_COOPERATIVE_MATRIX_2_EXTENSION_NAME))
    seg_coopmat_read_workgroup (p, instance);
}

static gint
by_quality (gconstpointer a, gconstpointer b)
{
  const SegDeviceInfo *x = &((const SegPhysical *) a)->info,
                      *y = &((const SegPhysical *) b)->info;
  return x->type != y->type ? (gint) x->type - (gint) y->type
                            : (gint) x->index - (gint) y->index;
}

GArray *
seg_physical_list (const SegInstance *instance, GError **error)
{
  guint32 n = 0;
  VkResult result = vkEnumeratePhysicalDevices (instance->handle, &n, NULL);
  g_autofree VkPhysicalDevice *handles = g_new0 (VkPhysicalDevice, n + 1);
  if (result == VK_SUCCESS && n > 0)
    result = vkEnumeratePhysicalDevices (instance->handle, &n, handles);
  if (result
      == VK_ERROR_INITIALIZATION_FAILED) /* what some loaders say for "no driver" */
    n = 0;
  else if (result < 0) {
    seg_vk_check (NULL, result, "vkEnumeratePhysicalDevices", error);
    return NULL;
  }
  g_autoptr (GArray) list = g_array_new (FALSE, FALSE, sizeof (SegPhysical));
  for (guint i = 0; i < n; i++) {
    SegPhysical p;
    if (!seg_physical_read (&p, handles[i], SEG_ANY_QUEUE, instance))
      continue;
    p.info.index = i;
    read_matrices (&p, instance);
    g_array_append_val (list, p);
  }
  if (list->len == 0) {
    seg_instance_no_driver (error);
    return NULL;
  }
  g_array_sort (list, by_quality);
  return g_steal_pointer (&list);
}

static const SegPhysical *
find (const GArray *list, const char *device)
{
  guint64 index = 0;
  if (g_ascii_string_to_unsigned (device, 10, 0, G_MAXUINT, &index, NULL))
    for (guint i = 0; i < list->len; i++)
      if (g_array_index (list, SegPhysical, i).info.index == index)
        return &g_array_index (list, SegPhysical, i);
  /* "3080" is part of a name, as there will hardly be so many devices. */
  g_autofree char *wanted = g_utf8_casefold (device, -1);
  for (guint i = 0; i < list->len; i++) {
    const SegPhysical *p = &g_array_index (list, SegPhysical, i);
    g_autofree char *name = g_utf8_casefold (p->info.name, -1);
    if (strstr (name, wanted) != NULL)
      return p;
  }
  return NULL;
}

const SegPhysical *
seg_physical_choose (const GArray *list, const char *device, GError **error)
{
  if (device == NULL || *device == '\0')
    return &g_array_index (list, SegPhysical, 0);
  const SegPhysical *found = find (list, device);
  if (found != NULL)
    return found;
  g_autoptr (GString) known = g_string_new (NULL);
  for (guint i = 0; i < list->len; i++) {
    const SegDeviceInfo *info = &g_array_index (list, SegPhysical, i).info;
    g_string_append_printf (
        known, "%s%u: %s", i == 0 ? "" : "; ", info->index, info->name);
  }
  g_set_error (error, SEG_ERROR, SEG_ERROR_DEVICE, "no Vulkan device '%s'; there is %s",
      device, known->str);
  return NULL;
}

SegDeviceInfo *
seg_vk_list (guint *n, GError **error)
{
  SegInstance instance;
  *n = 0;
  if (!seg_instance_init (&instance, FALSE, error))
    return NULL;
  g_autoptr (GArray) list = seg_physical_list (&instance, error);
  SegDeviceInfo *infos = NULL;
  if (list != NULL) {
    *n = list->len;
    infos = g_new0 (SegDeviceInfo, list->len);
    for (guint i = 0; i < list->len; i++)
      infos[i] = g_array_index (list, SegPhysical, i).info;
  }
  seg_instance_clear (&instance);
  return infos;
}
