/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Images in dma-bufs with each modifier that the device can export them with: what is drawn into one is what
 * comes out of our import of it. Where the device has no modifiers (lavapipe) only what is refused is tested. */
#define _GNU_SOURCE /* memfd_create */
#include "vk/common.h"
#include "vk/private.h"
#include "vk/tiled.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const struct {
  VkFormat format;
  const char *name;
} formats[] = {
  { VK_FORMAT_R8_UNORM, "R8" },
  { VK_FORMAT_R8G8_UNORM, "R8G8" },
  { VK_FORMAT_R8G8B8A8_UNORM, "R8G8B8A8" },
  { VK_FORMAT_B8G8R8A8_UNORM, "B8G8R8A8" },
  { VK_FORMAT_G8_B8R8_2PLANE_420_UNORM, "G8_B8R8" },
  { VK_FORMAT_G8_B8_R8_3PLANE_420_UNORM, "G8_B8_R8" },
  { VK_FORMAT_G10X6_B10X6R10X6_2PLANE_420_UNORM_3PACK16, "G10X6_B10X6R10X6" },
};

/* NULL: the test is skipped. */
static SegVk *
device_with_modifiers (void)
{
  SegVk *vk = test_device (NULL);
  if (vk == NULL || seg_vk_info (vk)->modifiers)
    return vk;
  g_test_skip ("the device has no VK_EXT_image_drm_format_modifier");
  seg_vk_unref (vk);
  return NULL;
}

/* --- somebody else's image --------------------------------------------------------------------------- */

typedef struct {
  SegVk *vk;
  SegImage image;
  VkDeviceMemory memory;
  int fd;
  SegTiling tiling;
} Exported;

static void
create_image (Exported *e)
{
  const VkImageDrmFormatModifierListCreateInfoEXT list = {
    .sType = VK_STRUCTURE_TYPE_IMAGE_DRM_FORMAT_MODIFIER_LIST_CREATE_INFO_EXT,
    .drmFormatModifierCount = 1,
    .pDrmFormatModifiers = &e->tiling.modifier,
  };
  g_assert_cmpint (seg_tiled_create_image (e->vk, &e->tiling,
                       VK_IMAGE_USAGE_TRANSFER_DST_BIT, &list, &e->image.handle),
      ==, VK_SUCCESS);
}

static guint32
memory_type (const SegVk *vk, guint32 allowed)
{
  const VkPhysicalDeviceMemoryProperties *m = &vk->physical.memory;
  allowed &= seg_memory_types (m);
  for (guint i = 0; i < m->memoryTypeCount; i++)
    if ((allowed & 1u << i)
        && (m->memoryTypes[i].propertyFlags & VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT))
      return i;
  return (guint32) g_bit_nth_lsf (allowed, -1);
}

/* The image begins so many times its alignment after the memory's start, where it need not be alone in it. */
static guint64
give_memory (Exported *e, gboolean alone, guint n_before)
{
  VkDevice device = e->vk->device;
  VkMemoryRequirements need;
  vkGetImageMemoryRequirements (device, e->image.handle, &need);
  guint64 before = alone ? 0 : n_before * need.alignment;
  const VkMemoryDedicatedAllocateInfo only = {
    .sType = VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO,
    .image = e->image.handle,
  };
  const VkExportMemoryAllocateInfo export = {
    .sType = VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO,
    .pNext = alone ? &only : NULL,
    .handleTypes = SEG_IMPORT_HANDLE,
  };
  const VkMemoryAllocateInfo info = {
    .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
    .pNext = &export,
    .allocationSize = before + need.size,
    .memoryTypeIndex = memory_type (e->vk, need.memoryTypeBits),
  };
  g_assert_cmpint (vkAllocateMemory (device, &info, NULL, &e->memory), ==, VK_SUCCESS);
  g_assert_cmpint (
      vkBindImageMemory (device, e->image.handle, e->memory, before), ==, VK_SUCCESS);
  return before;
}

static void
get_fd (Exported *e)
{
  PFN_vkGetMemoryFdKHR get =
      (PFN_vkGetMemoryFdKHR) vkGetDeviceProcAddr (e->vk->device, "vkGetMemoryFdKHR");
  const VkMemoryGetFdInfoKHR info = {
    .sType = VK_STRUCTURE_TYPE_MEMORY_GET_FD_INFO_KHR,
    .memory = e->memory,
    .handleType = SEG_IMPORT_HANDLE,
  };
  g_assert_nonnull (get);
  g_assert_cmpint (get (e->vk->device, &info, &e->fd), ==, VK_SUCCESS);
}

/* FALSE: the device cannot. */
static gboolean
export_image (Exported *e, SegVk *vk, VkFormat format, const SegModifier *modifier,
    const guint32 size[2], guint n_before)
{
  SegModifier drawn = *modifier; /* where it is drawn into */
  VkExternalMemoryFeatureFlags can;
  if (!seg_modifier_query (vk, format, VK_IMAGE_USAGE_TRANSFER_DST_BIT, &drawn, &can)
      || (can & VK_EXTERNAL_MEMORY_FEATURE_EXPORTABLE_BIT) == 0)
    return FALSE;
  *e = (Exported){ .vk = vk,
    .tiling = { .format = format,
        .width = size[0],
        .height = size[1],
        .modifier = modifier->modifier,
        .n_planes = modifier->n_planes } };
  create_image (e);
  guint64 before = give_memory (e, drawn.alone, n_before);
  get_fd (e);
  for (guint p = 0; p < modifier->n_planes; p++) {
    const VkImageSubresource plane = {
      .aspectMask = (VkImageAspectFlags) VK_IMAGE_ASPECT_MEMORY_PLANE_0_BIT_EXT << p
    };
    VkSubresourceLayout layout;
    vkGetImageSubresourceLayout (vk->device, e->image.handle, &plane, &layout);
    e->tiling.planes[p].offset = before + layout.offset;
    e->tiling.planes[p].pitch = layout.rowPitch;
  }
  return TRUE;
}

static void
forget (Exported *e)
{
  vkDestroyImage (e->vk->device, e->image.handle, NULL);
  vkFreeMemory (e->vk->device, e->memory, NULL);
  close (e->fd);
}

/* --- its pixels ------------------------------------------------------------------------------------------ */

/* Rows in a buffer, plane after plane, with something between them; the buffer's bytes. */
static gsize
place (const SegTiling *t, SegImagePlane planes[3], guint *n)
{
  const SegImageFormat *format = seg_image_format (t->format);
  gsize end = 0;
  *n = format->n_planes;
  for (guint p = 0; p < format->n_planes; p++) {
    guint side = format->planes[p].side_px, bytes = format->planes[p].bytes;
    planes[p] = (SegImagePlane){
      .aspect = format->n_planes == 1
                    ? VK_IMAGE_ASPECT_COLOR_BIT
                    : (VkImageAspectFlags) VK_IMAGE_ASPECT_PLANE_0_BIT << p,
      .width = t->width / side,
      .height = t->height / side,
      .texel_bytes = bytes,
      .offset = end,
      .stride_bytes = (gsize) (t->width / side + 4) * bytes,
    };
    end += (planes[p].stride_bytes * planes[p].height + 15) & ~(gsize) 15;
  }
  return end;
}

/* Of a word of 10 bits there are no others. */
static guint8
byte_at (VkFormat format, gsize i)
{
  guint32 x = (guint32) i * 2654435761u;
  gboolean few = format == VK_FORMAT_G10X6_B10X6R10X6_2PLANE_420_UNORM_3PACK16;
  return (guint8) ((x >> 24 ^ x >> 13) & (few && i % 2 == 0 ? 0xc0 : 0xff));
}

/* As a decoder does: it draws, and gives the image away. */
static void
draw (Exported *e)
{
  SegImagePlane planes[3];
  guint n;
  gsize n_bytes = place (&e->tiling, planes, &n);
  SegBuffer *up = test_buffer (e->vk, n_bytes, SEG_BUFFER_UPLOAD);
  guint8 *bytes = seg_buffer_map (up);
  for (gsize i = 0; i < n_bytes; i++)
    bytes[i] = byte_at (e->tiling.format, i);
  SegCmd *cmd = test_cmd (e->vk, FALSE);
  g_assert_true (seg_cmd_use_image (cmd, &e->image, TRUE, NULL));
  for (guint p = 0; p < n; p++)
    g_assert_true (seg_cmd_to_image (cmd, up, &planes[p], &e->image, NULL));
  const VkImageMemoryBarrier barrier = {
    .sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER,
    .srcAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT,
    .oldLayout = e->image.layout,
    .newLayout = VK_IMAGE_LAYOUT_GENERAL,
    .srcQueueFamilyIndex = e->vk->physical.queue_family,
    .dstQueueFamilyIndex = seg_import_owner (e->vk),
    .image = e->image.handle,
    .subresourceRange = { VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1 },
  };
  vkCmdPipelineBarrier (cmd->buffer, VK_PIPELINE_STAGE_TRANSFER_BIT,
      VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, 0, 0, NULL, 0, NULL, 1, &barrier);
  test_run (cmd);
  seg_cmd_free (&cmd);
  seg_buffer_free (&up);
}

/* Twice: what is released can be acquired again. */
static void
compare (SegVk *vk, const SegTiled *tiled, const SegTiling *tiling)
{
  SegImagePlane planes[3];
  guint n;
  gsize n_bytes = place (tiling, planes, &n);
  SegBuffer *down = test_buffer (vk, n_bytes, SEG_BUFFER_READBACK);
  const guint8 *bytes = seg_buffer_map (down);
  for (guint run = 0; run < 2; run++) {
    SegCmd *cmd = test_cmd (vk, FALSE);
    memset (seg_buffer_map (down), 0, n_bytes);
    g_assert_true (seg_cmd_acquire_tiled (cmd, tiled, NULL));
    for (guint p = 0; p < n; p++)
      g_assert_true (
          seg_cmd_from_image (cmd, seg_tiled_image (tiled), &planes[p], down, NULL));
    g_assert_true (seg_cmd_release_tiled (cmd, tiled, NULL));
    test_run (cmd);
    for (guint p = 0; p < n; p++)
      for (guint y = 0; y < planes[p].height; y++)
        for (gsize x = 0; x < (gsize) planes[p].width * planes[p].texel_bytes; x++) {
          gsize at = planes[p].offset + y * planes[p].stride_bytes + x;
          if (bytes[at] != byte_at (tiling->format, at))
            g_error ("plane %u, row %u, byte %" G_GSIZE_FORMAT ": %u, not %u", p, y, x,
                bytes[at], byte_at (tiling->format, at));
        }
    seg_cmd_free (&cmd);
  }
  seg_buffer_free (&down);
}

/* 1: the same pixels. A driver may refuse an image that does not begin where the memory does. */
static guint
round_trip (SegVk *vk, VkFormat format, const SegModifier *modifier,
    const guint32 size[2], guint n_before)
{
  Exported e;
  g_autoptr (GError) error = NULL;
  if (!export_image (&e, vk, format, modifier, size, n_before)) {
    g_test_message ("  not exported");
    return 0;
  }
  draw (&e);
  SegTiled *tiled = seg_tiled_import (vk, e.fd, &e.tiling, &error);
  g_test_message ("  %ux%u, from byte %" G_GUINT64_FORMAT " on, pitch %" G_GUINT64_FORMAT
                  ": %s",
      size[0], size[1], e.tiling.planes[0].offset, e.tiling.planes[0].pitch,
      tiled == NULL ? error->message : "imported");
  if (n_before == 0)
    g_assert_no_error (error);
  if (tiled != NULL)
    compare (vk, tiled, &e.tiling);
  guint n = tiled != NULL;
  seg_tiled_free (&tiled);
  forget (&e);
  return n;
}

static void
pixels (void)
{
  static const guint32 sizes[][2] = { { 64, 48 }, { 258, 130 }, { 1920, 1080 } };
  g_autoptr (SegVk) vk = device_with_modifiers ();
  guint n = 0;
  if (vk == NULL)
    return;
  for (guint f = 0; f < G_N_ELEMENTS (formats); f++) {
    g_autoptr (GArray) modifiers = seg_vk_modifiers (vk, formats[f].format);
    g_test_message ("%s: %u modifiers", formats[f].name, modifiers->len);
    for (guint m = 0; m < modifiers->len; m++) {
      const SegModifier *modifier = &g_array_index (modifiers, SegModifier, m);
      g_test_message ("%s, modifier 0x%016" G_GINT64_MODIFIER "x, %u planes%s",
          formats[f].name, modifier->modifier, modifier->n_planes,
          modifier->alone ? ", alone" : "");
      for (guint s = 0; s < G_N_ELEMENTS (sizes); s++)
        for (guint before = 0; before < 2; before++)
          n += round_trip (vk, formats[f].format, modifier, sizes[s], before);
    }
  }
  if (n == 0)
    g_test_skip ("the device exports no image as a dma-buf");
}

/* --- what is refused ------------------------------------------------------------------------------------- */

static const SegModifier linear = { SEG_MODIFIER_LINEAR, 2, 4096, 4096, FALSE };
static const SegModifier tiled4 = { 0x0100000000000004, 4, 4096, 4096, FALSE };
#define NV12 VK_FORMAT_G8_B8R8_2PLANE_420_UNORM

/* Frames of 64x32 in NV12, in a memory of 4096 bytes. */
static void
checked (void)
{
  static const struct {
    SegTiling tiling;
    const SegModifier *modifier;
    const char *why; /* NULL: it is right */
  } cases[] = {
    { { NV12, 64, 32, 0, 2, { { 0, 64 }, { 2048, 64 } } }, &linear, NULL },
    { { NV12, 64, 32, 0, 2, { { 0, 64 }, { 3072, 64 } } }, &linear, NULL },
    { { NV12, 64, 32, 0, 2, { { 0, 64 }, { 3073, 64 } } }, &linear, "ends after" },
    { { NV12, 64, 32, 0, 2, { { 0, 130 }, { 2048, 64 } } }, &linear, NULL },
    { { NV12, 64, 32, 0, 2, { { 0, 131 }, { 2048, 64 } } }, &linear, "ends after" },
    { { NV12, 64, 32, 0, 2, { { 0, 63 }, { 2048, 64 } } }, &linear, "overlap" },
    { { NV12, 64, 32, 0, 2, { { 0, 0 }, { 2048, 64 } } }, &linear, "pitch" },
    { { NV12, 64, 32, 0, 2, { { 0, G_MAXUINT64 }, { 2048, 64 } } }, &linear, "pitch" },
    { { NV12, 64, 32, 0, 2, { { 4096, 64 }, { 2048, 64 } } }, &linear, "begins after" },
    { { NV12, 64, 32, 0, 2, { { 0, 64 }, { G_MAXUINT64, 64 } } }, &linear, "begins" },
    { { NV12, 64, 32, 0, 1, { { 0, 64 } } }, &linear, "number of planes" },
    { { NV12, 64, 32, 0, 3, { { 0, 64 }, { 2048, 64 }, { 0, 64 } } }, &linear,
        "number of planes" },
    { { NV12, 63, 32, 0, 2, { { 0, 64 }, { 2048, 64 } } }, &linear, "odd" },
    { { NV12, 64, 31, 0, 2, { { 0, 64 }, { 2048, 64 } } }, &linear, "odd" },
    { { NV12, 0, 32, 0, 2, { { 0, 64 }, { 2048, 64 } } }, &linear, "size" },
    { { NV12, 64, 4098, 0, 2, { { 0, 64 }, { 2048, 64 } } }, &linear, "size" },
    { { NV12, 64, 32, 1, 2, { { 0, 64 }, { 2048, 64 } } }, &linear, "format" },
    { { VK_FORMAT_R32_SFLOAT, 64, 32, 0, 2, { { 0, 64 }, { 2048, 64 } } }, &linear,
        "format" },
    /* of a tiled one the pitch is the driver's to understand, what it has beside as well */
    { { NV12, 64, 32, 0x0100000000000004, 4,
          { { 0, 8 }, { 2048, 8 }, { 4000, 8 }, { 4095, 8 } } },
        &tiled4, NULL },
    { { NV12, 64, 32, 0x0100000000000004, 4,
          { { 2049, 8 }, { 2048, 8 }, { 4000, 8 }, { 4095, 8 } } },
        &tiled4, "ends after" },
    { { NV12, 64, 32, 0x0100000000000004, 4,
          { { 0, 8 }, { 2048, 8 }, { 4000, 8 }, { 4096, 8 } } },
        &tiled4, "begins after" },
    { { NV12, 64, 32, 0x0100000000000004, 4,
          { { 0, 8 }, { 2048, 8 }, { 4000, 0 }, { 4095, 8 } } },
        &tiled4, "pitch" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    gboolean ok = seg_tiling_check (&cases[i].tiling, cases[i].modifier, 4096, &error);
    g_test_message ("case %u: %s", i, ok ? "right" : error->message);
    g_assert_cmpint (ok, ==, cases[i].why == NULL);
    if (!ok) {
      g_assert_error (error, SEG_ERROR, SEG_ERROR_INPUT);
      g_assert_nonnull (strstr (error->message, cases[i].why));
    }
  }
}

static void
refuse (SegVk *vk, int fd, const SegTiling *tiling, const char *what)
{
  g_autoptr (GError) error = NULL;
  SegTiled *tiled = seg_tiled_import (vk, fd, tiling, &error);
  g_test_message ("%s: %s", what, tiled == NULL ? error->message : "imported");
  g_assert_null (tiled);
  g_assert_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED);
}

/* Modifiers that there are not, and an fd that is no dma-buf. */
static void
unknown (void)
{
  g_autoptr (SegVk) vk = test_device (NULL);
  if (vk == NULL)
    return;
  SegTiling tiling = { VK_FORMAT_R8G8B8A8_UNORM, 64, 64, 0x00ffffffffffffff, 1,
    { { 0, 256 } } };
  int fd = memfd_create ("vkseg-test", MFD_CLOEXEC);
  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (ftruncate (fd, 1 << 16), ==, 0);
  refuse (vk, fd, &tiling, "DRM_FORMAT_MOD_INVALID");
  g_autoptr (GArray) none = seg_vk_modifiers (vk, VK_FORMAT_R32_SFLOAT);
  g_assert_cmpuint (none->len, ==, 0);
  g_autoptr (GArray) modifiers = seg_vk_modifiers (vk, tiling.format);
  g_assert_true (seg_vk_info (vk)->modifiers || modifiers->len == 0);
  if (modifiers->len > 0 && seg_vk_info (vk)->type != SEG_DEVICE_CPU) {
    tiling.modifier = g_array_index (modifiers, SegModifier, 0).modifier;
    tiling.n_planes = g_array_index (modifiers, SegModifier, 0).n_planes;
    refuse (vk, fd, &tiling, "a file in memory");
  }
  close (fd);
}

/* What is said of a real one is not so. */
static void
hostile (void)
{
  static const guint32 size[2] = { 256, 128 };
  g_autoptr (SegVk) vk = device_with_modifiers ();
  if (vk == NULL)
    return;
  g_autoptr (GArray) modifiers = seg_vk_modifiers (vk, VK_FORMAT_R8G8B8A8_UNORM);
  for (guint m = 0; m < modifiers->len; m++) {
    Exported e;
    const SegModifier *modifier = &g_array_index (modifiers, SegModifier, m);
    if (!export_image (&e, vk, VK_FORMAT_R8G8B8A8_UNORM, modifier, size, 0))
      continue;
    g_test_message ("modifier 0x%016" G_GINT64_MODIFIER "x", modifier->modifier);
    SegTiling t = e.tiling;
    t.height = 8192;
    refuse (vk, e.fd, &t, "higher than its memory");
    t = e.tiling;
    t.width = 8192;
    refuse (vk, e.fd, &t, "wider than its memory");
    t = e.tiling;
    t.planes[0].offset = 1 << 30;
    refuse (vk, e.fd, &t, "beginning after its memory");
    t = e.tiling;
    t.planes[0].offset = (guint64) lseek (e.fd, 0, SEEK_END) - 4096;
    refuse (vk, e.fd, &t, "ending after its memory");
    t = e.tiling;
    t.n_planes++;
    refuse (vk, e.fd, &t, "with a plane more");
    forget (&e);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/vk/tiled/checked", checked);
  g_test_add_func ("/vk/tiled/pixels", pixels);
  g_test_add_func ("/vk/tiled/unknown", unknown);
  g_test_add_func ("/vk/tiled/hostile", hostile);
  return g_test_run ();
}
