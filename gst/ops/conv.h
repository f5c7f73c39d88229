/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ops/program.h"
#include "ops/window.h"

G_BEGIN_DECLS

/* Inside the convolution family: the operators Conv (conv.c) and ConvTranspose
 * (conv-transpose.c) and the algorithms that run them on a device, one a file. */

typedef struct {
  SegWindow window;
  guint32 groups;
} SegConvParams;

/* One convolution as the algorithms see it: feature maps CHANNELS_LAST of height 1 or more. */
typedef struct {
  const SegNode *node;
  SegRef source;             /* of `in`: input 0, or what a factor has made of it */
  SegView in, out, residual; /* residual.rank 0: none */
  guint32 batch, in_c, out_c, groups;
  SegWindowAxis y, x;
  const SegTensor *weights, *bias; /* NULL: not known at load, or absent */
} SegConvJob;

/* The attribute `group`, and what both operators ask of input and weights: one floating-point
 * type, one rank from 3 to 5. */
gboolean seg_conv_groups (const SegNode *node, guint32 *groups, GError **error);
gboolean seg_conv_check_operands (const SegDesc *x, const SegDesc *w, GError **error);
gboolean seg_conv_check_ranks (const SegDesc *x, const SegDesc *w, GError **error);
/* What Conv and its quantised kin (quant-conv.c) share: SegOp.parse and .align of SegConvParams, and that weights
 * [M,C/groups,...] go with an input [N,C,...]. */
gboolean seg_conv_parse (SegNode *node, GError **error);
gboolean seg_conv_align (const SegNode *node, guint axis, SegAlign *align);
gboolean seg_conv_check_channels (
    const SegDesc *x, const SegDesc *w, gint64 groups, GError **error);
void seg_conv_job (SegConvJob *job, const SegNode *node, const SegWindow *window,
    guint32 groups, SegProgram *p);
/* The weights of a job that knows them, as floats: the tensor's own or, of another type, newly allocated in
 * *owned, else NULL. */
const float *seg_conv_floats (const SegTensor *tensor, float **owned);
/* The same without a copy of what is unaligned. */
const SegUnalignedFloat *seg_conv_filter (const SegTensor *tensor, float **owned);
/* A bias known at load (or zeros) as fp32, padded with zeros to a multiple of `align`. */
SegRef seg_conv_bias (const SegConvJob *job, guint align, SegProgram *p);

/* 3x3 without a stride, where it pays: winograd_in.comp, conv_lp.comp, winograd_out.comp. */
gboolean seg_conv_winograd_takes (const SegConvJob *job, const SegProgram *p);
/* Of temporaries; it fits itself into seg_program_temp_budget, but may not be able to. */
gsize seg_conv_winograd_temp_bytes (const SegConvJob *job, const SegProgram *p);
gboolean seg_conv_winograd_emit (const SegConvJob *job, SegProgram *p, GError **error);
/* One filter a channel: conv_depthwise.comp. */
gboolean seg_conv_depthwise_takes (const SegConvJob *job);
gboolean seg_conv_depthwise_emit (const SegConvJob *job, SegProgram *p, GError **error);
/* Into few channels: conv_few.comp. Weights are known at load. */
gboolean seg_conv_few_takes (const SegConvJob *job);
gboolean seg_conv_few_emit (const SegConvJob *job, SegProgram *p, GError **error);
/* Anything, weights that are computed too, slowly: conv_direct.comp. */
gboolean seg_conv_direct_emit (const SegConvJob *job, SegProgram *p, GError **error);

G_END_DECLS
