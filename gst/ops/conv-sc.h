/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ops/conv-dense.h"

G_BEGIN_DECLS

/* Implicit GEMM on the plain multipliers of a GPU, fp32 or fp16 storage: conv_sc.comp. Needs
 * nothing but Vulkan 1.1 and 16 KiB of shared memory. */
gboolean seg_sc_takes (const SegDenseConv *conv, const SegDeviceInfo *device);
gboolean seg_sc_emit (const SegDenseConv *conv, SegProgram *p, GError **error);
/* Whether a tile (SegDenseConv.variant) is worth being measured beside the one that is taken
 * otherwise; conv->variant is 0. */
gboolean seg_sc_offers (const SegDenseConv *conv, const SegProgram *p, guint variant);

G_END_DECLS
