/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "elements/slow-net.h"

#include "frame/color-net.h"
#include "lib/onnx-graph.h"

#include <gst/check/gstharness.h>

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
add_ends (GByteArray *graph, guint channels)
{
  static const float classes[4][3] = { { 0, 0, 0 }, { 2, -1, -1 }, { -1, 2, -1 },
    { -1, -1, 2 } };
  static const float biases[4] = { 0.5f, 0, 0, 0 };
  const gint64 first_dims[] = { channels, 3, 1, 1 }, last_dims[] = { 4, channels, 1, 1 },
               bias_dims[] = { 4 };
  g_autofree float *first = g_new0 (float, channels * 3);
  g_autofree float *last = g_new0 (float, 4 * channels);
  for (guint c = 0; c < 3; c++) {
    first[3 * c + c] = 1.0f;
    for (guint k = 0; k < 4; k++)
      last[k * channels + c] = classes[k][c];
  }
  seg_pb_add_constant (graph, "first", SEG_DTYPE_F32, 4, first_dims, first);
  seg_pb_add_constant (graph, "last", SEG_DTYPE_F32, 4, last_dims, last);
  seg_pb_add_constant (graph, "bias", SEG_DTYPE_F32, 1, bias_dims, biases);
}

static void
add_same (GByteArray *graph, const char *name, guint channels)
{
  const gint64 dims[] = { channels, channels, 3, 3 };
  g_autofree float *same = g_new0 (float, (gsize) channels *channels * 9);
  for (gsize c = 0; c < channels; c++)
    same[(c * channels + c) * 9 + 4] = 1.0f;
  seg_pb_add_constant (graph, name, SEG_DTYPE_F32, 4, dims, same);
}

static GByteArray *
make_graph (const SlowNet *net)
{
  const gint64 batch = net->any_batch ? 0 : 1;
  const gint64 in[4] = { batch, 3, net->height, net->width },
               out[4] = { batch, 4, net->height, net->width };
  GByteArray *graph = g_byte_array_new ();
  g_autofree char *at = g_strdup ("layer0");
  add_conv (graph, "first", NULL, "picture", at, 0);
  for (guint i = 1; i <= net->n_layers; i++) {
    g_autofree char *next = g_strdup_printf ("layer%u", i);
    g_autofree char *same = g_strdup_printf ("same%u", net->own_weights ? i : 1);
    add_conv (graph, same, NULL, at, next, 1);
    if (i == 1 || net->own_weights)
      add_same (graph, same, net->channels);
    g_free (at);
    at = g_steal_pointer (&next);
  }
  add_conv (graph, "last", "bias", at, "scores", 0);
  seg_pb_string (graph, GRAPH_NAME, "slow-net");
  add_ends (graph, net->channels);
  seg_pb_message (
      graph, GRAPH_INPUT, seg_pb_free_value_info ("picture", SEG_DTYPE_F32, 4, in));
  seg_pb_message (
      graph, GRAPH_OUTPUT, seg_pb_free_value_info ("scores", SEG_DTYPE_F32, 4, out));
  return graph;
}

char *
slow_net_write_of (const char *dir, const char *name, const SlowNet *net)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = seg_pb_model (make_graph (net), 17, NULL);
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

char *
slow_net_write (const char *dir, const char *name, guint n_layers)
{
  const SlowNet net = { 64, 48, n_layers, 64, FALSE, FALSE };
  return slow_net_write_of (dir, name, &net);
}

double
slow_net_time_ms (const char *dir, const char *model)
{
  enum { N_FRAMES = 5, N_BYTES = 4 * 64 * 48 };
  double least = G_MAXDOUBLE;
  GstElement *element = gst_element_factory_make ("vksegment", NULL);
  g_object_set (element, "model", model, "cache-dir", dir, NULL);
  GstHarness *h = gst_harness_new_with_element (element, "sink", "src");
  gst_harness_set_src_caps_str (
      h, "video/x-raw,format=RGBx,width=64,height=48,framerate=30/1");
  for (guint n = 0; n < N_FRAMES; n++) {
    g_autoptr (GstStructure) stats = NULL;
    double ms = 0.0;
    GstBuffer *frame = gst_buffer_new_wrapped (g_malloc0 (N_BYTES), N_BYTES);
    gst_buffer_unref (gst_harness_push_and_pull (h, frame));
    g_object_get (element, "stats", &stats, NULL);
    g_assert_true (gst_structure_get_double (stats, "last-ms", &ms));
    least = MIN (least, ms);
  }
  gst_object_unref (element);
  gst_harness_teardown (h);
  return least;
}

/* Of so many layers or fewer, of more channels where the device is fast. */
char *
slow_net_write_ms (const char *dir, const char *name, double ms)
{
  enum { LAYERS = 30, MOST_LAYERS = 1000, MOST_CHANNELS = 1024 };
  SlowNet net = { 64, 48, LAYERS, 64, FALSE, FALSE };
  double layers;
  for (;; net.channels *= 4) {
    g_autofree char *probe = slow_net_write_of (dir, "probe", &net);
    layers = LAYERS * ms / MAX (slow_net_time_ms (dir, probe), 1e-3);
    if (layers <= MOST_LAYERS || net.channels == MOST_CHANNELS)
      break;
  }
  net.n_layers = (guint) CLAMP (layers, 1.0, MOST_LAYERS);
  return slow_net_write_of (dir, name, &net);
}
