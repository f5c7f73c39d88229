/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame/labels.h"

#include <string.h>

#define MAX_LABELS     4096
#define MAX_FILE_BYTES (1024 * 1024)

static gboolean
add_label (GPtrArray *labels, const char *text, gssize n)
{
  if (labels->len >= MAX_LABELS)
    return FALSE;
  g_autofree char *copy = n < 0 ? g_strdup (text) : g_strndup (text, (gsize) n);
  g_ptr_array_add (labels, g_utf8_make_valid (g_strstrip (copy), -1));
  return TRUE;
}

static gboolean
load_file (const SegInfoSource *source, GPtrArray *labels, const char *name,
    SegInfoPlace place, GError **error)
{
  g_autofree char *folder = seg_info_folder (source, place);
  g_autofree char *path = folder != NULL && !g_path_is_absolute (name)
                              ? g_build_filename (folder, name, NULL)
                              : g_strdup (name);
  g_autofree char *text = NULL;
  gsize n_bytes;
  g_autoptr (GError) cause = NULL;
  if (!g_file_get_contents (path, &text, &n_bytes, &cause) || n_bytes > MAX_FILE_BYTES) {
    seg_info_refuse (source, "labels-file",
        cause != NULL ? cause->message : "too large for a list of labels", error);
    return FALSE;
  }
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  guint n = g_strv_length (lines);
  if (n > 0 && *g_strstrip (lines[n - 1]) == '\0')
    n--;
  for (guint i = 0; i < n; i++)
    if (!add_label (labels, lines[i], -1)) {
      seg_info_refuse (source, "labels-file", "more than 4096 labels", error);
      return FALSE;
    }
  return TRUE;
}

/* Ultralytics: {0: 'person', 1: "driver's seat", ...}, in order. What does not look like that is
 * left alone. */
static void
parse_names (GPtrArray *labels, const char *dict)
{
  const char *c = strchr (dict, '{');
  while (c != NULL && (c = strpbrk (c, "'\"")) != NULL) {
    const char *end = strchr (c + 1, *c);
    if (end == NULL || !add_label (labels, c + 1, end - c - 1))
      return;
    c = end + 1;
  }
}

gboolean
seg_labels_find (const SegInfoSource *source, GPtrArray *labels, GError **error)
{
  g_ptr_array_set_size (labels, 0);
  for (SegInfoPlace place = 0; place < SEG_INFO_N_PLACES; place++) {
    g_autofree char *list = seg_info_get_at (source, "labels", place);
    g_autofree char *file = seg_info_get_at (source, "labels-file", place);
    if (list != NULL) {
      g_auto (GStrv) items = seg_info_split (list);
      for (guint i = 0; items[i] != NULL; i++)
        if (!add_label (labels, items[i], -1)) {
          seg_info_refuse (source, "labels", "more than 4096 labels", error);
          return FALSE;
        }
      return TRUE;
    }
    if (file != NULL)
      return load_file (source, labels, g_strstrip (file), place, error);
  }
  const char *names =
      source->metadata != NULL ? g_hash_table_lookup (source->metadata, "names") : NULL;
  if (names != NULL)
    parse_names (labels, names);
  return TRUE;
}

static gboolean
class_of (const GPtrArray *labels, const char *item, guint *class_id)
{
  guint64 v;
  for (guint i = 0; i < labels->len; i++)
    if (g_ascii_strcasecmp (labels->pdata[i], item) == 0) {
      *class_id = i;
      return TRUE;
    }
  if (!g_ascii_string_to_unsigned (item, 10, 0, MAX_LABELS, &v, NULL))
    return FALSE;
  *class_id = (guint) v;
  return TRUE;
}

gboolean
seg_labels_to_classes (
    const GPtrArray *labels, char *const *items, GArray *classes, GError **error)
{
  g_array_set_size (classes, 0);
  for (guint i = 0; items[i] != NULL; i++) {
    guint id;
    if (!class_of (labels, items[i], &id)) {
      g_set_error (error, SEG_ERROR, SEG_ERROR_INPUT,
          "'%s' is neither a label of this network nor a number", items[i]);
      return FALSE;
    }
    g_array_append_val (classes, id);
  }
  return TRUE;
}
