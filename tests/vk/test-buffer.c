/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vk/common.h"
#include "vk/private.h"

#include <string.h>

static void
maps (void)
{
  g_autoptr (SegVk) vk = test_device (NULL);
  if (vk == NULL)
    return;
  const gsize sizes[] = { 1, 3, 4096, 1000001 };
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    for (guint use = SEG_BUFFER_DEVICE; use <= SEG_BUFFER_READBACK; use++) {
      SegBuffer *buffer = test_buffer (vk, sizes[i], (SegBufferUse) use);
      g_assert_cmpuint (seg_buffer_bytes (buffer), ==, sizes[i]);
      if (use == SEG_BUFFER_DEVICE)
        g_assert_null (seg_buffer_map (buffer));
      else
        memset (seg_buffer_map (buffer), 0x5a, sizes[i]);
      seg_buffer_free (&buffer);
      g_assert_null (buffer);
      seg_buffer_free (&buffer);
    }
}

static void
refused (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SegVk) vk = test_device (NULL);
  if (vk == NULL)
    return;
  g_assert_null (seg_buffer_new (vk, 0, SEG_BUFFER_DEVICE, &error));
  g_assert_error (error, SEG_ERROR, SEG_ERROR_INPUT);
  g_clear_error (&error);
  for (guint use = SEG_BUFFER_DEVICE; use <= SEG_BUFFER_READBACK; use++) {
    g_assert_null (seg_buffer_new (
        vk, seg_vk_info (vk)->max_allocation_bytes + 1, (SegBufferUse) use, &error));
    g_assert_error (error, SEG_ERROR, SEG_ERROR_MEMORY);
    g_autofree char *bytes = g_strdup_printf (
        "%" G_GUINT64_FORMAT, seg_vk_info (vk)->max_allocation_bytes + 1);
    g_assert_nonnull (strstr (error->message, bytes));
    g_clear_error (&error);
  }
  g_assert_null (seg_buffer_new (vk, G_MAXSIZE, SEG_BUFFER_DEVICE, &error));
  g_assert_error (error, SEG_ERROR, SEG_ERROR_MEMORY);
}

/* No buffer is made larger than the device allows, even where it is for the driver's good. */
static void
largest (void)
{
  g_autoptr (SegVk) vk = test_device (NULL);
  if (vk == NULL)
    return;
  vk->physical.info.max_allocation_bytes = 1 << 20;
  for (guint use = SEG_BUFFER_DEVICE; use <= SEG_BUFFER_READBACK; use++) {
    SegBuffer *buffer = test_buffer (vk, 1 << 20, (SegBufferUse) use);
    VkMemoryRequirements need;
    vkGetBufferMemoryRequirements (vk->device, buffer->handle, &need);
    g_assert_cmpuint (need.size, ==, 1 << 20);
    seg_buffer_free (&buffer);
  }
}

/* Each kind of view is of the buffers that it is for, and no other. */
static void
views (void)
{
  static const struct {
    SegViewKind kind;
    gboolean usual, images;
  } kinds[] = { { SEG_VIEW_TEXEL_U8X1, TRUE, FALSE },
    { SEG_VIEW_TEXEL_U16X1, TRUE, FALSE }, { SEG_VIEW_IMAGE_F32X4, FALSE, TRUE },
    { SEG_VIEW_IMAGE_F16X4, FALSE, TRUE }, { SEG_VIEW_TEXEL_U8X4, TRUE, TRUE },
    { SEG_VIEW_TEXEL_F32X1, TRUE, TRUE }, { SEG_VIEW_STORAGE_WRITE, TRUE, TRUE } };
  g_autoptr (SegVk) vk = test_device (NULL);
  if (vk == NULL)
    return;
  SegBuffer *usual = test_buffer (vk, 1024, SEG_BUFFER_DEVICE);
  SegBuffer *images = seg_buffer_new_for_images (vk, 1024, SEG_BUFFER_DEVICE, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++) {
    SegBufferView view = { usual, 0, 1024, kinds[i].kind };
    g_assert_cmpint (seg_view_check (vk, &view, NULL), ==, kinds[i].usual);
    view.buffer = images;
    g_assert_cmpint (seg_view_check (vk, &view, NULL), ==, kinds[i].images);
  }
  seg_buffer_free (&usual);
  seg_buffer_free (&images);
}

/* A buffer keeps its device, and so may be the last to go. */
static void
outlives_reference (void)
{
  SegVk *vk = test_device (NULL);
  if (vk == NULL)
    return;
  SegBuffer *buffer = test_buffer (vk, 64, SEG_BUFFER_UPLOAD);
  seg_vk_unref (vk);
  memset (seg_buffer_map (buffer), 1, 64);
  seg_buffer_free (&buffer);
}

/* Bytes at odd places, there and back, and a fill between. */
static void
copies (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SegVk) vk = test_device (NULL);
  if (vk == NULL)
    return;
  enum { N = 5000 };
  SegBuffer *up = test_buffer (vk, N, SEG_BUFFER_UPLOAD);
  SegBuffer *device = test_buffer (vk, N, SEG_BUFFER_DEVICE);
  SegBuffer *down = test_buffer (vk, N, SEG_BUFFER_READBACK);
  guint8 *source = seg_buffer_map (up), *result = seg_buffer_map (down);
  for (guint i = 0; i < N; i++)
    source[i] = (guint8) (i * 7 + i / 251);
  memset (result, 0xaa, N);

  SegCmd *cmd = test_cmd (vk, FALSE);
  g_assert_true (seg_cmd_copy (cmd, up, 13, device, 1001, 2999, &error));
  g_assert_true (seg_cmd_fill (cmd, device, 1200, 80, 0x01020304, &error));
  g_assert_true (seg_cmd_copy (cmd, device, 1001, down, 7, 2999, &error));
  g_assert_true (seg_cmd_copy (cmd, device, 0, down, 0, 0, &error)); /* nothing */
  test_run (cmd);
  for (guint i = 0; i < N; i++) {
    static const guint8 word[] = { 4, 3, 2, 1 };
    guint at = i + 1001 - 7; /* in device */
    gboolean inside = i >= 7 && i < 7 + 2999;
    guint8 expected = !inside                   ? 0xaa
                      : at >= 1200 && at < 1280 ? word[at % 4]
                                                : source[i - 7 + 13];
    g_assert_cmpuint (result[i], ==, expected);
  }
  seg_cmd_free (&cmd);
  seg_buffer_free (&up);
  seg_buffer_free (&device);
  seg_buffer_free (&down);
}

static void
copies_refused (void)
{
  g_autoptr (SegVk) vk = test_device (NULL);
  g_autoptr (SegVk) other = vk == NULL ? NULL : test_device (NULL);
  if (vk == NULL)
    return;
  SegBuffer *x = test_buffer (vk, 100, SEG_BUFFER_DEVICE);
  SegBuffer *y = test_buffer (other, 100, SEG_BUFFER_DEVICE);
  SegCmd *cmd = test_cmd (vk, FALSE);
  const struct {
    SegBuffer *src, *dst;
    gsize from, to, n;
  } cases[] = { { x, x, 0, 50, 51 }, { x, x, 90, 0, 11 }, { x, x, 0, 90, 11 },
    { x, x, G_MAXSIZE, 0, 2 }, { x, x, 1, 50, G_MAXSIZE }, { x, y, 0, 0, 4 },
    { y, x, 0, 0, 4 } };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_test_message ("case %u", i);
    g_assert_false (seg_cmd_copy (
        cmd, cases[i].src, cases[i].from, cases[i].dst, cases[i].to, cases[i].n, &error));
    g_assert_error (error, SEG_ERROR, SEG_ERROR_INPUT);
  }
  g_assert_false (seg_cmd_fill (cmd, x, 2, 4, 0, NULL));
  g_assert_false (seg_cmd_fill (cmd, x, 4, 98, 0, NULL));
  g_assert_false (seg_cmd_fill (cmd, x, 4, 100, 0, NULL));
  g_assert_cmpuint (seg_cmd_n_dispatches (cmd), ==, 0);
  seg_cmd_free (&cmd);
  seg_buffer_free (&x);
  seg_buffer_free (&y);
}

/* Memory that is of no use to us, though the driver lists it for the buffer or the fd. */
static void
memory_types (void)
{
  static const VkPhysicalDeviceMemoryProperties memory = { .memoryTypeCount = 7,
    .memoryTypes = { { VK_MEMORY_PROPERTY_PROTECTED_BIT
                             | VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT,
                         0 },
        { VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT, 0 },
        { VK_MEMORY_PROPERTY_LAZILY_ALLOCATED_BIT, 0 },
        { VK_MEMORY_PROPERTY_DEVICE_COHERENT_BIT_AMD, 0 },
        { VK_MEMORY_PROPERTY_RDMA_CAPABLE_BIT_NV, 0 },
        { VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT
                | VK_MEMORY_PROPERTY_HOST_CACHED_BIT,
            0 },
        { 0, 0 } },
    .memoryHeapCount = 1,
    .memoryHeaps = { { 1 << 20, 0 } } };
  g_assert_cmphex (seg_memory_types (&memory), ==, 0x62);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/vk/buffer/maps", maps);
  g_test_add_func ("/vk/buffer/refused", refused);
  g_test_add_func ("/vk/buffer/largest", largest);
  g_test_add_func ("/vk/buffer/views", views);
  g_test_add_func ("/vk/buffer/outlives-reference", outlives_reference);
  g_test_add_func ("/vk/buffer/copies", copies);
  g_test_add_func ("/vk/buffer/copies-refused", copies_refused);
  g_test_add_func ("/vk/buffer/memory-types", memory_types);
  return g_test_run ();
}
