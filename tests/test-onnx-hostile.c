/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Damaged and malicious models: each is refused with a message or loads into something sound,
 * without a crash, a hang or much memory. */
#include "lib/model-walk.h"
#include "lib/onnx-writer.h"

#include <string.h>

#define DATA "/usr/share/libonnx-testdata/data"

/* How the parse must end; anything sound is fine with EITHER. */
typedef enum { EITHER, REFUSED, LOADED } Want;

static void
parse (gconstpointer data, gsize n, Want want, const char *what, gsize where)
{
  g_autoptr (GBytes) bytes = g_bytes_new (data, n); /* a copy of just this size */
  g_autoptr (GError) error = NULL;
  g_autoptr (SegModel) model = seg_model_parse (bytes, NULL, &error);

  if ((model == NULL) != (error != NULL))
    g_test_fail_printf (
        "%s, %" G_GSIZE_FORMAT ": no model and no error, or both", what, where);
  else if ((model && want == REFUSED) || (!model && want == LOADED))
    g_test_fail_printf ("%s, %" G_GSIZE_FORMAT ": %s", what, where,
        error ? error->message : "was not refused");
  else if (error && (error->domain != SEG_ERROR || !*error->message))
    g_test_fail_printf ("%s, %" G_GSIZE_FORMAT ": not an error of ours", what, where);
  if (model)
    seg_test_model_walk (model);
}

/* --- damage to real models ------------------------------------------------------------- */

static void
truncate_model (const guint8 *data, gsize n, const char *path)
{
  gsize step = MAX (n / 64, 1);

  for (gsize cut = 0; cut < n; cut += step)
    parse (data, cut, EITHER, path, cut);
  for (gsize k = 1; k < MIN (n, 16); k++)
    parse (data, n - k, EITHER, path, n - k);
}

static void
flip_bits (const guint8 *data, gsize n, const char *path)
{
  g_autofree guint8 *copy = g_memdup2 (data, n);

  for (guint i = 0; i < 100; i++) {
    gsize where = g_test_rand_int_range (0, MIN (n, G_MAXINT32));

    copy[where] ^= 1 << g_test_rand_int_range (0, 8);
    parse (copy, n, EITHER, path, where);
    if (i % 4 == 0) /* else the damage adds up */
      copy[where] = data[where];
  }
}

/* Bytes that decide much: lengths and types at their extremes. */
static void
set_bytes (const guint8 *data, gsize n, const char *path)
{
  static const guint8 values[] = { 0, 0x7f, 0x80, 0xff };
  g_autofree guint8 *copy = g_memdup2 (data, n);

  for (guint i = 0; i < 100; i++) {
    gsize where = g_test_rand_int_range (0, MIN (n, G_MAXINT32));

    memset (copy + where, values[i % 4], MIN (n - where, 1 + i % 5));
    parse (copy, n, EITHER, path, where);
    memcpy (copy + where, data + where, MIN (n - where, 5));
  }
}

static guint
damage_folder (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;
  guint n_models = 0;

  while (dir && (name = g_dir_read_name (dir))) {
    g_autofree char *file = g_build_filename (path, name, "model.onnx", NULL);
    g_autofree char *data = NULL;
    gsize n;

    if (!g_file_get_contents (file, &data, &n, NULL) || n == 0)
      continue;
    n_models++;
    truncate_model ((guint8 *) data, n, file);
    flip_bits ((guint8 *) data, n, file);
    set_bytes ((guint8 *) data, n, file);
  }
  return n_models;
}

static void
test_damage (gconstpointer folder)
{
  g_autofree char *path = g_build_filename (DATA, folder, NULL);
  guint n = 0;

  if (g_file_test (path, G_FILE_TEST_IS_DIR))
    n = damage_folder (path);
  else
    g_test_skip (DATA " (Debian: libonnx-testdata) is not installed");
  g_test_message ("%u models", n);
}

/* --- malice ---------------------------------------------------------------------------- */

static void
parse_graph (GByteArray *graph, Want want, const char *what, gsize where)
{
  g_autoptr (GBytes) bytes = seg_pb_model (graph, 13, NULL);
  gsize n;
  gconstpointer data = g_bytes_get_data (bytes, &n);

  parse (data, n, want, what, where);
}

/* Messages inside messages: each level has the next in field `fields[level % n_fields]`. Built
 * from the inside, with lengths first counted. */
static GByteArray *
nest (const guint *fields, guint n_fields, guint depth)
{
  g_autofree guint64 *sizes =
      g_new0 (guint64, depth + 1); /* of the content of each level */
  GByteArray *m = g_byte_array_new ();

  for (guint i = depth; i > 0; i--) {
    guint64 n = sizes[i], head = 2;

    for (guint64 v = n; v > 0x7f; v >>= 7)
      head++;
    sizes[i - 1] = n + head;
  }
  for (guint i = 0; i < depth; i++) {
    guint8 tag = fields[i % n_fields] << 3 | 2;
    guint64 v = sizes[i + 1];

    g_byte_array_append (m, &tag, 1);
    do {
      guint8 byte = (v & 0x7f) | (v > 0x7f ? 0x80 : 0);

      g_byte_array_append (m, &byte, 1);
      v >>= 7;
    } while (v != 0);
  }
  return m;
}

static void
test_nesting (void)
{
  const guint subgraphs[] = { 1, 5, 6 }; /* node, attribute, graph */
  const guint depths[] = { 200, 1000, 100000, 1000000 };
  GByteArray *value = g_byte_array_new (), *graph = g_byte_array_new ();

  for (guint i = 0; i < G_N_ELEMENTS (depths); i++) {
    guint field = 4; /* a sequence (4) of elem_type (1), and so on */

    parse_graph (nest (subgraphs, 3, depths[i]), REFUSED, "nested graphs", depths[i]);
    seg_pb_string (value, 1, "x");
    seg_pb_message (value, 2, nest ((guint[]){ field, 1 }, 2, depths[i]));
    seg_pb_message (graph, 11, value);
    parse_graph (graph, REFUSED, "nested types", depths[i]);
    value = g_byte_array_new ();
    graph = g_byte_array_new ();
  }
  g_byte_array_unref (value);
  g_byte_array_unref (graph);
}

/* Subgraphs as deep as a serious model may have them */
static void
test_some_nesting (void)
{
  GByteArray *graph = g_byte_array_new ();

  for (guint i = 0; i < 20; i++) {
    GByteArray *node = g_byte_array_new (), *attr = g_byte_array_new ();

    seg_pb_string (attr, 1, "body");
    seg_pb_int (attr, 20, SEG_ATTR_GRAPH);
    seg_pb_message (attr, 6, graph);
    seg_pb_string (node, 4, "Loop");
    seg_pb_message (node, 5, attr);
    graph = g_byte_array_new ();
    seg_pb_message (graph, 1, node);
  }
  parse_graph (graph, LOADED, "nested graphs", 20);
}

/* Two bytes of a file that cost many bytes of memory each */
static void
test_many_fields (void)
{
  const guint fields[] = { 1, 5, 11, 13, 14, 3 }; /* nodes, initialisers, ..., unknown */
  const gsize n = 5000000;

  for (guint i = 0; i < G_N_ELEMENTS (fields); i++) {
    GByteArray *graph = g_byte_array_sized_new (2 * n);
    guint8 pair[2] = { fields[i] << 3 | 2, 0 };

    for (gsize k = 0; k < n; k++)
      g_byte_array_append (graph, pair, 2);
    parse_graph (graph, REFUSED, "empty messages in field", fields[i]);
  }
}

/* A graph that comes in many parts would be merged in quadratic time. */
static void
test_many_graphs (void)
{
  GByteArray *m = g_byte_array_new ();
  const guint8 part[] = { 7 << 3 | 2, 2, 1 << 3 | 2, 0 };

  for (guint i = 0; i < 200000; i++)
    g_byte_array_append (m, part, sizeof part);
  parse (m->data, m->len, REFUSED, "graphs", 200000);
  g_byte_array_unref (m);
}

static void
test_lengths (void)
{
  static const guint8 bytes[][14] = {
    { 0x3a, 0xff, 0xff, 0xff, 0xff, 0x0f },                         /* 4 GiB */
    { 0x3a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01 }, /* 2^64 - 1 */
    { 0x3a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0x01 }, /* no varint */
    { 0x3a, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80 },
    { 0x3b, 0x3c },                               /* groups */
    { 0x3e }, { 0x3f },                           /* unknown kinds */
    { 0x00, 0x00 },                               /* field 0 */
    { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01 }, /* field number too large */
    { 0x3a }, { 0x3d, 1, 2, 3 }, { 0x39, 1, 2, 3, 4, 5, 6, 7 }, { 0x38 }, /* cut off */
  };

  for (guint i = 0; i < G_N_ELEMENTS (bytes); i++)
    for (gsize n = 1; n <= sizeof bytes[i]; n++)
      parse (bytes[i], n, REFUSED, "lengths", i);
}

/* Names that fill the tables that look for duplicates; g_str_hash is the same for all of them */
static void
test_many_names (void)
{
  GByteArray *graph = g_byte_array_new ();

  for (guint i = 0; i < 1 << 17; i++) {
    GByteArray *node = g_byte_array_new ();
    char name[2 * 17 + 1] = "";

    for (guint bit = 0; bit < 17; bit++)
      memcpy (name + 2 * bit, i >> bit & 1 ? "Ez" : "FY", 2);
    seg_pb_string (node, 4, "Relu");
    seg_pb_string (node, 2, name);
    seg_pb_message (graph, 1, node);
  }
  parse_graph (graph, LOADED, "nodes", 1 << 17);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/hostile/damage/node", "node", test_damage);
  g_test_add_data_func ("/hostile/damage/simple", "simple", test_damage);
  g_test_add_data_func (
      "/hostile/damage/pytorch-operator", "pytorch-operator", test_damage);
  g_test_add_data_func (
      "/hostile/damage/pytorch-converted", "pytorch-converted", test_damage);
  g_test_add_func ("/hostile/nesting", test_nesting);
  g_test_add_func ("/hostile/some-nesting", test_some_nesting);
  g_test_add_func ("/hostile/many-fields", test_many_fields);
  g_test_add_func ("/hostile/many-graphs", test_many_graphs);
  g_test_add_func ("/hostile/many-names", test_many_names);
  g_test_add_func ("/hostile/lengths", test_lengths);
  return g_test_run ();
}
