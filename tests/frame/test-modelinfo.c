/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Model information: the files of models/info, defaults, who wins, what is refused. Usage:
 * test-frame-modelinfo [GLib's test options] FOLDER OF .modelinfo FILES */
#include "frame/infosource.h"
#include "frame/modelinfo.h"
#include "lib/onnx-writer.h"
#include "ops/table.h"

#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Field numbers of onnx.proto that are written here. */
enum { NODE_INPUT = 1, NODE_OUTPUT = 2, NODE_OP = 4 };
enum { GRAPH_NODE = 1, GRAPH_INIT = 5, GRAPH_INPUT = 11, GRAPH_OUTPUT = 12 };
enum { MODEL_METADATA = 14, ENTRY_KEY = 1, ENTRY_VALUE = 2 };

#define PICTURE "x 1,3,12,20"

/* --- a network that has just inputs and outputs --------------------------------------------- */

/* "NAME 1,3,12,20", or "NAME i64 1,12,20". */
static char *
parse_tensor (const char *text, SegDesc *desc)
{
  g_auto (GStrv) words = g_strsplit (text, " ", -1);
  guint n = g_strv_length (words);
  g_auto (GStrv) dims = g_strsplit (words[n - 1], ",", -1);
  *desc = (SegDesc){ .dtype = n == 3 ? SEG_DTYPE_I64 : SEG_DTYPE_F32 };
  for (; dims[desc->rank] != NULL; desc->rank++)
    desc->dims[desc->rank] = atoi (dims[desc->rank]);
  return g_strdup (words[0]);
}

/* Each output is a constant of its shape. */
static void
add_output (GByteArray *graph, const char *text)
{
  SegDesc desc;
  g_autofree char *name = parse_tensor (text, &desc);
  g_autofree char *constant = g_strconcat (name, "/constant", NULL);
  g_autoptr (SegTensor) zeros = seg_tensor_new (&desc, NULL);
  GByteArray *node = g_byte_array_new ();

  g_assert_nonnull (zeros);
  seg_pb_string (node, NODE_INPUT, constant);
  seg_pb_string (node, NODE_OUTPUT, name);
  seg_pb_string (node, NODE_OP, "Identity");
  seg_pb_message (graph, GRAPH_NODE, node);
  seg_pb_message (graph, GRAPH_INIT, seg_pb_tensor (constant, zeros));
  seg_pb_message (graph, GRAPH_OUTPUT, seg_pb_value_info (name, &desc));
}

/* Tensors are separated by "; "; metadata (may be NULL) is "KEY=VALUE" lines. */
static SegModel *
stand_in (const char *inputs, const char *outputs, const char *metadata)
{
  GByteArray *graph = g_byte_array_new (), *all = g_byte_array_new ();
  g_auto (GStrv) in = g_strsplit (inputs, "; ", -1), out = g_strsplit (outputs, "; ", -1),
                 lines = g_strsplit (metadata != NULL ? metadata : "", "\n", -1);
  g_autoptr (GError) error = NULL;

  for (guint i = 0; in[i] != NULL; i++) {
    SegDesc desc;
    g_autofree char *name = parse_tensor (in[i], &desc);
    seg_pb_message (graph, GRAPH_INPUT, seg_pb_value_info (name, &desc));
  }
  for (guint i = 0; out[i] != NULL; i++)
    add_output (graph, out[i]);
  g_autoptr (GBytes) model = seg_pb_model (graph, 17, NULL);
  g_byte_array_append (
      all, g_bytes_get_data (model, NULL), (guint) g_bytes_get_size (model));
  for (guint i = 0; lines[i] != NULL && *lines[i] != '\0'; i++) {
    g_auto (GStrv) pair = g_strsplit (lines[i], "=", 2);
    GByteArray *entry = g_byte_array_new ();
    seg_pb_string (entry, ENTRY_KEY, pair[0]);
    seg_pb_string (entry, ENTRY_VALUE, pair[1]);
    seg_pb_message (all, MODEL_METADATA, entry);
  }
  g_autoptr (GBytes) bytes = g_byte_array_free_to_bytes (all);
  SegModel *made = seg_model_parse (bytes, NULL, &error);
  g_assert_no_error (error);
  return made;
}

/* --- both halves of reading -------------------------------------------------------------- */

static SegModelInfo *
read_info (SegModel *model, const char *path, GHashTable *settings, GError **error)
{
  SegInputShape shape;
  SegModelInfo *info = seg_model_info_load (model, NULL, path, settings, error);

  if (info == NULL)
    return NULL;
  seg_model_info_input_shape (info, model, &shape);
  g_autoptr (SegGraph) graph =
      seg_graph_new (model, seg_op_lookup, &shape, 1, SEG_GRAPH_PLAIN, error);
  if (graph == NULL || !seg_model_info_resolve (info, graph, error))
    seg_model_info_free (&info);
  return info;
}

/* The information of a stand-in with a file of `text` (NULL: no file). */
static SegModelInfo *
from_text (SegModel *model, const char *text, GHashTable *settings, GError **error)
{
  g_autofree char *path = NULL;
  SegModelInfo *info;

  if (text == NULL)
    return read_info (model, NULL, settings, error);
  int fd = g_file_open_tmp ("vkseg-XXXXXX.modelinfo", &path, NULL);
  g_assert_cmpint (fd, >=, 0);
  close (fd);
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  info = read_info (model, path, settings, error);
  g_remove (path);
  return info;
}

static gboolean
has_assumption (const SegModelInfo *info, const char *text)
{
  for (guint i = 0; i < info->assumptions->len; i++)
    if (strstr (info->assumptions->pdata[i], text) != NULL)
      return TRUE;
  return FALSE;
}

/* --- the files of models/info ------------------------------------------------------------- */

typedef struct {
  const char *name;
  SegDecoder decoder;
  SegTask task;
  SegFit fit;
  guint n_labels, n_classes, n_outputs;
  int background;
} File;

static const File files[] = {
  { "deeplabv3-voc", SEG_DECODER_ARGMAX, SEG_TASK_SEMANTIC, SEG_FIT_STRETCH, 21, 21, 1,
      0 },
  { "isnet", SEG_DECODER_MATTE, SEG_TASK_MATTE, SEG_FIT_STRETCH, 1, 1, 1, -1 },
  { "selfie", SEG_DECODER_MATTE, SEG_TASK_MATTE, SEG_FIT_STRETCH, 1, 1, 1, -1 },
  { "selfie-landscape", SEG_DECODER_MATTE, SEG_TASK_MATTE, SEG_FIT_STRETCH, 1, 1, 1, -1 },
  { "u2netp", SEG_DECODER_MATTE, SEG_TASK_MATTE, SEG_FIT_STRETCH, 1, 1, 1, -1 },
  { "yolov8-seg", SEG_DECODER_YOLO_SEG, SEG_TASK_INSTANCE, SEG_FIT_LETTERBOX, 80, 80, 2,
      -1 },
};

/* "NAME DIMS; ..." of the file's tensors of a direction, free dimensions as 32. */
static char *
tensors_of (GKeyFile *file, const char *direction)
{
  g_auto (GStrv) groups = g_key_file_get_groups (file, NULL);
  GString *all = g_string_new (NULL);

  for (guint i = 0; groups[i] != NULL; i++) {
    g_autofree char *dir = g_key_file_get_value (file, groups[i], "dir", NULL);
    if (g_strcmp0 (dir, direction) != 0)
      continue;
    g_autofree char *dims = g_key_file_get_value (file, groups[i], "dims", NULL);
    g_auto (GStrv) numbers = g_strsplit (dims, ",", -1);
    g_string_append_printf (all, "%s%s ", all->len > 0 ? "; " : "", groups[i]);
    for (guint d = 0; numbers[d] != NULL; d++)
      g_string_append_printf (all, "%s%s", d > 0 ? "," : "",
          atoi (numbers[d]) >= 0 ? numbers[d]
          : d == 0               ? "1"
                                 : "32");
  }
  return g_string_free (all, FALSE);
}

/* mean and std mean the same as upstream's `ranges`. */
static void
check_ranges (GKeyFile *file, const char *input, const SegNormalize *n)
{
  g_autofree char *name = g_strndup (input, strcspn (input, " "));
  g_autofree char *text = g_key_file_get_value (file, name, "ranges", NULL);
  g_auto (GStrv) pairs = g_strsplit (text, ";", -1);

  g_assert_cmpuint (g_strv_length (pairs), ==, 3);
  for (guint c = 0; c < 3; c++) {
    g_assert_cmpfloat_with_epsilon (n->lo[c], g_ascii_strtod (pairs[c], NULL), 1e-5);
    g_assert_cmpfloat_with_epsilon (
        n->hi[c], g_ascii_strtod (strchr (pairs[c], ',') + 1, NULL), 1e-5);
  }
}

static const char *info_folder;

static void
test_file (gconstpointer data)
{
  const File *f = data;
  g_autofree char *base = g_strconcat (f->name, ".modelinfo", NULL);
  g_autofree char *path = g_build_filename (info_folder, base, NULL);
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autoptr (GError) error = NULL;

  g_key_file_load_from_file (file, path, G_KEY_FILE_NONE, &error);
  g_assert_no_error (error);
  g_autofree char *inputs = tensors_of (file, "input"),
                  *outputs = tensors_of (file, "output");
  g_autoptr (SegModel) model = stand_in (inputs, outputs, NULL);
  SegModelInfo *info = read_info (model, path, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (info->decoder, ==, f->decoder);
  g_assert_cmpint (info->task, ==, f->task);
  g_assert_cmpint (info->fit, ==, f->fit);
  g_assert_cmpuint (info->labels->len, ==, f->n_labels);
  g_assert_cmpuint (info->n_classes, ==, f->n_classes);
  g_assert_cmpuint (info->n_outputs, ==, f->n_outputs);
  g_assert_cmpint (info->background, ==, f->background);
  check_ranges (file, inputs, &info->normalize);
  seg_model_info_free (&info);
}

/* Each file of the folder has its row above. */
static void
test_all_files (void)
{
  g_autoptr (GDir) dir = g_dir_open (info_folder, 0, NULL);
  guint n = 0;
  g_assert_nonnull (dir);
  while (g_dir_read_name (dir) != NULL)
    n++;
  g_assert_cmpuint (n, ==, G_N_ELEMENTS (files));
}

/* --- with neither file nor metadata: by the shapes ----------------------------------------- */

static const struct {
  const char *inputs, *outputs;
  SegDecoder decoder;
  guint width, height, channel_axis;
  int class_axis;
  guint n_classes;
} guesses[] = {
  { PICTURE, "y 1,21,12,20", SEG_DECODER_ARGMAX, 20, 12, 1, 1, 21 },
  { "x 1,12,20,3", "y 1,12,20,21", SEG_DECODER_ARGMAX, 20, 12, 3, 3, 21 },
  { PICTURE, "y 1,1,12,20", SEG_DECODER_MATTE, 20, 12, 1, 1, 1 },
  { "x 1,1,12,20", "y 1,1,12,20", SEG_DECODER_MATTE, 20, 12, 1, 1, 1 },
  { PICTURE, "y i64 1,12,20", SEG_DECODER_INDEX, 20, 12, 1, -1, 0 },
  { PICTURE, "y 1,116,200; z 1,32,3,5", SEG_DECODER_YOLO_SEG, 20, 12, 1, -1, 0 },
  { PICTURE, "boxes 7,4; labels i64 7; scores 7; masks 7,1,12,20", SEG_DECODER_RCNN, 20,
      12, 1, -1, 0 },
};

static void
test_guesses (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (guesses); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (SegModel) model = stand_in (guesses[i].inputs, guesses[i].outputs, NULL);
    SegModelInfo *info = from_text (model, NULL, NULL, &error);
    g_test_message ("%s -> %s", guesses[i].inputs, guesses[i].outputs);
    g_assert_no_error (error);
    g_assert_cmpint (info->decoder, ==, guesses[i].decoder);
    g_assert_cmpuint (info->width, ==, guesses[i].width);
    g_assert_cmpuint (info->height, ==, guesses[i].height);
    g_assert_cmpuint (info->channel_axis, ==, guesses[i].channel_axis);
    g_assert_cmpint (info->class_axis, ==, guesses[i].class_axis);
    g_assert_cmpuint (info->n_classes, ==, guesses[i].n_classes);
    g_assert_true (has_assumption (info, "decoder="));
    g_assert_true (has_assumption (info, "std=255"));
    seg_model_info_free (&info);
  }
}

/* --- who wins ------------------------------------------------------------------------------ */

static void
test_precedence (void)
{
  g_autoptr (GHashTable) settings = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GError) error = NULL;
  g_autoptr (SegModel) model = stand_in (PICTURE, "y 1,1,12,20",
      "vkseg.threshold=0.1\nvkseg.mask-threshold=0.1\nvkseg.iou-threshold=0.1\n"
      "vkseg.decoder=sigmoid");
  SegModelInfo *info;

  g_hash_table_insert (settings, (char *) "threshold", (char *) "0.3");
  info =
      from_text (model, "[vkseg]\nthreshold=0.2\nmask-threshold=0.2\n", settings, &error);
  g_assert_no_error (error);
  g_assert_cmpfloat (info->threshold, ==, 0.3);
  g_assert_cmpfloat (info->mask_threshold, ==, 0.2);
  g_assert_cmpfloat (info->iou_threshold, ==, 0.1);
  g_assert_cmpint (info->decoder, ==, SEG_DECODER_SIGMOID);
  g_assert_false (has_assumption (info, "decoder="));
  seg_model_info_free (&info);
}

/* mean and std of [vkseg], else upstream's ranges. */
static void
test_normalisation (void)
{
  const char *ranges = "[x]\ndir=input\nranges=-1,1;0,1;0,255\n";
  g_autofree char *both = g_strconcat (ranges, "[vkseg]\nmean=10,20,30\nstd=5\n", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (SegModel) model = stand_in (PICTURE, "y 1,1,12,20", NULL);
  SegModelInfo *info = from_text (model, ranges, NULL, &error);

  g_assert_no_error (error);
  g_assert_cmpfloat (info->normalize.lo[0], ==, -1);
  g_assert_cmpfloat (info->normalize.hi[1], ==, 1);
  g_assert_cmpfloat (info->normalize.hi[2], ==, 255);
  seg_model_info_free (&info);
  info = from_text (model, both, NULL, &error);
  g_assert_no_error (error);
  for (guint c = 0; c < 3; c++) {
    g_assert_cmpfloat_with_epsilon (info->normalize.lo[c], -2.0 * (c + 1), 1e-9);
    g_assert_cmpfloat_with_epsilon (info->normalize.hi[c], 51 - 2.0 * (c + 1), 1e-9);
  }
  seg_model_info_free (&info);
}

static void
test_labels (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SegModel) model = stand_in (
      PICTURE, "y 1,3,12,20", "names={0: 'sky', 1: \"driver's seat\", 2: 'road'}");
  char buffer[32];
  SegModelInfo *info = from_text (model, NULL, NULL, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (info->labels->len, ==, 3);
  g_assert_cmpstr (seg_model_info_label (info, 1, buffer), ==, "driver's seat");
  g_assert_cmpstr (seg_model_info_label (info, 3, buffer), ==, "class 3");
  g_assert_cmpint (info->background, ==, -1);
  seg_model_info_free (&info);
  info = from_text (model,
      "[vkseg]\nlabels=Background, bread\\, butter,tea\nforeground=tea,1\n", NULL,
      &error);
  g_assert_no_error (error);
  g_assert_cmpuint (info->labels->len, ==, 3);
  g_assert_cmpstr (info->labels->pdata[1], ==, "bread, butter");
  g_assert_cmpint (info->background, ==, 0);
  g_assert_cmpuint (info->foreground->len, ==, 2);
  g_assert_cmpuint (g_array_index (info->foreground, guint, 0), ==, 2);
  seg_model_info_free (&info);
}

/* --- refused --------------------------------------------------------------------------------- */

static const struct {
  const char *text; /* of [vkseg] */
  const char *says[2];
} refusals[] = {
  { "task=magic", { "task=magic", "semantic" } },
  { "decoder=argmin", { "decoder=argmin", "argmax" } },
  { "input=z", { "input=z", "x" } },
  { "output=z", { "output=z", "y" } },
  { "input-layout=hwc", { "input-layout=hwc", "nhwc" } },
  { "input-layout=nhwc", { "20 channels", "1 or 3" } },
  { "input-size=12", { "input-size=12", "WIDTHxHEIGHT" } },
  { "color-order=gray", { "color-order=gray", "one channel" } },
  { "mean=1,2", { "mean=1,2", "3" } },
  { "mean=nan", { "mean=nan", "number" } },
  { "std=0", { "std=0", "from" } },
  { "resize=zoom", { "resize=zoom", "letterbox" } },
  { "pad-value=300", { "pad-value=300", "255" } },
  { "background=sky", { "background=sky", "none" } },
  { "foreground=cow", { "foreground=cow", "cow" } },
  { "palette=nowhere", { "palette", "nowhere" } },
  { "labels-file=nowhere.txt", { "labels-file=nowhere.txt", "nowhere.txt" } },
  { "threshold=2", { "threshold=2", "1" } },
  { "max-detections=0", { "max-detections=0", "1" } },
  { "objectness=maybe", { "objectness=maybe", "true" } },
};

static void
test_refusals (void)
{
  g_autoptr (SegModel) model = stand_in (PICTURE, "y 1,5,12,20", NULL);
  for (guint i = 0; i < G_N_ELEMENTS (refusals); i++) {
    g_autoptr (GError) error = NULL;
    g_autofree char *text = g_strdup_printf ("[vkseg]\n%s\n", refusals[i].text);
    SegModelInfo *info = from_text (model, text, NULL, &error);
    g_test_message ("%s: %s", refusals[i].text, error != NULL ? error->message : "taken");
    g_assert_null (info);
    g_assert_nonnull (error);
    for (guint k = 0; k < 2; k++)
      g_assert_nonnull (strstr (error->message, refusals[i].says[k]));
  }
}

static void
test_damaged (void)
{
  g_autoptr (SegModel) model = stand_in (PICTURE, "y 1,5,12,20", NULL);
  static const char *const texts[] = { "no group\n", "[vkseg\n",
    "[vkseg]\nno equals sign\n", "[x]\nranges=1;2\n", "[x]\nranges=0,a;0,1;0,1\n" };
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autoptr (GError) error = NULL;
    g_assert_null (from_text (model, texts[i], NULL, &error));
    g_assert_nonnull (error);
    g_test_message ("%s", error->message);
    g_assert_nonnull (strstr (error->message, ".modelinfo"));
  }
}

/* A file with each key of the table in models/README.md. */
static char *
write_listed_keys (guint *n)
{
  g_autofree char *path = g_build_filename (info_folder, "..", "README.md", NULL);
  g_autofree char *text = NULL, *file = NULL;
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  char *begin = strstr (text, "### Keys of `[vkseg]`"),
       *end = strstr (begin, "### Decoders");
  g_assert_nonnull (end);
  *end = '\0';
  g_auto (GStrv) lines = g_strsplit (begin, "\n| `", -1);
  g_autoptr (GString) all = g_string_new ("[vkseg]\n");
  *n = 0;
  for (guint i = 1; lines[i] != NULL; i++) {
    *strstr (lines[i], " |") = '\0';
    g_auto (GStrv) keys = g_strsplit (lines[i], "`", -1);
    for (guint k = 0; keys[k] != NULL; k++)
      if (g_ascii_isalpha (keys[k][0])) {
        g_string_append_printf (all, "%s=1\n", keys[k]);
        *n += 1;
      }
  }
  close (g_file_open_tmp ("vkseg-XXXXXX.modelinfo", &file, NULL));
  g_assert_true (g_file_set_contents (file, all->str, -1, NULL));
  return g_steal_pointer (&file);
}

static char
    *warned; /* the last warning while it is not NULL, where it would end the test */

static GLogWriterOutput
take_warning (
    GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer data)
{
  if (warned == NULL || !(level & G_LOG_LEVEL_WARNING))
    return g_log_writer_default (level, fields, n_fields, data);
  g_free (warned);
  warned = g_log_writer_format_fields (level, fields, n_fields, FALSE);
  return G_LOG_WRITER_HANDLED;
}

/* Keys that are listed are known, all others warned about and ignored. */
static void
test_keys (void)
{
  guint n;
  g_autofree char *path = write_listed_keys (&n);
  SegInfoSource *source = seg_info_source_new (NULL, path, NULL, NULL); /* no warning */
  g_assert_nonnull (source);
  g_assert_cmpuint (n, >, 30);
  seg_info_source_free (source);
  g_remove (path);

  g_autoptr (SegModel) model = stand_in (PICTURE, "y 1,5,12,20", NULL);
  g_autoptr (GError) error = NULL;
  warned = g_strdup ("");
  SegModelInfo *info = from_text (model, "[vkseg]\ndecodr=argmax\n", NULL, &error);
  g_assert_nonnull (strstr (warned, ".modelinfo: [vkseg] has no key decodr: ignored"));
  g_clear_pointer (&warned, g_free);
  g_assert_no_error (error);
  seg_model_info_free (&info);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  if (argc != 2) {
    g_printerr ("usage: test-frame-modelinfo FOLDER\n");
    return 2;
  }
  info_folder = argv[1];
  g_log_set_writer_func (take_warning, NULL, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (files); i++) {
    g_autofree char *path = g_strconcat ("/modelinfo/files/", files[i].name, NULL);
    g_test_add_data_func (path, &files[i], test_file);
  }
  g_test_add_func ("/modelinfo/all-files", test_all_files);
  g_test_add_func ("/modelinfo/guesses", test_guesses);
  g_test_add_func ("/modelinfo/precedence", test_precedence);
  g_test_add_func ("/modelinfo/normalisation", test_normalisation);
  g_test_add_func ("/modelinfo/labels", test_labels);
  g_test_add_func ("/modelinfo/refusals", test_refusals);
  g_test_add_func ("/modelinfo/damaged", test_damaged);
  g_test_add_func ("/modelinfo/keys", test_keys);
  return g_test_run ();
}
