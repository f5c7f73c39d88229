/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ops/program.h"
#include "ops/resize-taps.h"

G_BEGIN_DECLS

/* Resize and Upsample: what resize-params.c makes of the attributes and resize.c executes. */

enum { SEG_RESIZE, SEG_UPSAMPLE }; /* SegOp.variant */

typedef enum {
  SEG_RESIZE_STRETCH,
  SEG_RESIZE_NOT_LARGER,
  SEG_RESIZE_NOT_SMALLER
} SegResizePolicy;

typedef struct {
  SegResizeKind kind;
  SegResizePolicy policy;
  gboolean early; /* before opset 11: no coordinate modes */
  double extrapolation;
  SegResizeAxis axes[SEG_MAX_RANK];
} SegResizeParams;

gboolean seg_resize_parse (SegNode *node, GError **error);
gboolean seg_resize_infer (SegNode *node, GError **error);

/* Maps with their channels together, whose height and width are each made of at most two taps:
 * resize_linear.comp. axes[] as made for each axis of the node's output. The taps are isamplerBuffers of
 * {offset, offset, weight, weight} for each output row (column), offsets in texels, weights by bits. */
gboolean seg_resize_linear_takes (
    const SegView *from, const SegView *to, const SegTaps *axes);
gboolean seg_resize_linear_emit (const SegNode *node, const SegView *from,
    const SegView *to, const SegTaps *axes, SegRef y_taps, SegRef x_taps, SegProgram *p,
    GError **error);

G_END_DECLS
