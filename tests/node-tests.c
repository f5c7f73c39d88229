/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ONNX's own tests (Debian: libonnx-testdata): folders with model.onnx and
 * test_data_set_N/{input,output}_I.pb. Each runs on the host with the operators' eval and on
 * the device under fp32, optimised, and both must match: |got - want| <= 1e-5 + 1e-3 |want|
 * (ONNX's runner: 1e-7 + 1e-3). A test is left out only by one of the rules below. */
#include "engine/session.h"
#include "lib/compare.h"
#include "lib/onnx-writer.h"
#include "lib/device.h"
#include "lib/tap.h"
#include "ops/table.h"

#include <stdio.h>
#include <string.h>

/* Fields of onnx.proto. */
enum { MODEL_GRAPH = 7, GRAPH_INITIALIZER = 5 };

#define DEFAULT_DATA "/usr/share/libonnx-testdata/data"

static const char *const folders[] = { "node", "simple", "pytorch-operator",
  "pytorch-converted" };
static const SegTolerance tolerance = { .relative = 1e-3, .absolute = 1e-5 };
/* The data's bfloat16 was cut off, where everyone else rounds. */
static const SegTolerance tolerance_bf16 = { .relative = 1.0 / 128 };

/* Why a test is left out. */
typedef enum {
  RULE_NONE,
  RULE_TYPE,     /* sequences, optionals, strings, ...: the loader refuses */
  RULE_OPSET,    /* another version of ai.onnx, or only another domain (training) */
  RULE_OPERATOR, /* an operator that is not in the table */
  RULE_RANDOM,   /* the expected output is one draw of many */
  RULE_REFUSED,  /* an operator refuses the attributes or types at load */
  RULE_DATA, /* the data contradicts the model, which ONNX's runner does not look at */
  N_RULES
} Rule;

static const char *const rule_names[N_RULES] = {
  [RULE_TYPE] = "the loader does not take such types (sequence, optional, string, ...)",
  [RULE_OPSET] = "operator set of ai.onnx missing or outside 7..21",
  [RULE_OPERATOR] = "an operator that vkseg does not have",
  [RULE_RANDOM] = "random output",
  [RULE_REFUSED] = "an operator refuses attributes or types",
  [RULE_DATA] = "the data's shapes are not the model's",
};

typedef struct {
  SegVk *vk;
  SegTap tap;
  guint n_left_out[N_RULES];
  guint n_baked; /* ran with inputs made constant */
  guint n_device, n_host_steps,
      n_free; /* all dispatches, some host steps, nothing to do */
} Run;

typedef struct {
  GBytes *bytes;
  SegModel *model;
  GPtrArray *sets; /* Set * */
} Test;

typedef struct {
  GPtrArray *inputs, *outputs; /* SegTensor * */
} Set;

static void
set_free (gpointer data)
{
  Set *set = data;

  g_ptr_array_unref (set->inputs);
  g_ptr_array_unref (set->outputs);
  g_free (set);
}

static void
test_clear (Test *test)
{
  g_clear_pointer (&test->bytes, g_bytes_unref);
  g_clear_pointer (&test->model, seg_model_unref);
  g_clear_pointer (&test->sets, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Test, test_clear)

/* --- reading ----------------------------------------------------------------------------- */

static GBytes *
read_bytes (const char *path, GError **error)
{
  char *contents;
  gsize n;

  return g_file_get_contents (path, &contents, &n, error) ? g_bytes_new_take (contents, n)
                                                          : NULL;
}

static gboolean
read_tensors (const char *dir, const char *kind, GPtrArray *out, GError **error)
{
  for (guint i = 0;; i++) {
    g_autofree char *path = g_strdup_printf ("%s/%s_%u.pb", dir, kind, i);
    g_autoptr (GBytes) bytes = NULL;
    SegTensor *tensor;
    if (!g_file_test (path, G_FILE_TEST_EXISTS))
      return TRUE;
    if ((bytes = read_bytes (path, error)) == NULL
        || (tensor = seg_model_parse_tensor (bytes, error)) == NULL)
      return FALSE;
    g_ptr_array_add (out, tensor);
  }
}

/* The files hold bfloat16 as uint16, because NumPy has no such type. */
static void
retype (GPtrArray *tensors, const SegModelValue *values, guint n)
{
  for (guint i = 0; i < MIN (n, tensors->len); i++) {
    SegTensor *t = g_ptr_array_index (tensors, i);
    if (values[i].dtype == SEG_DTYPE_BF16 && t->desc.dtype == SEG_DTYPE_U16)
      t->desc.dtype = SEG_DTYPE_BF16;
  }
}

static gboolean
read_sets (Test *test, const char *dir, GError **error)
{
  test->sets = g_ptr_array_new_with_free_func (set_free);
  for (guint i = 0;; i++) {
    g_autofree char *path = g_strdup_printf ("%s/test_data_set_%u", dir, i);
    if (!g_file_test (path, G_FILE_TEST_IS_DIR))
      return TRUE;
    Set *set = g_new0 (Set, 1);
    set->inputs = g_ptr_array_new_with_free_func ((GDestroyNotify) seg_tensor_unref);
    set->outputs = g_ptr_array_new_with_free_func ((GDestroyNotify) seg_tensor_unref);
    g_ptr_array_add (test->sets, set);
    if (!read_tensors (path, "input", set->inputs, error)
        || !read_tensors (path, "output", set->outputs, error))
      return FALSE;
    retype (set->inputs, test->model->graph.inputs, test->model->graph.n_inputs);
    retype (set->outputs, test->model->graph.outputs, test->model->graph.n_outputs);
  }
}

/* The model with inputs from `first` on as initialisers. */
static gboolean
bake_inputs (Test *test, const Set *set, guint first, SegModel **out, GError **error)
{
  GByteArray *inits = g_byte_array_new ();
  g_autoptr (GBytes) baked = NULL;

  for (guint i = first; i < set->inputs->len && i < test->model->graph.n_inputs; i++)
    seg_pb_message (inits, GRAPH_INITIALIZER,
        seg_pb_tensor (
            test->model->graph.inputs[i].name, g_ptr_array_index (set->inputs, i)));
  baked = seg_pb_extend (test->bytes, MODEL_GRAPH, inits);
  *out = seg_model_parse (baked, NULL, error);
  return *out != NULL;
}

/* --- rules ------------------------------------------------------------------------------- */

static Rule
rule_of_load_error (const GError *error)
{
  if (strstr (error->message, "operator set version") != NULL)
    return RULE_OPSET;
  return g_error_matches (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED) ? RULE_TYPE
                                                                   : RULE_NONE;
}

static Rule
rule_of_model (const SegModel *model, const char *name, char **why)
{
  /* With a ratio, its expected output is NumPy's random mask. */
  if (g_str_has_prefix (name, "test_training_dropout")
      && strstr (name, "zero_ratio") == NULL)
    return RULE_RANDOM;
  for (guint i = 0; i < model->graph.n_nodes; i++) {
    const SegModelNode *node = &model->graph.nodes[i];
    if (seg_op_lookup (node->domain, node->op_type) == NULL) {
      *why = g_strdup_printf (
          "%s%s%s", node->domain, node->domain[0] ? "." : "", node->op_type);
      return RULE_OPERATOR;
    }
  }
  return RULE_NONE;
}

/* --- running ----------------------------------------------------------------------------- */

static char *
compare_outputs (const char *where, SegTensor *const *got, const GPtrArray *want)
{
  for (guint i = 0; i < want->len; i++) {
    const SegTensor *t = g_ptr_array_index (want, i);
    gboolean is_bf16 = t->desc.dtype == SEG_DTYPE_BF16;
    g_autofree char *bad =
        seg_compare (got[i], t, is_bf16 ? &tolerance_bf16 : &tolerance);
    if (bad != NULL)
      return g_strdup_printf ("%s, output %u: %s", where, i, bad);
  }
  return NULL;
}

/* NULL when it matches; newly allocated text otherwise. */
static char *
run_on_host (const SegModel *model, SegTensor *const *inputs, const GPtrArray *want)
{
  g_autofree SegTensor **got = g_new0 (SegTensor *, want->len + 1);
  g_autoptr (GError) error = NULL;
  g_autoptr (SegGraph) graph =
      seg_graph_new ((SegModel *) model, seg_op_lookup, NULL, 0, SEG_GRAPH_PLAIN, &error);
  char *bad;

  if (graph == NULL || !seg_graph_eval (graph, inputs, got, &error))
    return g_strdup_printf ("host: %s", error->message);
  bad = compare_outputs ("host", got, want);
  for (guint i = 0; i < want->len; i++)
    seg_tensor_unref (got[i]);
  return bad;
}

static void
count_steps (Run *run, const SegSession *session)
{
  SegSessionStats stats;

  seg_session_stats (session, &stats);
  if (stats.n_host_steps > 0)
    run->n_host_steps++;
  else if (stats.n_dispatches > 0)
    run->n_device++;
  else
    run->n_free++;
}

static char *
run_on_device (Run *run, SegModel *model, SegTensor *const *inputs, const GPtrArray *want)
{
  SegSessionOptions options = { .precision = SEG_PRECISION_FP32 };
  g_autofree SegTensor **got = g_new0 (SegTensor *, want->len + 1);
  g_autoptr (GError) error = NULL;
  guint messages = seg_vk_validation_messages ();
  SegSession *session = seg_session_new (model, run->vk, &options, &error);
  char *bad = NULL;

  if (session == NULL || !seg_session_run (session, inputs, got, &error)) {
    bad = g_strdup_printf ("device: %s", error->message);
  } else {
    count_steps (run, session);
    bad = compare_outputs ("device", got, want);
  }
  for (guint i = 0; i < want->len; i++)
    if (got[i] != NULL)
      seg_tensor_unref (got[i]);
  seg_session_free (&session);
  if (bad == NULL && seg_vk_validation_messages () != messages)
    bad = g_strdup ("device: messages from the validation layer");
  return bad;
}

/* On the host and on the device, with the inputs from `first` on made constant. */
static char *
run_baked (Run *run, Test *test, const Set *set, guint first, GError **error)
{
  g_autoptr (SegModel) model = NULL;
  char *bad;

  if (!bake_inputs (test, set, first, &model, error))
    return NULL;
  bad = run_on_host (model, (SegTensor **) set->inputs->pdata, set->outputs);
  return bad != NULL ? bad
                     : run_on_device (
                         run, model, (SegTensor **) set->inputs->pdata, set->outputs);
}

static gboolean
can_be_built (const Test *test, GError **error)
{
  g_autoptr (SegGraph) graph =
      seg_graph_new (test->model, seg_op_lookup, NULL, 0, SEG_GRAPH_PLAIN, error);

  return graph != NULL;
}

static gboolean
data_fits (const Test *test, const Set *set)
{
  for (guint i = 0; i < set->inputs->len; i++) {
    const SegModelValue *v = &test->model->graph.inputs[i];
    const SegTensor *t = g_ptr_array_index (set->inputs, i);
    if (v->has_shape && v->rank != t->desc.rank)
      return FALSE;
    for (guint axis = 0; v->has_shape && axis < v->rank; axis++)
      if (v->dims[axis] >= 0 && v->dims[axis] != t->desc.dims[axis])
        return FALSE;
  }
  return TRUE;
}

/* Runs one data set. Returns the rule by which it is left out, with *text the reason, or
 * RULE_NONE with *text NULL (passed) or what is wrong. */
static Rule
run_set (Run *run, Test *test, const Set *set, char **text)
{
  g_autoptr (GError) error = NULL;
  guint n_host_steps = run->n_host_steps;

  if (set->inputs->len != test->model->graph.n_inputs
      || set->outputs->len != test->model->graph.n_outputs) {
    *text = g_strdup_printf (
        "%u inputs and %u outputs in the data, %u and %u in the model", set->inputs->len,
        set->outputs->len, test->model->graph.n_inputs, test->model->graph.n_outputs);
    return RULE_NONE;
  }
  if (!data_fits (test, set))
    return RULE_DATA;
  if (!can_be_built (test, &error)) {
    *text = g_strdup (error->message);
    return g_error_matches (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED) ? RULE_REFUSED
                                                                     : RULE_NONE;
  }
  *text = run_baked (run, test, set, G_MAXUINT, &error);
  if (*text == NULL && error == NULL && set->inputs->len > 1
      && run->n_host_steps > n_host_steps) {
    /* sizes, axes and the like are constants in most networks, and then on the device */
    *text = run_baked (run, test, set, 1, &error);
    run->n_baked++;
  }
  if (*text == NULL && error != NULL)
    *text = g_strdup (error->message);
  return RULE_NONE;
}

/* pytorch-operator and pytorch-converted are of version 6, some node tests of version 1. What
 * 7 changed is broadcasting, which was asked for by an attribute, or by channel for PRelu, and
 * Upsample; everything else means the same. */
static SegModel *
load_as_opset_7 (Test *test)
{
  g_autoptr (GBytes) bytes = seg_pb_with_opset (test->bytes, 7);
  g_autoptr (SegModel) model = seg_model_parse (bytes, NULL, NULL);

  for (guint i = 0; model != NULL && i < model->graph.n_nodes; i++)
    if (seg_model_node_attr (&model->graph.nodes[i], "broadcast") != NULL
        || strcmp (model->graph.nodes[i].op_type, "Upsample") == 0
        || strcmp (model->graph.nodes[i].op_type, "PRelu") == 0)
      return NULL;
  if (model != NULL) {
    g_bytes_unref (test->bytes);
    test->bytes = g_steal_pointer (&bytes);
  }
  return g_steal_pointer (&model);
}

static gboolean
load (Test *test, const char *dir, GError **error)
{
  g_autofree char *path = g_build_filename (dir, "model.onnx", NULL);

  if ((test->bytes = read_bytes (path, error)) == NULL)
    return FALSE;
  test->model = seg_model_parse (test->bytes, dir, error);
  if (test->model == NULL && strstr ((*error)->message, "operator set version") != NULL
      && (test->model = load_as_opset_7 (test)) != NULL)
    g_clear_error (error);
  return test->model != NULL;
}

static Rule
run_test (Run *run, const char *dir, const char *name, char **text)
{
  g_auto (Test) test = { NULL };
  g_autoptr (GError) error = NULL;
  Rule rule = RULE_NONE;

  if (!load (&test, dir, &error)) {
    *text = g_strdup (error->message);
    return rule_of_load_error (error);
  }
  if ((rule = rule_of_model (test.model, name, text)) != RULE_NONE)
    return rule;
  if (!read_sets (&test, dir, &error)) {
    *text = g_strdup (error->message);
    return rule_of_load_error (error);
  }
  for (guint i = 0; i < test.sets->len && rule == RULE_NONE && *text == NULL; i++)
    rule = run_set (run, &test, g_ptr_array_index (test.sets, i), text);
  return rule;
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

static void
run_folder (Run *run, const char *data, const char *folder, const char *filter)
{
  g_autofree char *path = g_build_filename (data, folder, NULL);
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);

  for (const char *name; dir != NULL && (name = g_dir_read_name (dir)) != NULL;)
    g_ptr_array_add (names, g_strdup (name));
  g_ptr_array_sort (names, compare_names);
  for (guint i = 0; i < names->len; i++) {
    const char *name = g_ptr_array_index (names, i);
    g_autofree char *full = g_strdup_printf ("%s/%s", folder, name);
    g_autofree char *test_dir = g_build_filename (path, name, NULL);
    g_autofree char *text = NULL;
    if (filter != NULL && strstr (full, filter) == NULL)
      continue;
    Rule rule = run_test (run, test_dir, name, &text);
    if (rule == RULE_NONE) {
      seg_tap_result (&run->tap, text == NULL, full, text);
      continue;
    }
    run->n_left_out[rule]++;
    seg_tap_comment ("left out: %s: %s%s%s", full, rule_names[rule], text ? ": " : "",
        text ? g_strdelimit (text, "\n", ' ') : "");
  }
}

static void
print_summary (const Run *run)
{
  guint n_left_out = 0;

  for (guint i = 1; i < N_RULES; i++)
    n_left_out += run->n_left_out[i];
  seg_tap_comment ("%u tests: %u passed, %u failed, %u left out", run->tap.n + n_left_out,
      run->tap.n - run->tap.n_failed, run->tap.n_failed, n_left_out);
  for (guint i = 1; i < N_RULES; i++)
    seg_tap_comment ("left out, %s: %u", rule_names[i], run->n_left_out[i]);
  seg_tap_comment ("%u ran once more, with all inputs but the first made constant; %u "
                   "all on the device, %u with host "
                   "steps, %u without any work",
      run->n_baked, run->n_device, run->n_host_steps, run->n_free);
}

int
main (int argc, char **argv)
{
  g_autofree char *filter = NULL, *data = NULL;
  int status = 0;
  Run run = { 0 };
  const GOptionEntry entries[] = {
    { "filter", 0, 0, G_OPTION_ARG_STRING, &filter, "Only tests with this in folder/name",
        "TEXT" },
    { "data", 0, 0, G_OPTION_ARG_FILENAME, &data, "Where ONNX's test data is", "DIR" },
    { NULL },
  };
  g_autoptr (GOptionContext) context = g_option_context_new ("- ONNX's own tests");
  g_autoptr (GError) error = NULL;

  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error)) {
    fprintf (stderr, "%s\n", error->message);
    return 2;
  }
  if (data == NULL)
    data = g_strdup (DEFAULT_DATA);
  if (!g_file_test (data, G_FILE_TEST_IS_DIR))
    return seg_tap_skip_all ("no ONNX test data: install libonnx-testdata");
  run.vk = seg_test_device (&status);
  if (run.vk == NULL)
    return status;
  for (guint i = 0; i < G_N_ELEMENTS (folders); i++)
    run_folder (&run, data, folders[i], filter);
  print_summary (&run);
  seg_vk_unref (run.vk);
  return seg_tap_finish (&run.tap);
}
