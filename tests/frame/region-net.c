/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "region-net.h"

#include "lib/onnx-graph.h"
#include "onnx/model.h"

#include <math.h>
#include <string.h>

static const float weights[4][3] = { { 0, 0, 0 }, { 2, -1, -1 }, { -1, 2, -1 },
  { -1, -1, 2 } };
static const float biases[4] = { 0.5f, 0, 0, 0 };

static const char *
add_hosted (GByteArray *graph, const RegionNet *net, const char *logits)
{
  if (!net->hosted)
    return logits;
  /* int8 keeps twice the logits, which are halves. */
  const float two = 2.0f;
  const gint64 dims[1] = { 1 };
  seg_pb_add_constant (graph, "two", SEG_DTYPE_F32, 1, dims, &two);
  seg_pb_add_node (graph, seg_pb_node ("Mul", "twice", logits, "two", NULL));
  GByteArray *to = seg_pb_node ("Cast", "bytes", "twice", NULL);
  seg_pb_attr_int (to, "to", SEG_DTYPE_I8);
  seg_pb_add_node (graph, to);
  GByteArray *back = seg_pb_node ("Cast", "halves", "bytes", NULL);
  seg_pb_attr_int (back, "to", SEG_DTYPE_F32);
  seg_pb_add_node (graph, back);
  seg_pb_add_node (graph, seg_pb_node ("Div", "rounded", "halves", "two", NULL));
  return "rounded";
}

static const char *
add_conv (GByteArray *graph)
{
  const gint64 w[4] = { 4, 3, 1, 1 }, b[1] = { 4 };
  seg_pb_add_constant (graph, "w", SEG_DTYPE_F32, 4, w, weights);
  seg_pb_add_constant (graph, "b", SEG_DTYPE_F32, 1, b, biases);
  seg_pb_add_node (graph, seg_pb_node ("Conv", "maps", "picture", "w", "b", NULL));
  return "maps";
}

/* One map of each picture without an axis for classes, or one of all pictures with one. */
static const char *
add_fewer_axes (GByteArray *graph, gboolean index)
{
  const gint64 batch = 0;
  GByteArray *node = seg_pb_node (index ? "ArgMax" : "ReduceMax", "fewer", "maps", NULL);
  if (index)
    seg_pb_attr_int (node, "axis", 1);
  else
    seg_pb_attr_ints (node, "axes", &batch, 1);
  seg_pb_attr_int (node, "keepdims", !index);
  seg_pb_add_node (graph, node);
  return "fewer";
}

static const char *
add_classifier (GByteArray *graph)
{
  const gint64 w[2] = { 4, 3 }, b[1] = { 4 };
  seg_pb_add_constant (graph, "w", SEG_DTYPE_F32, 2, w, weights);
  seg_pb_add_constant (graph, "b", SEG_DTYPE_F32, 1, b, biases);
  seg_pb_add_node (graph, seg_pb_node ("GlobalAveragePool", "mean", "picture", NULL));
  seg_pb_add_node (graph, seg_pb_node ("Flatten", "color", "mean", NULL));
  GByteArray *gemm = seg_pb_node ("Gemm", "margins", "color", "w", "b", NULL);
  seg_pb_attr_int (gemm, "transB", 1);
  seg_pb_add_node (graph, gemm);
  return "margins";
}

/* The logits at each region's middle. */
static const char *
add_middles (GByteArray *graph)
{
  const float pick[4][2] = { { 0, 0.5f }, { 0.5f, 0 }, { 0, 0.5f }, { 0.5f, 0 } };
  const gint64 pick_dims[2] = { 4, 2 }, perm[4] = { 0, 2, 3, 1 }, three[1] = { 3 },
               shape[3] = { REGION_NET_HEIGHT, REGION_NET_WIDTH, 4 };
  seg_pb_add_constant (graph, "pick", SEG_DTYPE_F32, 2, pick_dims, pick);
  seg_pb_add_constant (graph, "shape", SEG_DTYPE_I64, 1, three, shape);
  seg_pb_add_node (graph, seg_pb_node ("MatMul", "middles", "regions", "pick", NULL));
  GByteArray *cast = seg_pb_node ("Cast", "pixels", "middles", NULL);
  seg_pb_attr_int (cast, "to", SEG_DTYPE_I64);
  seg_pb_add_node (graph, cast);
  GByteArray *transpose = seg_pb_node ("Transpose", "last", "maps", NULL);
  seg_pb_attr_ints (transpose, "perm", perm, 4);
  seg_pb_add_node (graph, transpose);
  seg_pb_add_node (graph, seg_pb_node ("Reshape", "rows", "last", "shape", NULL));
  seg_pb_add_node (graph, seg_pb_node ("GatherND", "found", "rows", "pixels", NULL));
  return "found";
}

static const char *
add_roi_pool (GByteArray *graph)
{
  const gint64 one[2] = { 1, 1 };
  GByteArray *pool = seg_pb_node ("MaxRoiPool", "pooled", "maps", "regions", NULL);
  seg_pb_attr_ints (pool, "pooled_shape", one, 2);
  seg_pb_add_node (graph, pool);
  seg_pb_add_node (graph, seg_pb_node ("Flatten", "found", "pooled", NULL));
  return "found";
}

static void
add_deltas (GByteArray *graph, guint columns)
{
  const float zeros[5 * 16] = { 0 };
  float deltas[16] = { 0 };
  const gint64 zero_dims[2] = { columns, 16 }, delta_dims[1] = { 16 };
  deltas[2 * 4] = 1.0f;
  deltas[2 * 4 + 2] = 5.0f * logf (2.0f);
  seg_pb_add_constant (graph, "zeros", SEG_DTYPE_F32, 2, zero_dims, zeros);
  seg_pb_add_constant (graph, "deltas", SEG_DTYPE_F32, 1, delta_dims, deltas);
  seg_pb_add_node (graph, seg_pb_node ("MatMul", "none", "regions", "zeros", NULL));
  seg_pb_add_node (graph, seg_pb_node ("Add", "boxes", "none", "deltas", NULL));
}

static GByteArray *
scores_info (const RegionNet *net)
{
  const gint64 map[4] = { net->kind == REGION_NET_LARGEST ? 1 : net->batch, 4,
    REGION_NET_HEIGHT, REGION_NET_WIDTH };
  const gint64 index[3] = { net->batch, REGION_NET_HEIGHT, REGION_NET_WIDTH };
  const gint64 rows[2] = { net->kind == REGION_NET_CLASSIFY ? net->batch : net->rows, 4 };
  switch (net->kind) {
  case REGION_NET_MAP:
  case REGION_NET_LARGEST:
    return seg_pb_free_value_info ("scores", SEG_DTYPE_F32, 4, map);
  case REGION_NET_INDEX:
    return seg_pb_free_value_info ("scores", SEG_DTYPE_I64, 3, index);
  default: return seg_pb_free_value_info ("scores", SEG_DTYPE_F32, 2, rows);
  }
}

static GBytes *
make_model (const RegionNet *net)
{
  const gint64 picture[4] = { net->batch, 3, REGION_NET_HEIGHT, REGION_NET_WIDTH };
  gboolean pool = net->kind == REGION_NET_ROI_POOL,
           fast = pool || net->kind == REGION_NET_FAST;
  guint columns = pool ? 5 : 4;
  const gint64 regions[2] = { net->rows, columns }, boxes[2] = { net->rows, 16 };
  GByteArray *graph = g_byte_array_new ();
  const char *logits =
      net->kind == REGION_NET_CLASSIFY ? add_classifier (graph) : add_conv (graph);
  if (fast)
    logits = pool ? add_roi_pool (graph) : add_middles (graph);
  if (net->kind == REGION_NET_INDEX || net->kind == REGION_NET_LARGEST)
    logits = add_fewer_axes (graph, net->kind == REGION_NET_INDEX);
  logits = add_hosted (graph, net, logits);
  seg_pb_add_node (graph, seg_pb_node ("Identity", "scores", logits, NULL));
  if (fast)
    add_deltas (graph, columns);
  seg_pb_string (graph, GRAPH_NAME, "region-net");
  if (fast)
    seg_pb_message (graph, GRAPH_INPUT,
        seg_pb_free_value_info ("regions", SEG_DTYPE_F32, 2, regions));
  seg_pb_message (
      graph, GRAPH_INPUT, seg_pb_free_value_info ("picture", SEG_DTYPE_F32, 4, picture));
  seg_pb_message (graph, GRAPH_OUTPUT, scores_info (net));
  if (fast)
    seg_pb_message (
        graph, GRAPH_OUTPUT, seg_pb_free_value_info ("boxes", SEG_DTYPE_F32, 2, boxes));
  return seg_pb_model (graph, 17, NULL);
}

char *
region_net_write (
    const char *dir, const char *name, const RegionNet *net, const char *keys)
{
  g_autoptr (GBytes) bytes = make_model (net);
  g_autoptr (GError) error = NULL;
  g_autofree char *file = g_strconcat (name, ".onnx", NULL);
  char *path = g_build_filename (dir, file, NULL);
  g_autofree char *sidecar = g_strconcat (path, ".modelinfo", NULL);
  g_autofree char *info = g_strconcat ("[vkseg]\ninput=picture\nmean=0\nstd=255\n"
                                       "labels=background,red,green,blue\nbackground=0\n",
      keys, NULL);
  g_file_set_contents (
      path, g_bytes_get_data (bytes, NULL), (gssize) g_bytes_get_size (bytes), &error);
  g_assert_no_error (error);
  g_file_set_contents (sidecar, info, -1, &error);
  g_assert_no_error (error);
  return path;
}
