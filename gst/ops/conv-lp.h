/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ops/conv.h"

G_BEGIN_DECLS

/* The dense convolution of conv_lp.comp, as Conv, ConvTranspose (a phase at a time), Gemm and
 * MatMul (as 1x1) use it. */
typedef struct {
  const SegNode *node;
  SegRef source;
  guint32 in_pitch4, in_offset4, out_pitch4, out_offset4, res_pitch4,
      res_offset4; /* texels */
  guint32 batch, in_c, out_c, groups;
  guint32 out_c4;     /* texels of an output pixel to write, with the channel padding */
  SegWindowAxis y, x; /* pad may be negative; pad_end is not looked at */
  /* Where output pixel (image, y, x) lies: pixels to step for each, and the first. */
  guint32 out_image, out_row, out_col, out_first;
  const float *filter; /* [out_c][in_c / groups][y.kernel][x.kernel] */
  SegRef bias;         /* fp32, padded to SEG_LP_BLOCK channels */
} SegLpConv;

#define SEG_LP_BLOCK 16 /* most output channels of one lane */

/* A job's feature maps and bias; without its filter. */
SegLpConv seg_lp_conv (const SegConvJob *job, SegProgram *p);
/* Whether the device has what the shader needs, and the groups can be made dense cheaply. */
gboolean seg_lp_takes (
    guint32 in_c, guint32 out_c, guint32 groups, const SegDeviceInfo *device);
gboolean seg_lp_emit (const SegLpConv *conv, SegProgram *p, GError **error);

G_END_DECLS
