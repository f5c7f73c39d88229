/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ops/conv-dense.h"

G_BEGIN_DECLS

/* The one place where a convolution's kernel family is chosen: by device, precision and shape.
 *
 * family     file            for
 * depthwise  conv-depthwise  one filter a channel, on every device
 * few        conv-few       up to 5x5 into up to four channels, one group, no stride, CPU devices
 * winograd   conv-winograd   3x3 without a stride, CPU devices, if its temporaries fit the budget
 * lp         conv-lp         dense, CPU devices; groups that can be joined, all devices
 * cm1        conv-cm         dense, fp16, GPUs that have cooperative matrices
 * cm2        conv-cm         dense, fp16, GPUs where only workgroups multiply matrices as they should
 * sc         conv-sc         dense, other GPUs: implicit GEMM over shared memory
 * direct     conv-direct     everything else, and weights that are computed
 * dot        conv-dot        of bytes, dense, GPUs with integer dot products (conv-int otherwise)
 *
 * The environment variable VKSEG_CONV names a family (lp, few, winograd, sc, cm1, cm2, direct) to use
 * wherever it can do the work, on any device: for tests and measurements. Families that cannot
 * are skipped as usual. "cm1/3" names the third of a family's variants too (SegDenseConv.variant).
 *
 * Otherwise SegProgram.tuning, where it knows a shape, says which of the families that could do
 * it, and of their variants, was the fastest when measured (engine/tune.h). Depthwise, few and direct
 * convolutions and those of bytes have no such choice; graphs that are steady take none. */
typedef enum {
  SEG_CONV_DIRECT,
  SEG_CONV_DEPTHWISE,
  SEG_CONV_WINOGRAD,
  SEG_CONV_LP,
  SEG_CONV_SC,
  SEG_CONV_DOT,
  SEG_CONV_CM1,
  SEG_CONV_CM2,
  SEG_CONV_FEW,
  SEG_CONV_N_FAMILIES,
} SegConvFamily;

/* VKSEG_CONV names this one. */
gboolean seg_conv_is_forced (SegConvFamily family);
/* "sc"; what VKSEG_CONV takes. */
const char *seg_conv_family_name (SegConvFamily family);

gboolean seg_conv_emit (const SegConvJob *job, SegProgram *p, GError **error);

/* Whether cm1 or cm2 comes first for fp16 where it can do the work. */
gboolean seg_conv_prefers_matrices (const SegDeviceInfo *device);

/* For dense convolutions that are made from other operators. takes: whether any family of dense
 * convolutions does such a one on this device. */
gboolean seg_dense_takes (
    guint32 in_c, guint32 out_c, guint32 groups, const SegDeviceInfo *device);
gboolean seg_dense_emit (const SegDenseConv *conv, SegProgram *p, GError **error);

G_END_DECLS
