/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows that the data decides, counted on the device: chains of nodes as detectors have them, against
 * the same on the host, with no row, one, some and all of them; garbage behind the live rows shows
 * nowhere, and no step runs on the host. */
#include "engine/session.h"
#include "lib/compare.h"
#include "lib/device.h"
#include "lib/onnx-graph.h"
#include "lib/tap.h"

#include <math.h>
#include <string.h>

#define N     300 /* scores */
#define OPSET 13

/* A node as "Op output input input ... name=number ..."; an output whose name begins with ! is the
 * graph's too. */
static const char *const keeping[] = {
  "Greater is scores least",
  "NonZero at is",
  "Transpose column at",
  "Split only column axis=1",
  "Squeeze rows only one",
  "Gather !kept boxes rows",
  "Gather !kept_scores scores rows",
  "GreaterOrEqual is2 kept_scores least2",
  "NonZero !at2 is2",
  "Squeeze rows2 at2 zero",
  "Gather !kept2 kept rows2",
  "Gather !rows2_in_all rows rows2",
  "Slice !top rows2 zero five zero",
  "Slice !middle kept2 three nine zero",
  "Slice !right kept2 one three one",
  "Shape shape kept2",
  "Identity !shape_out shape",
  "Size size kept2",
  "Identity !size_out size",
  "ReduceMax !most kept2 keepdims=0",
  "ReduceSum !sum rows2 keepdims=0",
  "ReduceSum !sums kept2 one keepdims=0",
  "Concat !twice kept2 kept2 axis=1",
  "Split near far kept2 axis=1",
  "Sub !extent far near",
  "Mul !scaled extent most",
  "Max !at_least extent half",
  "Min !less kept2 twice_kept2",
  "Add twice_kept2 kept2 kept2",
  "ConstantOfShape zeros shape",
  "Add !plus zeros kept2",
  "Gather n shape zero",
  "Concat wide_shape n three axis=0",
  "Expand !wide ones wide_shape",
  "Unsqueeze three_axes kept2 zero",
  "Squeeze !again three_axes zero",
  "Reshape flat kept2 minus",
  "Greater flat_is flat half",
  "NonZero !flat_at flat_is",
  "Softmax !soft kept2 axis=1",
  "Pad !padded kept2 pads",
  "Squeeze n_scalar n zero",
  "Range !numbers nought n_scalar number",
  "Range !later three_scalar n_scalar number",
  "Gather !same kept2 numbers",
  NULL,
};

/* Live along another axis than the first, or of more than one dimension. */
static const char *const coordinates[] = {
  "Greater is boxes least",
  "NonZero !at is",
  "Transpose !places at",
  "Split !y x places axis=1",
  "Squeeze xs x one",
  "Gather column_scores four_scores xs",
  "Greater is2 column_scores least2",
  "NonZero !at2 is2",
  "Gather !chosen at row_numbers axis=0",
  "GatherND !values boxes places",
  "Concat !alone at axis=1",
  NULL,
};

/* Rows back where they come from, as pooling by levels has it. */
static const char *const levels[] = {
  "Greater is scores least",
  "NonZero at is",
  "Squeeze rows at zero",
  "Gather kept boxes rows",
  "Gather kept_scores scores rows",
  "Less low kept_scores least2",
  "NonZero low_at low",
  "Squeeze low_rows low_at zero",
  "Gather low_kept kept low_rows",
  "Unsqueeze low_columns low_rows one",
  "Shape low_shape low_kept",
  "Expand low_places low_columns low_shape",
  "Shape shape kept",
  "ConstantOfShape zeros shape",
  "ScatterElements !merged zeros low_places low_kept axis=0",
  "ReduceSum !total merged keepdims=0",
  NULL,
};

/* Rows of two kinds, which are as many only by chance. */
static const char *const different[] = {
  "Greater is scores least",
  "NonZero at is",
  "Squeeze rows at zero",
  "Gather kept boxes rows",
  "Greater is2 scores least2",
  "NonZero at2 is2",
  "Squeeze rows2 at2 zero",
  "Gather kept2 boxes rows2",
  "Add !sum kept kept2",
  NULL,
};

/* What torchvision does around its suppression; the branch is `suppression`. */
static const char *const detecting[] = {
  "Greater is scores least",
  "NonZero at is",
  "Squeeze rows at zero",
  "Gather kept boxes rows",
  "Gather kept_scores scores rows",
  "Gather kept_labels labels rows",
  "Shape shape kept",
  "ReduceProd size shape keepdims=0",
  "Equal nothing size nought",
  "If keep nothing",
  "Slice !best keep zero nine zero",
  "Gather !found kept best",
  "Gather !found_scores kept_scores best",
  NULL,
};
static const char *const suppression[] = {
  "ReduceMax largest kept keepdims=0",
  "Add far largest unit",
  "Mul offsets kept_labels far",
  "Unsqueeze columns offsets one",
  "Add moved kept columns",
  "Unsqueeze batch moved zero",
  "Unsqueeze batch_scores kept_scores both",
  "Cast batch_floats batch to=1", /* which they are already, live along the second axis */
  "NonMaxSuppression selected batch_floats batch_scores many overlap",
  "Gather column selected two axis=1",
  "Squeeze selected_rows column one",
  NULL,
};

/* Channels of a map, as many as the data says: they are no first part of its memory. */
static const char *const channels[] = {
  "Slice few_scores scores zero sixteen zero",
  "Greater is few_scores least",
  "NonZero at is",
  "Squeeze rows at zero",
  "Reshape maps boxes few_maps",
  "Conv map maps conv_weights pads=1111",
  "Gather !chosen map rows axis=1",
  NULL,
};

/* What is done to each row: kernels of which only groups for live rows run. */
static const char *const heads[] = {
  "Greater is scores least",
  "NonZero at is",
  "Squeeze rows at zero",
  "Gather kept boxes rows",
  "Gemm wide kept fc_weights fc_bias",
  "Relu active wide",
  "Gemm !odd active odd_weights", /* columns that are not whole texels */
  "MatMul !product active fc2_weights",
  "Reshape maps active map_shape",
  "Conv first maps conv_weights pads=1111",
  "Relu second first",
  "Conv !strided second conv2_weights pads=1111 strides=22",
  "Conv !each second depthwise_weights pads=1111 group=16",
  "ConvTranspose twice second up_weights strides=22",
  "ConvTranspose !large second large_weights strides=44",
  "Conv !logits twice point_weights",
  "Transpose turned logits",
  "Sigmoid !probabilities logits",
  "Expand !places at_columns wide_shape",
  "Shape shape wide",
  "Identity wide_shape shape",
  "Unsqueeze at_columns rows one",
  NULL,
};

typedef struct {
  const char *name;
  const char *const *nodes;
  guint n_live; /* dispatches that are for live rows alone: at least so many */
} Model;

static const Model models[] = { { "keeping", keeping }, { "coordinates", coordinates },
  { "levels", levels }, { "detecting", detecting }, { "heads", heads, 12 },
  { "channels", channels } };

/* --- models --------------------------------------------------------------------------------- */

static void
ints (GByteArray *graph, const char *name, gint64 a, gint64 b, guint n)
{
  const gint64 values[2] = { a, b }, dims[1] = { n };
  seg_pb_add_constant (graph, name, SEG_DTYPE_I64, 1, dims, values);
}

static void
scalar (GByteArray *graph, const char *name, float value)
{
  seg_pb_add_constant (graph, name, SEG_DTYPE_F32, 0, NULL, &value);
}

static void
weights (GByteArray *graph, const char *name, guint rank, const gint64 *dims)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (rank + dims[0]);
  gsize n = seg_desc_n_elems (&(SegDesc){ SEG_DTYPE_F32, rank,
      { dims[0], rank > 1 ? dims[1] : 0, rank > 2 ? dims[2] : 0,
          rank > 3 ? dims[3] : 0 } });
  g_autofree float *data = g_new (float, n);
  for (gsize i = 0; i < n; i++)
    data[i] = g_rand_double_range (random, -0.5, 0.5);
  seg_pb_add_constant (graph, name, SEG_DTYPE_F32, rank, dims, data);
}

/* Of `heads` and `channels`. */
static void
add_weights (GByteArray *graph)
{
  const gint64 map_shape[4] = { -1, 16, 4, 8 }, few_maps[4] = { 1, 16, 5, 15 };
  weights (graph, "fc_weights", 2, (gint64[]){ 4, 512 });
  weights (graph, "fc_bias", 1, (gint64[]){ 512 });
  weights (graph, "odd_weights", 2, (gint64[]){ 512, 7 });
  weights (graph, "fc2_weights", 2, (gint64[]){ 512, 24 });
  weights (graph, "conv_weights", 4, (gint64[]){ 16, 16, 3, 3 });
  weights (graph, "conv2_weights", 4, (gint64[]){ 24, 16, 3, 3 });
  weights (graph, "depthwise_weights", 4, (gint64[]){ 16, 1, 3, 3 });
  weights (graph, "up_weights", 4, (gint64[]){ 16, 16, 2, 2 });
  weights (graph, "large_weights", 4, (gint64[]){ 16, 2, 4, 4 });
  weights (graph, "point_weights", 4, (gint64[]){ 5, 16, 1, 1 });
  seg_pb_add_constant (graph, "map_shape", SEG_DTYPE_I64, 1, (gint64[]){ 4 }, map_shape);
  seg_pb_add_constant (graph, "few_maps", SEG_DTYPE_I64, 1, (gint64[]){ 4 }, few_maps);
}

static void
add_constants (GByteArray *graph)
{
  static const char *const names[] = { "zero", "one", "two", "three", "four", "five" };
  const gint64 nought = 0, three[2] = { 1, 3 };
  const float ones[3] = { 1, 2, 3 }, four_scores[4] = { 0.1f, 0.9f, 0.4f, 0.6f };
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    ints (graph, names[i], i, 0, 1);
  ints (graph, "nine", 9, 0, 1);
  ints (graph, "sixteen", 16, 0, 1);
  ints (graph, "minus", -1, 0, 1);
  ints (graph, "both", 0, 1, 2);
  ints (graph, "row_numbers", 1, 0, 2);
  ints (graph, "many", G_MAXINT64, 0, 1);
  seg_pb_add_constant (graph, "nought", SEG_DTYPE_I64, 0, NULL, &nought);
  seg_pb_add_constant (graph, "ones", SEG_DTYPE_F32, 2, three, ones);
  seg_pb_add_constant (
      graph, "four_scores", SEG_DTYPE_F32, 1, (gint64[1]){ 4 }, four_scores);
  const gint64 number = 1, three_scalar = 3, pads[4] = { 0, 1, 0, 2 };
  seg_pb_add_constant (graph, "number", SEG_DTYPE_I64, 0, NULL, &number);
  seg_pb_add_constant (graph, "three_scalar", SEG_DTYPE_I64, 0, NULL, &three_scalar);
  seg_pb_add_constant (graph, "pads", SEG_DTYPE_I64, 1, (gint64[1]){ 4 }, pads);
  scalar (graph, "half", 0.5f);
  scalar (graph, "unit", 1);
  seg_pb_add_constant (
      graph, "overlap", SEG_DTYPE_F32, 1, (gint64[1]){ 1 }, &(float){ 0.3f });
}

static GByteArray *branch_graph (const char *const *nodes);

static void
add_branches (GByteArray *node)
{
  enum { NODE_ATTRIBUTE = 5, ATTR_NAME = 1, ATTR_G = 6, ATTR_TYPE = 20, IS_GRAPH = 5 };
  for (guint i = 0; i < 2; i++) {
    GByteArray *attr = g_byte_array_new ();
    seg_pb_string (attr, ATTR_NAME, i == 0 ? "then_branch" : "else_branch");
    seg_pb_message (attr, ATTR_G, branch_graph (i == 0 ? NULL : suppression));
    seg_pb_int (attr, ATTR_TYPE, IS_GRAPH);
    seg_pb_message (node, NODE_ATTRIBUTE, attr);
  }
}

/* A number; or for pads and strides, which are lists, a digit each. */
static void
add_attribute (GByteArray *node, const char *name, const char *value)
{
  gint64 list[4] = { 0 };
  if (!g_str_equal (name, "pads") && !g_str_equal (name, "strides")) {
    seg_pb_attr_int (node, name, g_ascii_strtoll (value, NULL, 10));
    return;
  }
  guint n = (guint) strlen (value);
  for (guint i = 0; i < n && i < G_N_ELEMENTS (list); i++)
    list[i] = value[i] - '0';
  seg_pb_attr_ints (node, name, list, n);
}

/* The node of a line; its output's name, which is the caller's, and whether it is the graph's. */
static GByteArray *
read_node (const char *line, char **output, gboolean *is_output)
{
  enum { NODE_INPUT = 1, NODE_OUTPUT };
  g_auto (GStrv) words = g_strsplit (line, " ", -1);
  guint n_outputs = g_str_equal (words[0], "Split") && g_strv_length (words) == 5 ? 2 : 1;
  *is_output = words[1][0] == '!';
  *output = g_strdup (words[1] + *is_output);
  GByteArray *node = seg_pb_node (words[0], *output, NULL);
  if (n_outputs == 2)
    seg_pb_string (node, NODE_OUTPUT, words[2]);
  for (guint i = 1 + n_outputs; words[i] != NULL; i++) {
    char *is = strchr (words[i], '=');
    if (is == NULL) {
      seg_pb_string (node, NODE_INPUT, words[i]);
      continue;
    }
    *is = '\0';
    add_attribute (node, words[i], is + 1);
  }
  if (g_str_equal (words[0], "If"))
    add_branches (node);
  return node;
}

static void
add_output (GByteArray *graph, const char *name)
{
  seg_pb_message (graph, GRAPH_OUTPUT, seg_pb_value_info (name, NULL));
}

static void
add_nodes (GByteArray *graph, const char *const *nodes, gboolean last_is_output)
{
  for (guint i = 0; nodes[i] != NULL; i++) {
    g_autofree char *output = NULL;
    gboolean is_output;
    seg_pb_add_node (graph, read_node (nodes[i], &output, &is_output));
    if (is_output || (last_is_output && nodes[i + 1] == NULL))
      add_output (graph, output);
  }
}

/* NULL: one that yields nothing. */
static GByteArray *
branch_graph (const char *const *nodes)
{
  GByteArray *graph = g_byte_array_new ();
  if (nodes != NULL) {
    add_nodes (graph, nodes, TRUE);
  } else {
    seg_pb_add_constant (graph, "none", SEG_DTYPE_I64, 1, (gint64[1]){ 0 }, "");
    seg_pb_add_node (graph, seg_pb_node ("Identity", "nothing_at_all", "none", NULL));
    add_output (graph, "nothing_at_all");
  }
  seg_pb_string (graph, GRAPH_NAME, "branch");
  return graph;
}

static SegModel *
make_model (const Model *model)
{
  static const struct {
    const char *name;
    guint rank;
    gint64 dims[2];
  } inputs[] = { { "scores", 1, { N } }, { "boxes", 2, { N, 4 } }, { "labels", 1, { N } },
    { "least", 0, { 0 } }, { "least2", 0, { 0 } } };
  g_autoptr (GError) error = NULL;
  GByteArray *graph = g_byte_array_new ();
  add_constants (graph);
  add_weights (graph);
  for (guint i = 0; i < G_N_ELEMENTS (inputs); i++)
    seg_pb_message (graph, GRAPH_INPUT,
        seg_pb_free_value_info (
            inputs[i].name, SEG_DTYPE_F32, inputs[i].rank, inputs[i].dims));
  add_nodes (graph, model->nodes, FALSE);
  seg_pb_string (graph, GRAPH_NAME, model->name);
  g_autoptr (GBytes) bytes = seg_pb_model (graph, OPSET, NULL);
  SegModel *m = seg_model_parse (bytes, NULL, &error);
  g_assert_no_error (error);
  return m;
}

/* --- data ----------------------------------------------------------------------------------- */

typedef struct {
  const char *name;
  float least, least2;
  gboolean ties, nans;
} Data;

static const Data datas[] = {
  { "some", 0.6f, 0.7f },
  { "none", 2, 2 },
  { "none of some", 0.6f, 2 },
  { "one", 0.9965f, 0 },
  { "all", -1, -1 },
  { "ties", 0.3f, 0.5f, .ties = TRUE },
  { "NaNs", 0.2f, 0.4f, .nans = TRUE },
};

static SegTensor *
new_floats (guint rank, gint64 a, gint64 b)
{
  return seg_tensor_new (&(SegDesc){ SEG_DTYPE_F32, rank, { a, b } }, NULL);
}

static void
fill (const Data *d, SegTensor **in)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (11);
  in[0] = new_floats (1, N, 0);
  in[1] = new_floats (2, N, 4);
  in[2] = new_floats (1, N, 0);
  in[3] = new_floats (0, 0, 0);
  in[4] = new_floats (0, 0, 0);
  for (guint i = 0; i < N; i++) {
    float score = g_rand_double (random), *box = (float *) in[1]->data + 4 * i;
    ((float *) in[0]->data)[i] = d->ties                 ? roundf (4 * score) / 4
                                 : d->nans && i % 7 == 0 ? NAN
                                                         : score;
    ((float *) in[2]->data)[i] = i % 3;
    for (guint k = 0; k < 4; k++)
      box[k] = g_rand_double (random) * 0.7 + (k > 1 ? 0.3 : 0);
  }
  *(float *) in[3]->data = d->least;
  *(float *) in[4]->data = d->least2;
}

/* --- running -------------------------------------------------------------------------------- */

static void
clear (SegTensor **tensors, guint n)
{
  for (guint i = 0; i < n; i++)
    g_clear_pointer (&tensors[i], seg_tensor_unref);
}

/* What differs, or NULL. */
static char *
compare (const SegSession *s, SegTensor **got, SegTensor **want, SegPrecision precision)
{
  const GPtrArray *outputs = seg_session_graph (s)->outputs;
  SegTolerance t = { .relative = 1e-5, .to_largest = TRUE };
  if (precision == SEG_PRECISION_FP16) {
    t.relative = 2e-3;
    t.half = TRUE;
  }
  for (guint i = 0; i < outputs->len; i++) {
    const SegValue *v = g_ptr_array_index (outputs, i);
    g_autofree char *wrong = seg_compare (got[i], want[i], &t);
    if (wrong != NULL)
      return g_strdup_printf ("%s: %s", v->name, wrong);
  }
  return NULL;
}

static char *
run_data (SegSession *device, SegSession *host, const Data *d, SegPrecision precision)
{
  SegTensor *in[5], *got[64] = { NULL }, *want[64] = { NULL };
  g_autoptr (GError) error = NULL;
  char *wrong = NULL;
  fill (d, in);
  if (!seg_session_run (host, in, want, &error)
      || !seg_session_run (device, in, got, &error))
    wrong = g_strdup (error->message);
  else
    wrong = compare (host, got, want, precision);
  clear (in, 5);
  clear (got, 64);
  clear (want, 64);
  return wrong;
}

static void
run_model (SegTap *tap, SegVk *vk, const Model *model, SegPrecision precision)
{
  g_autoptr (GError) error = NULL;
  SegModel *m = make_model (model);
  SegSessionOptions plain = { 0 }, options = { .precision = precision, .poison = TRUE };
  SegSession *host = seg_session_new (m, NULL, &plain, &error);
  g_assert_no_error (error);
  SegSession *device = seg_session_new (m, vk, &options, &error);
  g_assert_no_error (error);
  SegSessionStats stats;
  seg_session_stats (device, &stats);
  const char *storage = precision == SEG_PRECISION_FP16 ? "fp16" : "fp32";
  g_autofree char *name = g_strdup_printf ("%s, %s: no host step", model->name, storage);
  seg_tap_result (tap, stats.n_host_steps == 0, name, NULL);
  g_autofree char *live = g_strdup_printf ("%s, %s: %u dispatches for live rows alone",
      model->name, storage, stats.n_live_dispatches);
  seg_tap_result (tap, stats.n_live_dispatches >= model->n_live, live, NULL);
  /* The same recording over and over: a count of one run must not be another's. */
  for (guint i = 0; i < 2 * G_N_ELEMENTS (datas); i++) {
    const Data *d = &datas[i % G_N_ELEMENTS (datas)];
    g_autofree char *of = g_strdup_printf ("%s, %s, %s", model->name, storage, d->name);
    g_autofree char *wrong = run_data (device, host, d, precision);
    seg_tap_result (tap, wrong == NULL, of, wrong);
  }
  seg_session_free (&device);
  seg_session_free (&host);
  seg_model_unref (m);
}

static void
run_different (SegTap *tap, SegVk *vk)
{
  const Model model = { "different", different };
  const Data unequal = { "unequal", 0.6f, 0.7f }, equal = { "equal", 0.5f, 0.5f };
  SegModel *m = make_model (&model);
  SegSessionOptions options = { .precision = SEG_PRECISION_FP32, .poison = TRUE };
  g_autoptr (GError) error = NULL;
  SegSession *s = seg_session_new (m, vk, &options, &error);
  g_assert_no_error (error);
  SegTensor *in[5], *out[1] = { NULL };
  fill (&unequal, in);
  gboolean refused = !seg_session_run (s, in, out, &error)
                     && strstr (error->message, "its inputs have") != NULL;
  seg_tap_result (tap, refused, "rows of two kinds: refused", NULL);
  clear (in, 5);
  clear (out, 1);
  g_clear_error (&error);
  fill (&equal, in);
  gboolean ok = seg_session_run (s, in, out, &error);
  seg_tap_result (
      tap, ok, "rows of two kinds, as many", error != NULL ? error->message : NULL);
  clear (in, 5);
  clear (out, 1);
  seg_session_free (&s);
  seg_model_unref (m);
}

/* test-counted [MODEL] */
int
main (int argc, char **argv)
{
  int status;
  g_autoptr (SegVk) vk = seg_test_device (&status);
  SegTap tap = { 0 };
  if (vk == NULL)
    return status;
  for (guint i = 0; i < G_N_ELEMENTS (models); i++) {
    if (argc > 1 && !g_str_equal (argv[1], models[i].name))
      continue;
    run_model (&tap, vk, &models[i], SEG_PRECISION_FP32);
    run_model (&tap, vk, &models[i], SEG_PRECISION_FP16);
  }
  if (argc == 1)
    run_different (&tap, vk);
  return seg_tap_finish (&tap);
}
