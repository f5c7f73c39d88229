/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/log.h"
#include "vk/private.h"

#include <errno.h>
#include <string.h>

/* The file: this header, then the blob as Vulkan gave it. A driver may crash on a damaged blob,
 * so it gets only what was written whole, for the same device and driver. In host byte order:
 * a cache does not travel. */
typedef struct {
  guint8 magic[8];
  guint64 n_bytes; /* of the blob */
  guint8 sha256[32];
} Header;

static const guint8 magic[8] = { 'v', 'k', 's', 'e', 'g', 'p', 'c', '1' };

#define MAX_BYTES (G_GUINT64_CONSTANT (256) << 20)

char *
seg_cache_file (
    const char *dir, const char *what, const char *suffix, const SegDeviceInfo *info)
{
  g_autoptr (GString) name = g_string_new (NULL);
  g_string_printf (name, "%s-%04x-%04x-", what, info->vendor_id, info->device_id);
  for (guint i = 0; i < sizeof info->uuid; i++)
    g_string_append_printf (name, "%02x", info->uuid[i]);
  g_string_append_printf (name, ".%s", suffix);
  return g_build_filename (dir, name->str, NULL);
}

char *
seg_cache_path (const char *dir, const SegDeviceInfo *info)
{
  return seg_cache_file (dir, "pipelines", "bin", info);
}

static void
digest (gconstpointer data, gsize n_bytes, guint8 sha256[32])
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  gsize n = 32;
  g_checksum_update (checksum, data, (gssize) n_bytes);
  g_checksum_get_digest (checksum, sha256, &n);
}

/* NULL when the file is what we wrote, otherwise what is wrong with it. */
static const char *
find_fault (const guint8 *data, gsize n, const SegDeviceInfo *info)
{
  Header header;
  VkPipelineCacheHeaderVersionOne vulkan;
  guint8 sha256[32];
  if (n < sizeof header + sizeof vulkan)
    return "too short";
  memcpy (&header, data, sizeof header);
  memcpy (&vulkan, data + sizeof header, sizeof vulkan);
  if (memcmp (header.magic, magic, sizeof magic) != 0)
    return "not a cache of vkseg";
  if (header.n_bytes != n - sizeof header)
    return "of another length than it says";
  digest (data + sizeof header, n - sizeof header, sha256);
  if (memcmp (sha256, header.sha256, sizeof sha256) != 0)
    return "damaged";
  if (vulkan.headerSize < sizeof vulkan
      || vulkan.headerVersion != VK_PIPELINE_CACHE_HEADER_VERSION_ONE
      || vulkan.vendorID != info->vendor_id || vulkan.deviceID != info->device_id
      || memcmp (vulkan.pipelineCacheUUID, info->uuid, sizeof info->uuid) != 0)
    return "of another device or driver";
  return NULL;
}

GBytes *
seg_cache_read (const char *path, const SegDeviceInfo *info)
{
  g_autoptr (GMappedFile) file = g_mapped_file_new (path, FALSE, NULL);
  if (file == NULL)
    return NULL;
  gsize n = g_mapped_file_get_length (file);
  if (n > MAX_BYTES)
    return NULL;
  /* Copied, so that nobody changes it between the check and the driver. */
  g_autofree guint8 *data = g_memdup2 (g_mapped_file_get_contents (file), n);
  const char *fault = find_fault (data, n, info);
  if (fault != NULL) {
    seg_info ("pipeline cache %s is %s: ignored", path, fault);
    return NULL;
  }
  g_autoptr (GBytes) all = g_bytes_new_take (g_steal_pointer (&data), n);
  return g_bytes_new_from_bytes (all, sizeof (Header), n - sizeof (Header));
}

gboolean
seg_cache_write (const char *path, gconstpointer blob, gsize n_bytes, GError **error)
{
  g_autofree char *dir = g_path_get_dirname (path);
  if (n_bytes > MAX_BYTES - sizeof (Header)) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_FILE,
        "a pipeline cache of %" G_GSIZE_FORMAT " bytes is too large to keep", n_bytes);
    return FALSE;
  }
  if (g_mkdir_with_parents (dir, 0700) != 0) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_FILE, "cannot make the folder %s: %s", dir,
        g_strerror (errno));
    return FALSE;
  }
  g_autofree guint8 *data = g_malloc (sizeof (Header) + n_bytes);
  Header header = { .n_bytes = n_bytes };
  memcpy (header.magic, magic, sizeof magic);
  digest (blob, n_bytes, header.sha256);
  memcpy (data, &header, sizeof header);
  memcpy (data + sizeof header, blob, n_bytes);
  g_autoptr (GError) io = NULL;
  /* CONSISTENT: into a temporary file, which then takes the old one's place. */
  if (g_file_set_contents_full (path, (const char *) data,
          (gssize) (sizeof header + n_bytes), G_FILE_SET_CONTENTS_CONSISTENT, 0600, &io))
    return TRUE;
  g_set_error (error, SEG_ERROR, SEG_ERROR_FILE, "cannot write the pipeline cache: %s",
      io->message);
  return FALSE;
}
