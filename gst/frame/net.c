/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame/net.h"

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
seg_net_find (const char *model, GError **error)
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

static gboolean
load_model (SegNet *net, const SegNetOptions *o, GError **error)
{
  net->path = seg_net_find (o->model, error);
  if (net->path == NULL || (net->model = seg_model_load (net->path, error)) == NULL)
    return FALSE;
  net->info =
      seg_model_info_load (net->model, net->path, o->model_info, o->settings, error);
  return net->info != NULL;
}

static gboolean
bind_to_device (SegNet *net, const SegNetOptions *o, GError **error)
{
  SegVkOptions vk = { .device = o->device, .cache_dir = o->cache_dir };
  SegInputShape shape;
  seg_model_info_input_shape (net->info, net->model, &shape);
  SegSessionOptions options = {
    .precision = o->precision, .shapes = &shape, .n_shapes = 1
  };
  net->vk = seg_vk_new (&vk, error);
  if (net->vk == NULL)
    return FALSE;
  net->session = seg_session_new (net->model, net->vk, &options, error);
  return net->session != NULL
         && seg_model_info_resolve (net->info, seg_session_graph (net->session), error);
}

SegNet *
seg_net_new (const SegNetOptions *options, GError **error)
{
  SegNet *net = g_new0 (SegNet, 1);
  if (!load_model (net, options, error) || !bind_to_device (net, options, error))
    seg_net_free (&net);
  return net;
}

void
seg_net_free (SegNet **pnet)
{
  SegNet *net = *pnet;
  *pnet = NULL;
  if (net == NULL)
    return;
  seg_session_free (&net->session);
  seg_model_info_free (&net->info);
  seg_model_unref (net->model);
  seg_vk_unref (net->vk);
  g_free (net->path);
  g_free (net);
}
