/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ops/reduction.h"

G_BEGIN_DECLS

/* What the normalisations share. */

/* --- on the host --------------------------------------------------------------------------- */

typedef struct {
  double mean, variance; /* of the population */
} SegMoments;
/* Of n elements from `first` on, `step` apart. */
SegMoments seg_moments (const SegTensor *t, gsize first, gsize n, gsize step);

/* --- on a device --------------------------------------------------------------------------- */

typedef enum {
  SEG_NORM_MEAN = 1,
  SEG_NORM_INVERSE = 2,
  SEG_NORM_SCALE = 4,
  SEG_NORM_BIAS = 8,
} SegNormPart;

/* Broadcast to the input; those of `parts` are there. mean and inverse have one view, and so
 * have scale and bias. */
typedef struct {
  guint parts; /* SegNormPart */
  SegOperand mean, inverse, scale, bias;
} SegNorm;

/* out = (x - mean) * inverse * scale + bias, then node's epilogue (a residual only without mean
 * and inverse). */
gboolean seg_norm_apply (SegProgram *p, const SegNode *node, const SegOperand *x,
    const SegNorm *norm, const SegOperand *out, GError **error);

/* Adds to norm the mean of x over the axes and 1 / sqrt (variance + epsilon), or with post
 * INVERSE_STD 1 / (sqrt (variance) + epsilon). Two passes over x. */
gboolean seg_norm_moments (SegProgram *p, const SegOperand *x, guint axes,
    SegReducePost post, float epsilon, SegNorm *norm, GError **error);

/* Numbers along axis 1 of a tensor of `rank`, as F32 memory. */
SegOperand seg_operand_channels (SegProgram *p, const float *values, guint n, guint rank);

G_END_DECLS
