/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/onnx-graph.h"

#include "onnx/model.h"

#include <stdarg.h>
#include <string.h>

/* Field numbers of onnx.proto. */
enum { NODE_INPUT = 1, NODE_OUTPUT, NODE_NAME, NODE_OP_TYPE, NODE_ATTRIBUTE };
enum { ATTR_NAME = 1, ATTR_I = 3, ATTR_INTS = 8, ATTR_TYPE = 20 };

GByteArray *
seg_pb_node (const char *op, const char *output, ...)
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

void
seg_pb_attr_int (GByteArray *node, const char *name, gint64 value)
{
  GByteArray *attr = new_attr (name, SEG_ATTR_INT);
  seg_pb_int (attr, ATTR_I, value);
  seg_pb_message (node, NODE_ATTRIBUTE, attr);
}

void
seg_pb_attr_ints (GByteArray *node, const char *name, const gint64 *values, guint n)
{
  GByteArray *attr = new_attr (name, SEG_ATTR_INTS);
  for (guint i = 0; i < n; i++)
    seg_pb_int (attr, ATTR_INTS, values[i]);
  seg_pb_message (node, NODE_ATTRIBUTE, attr);
}

void
seg_pb_add_node (GByteArray *graph, GByteArray *node)
{
  seg_pb_message (graph, GRAPH_NODE, node);
}

void
seg_pb_add_constant (GByteArray *graph, const char *name, SegDType dtype, guint rank,
    const gint64 *dims, gconstpointer data)
{
  SegDesc desc = { .dtype = dtype, .rank = rank };
  if (rank > 0)
    memcpy (desc.dims, dims, rank * sizeof *dims);
  SegTensor *t = seg_tensor_new (&desc, NULL);
  memcpy (t->data, data, t->n_bytes);
  seg_pb_message (graph, GRAPH_INIT, seg_pb_tensor (name, t));
  seg_tensor_unref (t);
}

GByteArray *
seg_pb_free_value_info (const char *name, SegDType dtype, guint rank, const gint64 *dims)
{
  GByteArray *info = g_byte_array_new (), *type = g_byte_array_new ();
  GByteArray *tensor = g_byte_array_new (), *shape = g_byte_array_new ();
  for (guint i = 0; i < rank; i++) {
    GByteArray *dim = g_byte_array_new ();
    if (dims[i] > 0)
      seg_pb_int (dim, 1, dims[i]);
    seg_pb_message (shape, 1, dim);
  }
  seg_pb_int (tensor, 1, dtype);
  seg_pb_message (tensor, 2, shape);
  seg_pb_message (type, 1, tensor);
  seg_pb_string (info, 1, name);
  seg_pb_message (info, 2, type);
  return info;
}
