/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vk/common.h"

#include <string.h>

static void
list (void)
{
  g_autoptr (GError) error = NULL;
  guint n = 0;
  g_autofree SegDeviceInfo *infos = seg_vk_list (&n, &error);
  if (infos == NULL) {
    g_assert_error (error, SEG_ERROR, SEG_ERROR_DEVICE);
    g_test_skip (error->message);
    return;
  }
  g_assert_cmpuint (n, >, 0);
  for (guint i = 0; i < n; i++) {
    const SegDeviceInfo *info = &infos[i];
    g_test_message ("%u: %s, %s", info->index, info->name, info->driver);
    g_assert_cmpuint (strlen (info->name), >, 0);
    g_assert_cmpuint (strlen (info->driver), >, 0);
    if (i > 0)
      g_assert_cmpint (infos[i - 1].type, <=, info->type); /* best first */
    /* What Vulkan guarantees. */
    g_assert_cmpuint (info->max_storage_bytes, >=, 1 << 27);
    g_assert_cmpuint (info->max_texels, >=, 65536);
    g_assert_cmpuint (info->max_groups[0], >=, 65535);
    g_assert_cmpuint (info->max_shared_bytes, >=, 16384);
    g_assert_cmpuint (info->max_allocation_bytes, <=, info->heap_bytes);
    g_assert_cmpuint (info->buffer_align, >=, 16);
    g_assert_cmpuint (info->buffer_align & (info->buffer_align - 1), ==, 0);
    g_assert_cmpuint (info->subgroup_size, >=, 1);
    g_assert_true (!info->timestamps || info->timestamp_ns > 0);
  }
}

static void
chosen (void)
{
  guint n = 0;
  g_autofree SegDeviceInfo *infos = seg_vk_list (&n, NULL);
  if (infos == NULL) {
    g_test_skip ("no device");
    return;
  }
  for (guint i = 0; i < n; i++) {
    g_autofree char *index = g_strdup_printf ("%u", infos[i].index);
    g_autofree char *part = g_ascii_strup (infos[i].name, 5);
    const SegVkOptions by_index = { .device = index }, by_name = { .device = part };
    g_autoptr (SegVk) vk = test_device (&by_index);
    g_assert_nonnull (vk);
    g_assert_cmpuint (seg_vk_info (vk)->index, ==, infos[i].index);
    g_autoptr (SegVk) named = test_device (&by_name);
    g_assert_nonnull (named);
    g_assert_true (g_ascii_strncasecmp (seg_vk_info (named)->name, part, 5) == 0);
  }
  g_autoptr (SegVk) best = seg_vk_new (NULL, NULL);
  g_assert_nonnull (best);
  g_assert_cmpuint (seg_vk_info (best)->index, ==, infos[0].index);
}

static void
unknown (void)
{
  guint n = 0;
  g_autofree SegDeviceInfo *infos = seg_vk_list (&n, NULL);
  if (infos == NULL) {
    g_test_skip ("no device");
    return;
  }
  const char *const wrong[] = { "no such device", "4711", "-1", "0x0" };
  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++) {
    g_autoptr (GError) error = NULL;
    const SegVkOptions options = { .device = wrong[i] };
    g_assert_null (seg_vk_new (&options, &error));
    g_assert_error (error, SEG_ERROR, SEG_ERROR_DEVICE);
    g_assert_nonnull (strstr (error->message, wrong[i]));
    g_assert_nonnull (strstr (error->message, infos[0].name)); /* says what there is */
  }
}

static void
two_at_once (void)
{
  g_autoptr (SegVk) x = test_device (NULL);
  g_autoptr (SegVk) y = x == NULL ? NULL : test_device (NULL);
  if (x == NULL)
    return;
  SegVk *const both[] = { x, y };
  SegBuffer *buffers[2];
  SegCmd *cmds[2];
  guint align = seg_vk_info (x)->buffer_align;
  for (guint i = 0; i < 2; i++) {
    g_autoptr (GError) error = NULL;
    buffers[i] = test_buffer (both[i], 2 * align, SEG_BUFFER_READBACK);
    cmds[i] = test_cmd (both[i], FALSE);
    ((gint32 *) seg_buffer_map (buffers[i]))[0] = 10;
    test_add (cmds[i], buffers[i], 0, buffers[i], align / 4, 1, (int) i);
    seg_cmd_end (cmds[i], &error);
    g_assert_no_error (error);
    seg_cmd_submit (cmds[i], &error);
    g_assert_no_error (error);
  }
  for (guint i = 0; i < 2; i++) {
    g_assert_true (seg_cmd_wait (cmds[i], NULL));
    g_assert_cmpint (
        ((gint32 *) seg_buffer_map (buffers[i]))[align / 4], ==, 10 + (int) i);
    seg_cmd_free (&cmds[i]);
    seg_buffer_free (&buffers[i]);
  }
}

/* --- an environment without something: in a process of its own ------------------------------ */

static void
print_error (void)
{
  g_autoptr (GError) error = NULL;
  g_assert_null (seg_vk_new (NULL, &error));
  g_assert_error (error, SEG_ERROR, SEG_ERROR_DEVICE);
  g_printerr ("%s\n", error->message);
}

static void
no_driver (void)
{
  if (g_test_subprocess ()) {
    guint n;
    g_setenv ("VK_ICD_FILENAMES", "/nonexistent.json", TRUE);
    g_setenv ("VK_DRIVER_FILES", "/nonexistent.json", TRUE);
    g_setenv ("VKSEG_VALIDATE", "0", TRUE);
    g_assert_null (seg_vk_list (&n, NULL));
    print_error ();
    return;
  }
  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_passed ();
  g_test_trap_assert_stderr ("*install a Vulkan driver*mesa-vulkan-drivers*");
}

static void
no_layer (void)
{
  if (g_test_subprocess ()) {
    g_setenv ("VK_LAYER_PATH", "/nonexistent", TRUE);
    g_setenv ("VKSEG_VALIDATE", "1", TRUE);
    print_error ();
    return;
  }
  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_passed ();
  g_test_trap_assert_stderr ("*vulkan-validationlayers*");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/vk/device/list", list);
  g_test_add_func ("/vk/device/chosen", chosen);
  g_test_add_func ("/vk/device/unknown", unknown);
  g_test_add_func ("/vk/device/two-at-once", two_at_once);
  g_test_add_func ("/vk/device/no-driver", no_driver);
  g_test_add_func ("/vk/device/no-layer", no_layer);
  return g_test_run ();
}
