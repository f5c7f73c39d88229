/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vk/private.h"

#include <string.h>

#define VALIDATION_LAYER "VK_LAYER_KHRONOS_validation"
/* Before this version the layer's own thread, which lets go of finished command buffers, erased their
 * labels without the lock that those who write labels take, and could erase those of a new buffer
 * at the same address: it crashed (EraseCmdDebugUtilsLabel of 1.3.241 and 1.3.242). */
#define LABELS_LOCKED VK_MAKE_API_VERSION (0, 1, 3, 242)

/* The one piece of global state: how often the validation layer spoke in this process. */
static gint validation_messages;

guint
seg_vk_validation_messages (void)
{
  return (guint) g_atomic_int_get (&validation_messages);
}

void
seg_instance_no_driver (GError **error)
{
  g_set_error (error, SEG_ERROR, SEG_ERROR_DEVICE,
      "no Vulkan device: install a Vulkan driver (on Debian and Ubuntu the package "
      "mesa-vulkan-drivers, which also has one for machines without a GPU)");
}

/* No message is filtered: none is known to be false. */
static VKAPI_ATTR VkBool32 VKAPI_CALL
on_message (VkDebugUtilsMessageSeverityFlagBitsEXT severity,
    VkDebugUtilsMessageTypeFlagsEXT types,
    const VkDebugUtilsMessengerCallbackDataEXT *data, void *user_data)
{
  g_atomic_int_inc (&validation_messages);
  g_critical ("Vulkan validation: %s: %s",
      data->pMessageIdName != NULL ? data->pMessageIdName : "no name", data->pMessage);
  return VK_FALSE;
}

/* GENERAL messages are left out: they are the loader's remarks on drivers that find no
 * hardware, not a judgement on our calls. */
static const VkDebugUtilsMessengerCreateInfoEXT messenger_info = {
  .sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT,
  .messageSeverity = VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT
                     | VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT,
  .messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT,
  .pfnUserCallback = on_message,
};

static gboolean
has_extension (const char *layer, const char *name)
{
  guint32 n = 0;
  if (vkEnumerateInstanceExtensionProperties (layer, &n, NULL) != VK_SUCCESS || n == 0)
    return FALSE;
  g_autofree VkExtensionProperties *all = g_new0 (VkExtensionProperties, n);
  if (vkEnumerateInstanceExtensionProperties (layer, &n, all) < 0)
    return FALSE;
  for (guint i = 0; i < n; i++)
    if (strcmp (all[i].extensionName, name) == 0)
      return TRUE;
  return FALSE;
}

static gboolean
check_layer (guint32 *version, GError **error)
{
  guint32 n = 0;
  vkEnumerateInstanceLayerProperties (&n, NULL);
  g_autofree VkLayerProperties *all = g_new0 (VkLayerProperties, n + 1);
  if (n > 0 && vkEnumerateInstanceLayerProperties (&n, all) < 0)
    n = 0;
  for (guint i = 0; i < n; i++)
    if (strcmp (all[i].layerName, VALIDATION_LAYER) == 0) {
      *version = all[i].specVersion;
      return TRUE;
    }
  g_set_error (error, SEG_ERROR, SEG_ERROR_DEVICE,
      "validation was asked for, but the layer " VALIDATION_LAYER
      " is not installed: on Debian and Ubuntu install the package "
      "vulkan-validationlayers");
  return FALSE;
}

static gboolean
check_version (guint32 *version, GError **error)
{
  vkEnumerateInstanceVersion (version);
  if (*version >= VK_API_VERSION_1_1)
    return TRUE;
  g_set_error (error, SEG_ERROR, SEG_ERROR_DEVICE,
      "the Vulkan loader is version 1.0, 1.1 is needed: update it (Debian's libvulkan1)");
  return FALSE;
}

static gboolean
create (SegInstance *instance, gboolean validate, GError **error)
{
  static const VkValidationFeatureEnableEXT enable[] = {
    VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT
  };
  const VkValidationFeaturesEXT features = {
    .sType = VK_STRUCTURE_TYPE_VALIDATION_FEATURES_EXT,
    .pNext = &messenger_info,
    .enabledValidationFeatureCount = G_N_ELEMENTS (enable),
    .pEnabledValidationFeatures = enable,
  };
  const VkApplicationInfo application = {
    .sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
    .pEngineName = "vkseg",
    .apiVersion = instance->api_version,
  };
  const char *layers[] = { VALIDATION_LAYER }, *extensions[3];
  VkInstanceCreateInfo info = {
    .sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
    .pNext = validate ? &features : NULL,
    .pApplicationInfo = &application,
    .enabledLayerCount = validate ? 1 : 0,
    .ppEnabledLayerNames = layers,
    .ppEnabledExtensionNames = extensions,
  };
  if (instance->debug_utils)
    extensions[info.enabledExtensionCount++] = VK_EXT_DEBUG_UTILS_EXTENSION_NAME;
  if (validate)
    extensions[info.enabledExtensionCount++] = VK_EXT_VALIDATION_FEATURES_EXTENSION_NAME;
  if (has_extension (NULL, VK_KHR_PORTABILITY_ENUMERATION_EXTENSION_NAME)) {
    extensions[info.enabledExtensionCount++] =
        VK_KHR_PORTABILITY_ENUMERATION_EXTENSION_NAME;
    info.flags |= VK_INSTANCE_CREATE_ENUMERATE_PORTABILITY_BIT_KHR;
  }
  VkResult result = vkCreateInstance (&info, NULL, &instance->handle);
  if (result == VK_ERROR_INCOMPATIBLE_DRIVER) { /* the loader found no driver */
    seg_instance_no_driver (error);
    return FALSE;
  }
  return seg_vk_check (NULL, result, "vkCreateInstance", error);
}

static gboolean
create_messenger (SegInstance *instance, GError **error)
{
  PFN_vkCreateDebugUtilsMessengerEXT f =
      (PFN_vkCreateDebugUtilsMessengerEXT) vkGetInstanceProcAddr (
          instance->handle, "vkCreateDebugUtilsMessengerEXT");
  VkResult result =
      f == NULL ? VK_ERROR_EXTENSION_NOT_PRESENT
                : f (instance->handle, &messenger_info, NULL, &instance->messenger);
  return seg_vk_check (NULL, result, "vkCreateDebugUtilsMessengerEXT", error);
}

gboolean
seg_instance_init (SegInstance *instance, gboolean validate, GError **error)
{
  guint32 version = VK_API_VERSION_1_0, layer = G_MAXUINT32; /* of none */
  memset (instance, 0, sizeof *instance);
  if (!check_version (&version, error) || (validate && !check_layer (&layer, error)))
    return FALSE;
  instance->api_version = MIN (version, VK_API_VERSION_1_3);
  /* The layer brings the extension too, where a loader does not. */
  instance->debug_utils =
      has_extension (NULL, VK_EXT_DEBUG_UTILS_EXTENSION_NAME)
      || (validate
          && has_extension (VALIDATION_LAYER, VK_EXT_DEBUG_UTILS_EXTENSION_NAME));
  instance->labels = instance->debug_utils && layer >= LABELS_LOCKED;
  if (!create (instance, validate, error))
    return FALSE;
  if (validate && !create_messenger (instance, error)) {
    seg_instance_clear (instance);
    return FALSE;
  }
  return TRUE;
}

void
seg_instance_clear (SegInstance *instance)
{
  if (instance->handle == NULL)
    return;
  if (instance->messenger != VK_NULL_HANDLE) {
    PFN_vkDestroyDebugUtilsMessengerEXT f =
        (PFN_vkDestroyDebugUtilsMessengerEXT) vkGetInstanceProcAddr (
            instance->handle, "vkDestroyDebugUtilsMessengerEXT");
    f (instance->handle, instance->messenger, NULL);
  }
  vkDestroyInstance (instance->handle, NULL);
  memset (instance, 0, sizeof *instance);
}
