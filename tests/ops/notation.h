/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/tensor.h"

G_BEGIN_DECLS

/* Reads the notation of cases.h from left to right. */
typedef struct {
  const char *text, *p;
  GRand *rand;
  gboolean half; /* round random floats to fp16 */
} SegScan;

/* SEG_ERROR_INPUT with the place in the text. */
gboolean seg_scan_fail (const SegScan *scan, GError **error, const char *expected);
void seg_scan_spaces (SegScan *scan);
/* One tensor, such as "f32[2,3](0.5,2)!"; *is_init: not a run-time input. */
gboolean seg_scan_tensor (
    SegScan *scan, SegTensor **tensor, gboolean *is_init, GError **error);
/* "[1,2.5]" between the given brackets, of doubles; *is_float: an entry has a point or is
 * infinite or NaN. */
gboolean seg_scan_list (SegScan *scan, char open, char close, GArray *out,
    gboolean *is_float, GError **error);
gboolean seg_scan_number (SegScan *scan, double *out, gboolean *is_float, GError **error);

G_END_DECLS
