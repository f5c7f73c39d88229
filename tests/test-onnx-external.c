/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Weights in files beside the model, and files that are no models at all. */
#include "lib/model-walk.h"
#include "lib/onnx-writer.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DATA_BYTES 64

typedef struct {
  char *top, *dir; /* dir is the model's folder, inside top */
} Folder;

static void
write_file (const char *dir, const char *name, gconstpointer data, gssize n)
{
  g_autofree char *path = g_build_filename (dir, name, NULL);
  g_autoptr (GError) error = NULL;

  g_file_set_contents (path, data, n, &error);
  g_assert_no_error (error);
}

static void
link_file (const char *target, const char *dir, const char *name)
{
  g_autofree char *path = g_build_filename (dir, name, NULL);

  g_assert_cmpint (symlink (target, path), ==, 0);
}

static void
set_up (Folder *f, gconstpointer unused)
{
  g_autofree char *sub = NULL, *pipe = NULL, *secret = NULL;
  guint8 data[DATA_BYTES];

  for (guint i = 0; i < DATA_BYTES; i++)
    data[i] = i;
  f->top = g_dir_make_tmp ("vkseg-test-XXXXXX", NULL);
  f->dir = g_build_filename (f->top, "model", NULL);
  sub = g_build_filename (f->dir, "sub", NULL);
  pipe = g_build_filename (f->dir, "pipe", NULL);
  secret = g_build_filename (f->top, "secret", NULL);
  g_assert_cmpint (g_mkdir_with_parents (sub, 0700), ==, 0);
  g_assert_cmpint (mkfifo (pipe, 0600), ==, 0);
  write_file (f->dir, "w", data, DATA_BYTES);
  write_file (sub, "w", data, DATA_BYTES);
  write_file (f->top, "secret", data, DATA_BYTES);
  write_file (f->dir, "empty", "", 0);
  link_file ("w", f->dir, "inside");
  link_file ("../w", sub, "up-but-inside");
  link_file ("../secret", f->dir, "outside");
  link_file (secret, f->dir, "absolute");
  link_file ("..", f->dir, "parent");
  link_file ("loop", f->dir, "loop");
  write_file (f->top, "model-2", data, DATA_BYTES); /* begins like the folder's name */
}

/* Removes a folder and what is in it; does not follow links. */
static void
remove_all (const char *path)
{
  g_autoptr (GDir) dir = NULL;
  const char *name;

  if (g_file_test (path, G_FILE_TEST_IS_DIR)
      && !g_file_test (path, G_FILE_TEST_IS_SYMLINK))
    dir = g_dir_open (path, 0, NULL);
  while (dir && (name = g_dir_read_name (dir))) {
    g_autofree char *child = g_build_filename (path, name, NULL);

    remove_all (child);
  }
  g_remove (path);
}

static void
tear_down (Folder *f, gconstpointer unused)
{
  remove_all (f->top);
  g_free (f->top);
  g_free (f->dir);
}

static void
write_pair (GByteArray *tensor, const char *key, const char *value)
{
  GByteArray *pair = g_byte_array_new ();

  if (!value)
    return;
  seg_pb_string (pair, 1, key);
  seg_pb_string (pair, 2, value);
  seg_pb_message (tensor, 13, pair);
}

/* Adds initialiser `name` of n elements to a graph. NULL leaves a key out. */
static void
add_init (GByteArray *graph, const char *name, SegDType dtype, gint64 n,
    const char *location, const char *offset, const char *length)
{
  GByteArray *tensor = g_byte_array_new ();

  seg_pb_string (tensor, 8, name);
  seg_pb_int (tensor, 1, n);
  seg_pb_int (tensor, 2, dtype);
  seg_pb_int (tensor, 14, 1);
  write_pair (tensor, "location", location);
  write_pair (tensor, "offset", offset);
  write_pair (tensor, "length", length);
  write_pair (tensor, "checksum", "ignored");
  seg_pb_message (graph, 5, tensor);
}

/* As a file model.onnx in the folder, so that seg_model_load finds the folder itself. */
static SegModel *
load (const Folder *f, GByteArray *graph, GError **error)
{
  g_autoptr (GBytes) bytes = seg_pb_model (graph, 13, NULL);
  g_autofree char *path = g_build_filename (f->dir, "model.onnx", NULL);
  SegModel *model;
  gsize n;
  gconstpointer data = g_bytes_get_data (bytes, &n);

  write_file (f->dir, "model.onnx", data, n);
  model = seg_model_load (path, error);
  if (model)
    seg_test_model_walk (model);
  return model;
}

typedef struct {
  SegDType dtype;
  gint64 n;
  const char *location, *offset, *length;
  int code; /* -1: accepted */
  const char *message;
} Case;

static const Case cases[] = {
  { SEG_DTYPE_U8, 64, "w", NULL, NULL, -1 },
  { SEG_DTYPE_U8, 64, "w", "0", "64", -1 },
  { SEG_DTYPE_F32, 4, "w", "16", "16", -1 },
  { SEG_DTYPE_F32, 4, "w", "17", "16", -1 }, /* not aligned: copied */
  { SEG_DTYPE_F64, 8, "sub/w", NULL, NULL, -1 },
  { SEG_DTYPE_U8, 1, "./sub/./w", "63", NULL, -1 },
  { SEG_DTYPE_U8, 1, "inside", "63", "1", -1 },
  { SEG_DTYPE_U8, 1, "sub/up-but-inside", NULL, NULL, -1 },
  { SEG_DTYPE_U8, 0, "empty", NULL, "0", -1 },
  { SEG_DTYPE_U8, 0, "w", "64", "0", -1 },
  { SEG_DTYPE_BOOL, 64, "w", NULL, NULL, -1 },
  { SEG_DTYPE_U8, 65, "w", NULL, NULL, SEG_ERROR_FILE, "too short" },
  { SEG_DTYPE_U8, 1, "w", "64", "1", SEG_ERROR_FILE, "too short" },
  { SEG_DTYPE_U8, 0, "w", "65", "0", SEG_ERROR_FILE, "too short" },
  { SEG_DTYPE_U8, 1, "w", "9223372036854775807", "1", SEG_ERROR_FILE, "too short" },
  { SEG_DTYPE_F32, 1099511627776, "w", NULL, NULL, SEG_ERROR_FILE, "too short" },
  { SEG_DTYPE_F32, 1, "empty", NULL, NULL, SEG_ERROR_FILE, "too short" },
  { SEG_DTYPE_U8, 1, "w", "18446744073709551615", "1", SEG_ERROR_MODEL, "not a number" },
  { SEG_DTYPE_U8, 1, "w", "-1", "1", SEG_ERROR_MODEL, "not a number" },
  { SEG_DTYPE_U8, 1, "w", "0x1", "1", SEG_ERROR_MODEL, "not a number" },
  { SEG_DTYPE_U8, 1, "w", "", "1", SEG_ERROR_MODEL, "not a number" },
  { SEG_DTYPE_U8, 1, "w", "1 ", "1", SEG_ERROR_MODEL, "not a number" },
  { SEG_DTYPE_U8, 2, "w", "0", "1", SEG_ERROR_MODEL, "needs 2 bytes" },
  { SEG_DTYPE_U8, 2, "w", "0", "3", SEG_ERROR_MODEL, "needs 2 bytes" },
  { SEG_DTYPE_U8, 1, NULL, NULL, NULL, SEG_ERROR_FILE, "without a location" },
  { SEG_DTYPE_U8, 1, "", NULL, NULL, SEG_ERROR_FILE, "without a location" },
  { SEG_DTYPE_U8, 1, "absent", NULL, NULL, SEG_ERROR_FILE, "No such file" },
  { SEG_DTYPE_U8, 1, "loop", NULL, NULL, SEG_ERROR_FILE, "cannot be opened" },
  { SEG_DTYPE_U8, 1, "w/", NULL, NULL, SEG_ERROR_FILE, "cannot be opened" },
  { SEG_DTYPE_U8, 1, "sub", NULL, NULL, SEG_ERROR_FILE, "not a regular file" },
  { SEG_DTYPE_U8, 1, "pipe", NULL, NULL, SEG_ERROR_FILE, "not a regular file" },
  { SEG_DTYPE_U8, 1, "../secret", NULL, NULL, SEG_ERROR_FILE, "outside of the model" },
  { SEG_DTYPE_U8, 1, "sub/../w", NULL, NULL, SEG_ERROR_FILE, "outside of the model" },
  { SEG_DTYPE_U8, 1, "sub/../../secret", NULL, NULL, SEG_ERROR_FILE,
      "outside of the model" },
  { SEG_DTYPE_U8, 1, "..", NULL, NULL, SEG_ERROR_FILE, "outside of the model" },
  { SEG_DTYPE_U8, 1, "/etc/passwd", NULL, NULL, SEG_ERROR_FILE, "outside of the model" },
  { SEG_DTYPE_U8, 1, "outside", NULL, NULL, SEG_ERROR_FILE, "link out of" },
  { SEG_DTYPE_U8, 1, "absolute", NULL, NULL, SEG_ERROR_FILE, "link out of" },
  { SEG_DTYPE_U8, 1, "parent/secret", NULL, NULL, SEG_ERROR_FILE, "link out of" },
  { SEG_DTYPE_U8, 1, "parent/model-2", NULL, NULL, SEG_ERROR_FILE, "link out of" },
  { SEG_DTYPE_U8, 1, "parent/model/w", NULL, NULL, -1 },
};

static void
check_data (const Case *c, const SegModel *model, const char *text)
{
  guint64 offset = c->offset ? g_ascii_strtoull (c->offset, NULL, 10) : 0;
  const SegTensor *tensor = model->graph.inits[0].tensor;

  for (gsize i = 0; i < tensor->n_bytes; i++) {
    guint want = c->dtype == SEG_DTYPE_BOOL ? offset + i > 0 : offset + i;

    if (((const guint8 *) seg_tensor_data (tensor))[i] != want)
      g_test_fail_printf ("%s: byte %" G_GSIZE_FORMAT " is wrong", text, i);
  }
}

static void
test_external (Folder *f, gconstpointer unused)
{
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    const Case *c = &cases[i];
    g_autofree char *text = g_strdup_printf ("%s[%" G_GINT64_FORMAT "] at '%s' %s %s",
        seg_dtype_name (c->dtype), c->n, c->location, c->offset, c->length);
    GByteArray *graph = g_byte_array_new ();
    g_autoptr (GError) error = NULL;
    g_autoptr (SegModel) model = NULL;

    add_init (graph, "init", c->dtype, c->n, c->location, c->offset, c->length);
    model = load (f, graph, &error);
    if (model && c->code == -1)
      check_data (c, model, text);
    else if (model)
      g_test_fail_printf ("%s was not refused", text);
    else if (error->domain != SEG_ERROR || error->code != c->code
             || !strstr (error->message, c->message)
             || !strstr (error->message, "'init'"))
      g_test_fail_printf (
          "%s: error %d '%s', want %d", text, error->code, error->message, c->code);
  }
}

/* n tensors of 32 bytes in the same place. */
static SegModel *
load_same (const Folder *f, guint n, SegDType dtype, const char *offset, GError **error)
{
  static const char *const locations[] = { "w", "./w", "inside" };
  GByteArray *graph = g_byte_array_new ();

  for (guint i = 0; i < n; i++) {
    g_autofree char *name = g_strdup_printf ("t%u", i);

    add_init (
        graph, name, dtype, 32 / seg_dtype_bytes (dtype), locations[i % 3], offset, NULL);
  }
  return load (f, graph, error);
}

static void
test_sharing (Folder *f, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SegModel) aligned = load_same (f, 100, SEG_DTYPE_F32, "4", &error);
  g_autoptr (SegModel) copied = load_same (f, 2, SEG_DTYPE_F32, "5", &error);

  g_assert_no_error (error);
  g_assert_nonnull (copied);
  for (guint i = 1; i < 100; i++) /* no copies, however it is spelled */
    g_assert_true (
        aligned->graph.inits[i].tensor->data == aligned->graph.inits[0].tensor->data);
  /* more copies than the file has bytes */
  g_assert_null (load_same (f, 3, SEG_DTYPE_F32, "5", &error));
  g_assert_error (error, SEG_ERROR, SEG_ERROR_MODEL);
  g_clear_error (&error);
  g_assert_null (load_same (f, 3, SEG_DTYPE_BOOL, "5", &error));
  g_assert_error (error, SEG_ERROR, SEG_ERROR_MODEL);
}

static void
expect_load_error (const char *dir, const char *name, int code, const char *message)
{
  g_autofree char *path = g_build_filename (dir, name, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (SegModel) model = seg_model_load (path, &error);

  if (model)
    g_test_fail_printf ("%s was not refused", path);
  else if (error->code != code || !strstr (error->message, message)
           || !strstr (error->message, path) || strchr (error->message, '\n'))
    g_test_fail_printf ("%s: error %d '%s', want %d '%s'", path, error->code,
        error->message, code, message);
}

static void
test_files (Folder *f, gconstpointer unused)
{
  g_autofree char *huge = g_build_filename (f->dir, "huge", NULL);

  write_file (f->dir, "text", "<html>this is a page, not a model</html>", -1);
  write_file (f->dir, "huge", "", 0);
  g_assert_cmpint (truncate (huge, (off_t) 5 << 30), ==, 0); /* takes no space */
  expect_load_error (f->dir, "absent", SEG_ERROR_FILE, "No such file");
  expect_load_error (f->dir, "sub", SEG_ERROR_FILE, "not a regular file");
  expect_load_error (f->dir, "pipe", SEG_ERROR_FILE, "not a regular file");
  expect_load_error (f->dir, "loop", SEG_ERROR_FILE, "cannot open");
  expect_load_error (f->dir, "empty", SEG_ERROR_MODEL, "not an ONNX model");
  expect_load_error (f->dir, "text", SEG_ERROR_MODEL, "not an ONNX file");
  expect_load_error (f->dir, "huge", SEG_ERROR_MODEL, "external data");
}

/* parse without a folder, or with one that is gone */
static void
test_no_folder (Folder *f, gconstpointer unused)
{
  const char *const dirs[] = { NULL, "/nonexistent" };

  for (guint i = 0; i < G_N_ELEMENTS (dirs); i++) {
    GByteArray *graph = g_byte_array_new ();
    g_autoptr (GBytes) bytes = NULL;
    g_autoptr (GError) error = NULL;

    add_init (graph, "init", SEG_DTYPE_U8, 1, "w", NULL, NULL);
    bytes = seg_pb_model (graph, 13, NULL);
    g_assert_null (seg_model_parse (bytes, dirs[i], &error));
    g_assert_error (error, SEG_ERROR, SEG_ERROR_FILE);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/onnx/external", Folder, NULL, set_up, test_external, tear_down);
  g_test_add ("/onnx/sharing", Folder, NULL, set_up, test_sharing, tear_down);
  g_test_add ("/onnx/files", Folder, NULL, set_up, test_files, tear_down);
  g_test_add ("/onnx/no-folder", Folder, NULL, set_up, test_no_folder, tear_down);
  return g_test_run ();
}
