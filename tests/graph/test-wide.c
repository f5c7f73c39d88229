/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an fp16 program keeps in fp32: what a region of RoiAlign is computed from and what is computed
 * from it, but no feature map; and that readers of either storage get what they read. */
#include "engine/session.h"
#include "lib/device.h"
#include "lib/onnx-writer.h"
#include "ops/table.h"

#include <math.h>
#include <string.h>

/* Field numbers of onnx.proto. */
enum { NODE_INPUT = 1, NODE_OUTPUT, NODE_OP_TYPE = 4 };
enum { GRAPH_NODE = 1, GRAPH_NAME, GRAPH_INIT = 5, GRAPH_INPUT = 11, GRAPH_OUTPUT = 12 };

#define FAR 1000.3125f /* half floats are half a pixel apart here */

static SegTensor *
new_floats (gint64 rows, gint64 columns, float first, float step)
{
  SegDesc desc = { SEG_DTYPE_F32, 2, { rows, columns } };
  SegTensor *t = seg_tensor_new (&desc, NULL);
  for (gint64 i = 0; i < rows * columns; i++)
    ((float *) t->data)[i] = first + step * i;
  return t;
}

static void
add_floats (GByteArray *graph, const char *name, gint64 rows, gint64 columns, float first,
    float step)
{
  SegTensor *t = new_floats (rows, columns, first, step);
  seg_pb_message (graph, GRAPH_INIT, seg_pb_tensor (name, t));
  seg_tensor_unref (t);
}

static void
add_ints (GByteArray *graph, const char *name, const gint64 *data, gint64 n)
{
  SegTensor *t = seg_tensor_new (&(SegDesc){ SEG_DTYPE_I64, 1, { n } }, NULL);
  memcpy (t->data, data, n * sizeof *data);
  seg_pb_message (graph, GRAPH_INIT, seg_pb_tensor (name, t));
  seg_tensor_unref (t);
}

/* Inputs with a blank between them. */
static void
add_node (GByteArray *graph, const char *output, const char *op, const char *inputs)
{
  GByteArray *node = g_byte_array_new ();
  g_auto (GStrv) names = g_strsplit (inputs, " ", -1);
  for (guint i = 0; names[i] != NULL; i++)
    seg_pb_string (node, NODE_INPUT, names[i]);
  seg_pb_string (node, NODE_OUTPUT, output);
  seg_pb_string (node, NODE_OP_TYPE, op);
  seg_pb_message (graph, GRAPH_NODE, node);
}

static void
add_ends (GByteArray *graph)
{
  const SegDesc maps = { SEG_DTYPE_F32, 4, { 1, 8, 16, 16 } };
  const SegDesc boxes = { SEG_DTYPE_F32, 2, { 3, 4 } },
                deltas = { SEG_DTYPE_F32, 2, { 3, 8 } };
  seg_pb_message (graph, GRAPH_INPUT, seg_pb_value_info ("maps", &maps));
  seg_pb_message (graph, GRAPH_INPUT, seg_pb_value_info ("boxes", &boxes));
  seg_pb_message (graph, GRAPH_INPUT, seg_pb_value_info ("deltas", &deltas));
  seg_pb_message (graph, GRAPH_OUTPUT, seg_pb_value_info ("pooled", NULL));
  seg_pb_message (graph, GRAPH_OUTPUT, seg_pb_value_info ("table", NULL));
  seg_pb_message (graph, GRAPH_OUTPUT, seg_pb_value_info ("head", NULL));
}

static SegModel *
new_model (void)
{
  g_autoptr (GError) error = NULL;
  GByteArray *graph = g_byte_array_new ();
  const gint64 pictures[3] = { 0 }, shape[2] = { 3, 4 };
  seg_pb_string (graph, GRAPH_NAME, "wide");
  add_floats (graph, "w_delta", 8, 4, -0.5f, 0.03125f);
  add_floats (graph, "w_head", 4, 8, 0.001f, 0.0001f);
  add_floats (graph, "anchors", 3, 4, FAR, 0.0625f);
  add_ints (graph, "pictures", pictures, 3);
  add_ints (graph, "shape", shape, 2);
  add_node (graph, "features", "Relu", "maps");
  add_node (graph, "product", "MatMul", "deltas w_delta");
  add_node (graph, "delta", "Reshape", "product shape");
  add_node (graph, "moved", "Add", "boxes anchors");
  add_node (graph, "regions", "Add", "moved delta");
  add_node (graph, "near", "Sub", "regions anchors");
  add_node (graph, "pooled", "RoiAlign", "features near pictures");
  add_node (graph, "delta_row", "Slice", "delta zero one");
  add_node (graph, "table", "ScatterND", "regions rows delta_row");
  add_node (graph, "head", "MatMul", "regions w_head");
  const gint64 zero[1] = { 0 }, one[1] = { 1 };
  add_ints (graph, "zero", zero, 1);
  add_ints (graph, "one", one, 1);
  SegTensor *rows = seg_tensor_new (&(SegDesc){ SEG_DTYPE_I64, 2, { 1, 1 } }, NULL);
  ((gint64 *) rows->data)[0] = 2;
  seg_pb_message (graph, GRAPH_INIT, seg_pb_tensor ("rows", rows));
  seg_tensor_unref (rows);
  add_ends (graph);
  g_autoptr (GBytes) bytes = seg_pb_model (graph, 16, NULL);
  SegModel *model = seg_model_parse (bytes, NULL, &error);
  g_assert_no_error (error);
  return model;
}

static const SegValue *
find_value (const SegGraph *graph, const char *name)
{
  for (guint i = 0; i < graph->values->len; i++) {
    const SegValue *v = g_ptr_array_index (graph->values, i);
    if (strcmp (v->name, name) == 0)
      return v;
  }
  g_error ("there is no value %s", name);
}

static void
test_choice (void)
{
  static const struct {
    const char *name;
    gboolean wide;
  } want[] = {
    { "maps", FALSE }, { "boxes", TRUE }, { "deltas", FALSE }, /* inputs */
    { "features", FALSE }, { "product", FALSE }, { "pooled", FALSE }, { "head", FALSE },
    { "delta", FALSE }, { "delta_row", FALSE }, /* moving makes nothing more exact */
    { "anchors", FALSE }, { "anchors/fp32", TRUE }, { "moved", TRUE },
    { "regions", TRUE }, { "near", TRUE }, { "table", TRUE }, { "delta_row/fp32", TRUE },
    { "regions/fp16", FALSE }, /* for readers */
  };
  g_autoptr (GError) error = NULL;
  SegModel *model = new_model ();
  g_autoptr (SegGraph) graph = seg_graph_new (
      model, seg_op_lookup, NULL, 0, SEG_GRAPH_LAYOUT | SEG_GRAPH_HALF, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < G_N_ELEMENTS (want); i++)
    if (find_value (graph, want[i].name)->wide != want[i].wide)
      g_error ("%s should be %s", want[i].name, want[i].wide ? "fp32" : "fp16");
  g_autoptr (SegGraph) plain =
      seg_graph_new (model, seg_op_lookup, NULL, 0, SEG_GRAPH_LAYOUT, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < plain->values->len; i++)
    g_assert_false (((const SegValue *) g_ptr_array_index (plain->values, i))->wide);
  seg_model_unref (model);
}

static void
run (SegModel *model, SegVk *vk, SegTensor *out[3])
{
  g_autoptr (GError) error = NULL;
  SegSessionOptions options = { .precision = SEG_PRECISION_FP16, .poison = TRUE };
  SegSession *s = seg_session_new (model, vk, &options, &error);
  g_assert_no_error (error);
  SegTensor *in[3] = { NULL, new_floats (3, 4, 2, 0.75f), new_floats (3, 8, -1, 0.125f) };
  in[0] = seg_tensor_new (&(SegDesc){ SEG_DTYPE_F32, 4, { 1, 8, 16, 16 } }, &error);
  for (guint i = 0; i < 8 * 16 * 16; i++)
    ((float *) in[0]->data)[i] = (float) (i % 64) / 64;
  seg_session_run (s, in, out, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < 3; i++)
    seg_tensor_unref (in[i]);
  seg_session_free (&s);
}

/* Outputs on the device as on the host: pooled, table, head. */
static void
test_results (gconstpointer vk)
{
  const double tolerance[3] = { 0.02, 2e-3, 2e-3 };
  SegTensor *want[3], *got[3];
  SegModel *model = new_model ();
  run (model, NULL, want);
  run (model, (SegVk *) vk, got);
  for (guint i = 0; i < 3; i++) {
    g_assert_true (seg_desc_same_dims (&want[i]->desc, &got[i]->desc));
    for (gint64 k = 0; k < seg_desc_n_elems (&want[i]->desc); k++) {
      double a = seg_tensor_get_double (want[i], k),
             b = seg_tensor_get_double (got[i], k);
      if (!(fabs (a - b) <= tolerance[i] * (i == 2 ? fabs (a) : 1)))
        g_error ("output %u, element %d: %g, not %g", i, (int) k, b, a);
    }
    seg_tensor_unref (want[i]);
    seg_tensor_unref (got[i]);
  }
  g_assert_cmpuint (seg_vk_validation_messages (), ==, 0);
  seg_model_unref (model);
}

int
main (int argc, char **argv)
{
  int status;
  g_test_init (&argc, &argv, NULL);
  SegVk *vk = seg_test_device (&status);
  if (vk == NULL)
    return status;
  g_test_add_func ("/wide/choice", test_choice);
  g_test_add_data_func ("/wide/results", vk, test_results);
  status = g_test_run ();
  seg_vk_unref (vk);
  return status;
}
