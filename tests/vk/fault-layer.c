/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vk/fault-layer.h"

#include <stddef.h>
#include <string.h>
#include <vulkan/vk_layer.h>
#include <vulkan/vulkan.h>

#define EXPORT __attribute__ ((visibility ("default")))

static TestFault fault = { .countdown = -1 };
static PFN_vkGetInstanceProcAddr next_instance;
static PFN_vkGetDeviceProcAddr next_device;
static VkDevice device; /* one at a time */

EXPORT TestFault *
test_fault (void)
{
  return &fault;
}

static void count (const char *name);

/* Who is told that the device is lost frees what it works with: nothing else stops it. */
static void
stop_device (void)
{
  ((PFN_vkDeviceWaitIdle) next_device (device, "vkDeviceWaitIdle")) (device);
}

static int
is_lost (void)
{
  return fault.failed != NULL && fault.result == VK_ERROR_DEVICE_LOST;
}

static int
fails (const char *name)
{
  count (name);
  if (is_lost () && strcmp (name, "vkQueueSubmit") == 0)
    return 1;
  if (fault.countdown < 0 || (fault.name != NULL && strcmp (fault.name, name) != 0))
    return 0;
  if (fault.countdown-- > 0)
    return 0;
  fault.failed = name;
  if (is_lost () && strcmp (name, "vkCreateDevice") != 0)
    stop_device ();
  return 1;
}

#define CALL(NAME, PARAMETERS, ARGUMENTS)                                                \
  static VKAPI_ATTR VkResult VKAPI_CALL fault_##NAME PARAMETERS                          \
  {                                                                                      \
    if (fails (#NAME))                                                                   \
      return (VkResult) fault.result;                                                    \
    return ((PFN_##NAME) next_device (device, #NAME)) ARGUMENTS;                         \
  }
#define CREATE(NAME, INFO, OBJECT)                                                       \
  CALL (NAME, (VkDevice d, const INFO *i, const VkAllocationCallbacks *a, OBJECT *o),    \
      (d, i, a, o))

/* clang-format off */
CREATE (vkCreateBuffer, VkBufferCreateInfo, VkBuffer)
CREATE (vkCreateBufferView, VkBufferViewCreateInfo, VkBufferView)
CREATE (vkAllocateMemory, VkMemoryAllocateInfo, VkDeviceMemory)
CREATE (vkCreateCommandPool, VkCommandPoolCreateInfo, VkCommandPool)
CREATE (vkCreateFence, VkFenceCreateInfo, VkFence)
CREATE (vkCreateQueryPool, VkQueryPoolCreateInfo, VkQueryPool)
CREATE (vkCreateDescriptorPool, VkDescriptorPoolCreateInfo, VkDescriptorPool)
CREATE (vkCreateDescriptorSetLayout, VkDescriptorSetLayoutCreateInfo, VkDescriptorSetLayout)
CREATE (vkCreatePipelineLayout, VkPipelineLayoutCreateInfo, VkPipelineLayout)
CREATE (vkCreatePipelineCache, VkPipelineCacheCreateInfo, VkPipelineCache)
CREATE (vkCreateShaderModule, VkShaderModuleCreateInfo, VkShaderModule)
CALL (vkCreateComputePipelines, (VkDevice d, VkPipelineCache c, uint32_t n,
    const VkComputePipelineCreateInfo *i, const VkAllocationCallbacks *a, VkPipeline *p),
    (d, c, n, i, a, p))
CALL (vkBindBufferMemory, (VkDevice d, VkBuffer b, VkDeviceMemory m, VkDeviceSize o), (d, b, m, o))
CALL (vkMapMemory, (VkDevice d, VkDeviceMemory m, VkDeviceSize o, VkDeviceSize s,
    VkMemoryMapFlags f, void **p), (d, m, o, s, f, p))
CALL (vkAllocateCommandBuffers, (VkDevice d, const VkCommandBufferAllocateInfo *i,
    VkCommandBuffer *b), (d, i, b))
CALL (vkAllocateDescriptorSets, (VkDevice d, const VkDescriptorSetAllocateInfo *i,
    VkDescriptorSet *s), (d, i, s))
CALL (vkResetCommandPool, (VkDevice d, VkCommandPool p, VkCommandPoolResetFlags f), (d, p, f))
CALL (vkBeginCommandBuffer, (VkCommandBuffer b, const VkCommandBufferBeginInfo *i), (b, i))
CALL (vkEndCommandBuffer, (VkCommandBuffer b), (b))
CALL (vkResetFences, (VkDevice d, uint32_t n, const VkFence *f), (d, n, f))
CALL (vkQueueSubmit, (VkQueue q, uint32_t n, const VkSubmitInfo *i, VkFence f), (q, n, i, f))
CALL (vkGetQueryPoolResults, (VkDevice d, VkQueryPool p, uint32_t first, uint32_t n, size_t size,
    void *data, VkDeviceSize stride, VkQueryResultFlags f), (d, p, first, n, size, data, stride, f))
CALL (vkGetPipelineCacheData, (VkDevice d, VkPipelineCache c, size_t *n, void *p), (d, c, n, p))
/* clang-format on */

/* The work is really done before a wait fails, since nothing else stops the device. */
static VKAPI_ATTR VkResult VKAPI_CALL
fault_vkWaitForFences (
    VkDevice d, uint32_t n, const VkFence *f, VkBool32 all, uint64_t timeout)
{
  VkResult result =
      ((PFN_vkWaitForFences) next_device (d, "vkWaitForFences")) (d, n, f, all, timeout);
  return fails ("vkWaitForFences") ? (VkResult) fault.result : result;
}

/* The loader's link to the next layer, which each layer advances. */
static VKAPI_ATTR VkResult VKAPI_CALL
fault_vkCreateInstance (const VkInstanceCreateInfo *info, const VkAllocationCallbacks *a,
    VkInstance *instance)
{
  VkLayerInstanceCreateInfo *link = (VkLayerInstanceCreateInfo *) info->pNext;
  while (link->sType != VK_STRUCTURE_TYPE_LOADER_INSTANCE_CREATE_INFO
         || link->function != VK_LAYER_LINK_INFO)
    link = (VkLayerInstanceCreateInfo *) link->pNext;
  next_instance = link->u.pLayerInfo->pfnNextGetInstanceProcAddr;
  link->u.pLayerInfo = link->u.pLayerInfo->pNext;
  return ((PFN_vkCreateInstance) next_instance (NULL, "vkCreateInstance")) (
      info, a, instance);
}

static VKAPI_ATTR VkResult VKAPI_CALL
fault_vkCreateDevice (VkPhysicalDevice p, const VkDeviceCreateInfo *info,
    const VkAllocationCallbacks *a, VkDevice *d)
{
  VkLayerDeviceCreateInfo *link = (VkLayerDeviceCreateInfo *) info->pNext;
  while (link->sType != VK_STRUCTURE_TYPE_LOADER_DEVICE_CREATE_INFO
         || link->function != VK_LAYER_LINK_INFO)
    link = (VkLayerDeviceCreateInfo *) link->pNext;
  PFN_vkGetInstanceProcAddr next = link->u.pLayerInfo->pfnNextGetInstanceProcAddr;
  next_device = link->u.pLayerInfo->pfnNextGetDeviceProcAddr;
  link->u.pLayerInfo = link->u.pLayerInfo->pNext;
  if (fails ("vkCreateDevice"))
    return (VkResult) fault.result;
  VkResult result = ((PFN_vkCreateDevice) next (NULL, "vkCreateDevice")) (p, info, a, d);
  device = *d;
  return result;
}

static const struct {
  const char *name;
  PFN_vkVoidFunction function;
} calls[] = {
#define ENTRY(NAME)                                                                      \
  {                                                                                      \
#NAME, (PFN_vkVoidFunction) fault_##NAME                                             \
  }
  ENTRY (vkCreateInstance),
  ENTRY (vkCreateDevice),
  ENTRY (vkCreateBuffer),
  ENTRY (vkCreateBufferView),
  ENTRY (vkAllocateMemory),
  ENTRY (vkCreateCommandPool),
  ENTRY (vkCreateFence),
  ENTRY (vkCreateQueryPool),
  ENTRY (vkCreateDescriptorPool),
  ENTRY (vkCreateDescriptorSetLayout),
  ENTRY (vkCreatePipelineLayout),
  ENTRY (vkCreatePipelineCache),
  ENTRY (vkCreateShaderModule),
  ENTRY (vkCreateComputePipelines),
  ENTRY (vkBindBufferMemory),
  ENTRY (vkMapMemory),
  ENTRY (vkAllocateCommandBuffers),
  ENTRY (vkAllocateDescriptorSets),
  ENTRY (vkResetCommandPool),
  ENTRY (vkBeginCommandBuffer),
  ENTRY (vkEndCommandBuffer),
  ENTRY (vkResetFences),
  ENTRY (vkQueueSubmit),
  ENTRY (vkWaitForFences),
  ENTRY (vkGetQueryPoolResults),
  ENTRY (vkGetPipelineCacheData),
};

static long n_calls[sizeof calls / sizeof *calls];

static int
index_of (const char *name)
{
  for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
    if (strcmp (calls[i].name, name) == 0)
      return (int) i;
  return -1;
}

static void
count (const char *name)
{
  __atomic_fetch_add (&n_calls[index_of (name)], 1, __ATOMIC_SEQ_CST);
}

EXPORT long
test_calls (const char *name)
{
  int i = index_of (name);
  return i < 0 ? -1 : __atomic_load_n (&n_calls[i], __ATOMIC_SEQ_CST);
}

static PFN_vkVoidFunction
own (const char *name)
{
  int i = index_of (name);
  return i < 0 ? NULL : calls[i].function;
}

static VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL
get_device_proc_addr (VkDevice d, const char *name)
{
  if (strcmp (name, "vkGetDeviceProcAddr") == 0)
    return (PFN_vkVoidFunction) get_device_proc_addr;
  return own (name) != NULL ? own (name) : next_device (d, name);
}

static VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL
get_instance_proc_addr (VkInstance instance, const char *name)
{
  if (strcmp (name, "vkGetInstanceProcAddr") == 0)
    return (PFN_vkVoidFunction) get_instance_proc_addr;
  if (strcmp (name, "vkGetDeviceProcAddr") == 0)
    return (PFN_vkVoidFunction) get_device_proc_addr;
  if (own (name) != NULL)
    return own (name);
  return instance == NULL ? NULL : next_instance (instance, name);
}

EXPORT VKAPI_ATTR VkResult VKAPI_CALL
vkNegotiateLoaderLayerInterfaceVersion (VkNegotiateLayerInterface *interface)
{
  interface->loaderLayerInterfaceVersion = 2;
  interface->pfnGetInstanceProcAddr = get_instance_proc_addr;
  interface->pfnGetDeviceProcAddr = get_device_proc_addr;
  interface->pfnGetPhysicalDeviceProcAddr = NULL;
  return VK_SUCCESS;
}
