/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ops/quant.h"
#include "ops/window.h"

G_BEGIN_DECLS

/* A convolution of bytes with weights known at load, summed exactly, as QLinearConv, ConvInteger and
 * (as 1x1) the products of matrices hand it over. Texels are of four channels. */
typedef struct {
  SegRef source, dest; /* bytes; bytes, or int32 without `scale` */
  SegRef zero;         /* one byte: the source's zero point */
  SegDType dtype;      /* of the source */
  guint32 in_pitch4, in_offset4, out_pitch4, out_offset4;
  guint32 batch, in_c, out_c, groups;
  guint32 out_c4;     /* texels of an output pixel to write, with the channel padding */
  SegWindowAxis y, x; /* pad_end is not looked at */
  /* [out_c][in_c / groups][y.kernel][x.kernel], less its zero points */
  const gint16 *filter;
  const gint32 *bias; /* per output channel, or NULL */
  /* per output channel, what a sum is multiplied by; NULL: sums are stored */
  const float *scale;
  guint32 output[3]; /* seg_quant_output, with a scale */
} SegIntConv;

/* What each output channel has of its own, with zeros up to n. */
SegRef seg_int_conv_bias (const SegIntConv *conv, guint n, SegProgram *p);
SegRef seg_int_conv_scale (const SegIntConv *conv, guint n, SegProgram *p);

/* With integer dot products: dense, weights that are int8 (conv_dot.comp). */
gboolean seg_dot_takes (const SegIntConv *conv, const SegDeviceInfo *device);
gboolean seg_dot_emit (const SegIntConv *conv, SegProgram *p, GError **error);

/* By whichever kernel suits the device. */
gboolean seg_int_conv_emit (const SegIntConv *conv, SegProgram *p, GError **error);

G_END_DECLS
