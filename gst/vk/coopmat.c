/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vk/coopmat.h"

/* What kernels with cooperative matrices rely on besides: the Vulkan memory model (and, as that
 * holds for all shaders of the device then, its device scope, which atomics have), subgroups
 * that are full and of a known size, and workgroups whose size is specialised as SPIR-V 1.6 does it. */
static gboolean
has_features (const SegPhysical *p)
{
  VkPhysicalDeviceCooperativeMatrixFeaturesKHR matrix = {
    VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_KHR
  };
  VkPhysicalDeviceMaintenance4Features maintenance4 = {
    VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_4_FEATURES, &matrix
  };
  VkPhysicalDeviceVulkanMemoryModelFeatures model = {
    VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_MEMORY_MODEL_FEATURES, &maintenance4
  };
  VkPhysicalDeviceSubgroupSizeControlFeatures size = {
    VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES, &model
  };
  VkPhysicalDeviceFeatures2 all = { VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, &size };
  vkGetPhysicalDeviceFeatures2 (p->handle, &all);
  return matrix.cooperativeMatrix && maintenance4.maintenance4 && model.vulkanMemoryModel
         && model.vulkanMemoryModelDeviceScope && size.subgroupSizeControl
         && size.computeFullSubgroups;
}

static gboolean
size_can_be_required (const SegPhysical *p)
{
  VkPhysicalDeviceSubgroupSizeControlProperties size = {
    VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_PROPERTIES
  };
  VkPhysicalDeviceProperties2 all = { VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2,
    &size };
  vkGetPhysicalDeviceProperties2 (p->handle, &all);
  guint32 wanted = p->info.subgroup_size;
  return (size.requiredSubgroupSizeStages & VK_SHADER_STAGE_COMPUTE_BIT)
         && wanted >= size.minSubgroupSize && wanted <= size.maxSubgroupSize;
}

static gboolean
is_half_to_float (const VkCooperativeMatrixPropertiesKHR *s)
{
  return s->AType == VK_COMPONENT_TYPE_FLOAT16_KHR
         && s->BType == VK_COMPONENT_TYPE_FLOAT16_KHR
         && s->CType == VK_COMPONENT_TYPE_FLOAT32_KHR
         && s->ResultType == VK_COMPONENT_TYPE_FLOAT32_KHR
         && s->scope == VK_SCOPE_SUBGROUP_KHR && !s->saturatingAccumulation;
}

static guint64
work (const SegMatrixShape *s)
{
  return (guint64) s->m * s->n * s->k;
}

/* Keeps the list in order of work, and the largest when there are too many. */
static void
insert (SegDeviceInfo *info, SegMatrixShape shape)
{
  guint i = info->n_matrix_shapes;
  if (i < SEG_MAX_MATRIX_SHAPES)
    info->n_matrix_shapes++;
  else if (work (&shape) > work (&info->matrix_shapes[i - 1]))
    i--;
  else
    return;
  for (; i > 0 && work (&info->matrix_shapes[i - 1]) < work (&shape); i--)
    info->matrix_shapes[i] = info->matrix_shapes[i - 1];
  info->matrix_shapes[i] = shape;
}

void
seg_coopmat_read (SegPhysical *p, const SegInstance *instance)
{
  PFN_vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR list =
      (PFN_vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR) vkGetInstanceProcAddr (
          instance->handle, "vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR");
  guint32 n = 0;
  if (list == NULL || !p->info.float16 || !has_features (p) || !size_can_be_required (p)
      || list (p->handle, &n, NULL) != VK_SUCCESS)
    return;
  g_autofree VkCooperativeMatrixPropertiesKHR *all =
      g_new0 (VkCooperativeMatrixPropertiesKHR, n + 1);
  for (guint i = 0; i < n; i++)
    all[i].sType = VK_STRUCTURE_TYPE_COOPERATIVE_MATRIX_PROPERTIES_KHR;
  if (list (p->handle, &n, all) < 0)
    return;
  for (guint i = 0; i < n; i++)
    if (is_half_to_float (&all[i]))
      insert (&p->info, (SegMatrixShape){ all[i].MSize, all[i].NSize, all[i].KSize });
}

/* --- by workgroups ------------------------------------------------------------------------------ */

#define WANTED_INVOCATIONS 256 /* for tiles of up to 160x128 */
#define LONGEST_SIDE       160

static gboolean
has_workgroup_features (const SegPhysical *p)
{
  VkPhysicalDeviceCooperativeMatrix2FeaturesNV f = {
    VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_2_FEATURES_NV
  };
  VkPhysicalDeviceFeatures2 all = { VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, &f };
  vkGetPhysicalDeviceFeatures2 (p->handle, &all);
  return f.cooperativeMatrixWorkgroupScope && f.cooperativeMatrixFlexibleDimensions
         && f.cooperativeMatrixPerElementOperations;
}

/* Takes the one of as many invocations as are wanted, or else the largest. */
static void
choose_workgroup (
    SegWorkgroupMatrices *w, const VkCooperativeMatrixFlexibleDimensionsPropertiesNV *s)
{
  if (s->AType != VK_COMPONENT_TYPE_FLOAT16_KHR
      || s->BType != VK_COMPONENT_TYPE_FLOAT16_KHR
      || s->CType != VK_COMPONENT_TYPE_FLOAT32_KHR
      || s->ResultType != VK_COMPONENT_TYPE_FLOAT32_KHR
      || s->scope != VK_SCOPE_WORKGROUP_KHR || s->saturatingAccumulation)
    return;
  if (w->invocations == WANTED_INVOCATIONS
      || (s->workgroupInvocations != WANTED_INVOCATIONS
          && s->workgroupInvocations <= w->invocations))
    return;
  w->invocations = s->workgroupInvocations;
  w->unit = (SegMatrixShape){ s->MGranularity, s->NGranularity, s->KGranularity };
}

void
seg_coopmat_read_workgroup (SegPhysical *p, const SegInstance *instance)
{
  PFN_vkGetPhysicalDeviceCooperativeMatrixFlexibleDimensionsPropertiesNV list =
      (PFN_vkGetPhysicalDeviceCooperativeMatrixFlexibleDimensionsPropertiesNV)
          vkGetInstanceProcAddr (instance->handle,
              "vkGetPhysicalDeviceCooperativeMatrixFlexibleDimensionsPropertiesNV");
  VkPhysicalDeviceCooperativeMatrix2PropertiesNV limits = {
    VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_2_PROPERTIES_NV
  };
  VkPhysicalDeviceProperties2 all = { VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2,
    &limits };
  guint32 n = 0;
  if (list == NULL || !p->info.storage16 || !has_workgroup_features (p)
      || list (p->handle, &n, NULL) != VK_SUCCESS)
    return;
  vkGetPhysicalDeviceProperties2 (p->handle, &all);
  g_autofree VkCooperativeMatrixFlexibleDimensionsPropertiesNV *shapes =
      g_new0 (VkCooperativeMatrixFlexibleDimensionsPropertiesNV, n + 1);
  for (guint i = 0; i < n; i++)
    shapes[i].sType =
        VK_STRUCTURE_TYPE_COOPERATIVE_MATRIX_FLEXIBLE_DIMENSIONS_PROPERTIES_NV;
  if (list (p->handle, &n, shapes) < 0
      || limits.cooperativeMatrixFlexibleDimensionsMaxDimension < LONGEST_SIDE)
    return;
  SegWorkgroupMatrices *w = &p->info.workgroup_matrices;
  w->reserved_bytes = limits.cooperativeMatrixWorkgroupScopeReservedSharedMemory;
  for (guint i = 0; i < n; i++)
    if (shapes[i].workgroupInvocations
        <= limits.cooperativeMatrixWorkgroupScopeMaxWorkgroupSize)
      choose_workgroup (w, &shapes[i]);
}

/* --- enabling ----------------------------------------------------------------------------------- */

void
seg_coopmat_enable (SegCoopmatFeatures *f, const SegPhysical *p, void *next)
{
  gboolean workgroup = p->info.workgroup_matrices.invocations > 0;
  *f = (SegCoopmatFeatures){
    .workgroup = { .sType =
                       VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_2_FEATURES_NV,
        .pNext = next,
        .cooperativeMatrixWorkgroupScope = VK_TRUE,
        .cooperativeMatrixFlexibleDimensions = VK_TRUE,
        .cooperativeMatrixPerElementOperations = VK_TRUE },
    .matrix = { .sType =
                    VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_KHR,
        .pNext = workgroup ? &f->workgroup : next,
        .cooperativeMatrix = VK_TRUE },
    .maintenance4 = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_4_FEATURES,
        .pNext = &f->matrix,
        .maintenance4 = VK_TRUE },
    .model = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_MEMORY_MODEL_FEATURES,
        .pNext = &f->maintenance4,
        .vulkanMemoryModel = VK_TRUE,
        .vulkanMemoryModelDeviceScope = VK_TRUE },
    .size = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES,
        .pNext = &f->model,
        .subgroupSizeControl = VK_TRUE,
        .computeFullSubgroups = VK_TRUE },
  };
}
