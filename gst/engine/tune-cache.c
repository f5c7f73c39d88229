/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/log.h"
#include "engine/tune.h"

#include "base/error.h"

#include <string.h>

/* [made]
 * by = vkseg 2, DEVICE, DRIVER VERSION, VECTOR REGISTERS, HASH OF THE SHADERS
 * [fastest]
 * conv,fp32,1,64,... = lp/5
 *
 * The 2 is to change when the families' C code makes old measurements worthless.
 * The file's name has the device and, by the UUID, the driver's build; `by` has what a name cannot,
 * and a file may have been renamed, so it repeats the device. */
#define MADE      "made"
#define FASTEST   "fastest"
#define MAX_BYTES (1 << 20)

/* What the measurements hold for. */
static char *
maker (const SegDeviceInfo *info)
{
  g_autoptr (GString) s = g_string_new (NULL);
  g_string_printf (s, "vkseg 2, %04x-%04x-", info->vendor_id, info->device_id);
  for (guint i = 0; i < sizeof info->uuid; i++)
    g_string_append_printf (s, "%02x", info->uuid[i]);
  g_string_append_printf (s,
      ", driver %u, registers %u, shaders %016" G_GINT64_MODIFIER "x",
      info->driver_version, info->vector_registers, seg_conv_shaders_hash ());
  return g_strdup (s->str);
}

/* NULL: nothing there that we could use. */
static GKeyFile *
load (const char *path, const char *made_by)
{
  g_autoptr (GMappedFile) mapped = g_mapped_file_new (path, FALSE, NULL);
  if (mapped == NULL || g_mapped_file_get_length (mapped) > MAX_BYTES)
    return NULL;
  g_autoptr (GKeyFile) file = g_key_file_new ();
  /* Copied, so that nobody changes it while it is parsed. */
  g_autofree char *text = g_mapped_file_get_length (mapped) > 0
                              ? g_strndup (g_mapped_file_get_contents (mapped),
                                  g_mapped_file_get_length (mapped))
                              : g_strdup ("");
  if (!g_key_file_load_from_data (file, text, strlen (text), G_KEY_FILE_NONE, NULL)) {
    seg_info ("%s is damaged: ignored", path);
    return NULL;
  }
  g_autofree char *by = g_key_file_get_string (file, MADE, "by", NULL);
  if (g_strcmp0 (by, made_by) != 0) {
    seg_info ("%s is of another device, driver or build: ignored", path);
    return NULL;
  }
  return g_steal_pointer (&file);
}

void
seg_tune_read (SegTuning *tuning, SegVk *vk)
{
  g_autofree char *path = seg_vk_cache_file (vk, "tuning", "ini");
  g_autofree char *by = maker (seg_vk_info (vk));
  g_autoptr (GKeyFile) file = path != NULL ? load (path, by) : NULL;
  g_auto (GStrv) keys =
      file != NULL ? g_key_file_get_keys (file, FASTEST, NULL, NULL) : NULL;
  for (guint i = 0; keys != NULL && keys[i] != NULL; i++) {
    g_autofree char *value = g_key_file_get_string (file, FASTEST, keys[i], NULL);
    SegChoice choice;
    if (value == NULL || !seg_choice_parse (value, &choice))
      continue;
    SegTuningEntry *entry = seg_tuning_entry (tuning, keys[i]);
    entry->known = TRUE;
    entry->choice = choice;
  }
}

static void
add_measured (const char *key, SegTuningEntry *entry, gpointer file)
{
  g_autofree char *value = seg_choice_to_string (entry->choice);
  if (entry->known && entry->measured)
    g_key_file_set_string (file, FASTEST, key, value);
}

/* A file that cannot be kept costs the next start time, nothing else: no error. */
void
seg_tune_write (SegTuning *tuning, SegVk *vk)
{
  g_autofree char *path = seg_vk_cache_file (vk, "tuning", "ini");
  if (path == NULL)
    return;
  g_autofree char *by = maker (seg_vk_info (vk)), *dir = g_path_get_dirname (path);
  g_autoptr (GKeyFile) file = load (path, by); /* anew: others may have written */
  g_autoptr (GError) error = NULL;
  gsize n;
  if (file == NULL)
    file = g_key_file_new ();
  g_key_file_set_string (file, MADE, "by", by);
  seg_tuning_foreach (tuning, add_measured, file);
  g_autofree char *text = g_key_file_to_data (file, &n, NULL);
  g_mkdir_with_parents (dir, 0700);
  /* CONSISTENT: into a temporary file, which then takes the old one's place. */
  if (n > MAX_BYTES)
    seg_info ("%s would be too large: not written", path);
  else if (!g_file_set_contents_full (
               path, text, (gssize) n, G_FILE_SET_CONTENTS_CONSISTENT, 0600, &error))
    seg_info ("what was measured is not kept: %s", error->message);
}
