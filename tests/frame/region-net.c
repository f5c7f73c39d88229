/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "region-net.h"

#include "lib/onnx-writer.h"
#include "onnx/model.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

/* Field numbers of onnx.proto. */
enum { NODE_INPUT = 1, NODE_OUTPUT, NODE_NAME, NODE_OP_TYPE, NODE_ATTRIBUTE };
enum { ATTR_NAME = 1, ATTR_F = 2, ATTR_I = 3, ATTR_INTS = 8, ATTR_TYPE = 20 };
enum { GRAPH_NODE = 1, GRAPH_NAME, GRAPH_INIT = 5, GRAPH_INPUT = 11, GRAPH_OUTPUT = 12 };

static const float weights[4][3] = { { 0, 0, 0 }, { 2, -1, -1 }, { -1, 2, -1 },
  { -1, -1, 2 } };
static const float biases[4] = { 0.5f, 0, 0, 0 };

/* The inputs up to NULL; the node, to add attributes to, still belongs to the caller. */
static GByteArray *
new_node (const char *op, const char *output, ...)
{
  GByteArray *node = g_byte_array_new ();
  const char *input;
  va_list args;
  va_start (args, output);
  while ((input = va_arg (args, const char *)) != NULL)
    seg_pb_string (node, NODE_INPUT, input);
  va_end (args);
  seg_pb_string (node, NODE_OUTPUT, output);
  seg_pb_string (node, NODE_NAME, output);
  seg_pb_string (node, NODE_OP_TYPE, op);
  return node;
}

static GByteArray *
new_attr (const char *name, SegAttrType type)
{
  GByteArray *attr = g_byte_array_new ();
  seg_pb_string (attr, ATTR_NAME, name);
  seg_pb_int (attr, ATTR_TYPE, type);
  return attr;
}

static void
add_int (GByteArray *node, const char *name, gint64 value)
{
  GByteArray *attr = new_attr (name, SEG_ATTR_INT);
  seg_pb_int (attr, ATTR_I, value);
  seg_pb_message (node, NODE_ATTRIBUTE, attr);
}

static void
add_ints (GByteArray *node, const char *name, const gint64 *values, guint n)
{
  GByteArray *attr = new_attr (name, SEG_ATTR_INTS);
  for (guint i = 0; i < n; i++)
    seg_pb_int (attr, ATTR_INTS, values[i]);
  seg_pb_message (node, NODE_ATTRIBUTE, attr);
}

static void
add_node (GByteArray *graph, GByteArray *node)
{
  seg_pb_message (graph, GRAPH_NODE, node);
}

static void
add_constant (GByteArray *graph, const char *name, SegDType dtype, guint rank,
    const gint64 *dims, gconstpointer data)
{
  SegDesc desc = { .dtype = dtype, .rank = rank };
  memcpy (desc.dims, dims, rank * sizeof *dims);
  SegTensor *t = seg_tensor_new (&desc, NULL);
  memcpy (t->data, data, t->n_bytes);
  seg_pb_message (graph, GRAPH_INIT, seg_pb_tensor (name, t));
  seg_tensor_unref (t);
}

/* A dimension of 0 is free. */
static GByteArray *
value_info (const char *name, guint rank, const gint64 *dims)
{
  GByteArray *info = g_byte_array_new (), *type = g_byte_array_new ();
  GByteArray *tensor = g_byte_array_new (), *shape = g_byte_array_new ();
  for (guint i = 0; i < rank; i++) {
    GByteArray *dim = g_byte_array_new ();
    if (dims[i] > 0)
      seg_pb_int (dim, 1, dims[i]);
    seg_pb_message (shape, 1, dim);
  }
  seg_pb_int (tensor, 1, SEG_DTYPE_F32);
  seg_pb_message (tensor, 2, shape);
  seg_pb_message (type, 1, tensor);
  seg_pb_string (info, 1, name);
  seg_pb_message (info, 2, type);
  return info;
}

static const char *
add_hosted (GByteArray *graph, const RegionNet *net, const char *logits)
{
  if (!net->hosted)
    return logits;
  /* int8 keeps twice the logits, which are halves. */
  const float two = 2.0f;
  const gint64 dims[1] = { 1 };
  add_constant (graph, "two", SEG_DTYPE_F32, 1, dims, &two);
  add_node (graph, new_node ("Mul", "twice", logits, "two", NULL));
  GByteArray *to = new_node ("Cast", "bytes", "twice", NULL);
  add_int (to, "to", SEG_DTYPE_I8);
  add_node (graph, to);
  GByteArray *back = new_node ("Cast", "halves", "bytes", NULL);
  add_int (back, "to", SEG_DTYPE_F32);
  add_node (graph, back);
  add_node (graph, new_node ("Div", "rounded", "halves", "two", NULL));
  return "rounded";
}

static const char *
add_conv (GByteArray *graph)
{
  const gint64 w[4] = { 4, 3, 1, 1 }, b[1] = { 4 };
  add_constant (graph, "w", SEG_DTYPE_F32, 4, w, weights);
  add_constant (graph, "b", SEG_DTYPE_F32, 1, b, biases);
  add_node (graph, new_node ("Conv", "maps", "picture", "w", "b", NULL));
  return "maps";
}

static const char *
add_classifier (GByteArray *graph)
{
  const gint64 w[2] = { 4, 3 }, b[1] = { 4 };
  add_constant (graph, "w", SEG_DTYPE_F32, 2, w, weights);
  add_constant (graph, "b", SEG_DTYPE_F32, 1, b, biases);
  add_node (graph, new_node ("GlobalAveragePool", "mean", "picture", NULL));
  add_node (graph, new_node ("Flatten", "color", "mean", NULL));
  GByteArray *gemm = new_node ("Gemm", "margins", "color", "w", "b", NULL);
  add_int (gemm, "transB", 1);
  add_node (graph, gemm);
  return "margins";
}

/* The logits at each region's middle. */
static const char *
add_middles (GByteArray *graph)
{
  const float pick[4][2] = { { 0, 0.5f }, { 0.5f, 0 }, { 0, 0.5f }, { 0.5f, 0 } };
  const gint64 pick_dims[2] = { 4, 2 }, perm[4] = { 0, 2, 3, 1 }, three[1] = { 3 },
               shape[3] = { REGION_NET_HEIGHT, REGION_NET_WIDTH, 4 };
  add_constant (graph, "pick", SEG_DTYPE_F32, 2, pick_dims, pick);
  add_constant (graph, "shape", SEG_DTYPE_I64, 1, three, shape);
  add_node (graph, new_node ("MatMul", "middles", "regions", "pick", NULL));
  GByteArray *cast = new_node ("Cast", "pixels", "middles", NULL);
  add_int (cast, "to", SEG_DTYPE_I64);
  add_node (graph, cast);
  GByteArray *transpose = new_node ("Transpose", "last", "maps", NULL);
  add_ints (transpose, "perm", perm, 4);
  add_node (graph, transpose);
  add_node (graph, new_node ("Reshape", "rows", "last", "shape", NULL));
  add_node (graph, new_node ("GatherND", "found", "rows", "pixels", NULL));
  return "found";
}

static const char *
add_roi_pool (GByteArray *graph)
{
  const gint64 one[2] = { 1, 1 };
  GByteArray *pool = new_node ("MaxRoiPool", "pooled", "maps", "regions", NULL);
  add_ints (pool, "pooled_shape", one, 2);
  add_node (graph, pool);
  add_node (graph, new_node ("Flatten", "found", "pooled", NULL));
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
  add_constant (graph, "zeros", SEG_DTYPE_F32, 2, zero_dims, zeros);
  add_constant (graph, "deltas", SEG_DTYPE_F32, 1, delta_dims, deltas);
  add_node (graph, new_node ("MatMul", "none", "regions", "zeros", NULL));
  add_node (graph, new_node ("Add", "boxes", "none", "deltas", NULL));
}

static GBytes *
make_model (const RegionNet *net)
{
  const gint64 picture[4] = { net->batch, 3, REGION_NET_HEIGHT, REGION_NET_WIDTH },
               map[4] = { net->batch, 4, REGION_NET_HEIGHT, REGION_NET_WIDTH };
  gboolean pool = net->kind == REGION_NET_ROI_POOL,
           fast = pool || net->kind == REGION_NET_FAST;
  guint columns = pool ? 5 : 4;
  const gint64 regions[2] = { net->rows, columns }, boxes[2] = { net->rows, 16 },
               scores[2] = { fast ? net->rows : net->batch, 4 };
  GByteArray *graph = g_byte_array_new ();
  const char *logits =
      net->kind == REGION_NET_CLASSIFY ? add_classifier (graph) : add_conv (graph);
  if (fast)
    logits = pool ? add_roi_pool (graph) : add_middles (graph);
  logits = add_hosted (graph, net, logits);
  add_node (graph, new_node ("Identity", "scores", logits, NULL));
  if (fast)
    add_deltas (graph, columns);
  seg_pb_string (graph, GRAPH_NAME, "region-net");
  if (fast)
    seg_pb_message (graph, GRAPH_INPUT, value_info ("regions", 2, regions));
  seg_pb_message (graph, GRAPH_INPUT, value_info ("picture", 4, picture));
  seg_pb_message (graph, GRAPH_OUTPUT,
      net->kind == REGION_NET_MAP ? value_info ("scores", 4, map)
                                  : value_info ("scores", 2, scores));
  if (fast)
    seg_pb_message (graph, GRAPH_OUTPUT, value_info ("boxes", 2, boxes));
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
