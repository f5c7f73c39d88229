/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame/infosource.h"

#include <math.h>
#include <string.h>

#define GROUP          "vkseg"
#define MAX_FILE_BYTES (4 * 1024 * 1024)

/* All that models/README.md lists. */
static const char *const keys[] = { "name", "license", "source", "task", "decoder",
  "input", "input-layout", "input-size", "output-margin", "color-order", "mean", "std",
  "resize", "pad-value", "output", "output-layout", "labels", "labels-file", "background",
  "foreground", "palette", "threshold", "mask-threshold", "iou-threshold",
  "max-detections", "box-format", "box-units", "objectness", "regions-input",
  "regions-units", "region-context", "scores", "box-weights", NULL };

/* Other keys may be of a later version, so that they are no error; but most are misspelt. */
static void
warn_of_unknown (GKeyFile *file, const char *path)
{
  g_auto (GStrv) said = g_key_file_get_keys (file, GROUP, NULL, NULL);
  for (guint i = 0; said != NULL && said[i] != NULL; i++)
    if (!g_strv_contains (keys, said[i]))
      g_warning ("%s: [" GROUP
                 "] has no key %s: ignored. models/README.md lists them all",
          path, said[i]);
}

static GKeyFile *
load_key_file (const char *path, GError **error)
{
  g_autofree char *text = NULL;
  gsize n_bytes;
  g_autoptr (GError) cause = NULL;
  if (!g_file_get_contents (path, &text, &n_bytes, &cause)) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_FILE, "%s", cause->message);
    return NULL;
  }
  if (n_bytes > MAX_FILE_BYTES) {
    g_set_error (
        error, SEG_ERROR, SEG_ERROR_FILE, "%s: too large to be model information", path);
    return NULL;
  }
  g_autoptr (GKeyFile) file = g_key_file_new ();
  if (!g_key_file_load_from_data (file, text, n_bytes, G_KEY_FILE_NONE, &cause)) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_FILE, "%s: not a .modelinfo file: %s", path,
        cause->message);
    return NULL;
  }
  warn_of_unknown (file, path);
  return g_steal_pointer (&file);
}

SegInfoSource *
seg_info_source_new (
    GHashTable *settings, const char *path, GHashTable *metadata, GError **error)
{
  GKeyFile *file = NULL;
  if (path != NULL && (file = load_key_file (path, error)) == NULL)
    return NULL;
  SegInfoSource *source = g_new0 (SegInfoSource, 1);
  source->file = file;
  source->path = g_strdup (path);
  source->settings = settings != NULL ? g_hash_table_ref (settings) : NULL;
  source->metadata = metadata != NULL ? g_hash_table_ref (metadata) : NULL;
  return source;
}

void
seg_info_source_free (SegInfoSource *source)
{
  if (source == NULL)
    return;
  g_clear_pointer (&source->file, g_key_file_unref);
  g_clear_pointer (&source->settings, g_hash_table_unref);
  g_clear_pointer (&source->metadata, g_hash_table_unref);
  g_free (source->path);
  g_free (source);
}

char *
seg_info_get_at (const SegInfoSource *source, const char *key, SegInfoPlace place)
{
  if (place == SEG_INFO_FILE)
    return source->file != NULL ? g_key_file_get_value (source->file, GROUP, key, NULL)
                                : NULL;
  GHashTable *table = place == SEG_INFO_SETTINGS ? source->settings : source->metadata;
  if (table == NULL)
    return NULL;
  g_autofree char *full =
      place == SEG_INFO_METADATA ? g_strconcat (GROUP ".", key, NULL) : NULL;
  return g_strdup (g_hash_table_lookup (table, full != NULL ? full : key));
}

char *
seg_info_get (const SegInfoSource *source, const char *key, SegInfoPlace *place)
{
  for (SegInfoPlace p = 0; p < SEG_INFO_N_PLACES; p++) {
    char *value = seg_info_get_at (source, key, p);
    if (value != NULL) {
      if (place != NULL)
        *place = p;
      return g_strstrip (value);
    }
  }
  return NULL;
}

void
seg_info_refuse (
    const SegInfoSource *source, const char *key, const char *problem, GError **error)
{
  SegInfoPlace place = SEG_INFO_SETTINGS;
  g_autofree char *value = seg_info_get (source, key, &place);
  if (value == NULL || place == SEG_INFO_SETTINGS)
    g_set_error (error, SEG_ERROR, SEG_ERROR_INPUT, "%s%s%s: %s", key, value ? "=" : "",
        value ? value : "", problem);
  else if (place == SEG_INFO_FILE)
    g_set_error (error, SEG_ERROR, SEG_ERROR_INPUT, "%s: [" GROUP "] %s=%s: %s",
        source->path, key, value, problem);
  else
    g_set_error (error, SEG_ERROR, SEG_ERROR_INPUT,
        "metadata of the ONNX file: " GROUP ".%s=%s: %s", key, value, problem);
}

gboolean
seg_info_choice (const SegInfoSource *source, const char *key, const char *const *names,
    guint *value, gboolean *found, GError **error)
{
  g_autofree char *text = seg_info_get (source, key, NULL);
  if (found != NULL)
    *found = text != NULL;
  if (text == NULL)
    return TRUE;
  for (guint i = 0; names[i] != NULL; i++)
    if (g_ascii_strcasecmp (text, names[i]) == 0) {
      *value = i;
      return TRUE;
    }
  g_autofree char *all = g_strjoinv (", ", (char **) names);
  g_autofree char *problem = g_strdup_printf ("must be one of %s", all);
  seg_info_refuse (source, key, problem, error);
  return FALSE;
}

gboolean
seg_info_numbers (const SegInfoSource *source, const char *key, guint n, double min,
    double max, double *values, gboolean *found, GError **error)
{
  g_auto (GStrv) items = seg_info_list (source, key);
  if (found != NULL)
    *found = items != NULL;
  if (items == NULL)
    return TRUE;
  guint n_items = g_strv_length (items);
  gboolean fine = n_items == 1 || n_items == n;
  for (guint i = 0; i < n && fine; i++) {
    const char *item = items[n_items == 1 ? 0 : i];
    char *end = NULL;
    values[i] = g_ascii_strtod (item, &end);
    fine = end != item && *end == '\0' && isfinite (values[i]) && values[i] >= min
           && values[i] <= max;
  }
  if (!fine) {
    g_autofree char *problem =
        n > 1 ? g_strdup_printf ("must be one number, or %u, from %g to %g", n, min, max)
              : g_strdup_printf ("must be a number from %g to %g", min, max);
    seg_info_refuse (source, key, problem, error);
  }
  return fine;
}

gboolean
seg_info_number (const SegInfoSource *source, const char *key, double min, double max,
    double *value, gboolean *found, GError **error)
{
  double v;
  gboolean said;
  if (!seg_info_numbers (source, key, 1, min, max, &v, &said, error))
    return FALSE;
  if (said)
    *value = v;
  if (found != NULL)
    *found = said;
  return TRUE;
}

char **
seg_info_split (const char *text)
{
  GPtrArray *items = g_ptr_array_new ();
  GString *item = g_string_new (NULL);
  for (const char *c = text;; c++) {
    if (c[0] == '\\' && (c[1] == ',' || c[1] == '\\')) {
      g_string_append_c (item, *++c);
    } else if (*c == ',' || *c == '\0') {
      g_ptr_array_add (items, g_strstrip (g_strdup (item->str)));
      g_string_truncate (item, 0);
      if (*c == '\0')
        break;
    } else {
      g_string_append_c (item, *c);
    }
  }
  g_string_free (item, TRUE);
  /* A list may end with a comma. */
  if (items->len > 1 && *(char *) items->pdata[items->len - 1] == '\0')
    g_free (g_ptr_array_remove_index (items, items->len - 1));
  g_ptr_array_add (items, NULL);
  return (char **) g_ptr_array_free (items, FALSE);
}

char **
seg_info_list (const SegInfoSource *source, const char *key)
{
  g_autofree char *text = seg_info_get (source, key, NULL);
  return text != NULL ? seg_info_split (text) : NULL;
}

char *
seg_info_folder (const SegInfoSource *source, SegInfoPlace place)
{
  return place == SEG_INFO_FILE ? g_path_get_dirname (source->path) : NULL;
}
