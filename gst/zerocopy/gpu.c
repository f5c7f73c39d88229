/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "zerocopy/gpu.h"

#include "base/registry.h"
#include "vk/adopt.h"

#include <gst/base/gstbasetransform.h>
#include <gst/vulkan/vulkan.h>

struct _SegGpu {
  GstElement *element;
  GMutex lock; /* for what follows: contexts are asked for from any thread */
  GstVulkanInstance *instance;
  GstVulkanDevice *device;
  GstVulkanQueue *queue;
  SegVk *vk; /* the registry's */
};

SegGpu *
seg_gpu_new (GstElement *element)
{
  SegGpu *gpu = g_new0 (SegGpu, 1);
  gpu->element = element;
  g_mutex_init (&gpu->lock);
  return gpu;
}

/* --- a SegVk for each queue ---------------------------------------------------------------------- */

typedef struct {
  GstVulkanQueue *queue;
  const char *cache_dir;
} Request;

static void
lock_queue (gpointer queue)
{
  gst_vulkan_queue_submit_lock (queue);
}

static void
unlock_queue (gpointer queue)
{
  gst_vulkan_queue_submit_unlock (queue);
}

/* From GStreamer 1.24 on a device of Vulkan 1.2 is opened with all features of core Vulkan that it has,
 * by struct up to the instance's version; before, with none. */
static gboolean
has_core_features (GstVulkanDevice *device)
{
  guint major, minor, micro, nano;
  gst_version (&major, &minor, &micro, &nano);
  if (major == 1 && minor < 24)
    return FALSE;
#if GST_CHECK_VERSION(1, 24, 0)
  return gst_vulkan_physical_device_check_api_version (device->physical_device, 1, 2, 0);
#else
  return FALSE;
#endif
}

/* The lower of what the instance asked for and what the application let it. */
static guint32
api_version (GstVulkanInstance *instance)
{
  guint minor = 3;
  while (minor > 0 && !gst_vulkan_instance_check_version (instance, 1, minor, 0))
    minor--;
  return VK_MAKE_API_VERSION (0, 1, minor, 0);
}

static gpointer
make_vk (gpointer data, GError **error)
{
  const Request *request = data;
  GstVulkanQueue *queue = request->queue;
  GstVulkanDevice *device = queue->device;
  const SegVkAdoption adoption = {
    .instance = device->instance->instance,
    .api_version = api_version (device->instance),
    .physical_device = gst_vulkan_device_get_physical_device (device),
    .device = device->device,
    .queue = queue->queue,
    .queue_family = queue->family,
    .core_features = has_core_features (device),
    .cache_dir = request->cache_dir,
    .lock = lock_queue,
    .unlock = unlock_queue,
    .release = gst_object_unref,
    .owner = gst_object_ref (queue), /* which keeps the device */
  };
  SegVk *vk = seg_vk_adopt (&adoption, error);
  if (vk == NULL)
    gst_object_unref (queue);
  return vk;
}

static void
destroy_vk (gpointer vk)
{
  seg_vk_unref (vk);
}

static SegRegistry shared = SEG_REGISTRY (make_vk, destroy_vk, NULL);

/* --- finding or making ------------------------------------------------------------------------------ */

/* A device in use stays; otherwise the latest is what counts. Takes `device`, which may be NULL. Whether
 * there is one. */
static gboolean
take_device (SegGpu *gpu, GstVulkanDevice *device)
{
  GstVulkanQueue *queue = NULL;
  GstVulkanDevice *old = device;
  g_mutex_lock (&gpu->lock);
  if (device != NULL && gpu->vk == NULL) {
    old = gpu->device;
    gpu->device = device;
    if (old != device)
      queue = g_steal_pointer (&gpu->queue);
  }
  if (gpu->device != NULL && gpu->instance == NULL)
    gpu->instance = gst_object_ref (gpu->device->instance);
  gboolean there = gpu->device != NULL;
  g_mutex_unlock (&gpu->lock);
  gst_clear_object (&queue);
  gst_clear_object (&old);
  return there;
}

static gboolean
make_device (SegGpu *gpu, GError **error)
{
  g_autoptr (GError) why = NULL;
  GstVulkanDevice *device = NULL;
  if (!gst_vulkan_ensure_element_data (gpu->element, NULL, &gpu->instance)
      || (device = gst_vulkan_instance_create_device (gpu->instance, &why)) == NULL) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_DEVICE,
        "no Vulkan device from GStreamer: %s",
        why != NULL ? why->message : "it finds no driver");
    return FALSE;
  }
  GstContext *context = gst_context_new (GST_VULKAN_DEVICE_CONTEXT_TYPE_STR, TRUE);
  gst_context_set_vulkan_device (context, device);
  gst_element_set_context (gpu->element, context);
  gst_element_post_message (
      gpu->element, gst_message_new_have_context (
                        GST_OBJECT (gpu->element), context)); /* takes context */
  return take_device (gpu, device);
}

static gboolean
find_device (SegGpu *gpu, GError **error)
{
  GstVulkanDevice *device = NULL;
  if (gpu->vk != NULL)
    return TRUE;
  gst_vulkan_device_run_context_query (gpu->element, &device);
  if (take_device (gpu, device))
    return TRUE;
  /* By set_context, if the application answers. */
  gst_vulkan_global_context_query (gpu->element, GST_VULKAN_DEVICE_CONTEXT_TYPE_STR);
  return take_device (gpu, NULL) || make_device (gpu, error);
}

static gboolean
is_fit (GstVulkanDevice *device, GstVulkanQueue *queue, gpointer found)
{
  const VkQueueFlags all = VK_QUEUE_GRAPHICS_BIT | VK_QUEUE_COMPUTE_BIT;
  VkQueueFlags flags =
      device->physical_device->queue_family_props[queue->family].queueFlags;
  if ((flags & all) != all)
    return TRUE;
  *(GstVulkanQueue **) found = gst_object_ref (queue);
  return FALSE;
}

/* That of the neighbours, since the lock for submissions is the object's: with another object for the
 * same queue nothing would keep them apart. It also spares semaphores, which 1.22 has none of. */
static gboolean
find_queue (SegGpu *gpu, GError **error)
{
  GstVulkanQueue *queue = NULL;
  if (gpu->queue == NULL)
    gst_vulkan_queue_run_context_query (gpu->element, &queue);
  g_mutex_lock (&gpu->lock);
  if (gpu->queue == NULL)
    gpu->queue = g_steal_pointer (&queue);
  if (gpu->queue != NULL && gpu->queue->device != gpu->device)
    gst_clear_object (&gpu->queue);
  if (gpu->queue == NULL)
    gst_vulkan_device_foreach_queue (gpu->device, is_fit, &gpu->queue);
  gboolean there = gpu->queue != NULL;
  g_mutex_unlock (&gpu->lock);
  gst_clear_object (&queue);
  if (!there)
    g_set_error (error, SEG_ERROR, SEG_ERROR_DEVICE,
        "the pipeline's Vulkan device has no queue for graphics and compute");
  return there;
}

SegVk *
seg_gpu_get (SegGpu *gpu, const char *cache_dir, GError **error)
{
  if (!find_device (gpu, error) || !find_queue (gpu, error))
    return NULL;
  if (gpu->vk == NULL) {
    const Request request = { gpu->queue, cache_dir };
    g_autofree char *name = g_strdup_printf (
        "%p %s", (void *) gpu->queue, cache_dir != NULL ? cache_dir : "");
    SegVk *vk = seg_registry_get (&shared, name, (gpointer) &request, error);
    g_mutex_lock (&gpu->lock);
    gpu->vk = vk;
    g_mutex_unlock (&gpu->lock);
  }
  return gpu->vk != NULL ? seg_vk_ref (gpu->vk) : NULL;
}

gboolean
seg_gpu_is (SegGpu *gpu, const SegVk *vk)
{
  return vk != NULL && gpu->vk == vk;
}

void
seg_gpu_close (SegGpu *gpu)
{
  g_mutex_lock (&gpu->lock);
  SegVk *vk = g_steal_pointer (&gpu->vk);
  g_mutex_unlock (&gpu->lock);
  seg_registry_put (&shared, vk);
}

void
seg_gpu_free (SegGpu **pgpu)
{
  SegGpu *gpu = *pgpu;
  *pgpu = NULL;
  if (gpu == NULL)
    return;
  seg_gpu_close (gpu);
  gst_clear_object (&gpu->queue);
  gst_clear_object (&gpu->device);
  gst_clear_object (&gpu->instance);
  g_mutex_clear (&gpu->lock);
  g_free (gpu);
}

/* --- contexts ------------------------------------------------------------------------------------------ */

void
seg_gpu_set_context (SegGpu *gpu, GstContext *context)
{
  GstVulkanDevice *device = NULL;
  GstVulkanQueue *queue = NULL;
  if (context == NULL)
    return;
  const char *type = gst_context_get_context_type (context);
  if (g_str_equal (type, GST_VULKAN_DEVICE_CONTEXT_TYPE_STR))
    gst_context_get_vulkan_device (context, &device);
  else if (g_str_equal (type, GST_VULKAN_QUEUE_CONTEXT_TYPE_STR))
    gst_context_get_vulkan_queue (context, &queue);
  if (device != NULL)
    take_device (gpu, device);
  g_mutex_lock (&gpu->lock);
  gst_vulkan_handle_set_context (gpu->element, context, NULL, &gpu->instance);
  if (gpu->queue == NULL && gpu->vk == NULL)
    gpu->queue = g_steal_pointer (&queue);
  g_mutex_unlock (&gpu->lock);
  gst_clear_object (&queue);
}

gboolean
seg_gpu_answer (SegGpu *gpu, GstQuery *query)
{
  g_mutex_lock (&gpu->lock);
  gboolean ok =
      gst_vulkan_handle_context_query (
          gpu->element, query, NULL, gpu->instance, gpu->device)
      || gst_vulkan_queue_handle_context_query (gpu->element, query, gpu->queue);
  g_mutex_unlock (&gpu->lock);
  return ok;
}

/* --- buffers ------------------------------------------------------------------------------------------- */

gboolean
seg_gpu_decide_allocation (SegGpu *gpu, GstQuery *query)
{
  GstCaps *caps;
  guint size = 1, min = 0, max = 0;
  gst_query_parse_allocation (query, &caps, NULL);
  gboolean update = gst_query_get_n_allocation_pools (query) > 0;
  if (update)
    gst_query_parse_nth_allocation_pool (query, 0, NULL, &size, &min, &max);
  if (caps == NULL || gpu->device == NULL)
    return FALSE;
  /* Not downstream's own pool, whose images may not be made to be copied to. */
  GstBufferPool *pool = gst_vulkan_image_buffer_pool_new (gpu->device);
  GstStructure *config = gst_buffer_pool_get_config (pool);
  gst_buffer_pool_config_set_params (config, caps, size, min, 0);
  /* Which image has which plane: from 1.28 on only with the option. */
  gst_buffer_pool_config_add_option (config, GST_BUFFER_POOL_OPTION_VIDEO_META);
  gboolean ok = gst_buffer_pool_set_config (pool, config);
  if (ok && update)
    gst_query_set_nth_allocation_pool (query, 0, pool, size, min, 0);
  else if (ok)
    gst_query_add_allocation_pool (query, pool, size, min, 0);
  gst_object_unref (pool);
  return ok;
}

static gboolean
is_made_by (GstElement *element, const char *name)
{
  GstElementFactory *factory = gst_element_get_factory (element);
  return factory != NULL && g_strcmp0 (GST_OBJECT_NAME (factory), name) == 0;
}

/* Through elements that pass buffers on in the same call. Behind a queue nothing we do helps. */
gboolean
seg_gpu_must_wait (GstPad *sinkpad)
{
  gboolean found = FALSE;
  GstPad *pad = gst_object_ref (sinkpad);
  while (pad != NULL && !found) {
    g_autoptr (GstPad) peer = gst_pad_get_peer (pad);
    g_autoptr (GstElement) element =
        peer != NULL ? gst_pad_get_parent_element (peer) : NULL;
    gst_clear_object (&pad);
    found = element != NULL && is_made_by (element, "vulkanupload");
    if (element != NULL && GST_IS_BASE_TRANSFORM (element))
      pad = gst_element_get_static_pad (element, "sink");
  }
  gst_clear_object (&pad);
  return found;
}

gboolean
seg_caps_are_images (const GstCaps *caps)
{
  return caps != NULL && gst_caps_get_size (caps) > 0
         && gst_caps_features_contains (
             gst_caps_get_features (caps, 0), SEG_MEMORY_IMAGE);
}

gboolean
seg_gpu_has_gray (void)
{
  guint major, minor, micro, nano;
  gst_version (&major, &minor, &micro, &nano);
  return major == 1 && minor < 24;
}

gboolean
seg_gpu_is_built (void)
{
  return TRUE;
}
