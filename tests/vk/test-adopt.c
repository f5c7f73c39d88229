/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A device of somebody else: made here as GStreamer 1.22 makes it, with no feature enabled. */
#include "vk/common.h"

#include "vk/adopt.h"
#include "vk/image.h"

#include <string.h>

#define WIDTH  7
#define HEIGHT 5

typedef struct {
  VkInstance instance;
  VkDebugUtilsMessengerEXT messenger;
  VkPhysicalDevice physical;
  VkDevice device;
  VkQueue queue;
  GMutex lock;
  guint n_locks, n_messages, n_released;
} Owner;

static VKAPI_ATTR VkBool32 VKAPI_CALL
on_message (VkDebugUtilsMessageSeverityFlagBitsEXT severity,
    VkDebugUtilsMessageTypeFlagsEXT types,
    const VkDebugUtilsMessengerCallbackDataEXT *data, void *user_data)
{
  ((Owner *) user_data)->n_messages++;
  g_printerr ("%s\n", data->pMessage);
  return VK_FALSE;
}

static void
make_instance (Owner *owner, gboolean validate)
{
  static const char *const layer = "VK_LAYER_KHRONOS_validation";
  static const char *const extensions[] = { VK_EXT_DEBUG_UTILS_EXTENSION_NAME,
    VK_EXT_VALIDATION_FEATURES_EXTENSION_NAME };
  static const VkValidationFeatureEnableEXT sync =
      VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT;
  const VkDebugUtilsMessengerCreateInfoEXT messenger = {
    .sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT,
    .messageSeverity = VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT
                       | VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT,
    .messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT,
    .pfnUserCallback = on_message,
    .pUserData = owner,
  };
  const VkValidationFeaturesEXT features = { VK_STRUCTURE_TYPE_VALIDATION_FEATURES_EXT,
    &messenger, 1, &sync, 0, NULL };
  const VkApplicationInfo application = { VK_STRUCTURE_TYPE_APPLICATION_INFO,
    .apiVersion = VK_API_VERSION_1_2 };
  const VkInstanceCreateInfo info = { VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
    validate ? &features : NULL, 0, &application, validate, &layer, validate ? 2 : 0,
    extensions };
  g_assert_cmpint (vkCreateInstance (&info, NULL, &owner->instance), ==, VK_SUCCESS);
  if (!validate)
    return;
  PFN_vkCreateDebugUtilsMessengerEXT create =
      (PFN_vkCreateDebugUtilsMessengerEXT) vkGetInstanceProcAddr (
          owner->instance, "vkCreateDebugUtilsMessengerEXT");
  create (owner->instance, &messenger, NULL, &owner->messenger);
}

/* The first queue family of the first device. FALSE: there is none. */
static gboolean
make_owner (Owner *owner)
{
  const char *validate = g_getenv ("VKSEG_VALIDATE");
  const float priority = 1;
  const VkDeviceQueueCreateInfo queue = { VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
    NULL, 0, 0, 1, &priority };
  const VkDeviceCreateInfo info = { VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
    .queueCreateInfoCount = 1, .pQueueCreateInfos = &queue };
  guint32 one = 1;
  g_autoptr (SegVk) vk = test_device (NULL);
  if (vk == NULL)
    return FALSE;
  memset (owner, 0, sizeof *owner);
  g_mutex_init (&owner->lock);
  make_instance (owner, validate != NULL && *validate == '1');
  g_assert_cmpint (
      vkEnumeratePhysicalDevices (owner->instance, &one, &owner->physical), >=, 0);
  g_assert_cmpint (
      vkCreateDevice (owner->physical, &info, NULL, &owner->device), ==, VK_SUCCESS);
  vkGetDeviceQueue (owner->device, 0, 0, &owner->queue);
  return TRUE;
}

static void
clear_owner (Owner *owner)
{
  vkDestroyDevice (owner->device, NULL);
  if (owner->messenger != VK_NULL_HANDLE) {
    PFN_vkDestroyDebugUtilsMessengerEXT destroy =
        (PFN_vkDestroyDebugUtilsMessengerEXT) vkGetInstanceProcAddr (
            owner->instance, "vkDestroyDebugUtilsMessengerEXT");
    destroy (owner->instance, owner->messenger, NULL);
  }
  vkDestroyInstance (owner->instance, NULL);
  g_mutex_clear (&owner->lock);
  g_assert_cmpuint (owner->n_messages, ==, 0);
}

static void
lock (gpointer data)
{
  g_mutex_lock (&((Owner *) data)->lock);
  ((Owner *) data)->n_locks++;
}

static void
unlock (gpointer data)
{
  g_mutex_unlock (&((Owner *) data)->lock);
}

static void
release (gpointer data)
{
  ((Owner *) data)->n_released++;
}

static SegVkAdoption
adoption_of (Owner *owner)
{
  return (SegVkAdoption){ owner->instance, VK_API_VERSION_1_2, owner->physical,
    owner->device, owner->queue, 0, FALSE, NULL, lock, unlock, release, owner };
}

static SegVk *
adopt (Owner *owner)
{
  g_autoptr (GError) error = NULL;
  const SegVkAdoption adoption = adoption_of (owner);
  SegVk *vk = seg_vk_adopt (&adoption, &error);
  g_assert_no_error (error);
  g_assert_nonnull (vk);
  return vk;
}

/* A kernel runs, under the owner's lock, and the owner's device outlives us. */
static void
dispatch (void)
{
  Owner owner;
  if (!make_owner (&owner))
    return;
  SegVk *vk = adopt (&owner);
  g_assert_false (seg_vk_info (vk)->float16);
  g_assert_false (seg_vk_info (vk)->storage16);
  g_assert_false (seg_vk_info (vk)->integer_dot);
  g_assert_false (seg_vk_info (vk)->int64);
  g_assert_cmpuint (seg_vk_info (vk)->n_matrix_shapes, ==, 0);
  SegBuffer *a = test_buffer (vk, 400, SEG_BUFFER_UPLOAD);
  SegBuffer *b = test_buffer (vk, 400, SEG_BUFFER_READBACK);
  SegCmd *cmd = test_cmd (vk, FALSE);
  gint32 *from = seg_buffer_map (a), *to = seg_buffer_map (b);
  for (gint32 i = 0; i < 100; i++)
    from[i] = i * i;
  test_add (cmd, a, 0, b, 0, 100, 5);
  test_run (cmd);
  for (gint32 i = 0; i < 100; i++)
    g_assert_cmpint (to[i], ==, i * i + 5);
  g_assert_cmpuint (owner.n_locks, ==, 1);
  seg_cmd_free (&cmd);
  seg_buffer_free (&a);
  seg_buffer_free (&b);
  g_assert_cmpuint (owner.n_released, ==, 0);
  seg_vk_unref (vk);
  g_assert_cmpuint (owner.n_released, ==, 1);
  clear_owner (&owner);
}

static void
refused (void)
{
  Owner owner;
  g_autoptr (GError) error = NULL;
  if (!make_owner (&owner))
    return;
  SegVkAdoption adoption = adoption_of (&owner);
  adoption.queue_family = 1000;
  g_assert_null (seg_vk_adopt (&adoption, &error));
  g_assert_error (error, SEG_ERROR, SEG_ERROR_DEVICE);
  g_clear_error (&error);
  adoption = adoption_of (&owner);
  adoption.api_version = VK_API_VERSION_1_0;
  g_assert_null (seg_vk_adopt (&adoption, &error));
  g_assert_error (error, SEG_ERROR, SEG_ERROR_DEVICE);
  g_assert_cmpuint (owner.n_released, ==, 0);
  clear_owner (&owner);
}

/* --- images ------------------------------------------------------------------------------- */

static VkDeviceMemory
make_image (const Owner *owner, SegImage *image)
{
  const VkImageCreateInfo info = {
    .sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
    .imageType = VK_IMAGE_TYPE_2D,
    .format = VK_FORMAT_R8G8_UNORM,
    .extent = { WIDTH, HEIGHT, 1 },
    .mipLevels = 1,
    .arrayLayers = 1,
    .samples = VK_SAMPLE_COUNT_1_BIT,
    .usage = VK_IMAGE_USAGE_TRANSFER_SRC_BIT | VK_IMAGE_USAGE_TRANSFER_DST_BIT,
  };
  VkDeviceMemory memory;
  VkMemoryRequirements need;
  image->layout = VK_IMAGE_LAYOUT_UNDEFINED;
  g_assert_cmpint (vkCreateImage (owner->device, &info, NULL, &image->handle), ==, 0);
  vkGetImageMemoryRequirements (owner->device, image->handle, &need);
  const VkMemoryAllocateInfo allocate = { VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO, NULL,
    need.size, (guint32) g_bit_nth_lsf (need.memoryTypeBits, -1) };
  g_assert_cmpint (vkAllocateMemory (owner->device, &allocate, NULL, &memory), ==, 0);
  vkBindImageMemory (owner->device, image->handle, memory, 0);
  return memory;
}

/* The test's own way of waiting between: nothing, as all goes over one queue. */
static void
end (SegCmd *cmd)
{
  g_autoptr (GError) error = NULL;
  seg_cmd_end (cmd, &error);
  g_assert_no_error (error);
  seg_cmd_submit (cmd, &error);
  g_assert_no_error (error);
}

/* Through an image and back, into rows of another length; then the image cleared. */
static void
copies (void)
{
  static const SegImagePlane in = { VK_IMAGE_ASPECT_COLOR_BIT, WIDTH, HEIGHT, 2, 8, 16 },
                             out = { VK_IMAGE_ASPECT_COLOR_BIT, WIDTH, HEIGHT, 2, 0, 20 };
  Owner owner;
  SegImage image;
  if (!make_owner (&owner))
    return;
  SegVk *vk = adopt (&owner);
  VkDeviceMemory memory = make_image (&owner, &image);
  SegBuffer *a = test_buffer (vk, 8 + 16 * HEIGHT, SEG_BUFFER_UPLOAD);
  SegBuffer *b = test_buffer (vk, 20 * HEIGHT, SEG_BUFFER_READBACK);
  guint8 *from = seg_buffer_map (a), *to = seg_buffer_map (b);
  for (guint i = 0; i < 8 + 16 * HEIGHT; i++)
    from[i] = (guint8) (i * 37 + 11);
  memset (to, 0xee, 20 * HEIGHT);
  SegCmd *cmds[3];
  for (guint i = 0; i < 3; i++)
    cmds[i] = test_cmd (vk, FALSE);
  g_assert_true (seg_cmd_use_image (cmds[0], &image, TRUE, NULL));
  g_assert_true (seg_cmd_to_image (cmds[0], a, &in, &image, NULL));
  end (cmds[0]);
  g_assert_cmpint (image.layout, ==, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL);
  g_assert_true (seg_cmd_use_image (cmds[1], &image, FALSE, NULL));
  g_assert_true (seg_cmd_from_image (cmds[1], &image, &out, b, NULL));
  end (cmds[1]);
  g_assert_true (seg_cmd_wait (cmds[1], NULL));
  for (guint y = 0; y < HEIGHT; y++) {
    g_assert_cmpmem (to + y * 20, 2 * WIDTH, from + 8 + y * 16, 2 * WIDTH);
    g_assert_cmpuint (to[y * 20 + 2 * WIDTH], ==, 0xee);
  }
  for (guint value = 0; value < 256; value += 51) {
    g_assert_true (seg_cmd_begin (cmds[2], NULL));
    g_assert_true (seg_cmd_use_image (cmds[2], &image, TRUE, NULL));
    g_assert_true (seg_cmd_clear_image (cmds[2], &image, (guint8) value, NULL));
    end (cmds[2]);
    g_assert_true (seg_cmd_begin (cmds[1], NULL));
    g_assert_true (seg_cmd_use_image (cmds[1], &image, FALSE, NULL));
    g_assert_true (seg_cmd_from_image (cmds[1], &image, &out, b, NULL));
    end (cmds[1]);
    g_assert_true (seg_cmd_wait (cmds[1], NULL));
    for (guint x = 0; x < 2 * WIDTH; x++)
      g_assert_cmpuint (to[x], ==, value);
  }
  for (guint i = 0; i < 3; i++)
    seg_cmd_free (&cmds[i]);
  seg_buffer_free (&a);
  seg_buffer_free (&b);
  vkDestroyImage (owner.device, image.handle, NULL);
  vkFreeMemory (owner.device, memory, NULL);
  seg_vk_unref (vk);
  clear_owner (&owner);
}

static void
planes_that_do_not_fit (void)
{
  static const SegImagePlane wrong[] = {
    { VK_IMAGE_ASPECT_COLOR_BIT, WIDTH, HEIGHT, 2, 0, 12 }, /* rows overlap */
    { VK_IMAGE_ASPECT_COLOR_BIT, WIDTH, HEIGHT, 2, 0, 15 }, /* part of a texel */
    { VK_IMAGE_ASPECT_COLOR_BIT, WIDTH, HEIGHT, 2, 2, 16 }, /* offset */
    { VK_IMAGE_ASPECT_COLOR_BIT, WIDTH, HEIGHT + 1, 2, 0, 16 },
    { VK_IMAGE_ASPECT_COLOR_BIT, WIDTH, HEIGHT, 2, 1 << 20, 16 },
    { VK_IMAGE_ASPECT_COLOR_BIT, 0, HEIGHT, 2, 0, 16 },
    { VK_IMAGE_ASPECT_COLOR_BIT, WIDTH, G_MAXUINT32, 2, 0, 16 },
  };
  const SegImage image = { VK_NULL_HANDLE, VK_IMAGE_LAYOUT_GENERAL };
  g_autoptr (SegVk) vk = test_device (NULL);
  if (vk == NULL)
    return;
  SegBuffer *buffer = test_buffer (vk, 16 * HEIGHT - 2, SEG_BUFFER_DEVICE);
  SegCmd *cmd = test_cmd (vk, FALSE);
  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++) {
    g_autoptr (GError) error = NULL;
    g_test_message ("%u", i);
    g_assert_false (seg_cmd_from_image (cmd, &image, &wrong[i], buffer, &error));
    g_assert_error (error, SEG_ERROR, SEG_ERROR_INPUT);
    g_assert_false (seg_cmd_to_image (cmd, buffer, &wrong[i], &image, NULL));
  }
  seg_cmd_free (&cmd);
  seg_buffer_free (&buffer);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/adopt/dispatch", dispatch);
  g_test_add_func ("/adopt/refused", refused);
  g_test_add_func ("/image/copies", copies);
  g_test_add_func ("/image/planes-that-do-not-fit", planes_that_do_not_fit);
  return g_test_run ();
}
