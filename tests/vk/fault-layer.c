/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vk/fault-layer.h"

#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <vulkan/vk_layer.h>
#include <vulkan/vulkan.h>

#define EXPORT __attribute__ ((visibility ("default")))

/* Of the devices that there are; keys are what the loader puts into a device and all that comes from it. */
typedef struct {
  void *key; /* NULL: free */
  VkDevice device;
  PFN_vkGetDeviceProcAddr next;
} Device;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* for what follows */
static TestFault fault = { .countdown = -1 };
static void *lost; /* key of the device whose call has failed, or NULL */
static Device devices[16];

static PFN_vkGetInstanceProcAddr next_instance;

EXPORT TestFault *
test_fault (void)
{
  return &fault;
}

static void count (const char *name);

static void *
key_of (const void *handle)
{
  return handle != NULL ? *(void *const *) handle : NULL;
}

/* With the lock. */
static Device *
find (const void *key)
{
  for (size_t i = 0; i < sizeof devices / sizeof *devices; i++)
    if (devices[i].key == key)
      return &devices[i];
  abort (); /* as many devices at once no test has */
}

static PFN_vkVoidFunction
next_device (const void *handle, const char *name)
{
  pthread_mutex_lock (&lock);
  Device d = *find (key_of (handle));
  pthread_mutex_unlock (&lock);
  return d.next (d.device, name);
}

static int
is_lost (const void *key)
{
  return key != NULL && key == lost && fault.failed != NULL
         && fault.result == VK_ERROR_DEVICE_LOST;
}

/* With the lock. */
static int
fails_locked (const char *name, const void *handle)
{
  void *key = key_of (handle);
  count (name);
  if (is_lost (key) && strcmp (name, "vkQueueSubmit") == 0)
    return 1;
  if (fault.countdown < 0 || (fault.name != NULL && strcmp (fault.name, name) != 0))
    return 0;
  if (fault.countdown-- > 0)
    return 0;
  fault.failed = name;
  lost = key;
  return 1;
}

/* A call with a device, or something of it; NULL: there is none yet. */
static int
fails (const char *name, const void *handle)
{
  pthread_mutex_lock (&lock);
  int result = fails_locked (name, handle);
  pthread_mutex_unlock (&lock);
  return result;
}

#define CALL(NAME, HANDLE, PARAMETERS, ARGUMENTS)                                        \
  static VKAPI_ATTR VkResult VKAPI_CALL fault_##NAME PARAMETERS                          \
  {                                                                                      \
    if (fails (#NAME, HANDLE))                                                           \
      return (VkResult) fault.result;                                                    \
    return ((PFN_##NAME) next_device (HANDLE, #NAME)) ARGUMENTS;                         \
  }
#define CREATE(NAME, INFO, OBJECT)                                                       \
  CALL (NAME, d, (VkDevice d, const INFO *i, const VkAllocationCallbacks *a, OBJECT *o), \
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
CALL (vkCreateComputePipelines, d, (VkDevice d, VkPipelineCache c, uint32_t n,
    const VkComputePipelineCreateInfo *i, const VkAllocationCallbacks *a, VkPipeline *p),
    (d, c, n, i, a, p))
CALL (vkBindBufferMemory, d, (VkDevice d, VkBuffer b, VkDeviceMemory m, VkDeviceSize o), (d, b, m, o))
CALL (vkMapMemory, d, (VkDevice d, VkDeviceMemory m, VkDeviceSize o, VkDeviceSize s,
    VkMemoryMapFlags f, void **p), (d, m, o, s, f, p))
CALL (vkAllocateCommandBuffers, d, (VkDevice d, const VkCommandBufferAllocateInfo *i,
    VkCommandBuffer *b), (d, i, b))
CALL (vkAllocateDescriptorSets, d, (VkDevice d, const VkDescriptorSetAllocateInfo *i,
    VkDescriptorSet *s), (d, i, s))
CALL (vkResetCommandPool, d, (VkDevice d, VkCommandPool p, VkCommandPoolResetFlags f), (d, p, f))
CALL (vkBeginCommandBuffer, b, (VkCommandBuffer b, const VkCommandBufferBeginInfo *i), (b, i))
CALL (vkEndCommandBuffer, b, (VkCommandBuffer b), (b))
CALL (vkResetFences, d, (VkDevice d, uint32_t n, const VkFence *f), (d, n, f))
CALL (vkGetQueryPoolResults, d, (VkDevice d, VkQueryPool p, uint32_t first, uint32_t n, size_t size,
    void *data, VkDeviceSize stride, VkQueryResultFlags f), (d, p, first, n, size, data, stride, f))
CALL (vkGetPipelineCacheData, d, (VkDevice d, VkPipelineCache c, size_t *n, void *p), (d, c, n, p))
/* clang-format on */

/* With the lock: after the call that finds the device lost nothing is submitted. That call itself has handed
 * its work over: of all failures this one does not promise that it has not. */
static VKAPI_ATTR VkResult VKAPI_CALL
fault_vkQueueSubmit (VkQueue q, uint32_t n, const VkSubmitInfo *info, VkFence fence)
{
  pthread_mutex_lock (&lock);
  const Device *d = find (key_of (q));
  PFN_vkQueueSubmit next = (PFN_vkQueueSubmit) d->next (d->device, "vkQueueSubmit");
  int was_lost = is_lost (d->key), failed = fails_locked ("vkQueueSubmit", q);
  VkResult result = (VkResult) fault.result;
  if (!failed)
    result = next (q, n, info, fence);
  else if (result == VK_ERROR_DEVICE_LOST && !was_lost)
    next (q, n, info, fence);
  pthread_mutex_unlock (&lock);
  return result;
}

/* A lost device says that the work is over, and it really is; of one that does not answer nothing is to run when
 * the test is at its end; any other failure says nothing of the work. */
static VKAPI_ATTR VkResult VKAPI_CALL
fault_vkWaitForFences (
    VkDevice d, uint32_t n, const VkFence *f, VkBool32 all, uint64_t timeout)
{
  int failed = fails ("vkWaitForFences", d);
  if (failed && fault.result != VK_ERROR_DEVICE_LOST && fault.result != VK_TIMEOUT)
    return (VkResult) fault.result;
  VkResult result =
      ((PFN_vkWaitForFences) next_device (d, "vkWaitForFences")) (d, n, f, all, timeout);
  return failed ? (VkResult) fault.result : result;
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
  PFN_vkGetDeviceProcAddr next_of_device = link->u.pLayerInfo->pfnNextGetDeviceProcAddr;
  link->u.pLayerInfo = link->u.pLayerInfo->pNext;
  if (fails ("vkCreateDevice", NULL))
    return (VkResult) fault.result;
  VkResult result = ((PFN_vkCreateDevice) next (NULL, "vkCreateDevice")) (p, info, a, d);
  if (result != VK_SUCCESS)
    return result;
  pthread_mutex_lock (&lock);
  *find (NULL) = (Device){ key_of (*d), *d, next_of_device };
  pthread_mutex_unlock (&lock);
  return result;
}

static VKAPI_ATTR void VKAPI_CALL
fault_vkDestroyDevice (VkDevice d, const VkAllocationCallbacks *a)
{
  if (d == VK_NULL_HANDLE)
    return;
  PFN_vkVoidFunction destroy = next_device (d, "vkDestroyDevice");
  pthread_mutex_lock (&lock);
  Device *entry = find (key_of (d));
  if (lost == entry->key)
    lost = NULL;
  *entry = (Device){ NULL };
  pthread_mutex_unlock (&lock);
  ((PFN_vkDestroyDevice) destroy) (d, a);
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
  if (strcmp (name, "vkDestroyDevice") == 0)
    return (PFN_vkVoidFunction) fault_vkDestroyDevice;
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
