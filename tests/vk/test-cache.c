/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vk/common.h"
#include "vk/private.h"

#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

typedef struct {
  char *dir, *path;
  SegDeviceInfo info; /* made up */
  guint8 blob[200];   /* as Vulkan would give it */
} Fixture;

static void
set_up (Fixture *f, gconstpointer unused)
{
  VkPipelineCacheHeaderVersionOne header = { sizeof header,
    VK_PIPELINE_CACHE_HEADER_VERSION_ONE, 0x1234, 0x5678, { 0 } };
  f->info = (SegDeviceInfo){ .vendor_id = 0x1234, .device_id = 0x5678 };
  for (guint i = 0; i < 16; i++)
    f->info.uuid[i] = header.pipelineCacheUUID[i] = (guint8) (i * 3);
  for (guint i = 0; i < sizeof f->blob; i++)
    f->blob[i] = (guint8) (i * 11);
  memcpy (f->blob, &header, sizeof header);
  f->dir = g_dir_make_tmp ("vkseg-test-XXXXXX", NULL);
  g_assert_nonnull (f->dir);
  g_autofree char *below = g_build_filename (f->dir, "made", "when needed", NULL);
  f->path = seg_cache_path (below, &f->info);
}

static void
remove_tree (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *below = g_build_filename (path, name, NULL);
    remove_tree (below);
  }
  g_remove (path);
}

static void
tear_down (Fixture *f, gconstpointer unused)
{
  remove_tree (f->dir);
  g_free (f->dir);
  g_free (f->path);
}

static void
write_blob (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  seg_cache_write (f->path, f->blob, sizeof f->blob, &error);
  g_assert_no_error (error);
}

static gboolean
reads (Fixture *f)
{
  g_autoptr (GBytes) bytes = seg_cache_read (f->path, &f->info);
  if (bytes != NULL)
    g_assert_cmpmem (f->blob, sizeof f->blob, g_bytes_get_data (bytes, NULL),
        g_bytes_get_size (bytes));
  return bytes != NULL;
}

static void
round_trip (Fixture *f, gconstpointer unused)
{
  g_assert_false (reads (f)); /* no file yet */
  write_blob (f);
  g_assert_true (reads (f));
  write_blob (f); /* over the old one */
  g_assert_true (reads (f));
}

/* g_file_set_contents would wait for the disk each time. */
static void
put (const char *path, const char *data, gsize n)
{
  FILE *file = fopen (path, "wb");
  g_assert_nonnull (file);
  g_assert_cmpuint (fwrite (data, 1, n, file), ==, n);
  g_assert_cmpint (fclose (file), ==, 0);
}

static void
corrupt (Fixture *f, gconstpointer unused)
{
  g_autofree char *whole = NULL;
  gsize n;
  write_blob (f);
  g_assert_true (g_file_get_contents (f->path, &whole, &n, NULL));
  for (gsize at = 0; at < n; at++) { /* each byte in turn */
    whole[at] ^= 0x40;
    put (f->path, whole, n);
    g_assert_false (reads (f));
    whole[at] ^= 0x40;
  }
  for (gsize length = 0; length < n; length += 7) { /* cut short */
    put (f->path, whole, length);
    g_assert_false (reads (f));
  }
  g_autofree char *longer = g_malloc0 (n + 1);
  memcpy (longer, whole, n);
  put (f->path, longer, n + 1);
  g_assert_false (reads (f));
  put (f->path, whole, n);
  g_assert_true (reads (f));
}

/* Whole and undamaged, but not this device's: by vendor, device or driver. */
static void
foreign (Fixture *f, gconstpointer unused)
{
  write_blob (f);
  f->info.vendor_id++;
  g_assert_false (reads (f));
  f->info.vendor_id--;
  f->info.device_id++;
  g_assert_false (reads (f));
  f->info.device_id--;
  f->info.uuid[15]++;
  g_assert_false (reads (f));
  f->info.uuid[15]--;
  g_assert_true (reads (f));
  g_autofree char *path = seg_cache_path ("x", &f->info);
  f->info.uuid[15]++;
  g_autofree char *other = seg_cache_path ("x", &f->info);
  g_assert_cmpstr (path, !=, other);
}

static void
unwritable (Fixture *f, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *file = g_build_filename (f->dir, "file", NULL);
  g_autofree char *below = g_build_filename (file, "cache.bin", NULL);
  g_assert_true (g_file_set_contents (file, "", 0, NULL));
  g_assert_false (seg_cache_write (below, f->blob, sizeof f->blob, &error));
  g_assert_error (error, SEG_ERROR, SEG_ERROR_FILE);
}

/* A device that makes a pipeline, with the cache in `dir`; FALSE when there is none. */
static gboolean
use_device (const char *dir, SegDeviceInfo *info)
{
  const SegVkOptions options = { .cache_dir = dir };
  g_autoptr (SegVk) vk = test_device (&options);
  if (vk == NULL)
    return FALSE;
  gsize align = seg_vk_info (vk)->buffer_align;
  SegBuffer *buffer = test_buffer (vk, 2 * align, SEG_BUFFER_READBACK);
  SegCmd *cmd = test_cmd (vk, FALSE);
  ((gint32 *) seg_buffer_map (buffer))[0] = 40;
  test_add (cmd, buffer, 0, buffer, (guint) align / 4, 1, 2);
  test_run (cmd);
  g_assert_cmpint (((gint32 *) seg_buffer_map (buffer))[align / 4], ==, 42);
  seg_cmd_free (&cmd);
  seg_buffer_free (&buffer);
  *info = *seg_vk_info (vk);
  return TRUE;
}

static void
device (Fixture *f, gconstpointer unused)
{
  SegDeviceInfo info;
  if (!use_device (f->dir, &info))
    return;
  g_autofree char *path = seg_cache_path (f->dir, &info);
  g_autoptr (GBytes) first = seg_cache_read (path, &info);
  g_assert_nonnull (first); /* written by the last unref, whole */
  g_assert_true (use_device (f->dir, &info));

  g_assert_true (g_file_set_contents (path, "rubbish", -1, NULL));
  g_assert_true (use_device (f->dir, &info)); /* ignored, and replaced */
  g_autoptr (GBytes) again = seg_cache_read (path, &info);
  g_assert_nonnull (again);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(NAME, F) g_test_add ("/vk/cache/" NAME, Fixture, NULL, set_up, F, tear_down)
  ADD ("round-trip", round_trip);
  ADD ("corrupt", corrupt);
  ADD ("foreign", foreign);
  ADD ("unwritable", unwritable);
  ADD ("device", device);
  return g_test_run ();
}
