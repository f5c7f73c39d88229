/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/tensor.h"

G_BEGIN_DECLS

/* got matches want when |got - want| <= absolute + relative * scale, where scale is |want|, or
 * the largest finite |want| of the tensor with to_largest. NaN matches NaN and an infinity the
 * same infinity. Integers and booleans must be equal. */
typedef struct {
  double relative, absolute;
  gboolean to_largest;
  gboolean half; /* got was stored as fp16: past 65504 it may be infinite or 65504 */
} SegTolerance;

/* NULL when they match; else what differs, newly allocated, one line: type and shape, or the
 * first bad element with both values, how many are bad and the largest error. */
char *seg_compare (
    const SegTensor *got, const SegTensor *want, const SegTolerance *tolerance);

G_END_DECLS
