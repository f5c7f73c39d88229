/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "onnx/private.h"
#include "base/names.h"
#include "onnx/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
  GBytes *bytes;
  gsize copied_bytes; /* of tensors that cannot stay where they are */
} Map;

struct _SegExternal {
  GBytes *model;
  char *dir;        /* as given, for messages */
  char *real_dir;   /* NULL: external data are refused */
  GHashTable *maps; /* real path -> Map */
};

static void
map_free (gpointer data)
{
  Map *map = data;

  g_bytes_unref (map->bytes);
  g_free (map);
}

SegExternal *
seg_external_new (const char *dir, GBytes *model)
{
  SegExternal *external = g_new0 (SegExternal, 1);

  external->model = g_bytes_ref (model);
  external->dir = g_strdup (dir);
  external->real_dir = dir ? realpath (dir, NULL) : NULL;
  external->maps = g_hash_table_new_full (seg_name_hash, g_str_equal, g_free, map_free);
  return external;
}

void
seg_external_free (SegExternal *external)
{
  if (!external)
    return;
  g_bytes_unref (external->model);
  g_free (external->dir);
  free (external->real_dir);
  g_hash_table_unref (external->maps);
  g_free (external);
}

static gboolean
fail_errno (const char *path, GError **error)
{
  g_set_error (
      error, SEG_ERROR, SEG_ERROR_FILE, "cannot open '%s': %s", path, g_strerror (errno));
  return FALSE;
}

static GBytes *
map_fd (int fd, const char *path, GError **error)
{
  g_autoptr (GMappedFile) map = NULL;
  g_autoptr (GError) reason = NULL;
  struct stat info;

  if (fstat (fd, &info) < 0) {
    fail_errno (path, error);
    return NULL;
  }
  if (!S_ISREG (info.st_mode)) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_FILE, "'%s' is not a regular file", path);
    return NULL;
  }
  map = g_mapped_file_new_from_fd (fd, FALSE, &reason);
  if (!map) {
    g_set_error (
        error, SEG_ERROR, SEG_ERROR_FILE, "cannot read '%s': %s", path, reason->message);
    return NULL;
  }
  return g_mapped_file_get_bytes (map);
}

GBytes *
seg_external_map_file (const char *path, GError **error)
{
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  GBytes *bytes;

  if (fd < 0) {
    fail_errno (path, error);
    return NULL;
  }
  bytes = map_fd (fd, path, error);
  close (fd);
  return bytes;
}

static gboolean
leaves_folder (const char *location)
{
  g_auto (GStrv) parts = g_strsplit (location, "/", -1);

  return g_path_is_absolute (location)
         || g_strv_contains ((const char *const *) parts, "..");
}

/* The file's real path, if that is inside the real folder. */
static char *
resolve (const SegExternal *external, const char *location, GError **error)
{
  g_autofree char *path = g_build_filename (external->real_dir, location, NULL);
  char *real = realpath (path, NULL);
  gsize n = strlen (external->real_dir);

  if (!real) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_FILE,
        "the model's weights '%s' cannot be opened in '%s': %s", location, external->dir,
        g_strerror (errno));
    return NULL;
  }
  /* "/" is the one folder whose name ends in a slash */
  if (g_str_has_prefix (real, external->real_dir)
      && (real[n] == '/' || strcmp (external->real_dir, "/") == 0))
    return real;
  free (real);
  g_set_error (error, SEG_ERROR, SEG_ERROR_FILE,
      "external data '%s' are a link out of the model's folder: put the file itself "
      "there",
      location);
  return NULL;
}

static Map *
map_location (SegExternal *external, const char *location, GError **error)
{
  g_autofree char *real = NULL;
  GBytes *bytes;
  Map *map;

  if (leaves_folder (location)) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_FILE,
        "external data '%s' are outside of the model's folder, which is not allowed",
        location);
    return NULL;
  }
  real = resolve (external, location, error);
  if (!real)
    return NULL;
  map = g_hash_table_lookup (external->maps, real);
  if (map)
    return map;
  bytes = seg_external_map_file (real, error);
  if (!bytes)
    return NULL;
  map = g_new0 (Map, 1);
  map->bytes = bytes;
  g_hash_table_insert (external->maps, g_steal_pointer (&real), map);
  return map;
}

/* Tensors may share bytes of a file, but not when each gets a copy of them: then a small model
 * could fill all memory. */
static gboolean
count_copy (Map *map, guint64 offset, gsize n_bytes, SegDType dtype, GError **error)
{
  gsize size = g_bytes_get_size (map->bytes);

  if (dtype != SEG_DTYPE_BOOL && offset % seg_dtype_bytes (dtype) == 0)
    return TRUE;
  map->copied_bytes += n_bytes;
  if (map->copied_bytes <= size)
    return TRUE;
  g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL,
      "external data overlap with another tensor's, at an offset that %s cannot have",
      seg_dtype_name (dtype));
  return FALSE;
}

/* Finds a key; two of the same are an error. */
static gboolean
find_key (
    const Onnx__TensorProto *proto, const char *key, const char **value, GError **error)
{
  *value = NULL;
  for (gsize i = 0; i < proto->n_external_data; i++) {
    const Onnx__StringStringEntryProto *entry = proto->external_data[i];

    if (g_strcmp0 (entry->key, key) != 0)
      continue;
    if (*value) {
      g_set_error (
          error, SEG_ERROR, SEG_ERROR_MODEL, "two values for external data's %s", key);
      return FALSE;
    }
    *value = entry->value ? entry->value : "";
  }
  return TRUE;
}

static gboolean
find_number (
    const Onnx__TensorProto *proto, const char *key, guint64 *number, GError **error)
{
  const char *text;

  if (!find_key (proto, key, &text, error))
    return FALSE;
  if (!text || g_ascii_string_to_unsigned (text, 10, 0, G_MAXINT64, number, NULL))
    return TRUE;
  g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL,
      "external data's %s is '%s', not a number", key, text);
  return FALSE;
}

static gboolean
read_place (const SegExternal *external, const Onnx__TensorProto *proto, gsize n_bytes,
    const char **location, guint64 *offset, GError **error)
{
  guint64 length = n_bytes;

  if (!find_key (proto, "location", location, error)
      || !find_number (proto, "offset", offset, error)
      || !find_number (proto, "length", &length, error))
    return FALSE;
  if (!external->real_dir || !*location || !**location) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_FILE, "external data %s",
        *location && **location
            ? "cannot be found: the model's folder is not known or gone"
            : "without a location");
    return FALSE;
  }
  if (length == n_bytes)
    return TRUE;
  g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL,
      "needs %" G_GSIZE_FORMAT " bytes, but external data of %" G_GUINT64_FORMAT
      " are given",
      n_bytes, length);
  return FALSE;
}

GBytes *
seg_external_get (
    SegExternal *external, const Onnx__TensorProto *proto, gsize n_bytes, GError **error)
{
  guint64 offset = 0;
  const char *location;
  gsize size;
  Map *map;

  if (!read_place (external, proto, n_bytes, &location, &offset, error))
    return NULL;
  map = map_location (external, location, error);
  if (!map)
    return NULL;
  size = g_bytes_get_size (map->bytes);
  if (offset > size || n_bytes > size - offset) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_FILE,
        "'%s' is too short: bytes %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT
        " are wanted of %" G_GSIZE_FORMAT,
        location, offset, offset + n_bytes, size);
    return NULL;
  }
  if (!count_copy (map, offset, n_bytes, proto->data_type, error))
    return NULL;
  return g_bytes_new_from_bytes (map->bytes, offset, n_bytes);
}

/* Shapes and other constants, which are read for as long as the model lives, while weights are read when it is
 * loaded. No two raw_data share bytes: copies are never more than the file. */
#define MAX_COPY ((gsize) 64 << 10)

GBytes *
seg_external_raw (SegExternal *external, const Onnx__TensorProto *proto)
{
  SegWirePlace place;
  const guint8 *data = g_bytes_get_data (external->model, NULL);

  g_assert (proto->raw_data.len == sizeof place);
  memcpy (&place, proto->raw_data.data, sizeof place);
  if (place.n_bytes <= MAX_COPY)
    return g_bytes_new (data + place.offset, place.n_bytes);
  return g_bytes_new_from_bytes (external->model, place.offset, place.n_bytes);
}
