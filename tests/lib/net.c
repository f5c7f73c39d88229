/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/net.h"

#include "lib/onnx-writer.h"

#include <math.h>
#include <string.h>

/* Field numbers of onnx.proto. */
enum { NODE_INPUT = 1, NODE_OUTPUT, NODE_NAME, NODE_OP_TYPE, NODE_ATTRIBUTE };
enum { ATTR_NAME = 1, ATTR_I = 3, ATTR_S = 4, ATTR_INTS = 8, ATTR_TYPE = 20 };
enum { TYPE_INT = 2, TYPE_STRING = 3, TYPE_INTS = 7 };
enum { GRAPH_NODE = 1, GRAPH_NAME, GRAPH_INIT = 5, GRAPH_INPUT = 11, GRAPH_OUTPUT = 12 };

struct _Net {
  GByteArray *graph;
  GPtrArray *names;
  GRand *rand;
};

static const char *
new_name (Net *net, const char *stem)
{
  char *name = g_strdup_printf ("%s%u", stem, net->names->len);
  g_ptr_array_add (net->names, name);
  return name;
}

/* A float map whose dims of 0 are free. */
static GByteArray *
value_info (const char *name, const gint64 dims[4])
{
  GByteArray *info = g_byte_array_new (), *type = g_byte_array_new ();
  GByteArray *tensor = g_byte_array_new (), *shape = g_byte_array_new ();
  for (guint i = 0; i < 4; i++) {
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

Net *
net_new (gint64 batch, gint64 channels, gint64 height, gint64 width)
{
  const gint64 dims[4] = { batch, channels, height, width };
  Net *net = g_new0 (Net, 1);
  net->graph = g_byte_array_new ();
  net->names = g_ptr_array_new_with_free_func (g_free);
  net->rand = g_rand_new_with_seed (1);
  seg_pb_string (net->graph, GRAPH_NAME, "net");
  seg_pb_message (net->graph, GRAPH_INPUT, value_info ("picture", dims));
  return net;
}

void
net_free (Net *net)
{
  if (net->graph != NULL)
    g_byte_array_unref (net->graph);
  g_ptr_array_unref (net->names);
  g_rand_free (net->rand);
  g_free (net);
}

static const char *
add_constant (Net *net, const SegDesc *desc, gconstpointer data)
{
  const char *name = new_name (net, "c");
  SegTensor *t = seg_tensor_new (desc, NULL);
  memcpy (t->data, data, t->n_bytes);
  seg_pb_message (net->graph, GRAPH_INIT, seg_pb_tensor (name, t));
  seg_tensor_unref (t);
  return name;
}

static const char *
add_ints (Net *net, gint64 a, gint64 b)
{
  const SegDesc desc = { SEG_DTYPE_I64, 1, { 2 } };
  const gint64 data[2] = { a, b };
  return add_constant (net, &desc, data);
}

/* A node under construction; `inputs` ends with NULL. */
static GByteArray *
new_node (Net *net, const char *op, const char *const *inputs, const char **output)
{
  GByteArray *node = g_byte_array_new ();
  *output = new_name (net, "v");
  for (guint i = 0; inputs[i] != NULL; i++)
    seg_pb_string (node, NODE_INPUT, inputs[i]);
  seg_pb_string (node, NODE_OUTPUT, *output);
  seg_pb_string (node, NODE_NAME, *output);
  seg_pb_string (node, NODE_OP_TYPE, op);
  return node;
}

static void
add_attr (GByteArray *node, const char *name, const gint64 *values, guint n)
{
  GByteArray *attr = g_byte_array_new ();
  seg_pb_string (attr, ATTR_NAME, name);
  for (guint i = 0; i < n; i++)
    seg_pb_int (attr, ATTR_INTS, values[i]);
  seg_pb_int (attr, ATTR_TYPE, TYPE_INTS);
  seg_pb_message (node, NODE_ATTRIBUTE, attr);
}

static void
add_window (GByteArray *node, guint kernel, guint stride, guint pad, guint dilation)
{
  const gint64 k[2] = { kernel, kernel }, s[2] = { stride, stride },
               p[4] = { pad, pad, pad, pad }, d[2] = { dilation, dilation };
  add_attr (node, "kernel_shape", k, 2);
  add_attr (node, "strides", s, 2);
  add_attr (node, "pads", p, 4);
  if (dilation > 1)
    add_attr (node, "dilations", d, 2);
}

/* As large as keeps the values' spread from layer to layer. */
static float *
random_weights (Net *net, const NetConv *c, gsize *n)
{
  gsize taps = (gsize) c->kernel * c->kernel;
  *n = taps * c->in_c * c->out_c;
  double range = sqrt (6.0 / (double) (taps * c->in_c));
  float *w = g_new (float, *n + c->out_c);
  for (gsize i = 0; i < *n; i++)
    w[i] = (float) g_rand_double_range (net->rand, -range, range);
  for (gsize i = 0; i < c->out_c; i++)
    w[*n + i] = (float) g_rand_double_range (net->rand, -0.1, 0.1);
  return w;
}

static const char *
add_conv (Net *net, const char *op, const char *in, NetConv c, const float *weights)
{
  gboolean up = strcmp (op, "ConvTranspose") == 0;
  const SegDesc w = { SEG_DTYPE_F32, 4,
    { up ? c.in_c : c.out_c, up ? c.out_c : c.in_c, c.kernel, c.kernel } };
  const SegDesc b = { SEG_DTYPE_F32, 1, { c.out_c } };
  gsize n = (gsize) c.in_c * c.out_c * c.kernel * c.kernel;
  const char *out, *inputs[] = { in, add_constant (net, &w, weights),
    add_constant (net, &b, weights + n), NULL };
  GByteArray *node = new_node (net, op, inputs, &out);
  add_window (node, c.kernel, MAX (c.stride, 1), c.pad, MAX (c.dilation, 1));
  seg_pb_message (net->graph, GRAPH_NODE, node);
  return out;
}

const char *
net_conv_with (Net *net, const char *in, NetConv c, const float *weights)
{
  return add_conv (net, "Conv", in, c, weights);
}

const char *
net_conv (Net *net, const char *in, NetConv c)
{
  gsize n;
  g_autofree float *w = random_weights (net, &c, &n);
  return add_conv (net, "Conv", in, c, w);
}

const char *
net_up_conv (Net *net, const char *in, NetConv c)
{
  gsize n;
  g_autofree float *w = random_weights (net, &c, &n);
  return add_conv (net, "ConvTranspose", in, c, w);
}

const char *
net_op (Net *net, const char *op, const char *in)
{
  const char *out, *inputs[] = { in, NULL };
  seg_pb_message (net->graph, GRAPH_NODE, new_node (net, op, inputs, &out));
  return out;
}

const char *
net_op2 (Net *net, const char *op, const char *a, const char *b)
{
  const char *out, *inputs[] = { a, b, NULL };
  seg_pb_message (net->graph, GRAPH_NODE, new_node (net, op, inputs, &out));
  return out;
}

const char *
net_instance_norm (Net *net, const char *in, guint channels)
{
  const SegDesc desc = { SEG_DTYPE_F32, 1, { channels } };
  g_autofree float *ones = g_new (float, channels);
  for (guint i = 0; i < channels; i++)
    ones[i] = 1;
  const char *scale = add_constant (net, &desc, ones);
  const char *out, *inputs[] = { in, scale, scale, NULL };
  seg_pb_message (
      net->graph, GRAPH_NODE, new_node (net, "InstanceNormalization", inputs, &out));
  return out;
}

const char *
net_pool (Net *net, const char *op, const char *in, guint kernel, guint stride, guint pad)
{
  const char *out, *inputs[] = { in, NULL };
  GByteArray *node = new_node (net, op, inputs, &out);
  add_window (node, kernel, stride, pad, 1);
  seg_pb_message (net->graph, GRAPH_NODE, node);
  return out;
}

const char *
net_crop (Net *net, const char *in, gint64 n)
{
  const char *out, *inputs[] = { in, add_ints (net, n, n), add_ints (net, -n, -n),
    add_ints (net, 2, 3), NULL };
  seg_pb_message (net->graph, GRAPH_NODE, new_node (net, "Slice", inputs, &out));
  return out;
}

const char *
net_concat (Net *net, const char *a, const char *b)
{
  const char *out, *inputs[] = { a, b, NULL };
  GByteArray *node = new_node (net, "Concat", inputs, &out), *attr = g_byte_array_new ();
  seg_pb_string (attr, ATTR_NAME, "axis");
  seg_pb_int (attr, ATTR_I, 1);
  seg_pb_int (attr, ATTR_TYPE, TYPE_INT);
  seg_pb_message (node, NODE_ATTRIBUTE, attr);
  seg_pb_message (net->graph, GRAPH_NODE, node);
  return out;
}

const char *
net_transpose (Net *net, const char *in, const gint64 perm[4])
{
  const char *out, *inputs[] = { in, NULL };
  GByteArray *node = new_node (net, "Transpose", inputs, &out);
  add_attr (node, "perm", perm, 4);
  seg_pb_message (net->graph, GRAPH_NODE, node);
  return out;
}

const char *
net_resize (Net *net, const char *in, const char *mode, float factor)
{
  const SegDesc desc = { SEG_DTYPE_F32, 1, { 4 } };
  const float scales[4] = { 1, 1, factor, factor };
  const char *out, *inputs[] = { in, "", add_constant (net, &desc, scales), NULL };
  GByteArray *node = new_node (net, "Resize", inputs, &out), *attr = g_byte_array_new ();
  seg_pb_string (attr, ATTR_NAME, "mode");
  seg_pb_string (attr, ATTR_S, mode);
  seg_pb_int (attr, ATTR_TYPE, TYPE_STRING);
  seg_pb_message (node, NODE_ATTRIBUTE, attr);
  seg_pb_message (net->graph, GRAPH_NODE, node);
  return out;
}

static const char *
two_convs (Net *net, const char *in, guint in_c, guint out_c, gboolean padded)
{
  NetConv a = { in_c, out_c, 3, 1, padded }, b = { out_c, out_c, 3, 1, padded };
  in = net_op (net, "Relu", net_conv (net, in, a));
  return net_op (net, "Relu", net_conv (net, in, b));
}

const char *
net_unet (Net *net, const char *in, guint in_c, guint levels, guint base, guint n_classes,
    gboolean padded)
{
  const char *skips[8];
  g_assert_cmpuint (levels, <, G_N_ELEMENTS (skips));
  for (guint l = 0; l < levels; l++) {
    skips[l] = two_convs (net, in, l == 0 ? in_c : base << (l - 1), base << l, padded);
    in = net_pool (net, "MaxPool", skips[l], 2, 2, 0);
  }
  in = two_convs (net, in, base << (levels - 1), base << levels, padded);
  for (guint l = levels, crop = 4; l-- > 0; crop = 2 * crop + 8) {
    in = net_up_conv (net, in, (NetConv){ base << (l + 1), base << l, 2, 2 });
    const char *skip = padded ? skips[l] : net_crop (net, skips[l], crop);
    in = two_convs (net, net_concat (net, skip, in), base << (l + 1), base << l, padded);
  }
  return net_conv (net, in, (NetConv){ base, n_classes, 1 });
}

GBytes *
net_finish (Net *net, const char *output)
{
  const gint64 dims[4] = { 0 };
  seg_pb_message (net->graph, GRAPH_OUTPUT, value_info (output, dims));
  GBytes *bytes = seg_pb_model (g_steal_pointer (&net->graph), 17, NULL);
  net_free (net);
  return bytes;
}

char *
net_write (
    Net *net, const char *output, const char *dir, const char *name, const char *info)
{
  g_autoptr (GBytes) bytes = net_finish (net, output);
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
