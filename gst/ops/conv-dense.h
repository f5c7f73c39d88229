/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ops/conv.h"

G_BEGIN_DECLS

/* A dense convolution with weights known at load, as Conv, ConvTranspose (a phase at a time),
 * Gemm and MatMul (as 1x1) hand it to one of the families: conv-lp.c, conv-sc.c, conv-cm.c.
 * conv-choose.c says to which. */
typedef struct {
  const SegNode *node; /* whose epilogue to apply; NULL: none */
  SegRef source, dest;
  SegStorage storage; /* of the weights, of source and of dest */
  guint32 in_pitch4, in_offset4, out_pitch4, out_offset4, res_pitch4,
      res_offset4; /* texels of four channels */
  guint32 batch, in_c, out_c, groups;
  guint32 out_c4;     /* texels of an output pixel to write, with the channel padding */
  SegWindowAxis y, x; /* pad may be negative; pad_end is not looked at */
  /* Where output pixel (image, y, x) lies: pixels to step for each, and the first. */
  guint32 out_image, out_row, out_col, out_first;
  /* [out_c][in_c / groups][y.kernel][x.kernel]; not looked at when */
  const SegUnalignedFloat *filter;
  SegRef weights; /* is set: packed as conv-lp.c does */
  /* [1,in_c,1,...] that the input is multiplied by, of no groups, or NULL; conv-lp.c alone looks at it */
  const SegValue *factor;
  gboolean stays;              /* the filter, as long as the graph */
  SegRef bias;                 /* fp32, padded to SEG_BIAS_ALIGN channels */
  SegLive live;                /* of whose items each is an output pixel */
  gboolean steady;             /* as SegGraph.steady */
  gboolean short_of_registers; /* the processor; conv-lp.c alone looks at it */
  guint variant; /* of the family, counted from 1; 0: as the family finds best */
} SegDenseConv;

#define SEG_BIAS_ALIGN 128 /* the most output channels of a tile, in any family */

/* A job's feature maps; without its filter and bias. */
SegDenseConv seg_dense_maps (const SegConvJob *job, SegProgram *p);
/* With its bias. */
SegDenseConv seg_dense_conv (const SegConvJob *job, SegProgram *p);

G_END_DECLS
