/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "color-net.h"

#include "lib/onnx-writer.h"
#include "onnx/model.h"

#include <glib/gstdio.h>
#include <string.h>

/* Field numbers of onnx.proto. */
enum { NODE_INPUT = 1, NODE_OUTPUT, NODE_NAME, NODE_OP_TYPE, NODE_ATTRIBUTE };
enum { ATTR_NAME = 1, ATTR_I = 3, ATTR_TYPE = 20 };
enum { GRAPH_NODE = 1, GRAPH_NAME, GRAPH_INIT = 5, GRAPH_INPUT = 11, GRAPH_OUTPUT = 12 };

static const float weights[4][3] = { { 0, 0, 0 }, { 2, -1, -1 }, { -1, 2, -1 },
  { -1, -1, 2 } };
static const float biases[4] = { 0.5f, 0, 0, 0 };

static void
add_init (GByteArray *graph, const char *name, const SegDesc *desc, const float *data)
{
  SegTensor *t = seg_tensor_new (desc, NULL);
  memcpy (t->data, data, t->n_bytes);
  seg_pb_message (graph, GRAPH_INIT, seg_pb_tensor (name, t));
  seg_tensor_unref (t);
}

static void
add_attr (GByteArray *node, const char *name, gint64 value)
{
  GByteArray *attr = g_byte_array_new ();
  seg_pb_string (attr, ATTR_NAME, name);
  seg_pb_int (attr, ATTR_I, value);
  seg_pb_int (attr, ATTR_TYPE, SEG_ATTR_INT);
  seg_pb_message (node, NODE_ATTRIBUTE, attr);
}

/* A node of one input and one output, without attributes so far. */
static GByteArray *
new_node (const char *op, const char *input, const char *output)
{
  GByteArray *node = g_byte_array_new ();
  seg_pb_string (node, NODE_INPUT, input);
  seg_pb_string (node, NODE_OUTPUT, output);
  seg_pb_string (node, NODE_NAME, output);
  seg_pb_string (node, NODE_OP_TYPE, op);
  return node;
}

/* [1,4+2+4,N]: x, y, width, height, scores of two classes, four coefficients. */
static void
add_detections (GByteArray *graph)
{
  static const float boxes[3][10] = { { 10, 12, 16, 18, 0.9f, 0, 0, 4, -4, 0 },
    { 21, 12, 18, 18, 0, 0.6f, 0, -4, 4, 0 }, { 21, 12, 19, 19, 0, 0.5f, 0, -4, 4, 0 } };
  const SegDesc desc = { SEG_DTYPE_F32, 3, { 1, 10, COLOR_NET_BOXES } };
  float data[10 * COLOR_NET_BOXES] = { 0 };
  for (guint v = 0; v < 10; v++)
    for (guint i = 0; i < G_N_ELEMENTS (boxes); i++)
      data[v * COLOR_NET_BOXES + 3 * i + 1] = boxes[i][v];
  add_init (graph, "boxes", &desc, data);
  seg_pb_message (graph, GRAPH_NODE, new_node ("Identity", "boxes", "detections"));
  seg_pb_message (graph, GRAPH_OUTPUT, seg_pb_value_info ("detections", &desc));
}

static void
add_cast (GByteArray *graph, const char *input, const char *output, SegDType to)
{
  GByteArray *node = new_node ("Cast", input, output);
  add_attr (node, "to", to);
  seg_pb_message (graph, GRAPH_NODE, node);
}

/* What comes after the convolution. */
static void
add_tail (GByteArray *graph, ColorNetKind kind)
{
  if (kind == COLOR_NET_HOSTED || kind == COLOR_NET_YOLO_HOSTED) {
    add_cast (graph, "logits", "bytes", SEG_DTYPE_I8);
    add_cast (graph, "bytes", "scores", SEG_DTYPE_F32);
  } else if (kind == COLOR_NET_INDEX || kind == COLOR_NET_SOFTMAX) {
    GByteArray *node =
        new_node (kind == COLOR_NET_INDEX ? "ArgMax" : "Softmax", "logits", "scores");
    add_attr (node, "axis", 1);
    seg_pb_message (graph, GRAPH_NODE, node);
  }
}

static GBytes *
make_model (ColorNetKind kind)
{
  const SegDesc w = { SEG_DTYPE_F32, 4, { 4, 3, 1, 1 } }, b = { SEG_DTYPE_F32, 1, { 4 } };
  const SegDesc in = { SEG_DTYPE_F32, 4, { 1, 3, COLOR_NET_HEIGHT, COLOR_NET_WIDTH } };
  SegDesc out = { SEG_DTYPE_F32, 4, { 1, 4, COLOR_NET_HEIGHT, COLOR_NET_WIDTH } };
  GByteArray *graph = g_byte_array_new (), *node = g_byte_array_new ();
  if (kind == COLOR_NET_INDEX) {
    out.dtype = SEG_DTYPE_I64;
    out.dims[1] = 1;
  }
  seg_pb_string (node, NODE_INPUT, "picture");
  seg_pb_string (node, NODE_INPUT, "w");
  seg_pb_string (node, NODE_INPUT, "b");
  seg_pb_string (node, NODE_OUTPUT,
      kind == COLOR_NET_PLAIN || kind == COLOR_NET_YOLO ? "scores" : "logits");
  seg_pb_string (node, NODE_NAME, "colors");
  seg_pb_string (node, NODE_OP_TYPE, "Conv");
  seg_pb_message (graph, GRAPH_NODE, node);
  add_tail (graph, kind);
  seg_pb_string (graph, GRAPH_NAME, "color-net");
  add_init (graph, "w", &w, &weights[0][0]);
  add_init (graph, "b", &b, biases);
  seg_pb_message (graph, GRAPH_INPUT, seg_pb_value_info ("picture", &in));
  if (kind == COLOR_NET_YOLO || kind == COLOR_NET_YOLO_HOSTED)
    add_detections (graph);
  seg_pb_message (graph, GRAPH_OUTPUT, seg_pb_value_info ("scores", &out));
  return seg_pb_model (graph, 17, NULL);
}

char *
color_net_write (const char *dir, const char *name, ColorNetKind kind, const char *info)
{
  g_autoptr (GBytes) bytes = make_model (kind);
  g_autoptr (GError) error = NULL;
  g_autofree char *file = g_strconcat (name, ".onnx", NULL);
  char *path = g_build_filename (dir, file, NULL);
  g_file_set_contents (
      path, g_bytes_get_data (bytes, NULL), (gssize) g_bytes_get_size (bytes), &error);
  g_assert_no_error (error);
  g_autofree char *sidecar = g_strconcat (path, ".modelinfo", NULL);
  if (info != NULL)
    g_file_set_contents (sidecar, info, -1, &error);
  g_assert_no_error (error);
  return path;
}

void
color_net_remove (const char *path)
{
  GDir *dir = g_dir_open (path, 0, NULL);
  const char *name;
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *entry = g_build_filename (path, name, NULL);
    color_net_remove (entry);
  }
  g_clear_pointer (&dir, g_dir_close);
  g_remove (path);
}

void
color_net_paint (
    const SegFrame *frame, guint8 *data, guint x0, guint x1, const double rgb[3])
{
  const SegFormatInfo *info = seg_format_info (frame->format);
  guint8 bytes[3];
  seg_color_from_rgb (&frame->color, info->kind, rgb, bytes);
  for (guint c = 0; c < info->n_components; c++) {
    const SegComponent *k = &info->components[c];
    for (guint y = 0; y < frame->height; y++)
      for (guint x = x0; x < x1; x++)
        data[frame->offset[k->plane] + k->offset
             + (y >> k->vsub) * frame->stride[k->plane] + (x >> k->hsub) * k->step] =
            bytes[c];
  }
}
