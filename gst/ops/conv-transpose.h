/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ops/conv.h"

G_BEGIN_DECLS

/* Inside ConvTranspose: the job's axes mean out + pad - k * dilation = in * stride. Weights are
 * [in_c][out_c / groups][ky][kx]. */

/* To so few channels that all output pixels of an input pixel are a texel or two: conv_transpose_few.comp. On
 * a CPU. */
gboolean seg_transpose_few_takes (const SegConvJob *job, const SegDeviceInfo *device);
gboolean seg_transpose_few_emit (const SegConvJob *job, SegProgram *p, GError **error);
/* Each of the stride_y x stride_x phases of output pixels is a dense convolution of
 * its own. For strides that leave few phases. */
gboolean seg_transpose_phases_takes (const SegConvJob *job, const SegDeviceInfo *device);
gboolean seg_transpose_phases_emit (const SegConvJob *job, SegProgram *p, GError **error);
/* All phases as channels of one dense convolution, then conv_subpixel.comp. For large strides. */
gboolean seg_transpose_subpixel_takes (
    const SegConvJob *job, const SegDeviceInfo *device);
gboolean seg_transpose_subpixel_emit (
    const SegConvJob *job, SegProgram *p, GError **error);
/* Anything: conv_transpose.comp. */
gboolean seg_transpose_gather_emit (const SegConvJob *job, SegProgram *p, GError **error);

G_END_DECLS
