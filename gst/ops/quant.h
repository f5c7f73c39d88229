/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ops/program.h"

G_BEGIN_DECLS

/* What the operators of quantised networks share. An integer q stands for the number
 * (q - zero) * scale; scale and zero are inputs of a node, for the tensor or for each index of one
 * axis. All arithmetic on numbers is fp32, operation by operation as it is written, so that host,
 * device and ONNX Runtime round alike; where a quotient lies between two integers to the last bit,
 * a GPU's division may go the other way. */

/* Element i of a scale or of a zero point (the only one, where it has but one). zero NULL: 0. */
float seg_quant_scale (const SegTensor *scale, gsize i);
gint64 seg_quant_zero (const SegTensor *zero, gsize i);
/* saturate (round (v) + zero), half to even; NaN becomes the smallest. */
gint64 seg_quantise (float v, gint64 zero, SegDType dtype);
/* The range of an integer type of at most 32 bits. */
void seg_quant_limits (SegDType dtype, gint64 *low, gint64 *high);
/* All elements of a tensor of bytes less their zero points, of which there is one or one for each
 * index of `axis`; newly allocated. */
gint16 *seg_quant_centred (const SegTensor *t, const SegTensor *zero, guint axis);
/* x * w / y, for n indices of w: by which a sum of products becomes the output's; newly allocated,
 * NULL where y is. */
float *seg_quant_multipliers (
    const SegTensor *x, const SegTensor *w, const SegTensor *y, gsize n);
gboolean seg_quant_is_byte (SegDType dtype); /* uint8, int8 */

/* Checks the node's inputs number `scale` and `zero` (which may be absent) for a tensor x of
 * integers of type `dtype`: floats, and that type; scalars, or one entry for each index of `axis`
 * (G_MAXUINT: scalars only). A `scale` of G_MAXUINT is not looked for. */
gboolean seg_quant_check (const SegNode *node, guint scale, guint zero, SegDType dtype,
    const SegDesc *x, guint axis, GError **error);

/* A pair for the whole tensor that is known at load. FALSE: it is not. */
typedef struct {
  float scale;
  gint32 zero;
} SegQuant;
gboolean seg_quant_known (const SegNode *node, guint scale, guint zero, SegQuant *out);

/* --- on a device (shaders/lib/quant.glsl) --------------------------------------------------- */

/* The bytes of a zero point, or a zero if it is absent. */
SegRef seg_quant_zero_ref (SegProgram *p, const SegValue *zero);
/* The bit by which an int8 differs from a uint8 that is ordered alike: 128 for int8, else 0. */
guint32 seg_quant_sign (SegDType dtype);
/* What is to be done with an integer sum or a number before it is a byte of type `dtype`:
 * specialisation constants LOW, HIGH, ZERO. */
void seg_quant_output (guint32 spec[3], SegDType dtype, gint32 zero);

G_END_DECLS
