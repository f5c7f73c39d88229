/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "elements/slow-net.h"

#include "frame/color-net.h"
#include "lib/onnx-graph.h"

enum { WIDTH = 64, HEIGHT = 48, CHANNELS = 64 };

static void
add_conv (GByteArray *graph, const char *weights, const char *bias, const char *input,
    const char *output, gint64 pad)
{
  const gint64 pads[4] = { pad, pad, pad, pad };
  GByteArray *node = seg_pb_node ("Conv", output, input, weights, bias, NULL);
  seg_pb_attr_ints (node, "pads", pads, 4);
  seg_pb_add_node (graph, node);
}

static void
add_weights (GByteArray *graph)
{
  static const float classes[4][3] = { { 0, 0, 0 }, { 2, -1, -1 }, { -1, 2, -1 },
    { -1, -1, 2 } };
  static const float biases[4] = { 0.5f, 0, 0, 0 };
  const gint64 first_dims[] = { CHANNELS, 3, 1, 1 },
               same_dims[] = { CHANNELS, CHANNELS, 3, 3 },
               last_dims[] = { 4, CHANNELS, 1, 1 }, bias_dims[] = { 4 };
  g_autofree float *first = g_new0 (float, CHANNELS * 3);
  g_autofree float *same = g_new0 (float, CHANNELS *CHANNELS * 9);
  g_autofree float *last = g_new0 (float, 4 * CHANNELS);
  for (guint c = 0; c < CHANNELS; c++) {
    if (c < 3)
      first[3 * c + c] = 1.0f;
    same[(c * CHANNELS + c) * 9 + 4] = 1.0f;
    for (guint k = 0; k < 4 && c < 3; k++)
      last[k * CHANNELS + c] = classes[k][c];
  }
  seg_pb_add_constant (graph, "first", SEG_DTYPE_F32, 4, first_dims, first);
  seg_pb_add_constant (graph, "same", SEG_DTYPE_F32, 4, same_dims, same);
  seg_pb_add_constant (graph, "last", SEG_DTYPE_F32, 4, last_dims, last);
  seg_pb_add_constant (graph, "bias", SEG_DTYPE_F32, 1, bias_dims, biases);
}

char *
slow_net_write (const char *dir, const char *name, guint n_layers)
{
  const SegDesc in = { SEG_DTYPE_F32, 4, { 1, 3, HEIGHT, WIDTH } },
                out = { SEG_DTYPE_F32, 4, { 1, 4, HEIGHT, WIDTH } };
  g_autoptr (GError) error = NULL;
  GByteArray *graph = g_byte_array_new ();
  g_autofree char *at = g_strdup ("layer0");
  add_conv (graph, "first", NULL, "picture", at, 0);
  for (guint i = 1; i <= n_layers; i++) {
    g_autofree char *next = g_strdup_printf ("layer%u", i);
    add_conv (graph, "same", NULL, at, next, 1);
    g_free (at);
    at = g_steal_pointer (&next);
  }
  add_conv (graph, "last", "bias", at, "scores", 0);
  seg_pb_string (graph, GRAPH_NAME, "slow-net");
  add_weights (graph);
  seg_pb_message (graph, GRAPH_INPUT, seg_pb_value_info ("picture", &in));
  seg_pb_message (graph, GRAPH_OUTPUT, seg_pb_value_info ("scores", &out));
  g_autoptr (GBytes) bytes = seg_pb_model (graph, 17, NULL);
  g_autofree char *file = g_strconcat (name, ".onnx", NULL);
  char *path = g_build_filename (dir, file, NULL);
  g_autofree char *sidecar = g_strconcat (path, ".modelinfo", NULL);
  g_file_set_contents (
      path, g_bytes_get_data (bytes, NULL), (gssize) g_bytes_get_size (bytes), &error);
  g_assert_no_error (error);
  g_file_set_contents (sidecar, COLOR_NET_INFO, -1, &error);
  g_assert_no_error (error);
  return path;
}
