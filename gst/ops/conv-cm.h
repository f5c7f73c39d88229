/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ops/conv-dense.h"

G_BEGIN_DECLS

/* Implicit GEMM on matrix units, fp16 only: in fp32 there are no such units, or they round to
 * less. cm1: by subgroups, VK_KHR_cooperative_matrix (conv_cm1.comp); cm2: by workgroups,
 * VK_NV_cooperative_matrix2 (conv_cm2.comp). */
gboolean seg_cm1_takes (const SegDenseConv *conv, const SegDeviceInfo *device);
gboolean seg_cm1_emit (const SegDenseConv *conv, SegProgram *p, GError **error);
gboolean seg_cm2_takes (const SegDenseConv *conv, const SegDeviceInfo *device);
gboolean seg_cm2_emit (const SegDenseConv *conv, SegProgram *p, GError **error);
/* Whether a tile (SegDenseConv.variant) is worth being measured beside the one that is taken
 * otherwise; conv->variant is 0. */
gboolean seg_cm1_offers (const SegDenseConv *conv, const SegProgram *p, guint variant);
gboolean seg_cm2_offers (const SegDenseConv *conv, const SegProgram *p, guint variant);

G_END_DECLS
