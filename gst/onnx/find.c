/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "onnx/model.h"

#include <string.h>

/* Folders where models are looked for by name, in order; the caller frees. */
static GPtrArray *
search_path (void)
{
  GPtrArray *dirs = g_ptr_array_new_with_free_func (g_free);
  const char *own = g_getenv ("VKSEG_MODEL_PATH");
  g_auto (GStrv) own_dirs =
      g_strsplit (own != NULL ? own : "", G_SEARCHPATH_SEPARATOR_S, -1);
  for (guint i = 0; own_dirs[i] != NULL; i++)
    if (own_dirs[i][0] != '\0')
      g_ptr_array_add (dirs, g_strdup (own_dirs[i]));
  g_ptr_array_add (
      dirs, g_build_filename (g_get_user_data_dir (), "vkseg", "models", NULL));
  g_ptr_array_add (dirs, g_strdup (VKSEG_MODEL_DIR));
  const char *const *system_dirs = g_get_system_data_dirs ();
  for (guint i = 0; system_dirs[i] != NULL; i++) {
    g_autofree char *dir = g_build_filename (system_dirs[i], "vkseg", "models", NULL);
    if (strcmp (dir, VKSEG_MODEL_DIR) != 0)
      g_ptr_array_add (dirs, g_steal_pointer (&dir));
  }
  return dirs;
}

static char *
find_in (const char *dir, const char *name)
{
  g_autofree char *file = g_strconcat (name, ".onnx", NULL);
  g_autofree char *nested = g_build_filename (dir, name, file, NULL);
  if (g_file_test (nested, G_FILE_TEST_IS_REGULAR))
    return g_steal_pointer (&nested);
  g_autofree char *flat = g_build_filename (dir, file, NULL);
  return g_file_test (flat, G_FILE_TEST_IS_REGULAR) ? g_steal_pointer (&flat) : NULL;
}

char *
seg_model_find (const char *model, GError **error)
{
  if (g_file_test (model, G_FILE_TEST_IS_REGULAR))
    return g_strdup (model);
  if (strchr (model, G_DIR_SEPARATOR) != NULL || g_str_has_suffix (model, ".onnx")) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_FILE, "model '%s' does not exist", model);
    return NULL;
  }
  g_autoptr (GPtrArray) dirs = search_path ();
  g_autoptr (GString) places = g_string_new (NULL);
  for (guint i = 0; i < dirs->len; i++) {
    char *path = find_in (dirs->pdata[i], model);
    if (path != NULL)
      return path;
    g_string_append_printf (places, "%s%s", i ? ", " : "", (char *) dirs->pdata[i]);
  }
  g_set_error (error, SEG_ERROR, SEG_ERROR_FILE,
      "no model '%s' in %s (VKSEG_MODEL_PATH names more "
      "folders; models/fetch.sh gets some models)",
      model, places->str);
  return NULL;
}
