/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "graph/rewrite.h"
#include "lib/onnx-writer.h"
#include "ops/table.h"

#include <string.h>

/* Field numbers of onnx.proto that are written here. */
enum { NODE_INPUT = 1, NODE_OUTPUT = 2, NODE_NAME = 3, NODE_OP = 4, NODE_ATTRIBUTE = 5 };
enum { ATTR_NAME = 1, ATTR_INT = 3, ATTR_INTS = 8, ATTR_TYPE = 20 };
enum { TYPE_INT = 2, TYPE_INTS = 7 };
enum { GRAPH_NODE = 1, GRAPH_INIT = 5, GRAPH_INPUT = 11, GRAPH_OUTPUT = 12 };

/* With one attribute of n integers. */
static void
add_node_with (GByteArray *graph, const char *op, const char *inputs, const char *outputs,
    const char *attr_name, const gint64 *ints, guint n)
{
  GByteArray *node = g_byte_array_new ();
  g_auto (GStrv) in = g_strsplit (inputs, " ", -1);
  g_auto (GStrv) out = g_strsplit (outputs, " ", -1);
  for (guint i = 0; in[i] != NULL; i++)
    seg_pb_string (node, NODE_INPUT, in[i]);
  for (guint i = 0; out[i] != NULL; i++)
    seg_pb_string (node, NODE_OUTPUT, out[i]);
  seg_pb_string (node, NODE_NAME, out[0]);
  seg_pb_string (node, NODE_OP, op);
  if (attr_name != NULL) {
    GByteArray *attr = g_byte_array_new ();
    seg_pb_string (attr, ATTR_NAME, attr_name);
    for (guint i = 0; i < n; i++)
      seg_pb_int (attr, n == 1 ? ATTR_INT : ATTR_INTS, ints[i]);
    seg_pb_int (attr, ATTR_TYPE, n == 1 ? TYPE_INT : TYPE_INTS);
    seg_pb_message (node, NODE_ATTRIBUTE, attr);
  }
  seg_pb_message (graph, GRAPH_NODE, node);
}

static void
add_node (GByteArray *graph, const char *op, const char *inputs, const char *output)
{
  add_node_with (graph, op, inputs, output, NULL, NULL, 0);
}

static void
add_value (
    GByteArray *graph, guint field, const char *name, guint rank, const gint64 *dims)
{
  SegDesc desc = { .dtype = SEG_DTYPE_F32, .rank = rank };
  memcpy (desc.dims, dims, rank * sizeof *dims);
  seg_pb_message (graph, field, seg_pb_value_info (name, &desc));
}

/* Initialiser with the elements 1, 2, 3, ... */
static void
add_counting (GByteArray *graph, const char *name, guint rank, const gint64 *dims)
{
  SegDesc desc = { .dtype = SEG_DTYPE_F32, .rank = rank };
  memcpy (desc.dims, dims, rank * sizeof *dims);
  g_autoptr (SegTensor) t = seg_tensor_new (&desc, NULL);
  for (gint64 i = 0; i < seg_desc_n_elems (&desc); i++)
    seg_tensor_set_double (t, i, i % 7 + 1);
  seg_pb_message (graph, GRAPH_INIT, seg_pb_tensor (name, t));
}

static SegGraph *
finish (GByteArray *graph, SegGraphFlags flags, GError **error)
{
  g_autoptr (GBytes) bytes = seg_pb_model (graph, 17, NULL);
  g_autoptr (SegModel) model = seg_model_parse (bytes, NULL, error);
  return model != NULL ? seg_graph_new (model, seg_op_lookup, NULL, 0, flags, error)
                       : NULL;
}

static const gint64 MAP[] = { 1, 4, 5, 6 };

static GByteArray *
begin (void)
{
  GByteArray *graph = g_byte_array_new ();
  add_value (graph, GRAPH_INPUT, "x", 4, MAP);
  add_value (graph, GRAPH_OUTPUT, "y", 4, MAP);
  return graph;
}

static void
expect_error (GByteArray *graph, int code, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SegGraph) g = finish (graph, SEG_GRAPH_PLAIN, &error);
  g_assert_null (g);
  g_assert_error (error, SEG_ERROR, code);
  if (strstr (error->message, text) == NULL)
    g_error ("'%s' does not say '%s'", error->message, text);
}

static void
test_any_order (void)
{
  GByteArray *graph = begin ();
  add_node (graph, "Sigmoid", "a", "y"); /* before what it needs */
  add_node (graph, "Relu", "x", "a");
  g_autoptr (GError) error = NULL;
  g_autoptr (SegGraph) g = finish (graph, SEG_GRAPH_PLAIN, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (((SegNode *) g->nodes->pdata[0])->op->name, ==, "Relu");
  g_assert_cmpstr (((SegNode *) g->nodes->pdata[1])->op->name, ==, "Sigmoid");
}

static void
test_cycle (void)
{
  GByteArray *graph = begin ();
  add_node (graph, "Add", "x b", "a");
  add_node (graph, "Relu", "a", "b");
  add_node (graph, "Relu", "b", "y");
  expect_error (graph, SEG_ERROR_MODEL, "cycle");
}

static void
test_dangling (void)
{
  GByteArray *graph = begin ();
  add_node (graph, "Add", "x nowhere", "y");
  expect_error (graph, SEG_ERROR_MODEL, "'nowhere'");
}

static void
test_twice (void)
{
  GByteArray *graph = begin ();
  add_node (graph, "Relu", "x", "y");
  add_node (graph, "Sigmoid", "x", "y");
  expect_error (graph, SEG_ERROR_MODEL, "twice");
}

static void
test_unknown (void)
{
  GByteArray *graph = begin ();
  add_node (graph, "Frobnicate", "x", "a");
  add_node (graph, "Defrost", "a", "y");
  expect_error (graph, SEG_ERROR_UNSUPPORTED, "Frobnicate\n  node 'y': Defrost");
}

/* A node that the outputs do not need may be anything. */
static void
test_unneeded (void)
{
  GByteArray *graph = begin ();
  add_node (graph, "Frobnicate", "x", "a");
  add_node (graph, "Relu", "x", "y");
  g_autoptr (GError) error = NULL;
  g_autoptr (SegGraph) g = finish (graph, SEG_GRAPH_PLAIN, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (g->nodes->len, ==, 1);
}

/* As long a chain as a file can hold must not overflow the stack. */
static void
test_long_chain (void)
{
  GByteArray *graph = begin ();
  for (guint i = 0; i < 20000; i++) {
    g_autofree char *in = i == 0 ? g_strdup ("x") : g_strdup_printf ("v%u", i - 1);
    g_autofree char *out = i == 19999 ? g_strdup ("y") : g_strdup_printf ("v%u", i);
    add_node (graph, "Relu", in, out);
  }
  g_autoptr (GError) error = NULL;
  g_autoptr (SegGraph) g = finish (graph, SEG_GRAPH_PLAIN, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (g->nodes->len, ==, 20000);
}

/* conv -> batch norm -> relu, plus x, -> sigmoid: one convolution. */
static void
test_fusion (void)
{
  const gint64 w[] = { 4, 4, 1, 1 }, c[] = { 4 };
  GByteArray *graph = begin ();
  add_counting (graph, "w", 4, w);
  add_counting (graph, "scale", 1, c);
  add_node (graph, "Conv", "x w", "a");
  add_node (graph, "BatchNormalization", "a scale scale scale scale", "b");
  add_node (graph, "Relu", "b", "r");
  add_node (graph, "Add", "r x", "s");
  add_node (graph, "Sigmoid", "s", "y");
  g_autoptr (GError) error = NULL;
  g_autoptr (SegGraph) g = finish (graph, SEG_GRAPH_OPTIMISE, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (g->nodes->len, ==, 1);
  const SegNode *conv = g->nodes->pdata[0];
  g_assert_cmpstr (conv->op->name, ==, "Conv");
  g_assert_cmpint (conv->epilogue.act.kind, ==, SEG_ACT_RELU);
  g_assert_cmpint (conv->epilogue.residual, ==, 3);
  g_assert_cmpint (conv->epilogue.act2.kind, ==, SEG_ACT_SIGMOID);
}

static SegTensor *
ramp (const SegDesc *desc)
{
  SegTensor *t = seg_tensor_new (desc, NULL);
  for (gint64 i = 0; i < seg_desc_n_elems (desc); i++)
    seg_tensor_set_double (t, i, (i * 37 % 101) / 50. - 1);
  return t;
}

/* Each rewriting leaves the result as it was. */
static void
same_result (GByteArray *(*make) (void), guint n_nodes)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SegGraph) plain = finish (make (), SEG_GRAPH_PLAIN, &error);
  g_assert_no_error (error);
  g_autoptr (SegGraph) fused = finish (make (), SEG_GRAPH_OPTIMISE, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (fused->nodes->len, ==, n_nodes);
  g_autoptr (SegTensor) x = ramp (&((SegValue *) plain->inputs->pdata[0])->desc);
  g_autoptr (SegTensor) a = NULL;
  g_autoptr (SegTensor) b = NULL;
  seg_graph_eval (plain, &x, &a, &error);
  g_assert_no_error (error);
  seg_graph_eval (fused, &x, &b, &error);
  g_assert_no_error (error);
  for (gint64 i = 0; i < seg_desc_n_elems (&a->desc); i++)
    g_assert_cmpfloat_with_epsilon (
        seg_tensor_get_double (a, i), seg_tensor_get_double (b, i), 1e-4);
}

static GByteArray *
gated (void)
{
  const gint64 w[] = { 4, 4, 1, 1 };
  GByteArray *graph = begin ();
  add_counting (graph, "w", 4, w);
  add_node (graph, "Conv", "x w", "a");
  add_node (graph, "Sigmoid", "a", "g");
  add_node (graph, "Mul", "a g", "y");
  return graph;
}

static GByteArray *
scaled_transposed (void)
{
  const gint64 w[] = { 4, 4, 1, 1 }, per_channel[] = { 4, 1, 1 };
  GByteArray *graph = begin ();
  add_counting (graph, "w", 4, w);
  add_counting (graph, "k", 3, per_channel);
  add_node (graph, "ConvTranspose", "x w", "a");
  add_node (graph, "Mul", "a k", "b");
  add_node (graph, "Add", "k b", "y");
  return graph;
}

static GByteArray *
residual_made_later (void)
{
  const gint64 w[] = { 4, 4, 1, 1 };
  GByteArray *graph = begin ();
  add_counting (graph, "w", 4, w);
  add_node (graph, "Conv", "x w", "a");
  add_node (graph, "Sigmoid", "x", "later");
  add_node (graph, "Add", "a later", "s");
  add_node (graph, "Relu", "s", "y");
  return graph;
}

static const gint64 TO_LAST[] = { 0, 2, 3, 1 }, FROM_LAST[] = { 0, 3, 1, 2 };

/* Both halves of a split go through transpositions, and so does what they come from. */
static GByteArray *
split_transposed (void)
{
  const gint64 axis = 3;
  GByteArray *graph = begin ();
  add_node_with (graph, "Transpose", "x", "t", "perm", TO_LAST, 4);
  add_node (graph, "Relu", "t", "r");
  add_node_with (graph, "Split", "r", "a b", "axis", &axis, 1);
  add_node_with (graph, "Transpose", "a", "c", "perm", FROM_LAST, 4);
  add_node_with (graph, "Transpose", "b", "d", "perm", FROM_LAST, 4);
  add_node_with (graph, "Concat", "d c", "e", "axis", (gint64[]){ 1 }, 1);
  add_node (graph, "Sigmoid", "e", "y");
  return graph;
}

/* One half is turned only together with the other, which comes to it through a function. */
static GByteArray *
split_half_transposed (void)
{
  const gint64 axis = 3;
  GByteArray *graph = begin ();
  add_node_with (graph, "Transpose", "x", "t", "perm", TO_LAST, 4);
  add_node_with (graph, "Split", "t", "a b", "axis", &axis, 1);
  add_node_with (graph, "Transpose", "a", "c", "perm", FROM_LAST, 4);
  add_node (graph, "Sigmoid", "b", "s");
  add_node_with (graph, "Transpose", "s", "d", "perm", FROM_LAST, 4);
  add_node_with (graph, "Concat", "d c", "y", "axis", (gint64[]){ 1 }, 1);
  return graph;
}

/* The transposition whose result is the graph's stays, as what the three amount to. */
static GByteArray *
three_transpositions (void)
{
  GByteArray *graph = begin ();
  add_node_with (graph, "Transpose", "x", "a", "perm", TO_LAST, 4);
  add_node_with (graph, "Transpose", "a", "b", "perm", TO_LAST, 4);
  add_node_with (graph, "Transpose", "b", "y", "perm", TO_LAST, 4);
  return graph;
}

static void
test_same_results (void)
{
  same_result (split_transposed, 4);
  same_result (split_half_transposed, 3);
  same_result (three_transpositions, 1);
  same_result (gated, 1);
  same_result (scaled_transposed, 1);
  same_result (residual_made_later, 2);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/graph/any-order", test_any_order);
  g_test_add_func ("/graph/cycle", test_cycle);
  g_test_add_func ("/graph/dangling", test_dangling);
  g_test_add_func ("/graph/twice", test_twice);
  g_test_add_func ("/graph/unknown", test_unknown);
  g_test_add_func ("/graph/unneeded", test_unneeded);
  g_test_add_func ("/graph/long-chain", test_long_chain);
  g_test_add_func ("/graph/fusion", test_fusion);
  g_test_add_func ("/graph/same-results", test_same_results);
  return g_test_run ();
}
