/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/tensor.h"

G_BEGIN_DECLS

/* Builds small networks, node by node. Values go by their names, which belong to the net; weights
 * are random, the same ones each time. Maps are [N,C,H,W]. */
typedef struct _Net Net;

/* With the input "picture"; dims of 0 are free. */
Net *net_new (gint64 batch, gint64 channels, gint64 height, gint64 width);
void net_free (Net *net);

typedef struct {
  guint in_c, out_c, kernel, stride, pad, dilation; /* the last three: 0 means 1, 0, 1 */
} NetConv;
const char *net_conv (Net *net, const char *in, NetConv c);
/* Its first weights are these, and no random ones: [out_c][in_c][k][k], then the biases. */
const char *net_conv_with (Net *net, const char *in, NetConv c, const float *weights);
const char *net_up_conv (Net *net, const char *in, NetConv c); /* ConvTranspose */
/* One input, one output, no attributes: Relu, GlobalAveragePool, ... */
const char *net_op (Net *net, const char *op, const char *in);
/* And of two inputs: Add, Mul, ... */
const char *net_op2 (Net *net, const char *op, const char *a, const char *b);
const char *net_instance_norm (Net *net, const char *in, guint channels);
const char *net_pool (
    Net *net, const char *op, const char *in, guint kernel, guint stride, guint pad);
/* Takes `n` pixels off each side. */
const char *net_crop (Net *net, const char *in, gint64 n);
const char *net_concat (Net *net, const char *a, const char *b);
const char *net_transpose (Net *net, const char *in, const gint64 perm[4]);
/* Upsampling by a whole factor: mode "nearest" or "linear", half-pixel. */
const char *net_resize (Net *net, const char *in, const char *mode, float factor);

/* A U-Net with `levels` poolings, `base` channels at first and these classes; unpadded as
 * published, or padded. */
const char *net_unet (Net *net, const char *in, guint in_c, guint levels, guint base,
    guint n_classes, gboolean padded);

/* The model with this output; frees the net. */
GBytes *net_finish (Net *net, const char *output);
/* The same as DIR/NAME.onnx, and `info` (NULL: none) as NAME.onnx.modelinfo; its path. */
char *net_write (
    Net *net, const char *output, const char *dir, const char *name, const char *info);

G_END_DECLS
