/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ops/conv.h"

G_BEGIN_DECLS

/* The dense convolution of conv_lp.comp, as Conv, ConvTranspose (a phase at a time), Gemm and
 * MatMul (as 1x1) use it. */
typedef struct {
  const SegNode *node; /* whose epilogue to apply; NULL: none */
  SegRef source, dest;
  SegStorage storage; /* of the weights and of dest */
  guint32 in_pitch4, in_offset4, out_pitch4, out_offset4, res_pitch4,
      res_offset4; /* texels */
  guint32 batch, in_c, out_c, groups;
  guint32 out_c4;     /* texels of an output pixel to write, with the channel padding */
  SegWindowAxis y, x; /* pad may be negative; pad_end is not looked at */
  /* Where output pixel (image, y, x) lies: pixels to step for each, and the first. */
  guint32 out_image, out_row, out_col, out_first;
  const float
      *filter;    /* [out_c][in_c / groups][y.kernel][x.kernel]; not looked at when */
  SegRef weights; /* is set: what seg_lp_pack has made of it */
  SegRef bias;    /* fp32, padded to SEG_LP_BLOCK channels */
} SegLpConv;

#define SEG_LP_BLOCK 16 /* most output channels of one lane */

/* A job's feature maps and bias; without its filter. */
SegLpConv seg_lp_conv (const SegConvJob *job, SegProgram *p);
/* Whether the device has what the shader needs, and the groups can be made dense cheaply. */
gboolean seg_lp_takes (
    guint32 in_c, guint32 out_c, guint32 groups, const SegDeviceInfo *device);
/* About what a tap of four input channels costs, in multiplications of four channels. */
double seg_lp_cost (gint64 rows, gint64 width, guint32 out_c);
SegRef seg_lp_pack (const SegLpConv *conv, SegProgram *p);
gboolean seg_lp_emit (const SegLpConv *conv, SegProgram *p, GError **error);

G_END_DECLS
