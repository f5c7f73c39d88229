/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "detector-net.h"

#include "lib/onnx-graph.h"

#include <string.h>

#define N DETECTOR_NET_SLOTS

static float
left_half (guint slot, guint x, guint y)
{
  return x < 7 ? 1.0f : 0.0f;
}

#define COLUMN(i)                                                                        \
  {                                                                                      \
    4 * i, 4, 4 * i + 4, 20                                                              \
  }
const DetectorNet detector_net_columns = {
  .boxes = { COLUMN (0), COLUMN (1), COLUMN (2), COLUMN (3), COLUMN (4), COLUMN (5),
      COLUMN (6), COLUMN (7) },
  .labels = { 1, 1, 1, 1, 1, 1, 1, 1 },
  .factors = { 1, 1, 1, 1, 1, 1, 1, 1 },
  .mask_width = 14,
  .mask_height = 14,
  .mask = left_half,
};

static void
add_ints_constant (GByteArray *graph, const char *name, const gint64 *values, gint64 n)
{
  seg_pb_add_constant (graph, name, SEG_DTYPE_I64, 1, &n, values);
}

/* "rows": the numbers of the objects that are there. */
static void
add_selection (GByteArray *graph, const DetectorNet *net)
{
  const gint64 kernel[2] = { DETECTOR_NET_HEIGHT, 4 }, n[1] = { N }, one[1] = { 1 },
               zero[1] = { 0 },
               four[4] = { 1, 3, DETECTOR_NET_HEIGHT, DETECTOR_NET_WIDTH };
  const float least = 0.3f;
  const char *picture = "picture";
  add_ints_constant (graph, "zero", zero, 1);
  add_ints_constant (graph, "one", one, 1);
  add_ints_constant (graph, "count", n, 1);
  seg_pb_add_constant (graph, "factors", SEG_DTYPE_F32, 1, n, net->factors);
  seg_pb_add_constant (graph, "least", SEG_DTYPE_F32, 1, one, &least);
  if (net->flat) {
    add_ints_constant (graph, "four", four, 4);
    seg_pb_add_node (graph, seg_pb_node ("Reshape", "batch", "picture", "four", NULL));
    picture = "batch";
  }
  GByteArray *pool = seg_pb_node ("AveragePool", "means", picture, NULL);
  seg_pb_attr_ints (pool, "kernel_shape", kernel, 2);
  seg_pb_attr_ints (pool, "strides", kernel, 2);
  seg_pb_add_node (graph, pool);
  seg_pb_add_node (
      graph, seg_pb_node ("Slice", "red", "means", "zero", "one", "one", NULL));
  seg_pb_add_node (graph, seg_pb_node ("Reshape", "columns", "red", "count", NULL));
  seg_pb_add_node (graph, seg_pb_node ("Greater", "is", "columns", "least", NULL));
  seg_pb_add_node (graph, seg_pb_node ("NonZero", "at", "is", NULL));
  seg_pb_add_node (graph, seg_pb_node ("Squeeze", "rows", "at", "zero", NULL));
  seg_pb_add_node (graph, seg_pb_node ("Mul", "all_scores", "columns", "factors", NULL));
}

/* An output that has of each object that is there its row of a table. */
static void
add_output (GByteArray *graph, const char *name, SegDType dtype, guint rank,
    const gint64 *dims, gconstpointer table)
{
  g_autofree char *all = g_strconcat ("all_", name, NULL);
  gint64 free_dims[4] = { 0 };
  if (table != NULL)
    seg_pb_add_constant (graph, all, dtype, rank, dims, table);
  seg_pb_add_node (graph, seg_pb_node ("Gather", name, all, "rows", NULL));
  seg_pb_message (
      graph, GRAPH_OUTPUT, seg_pb_free_value_info (name, dtype, rank, free_dims));
}

static void
add_masks (GByteArray *graph, const DetectorNet *net)
{
  const gint64 dims[4] = { N, 1, net->mask_height, net->mask_width };
  g_autofree float *table = g_new (float, N * net->mask_height * net->mask_width);
  for (guint i = 0, at = 0; i < N; i++)
    for (guint y = 0; y < net->mask_height; y++)
      for (guint x = 0; x < net->mask_width; x++)
        table[at++] = net->mask (i, x, y);
  add_output (graph, "masks", SEG_DTYPE_F32, 4, dims, table);
}

/* One label more than there are objects, whatever the picture shows. */
static void
add_broken_labels (GByteArray *graph, const DetectorNet *net)
{
  const gint64 free_dims[1] = { 0 }, more[1] = { net->more_labels };
  g_autofree gint64 *ones = g_new0 (gint64, net->more_labels);
  seg_pb_add_constant (graph, "surplus", SEG_DTYPE_I64, 1, more, ones);
  seg_pb_add_constant (
      graph, "all_labels", SEG_DTYPE_I64, 1, (gint64[1]){ N }, net->labels);
  seg_pb_add_node (graph, seg_pb_node ("Gather", "right", "all_labels", "rows", NULL));
  GByteArray *concat = seg_pb_node ("Concat", "labels", "right", "surplus", NULL);
  seg_pb_attr_int (concat, "axis", 0);
  seg_pb_add_node (graph, concat);
  seg_pb_message (graph, GRAPH_OUTPUT,
      seg_pb_free_value_info ("labels", SEG_DTYPE_I64, 1, free_dims));
}

char *
detector_net_write (
    const char *dir, const char *name, const DetectorNet *net, const char *info)
{
  const gint64 picture[4] = { 1, 3, DETECTOR_NET_HEIGHT, DETECTOR_NET_WIDTH },
               boxes[2] = { N, 4 };
  g_autoptr (GError) error = NULL;
  g_autofree char *file = g_strconcat (name, ".onnx", NULL);
  char *path = g_build_filename (dir, file, NULL);
  g_autofree char *sidecar = g_strconcat (path, ".modelinfo", NULL);
  GByteArray *graph = g_byte_array_new ();
  add_selection (graph, net);
  add_output (graph, "boxes", SEG_DTYPE_F32, 2, boxes, net->boxes);
  if (net->more_labels > 0)
    add_broken_labels (graph, net);
  else
    add_output (graph, "labels", SEG_DTYPE_I64, 1, boxes, net->labels);
  add_output (graph, "scores", SEG_DTYPE_F32, 1, boxes, NULL);
  if (net->mask_width > 0)
    add_masks (graph, net);
  seg_pb_message (graph, GRAPH_INPUT,
      seg_pb_free_value_info (
          "picture", SEG_DTYPE_F32, net->flat ? 3 : 4, picture + net->flat));
  seg_pb_string (graph, GRAPH_NAME, "detector-net");
  g_autoptr (GBytes) bytes = seg_pb_model (graph, 13, NULL);
  g_file_set_contents (
      path, g_bytes_get_data (bytes, NULL), (gssize) g_bytes_get_size (bytes), &error);
  g_assert_no_error (error);
  if (info != NULL)
    g_file_set_contents (sidecar, info, -1, &error);
  g_assert_no_error (error);
  return path;
}
