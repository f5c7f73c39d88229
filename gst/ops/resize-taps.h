/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/error.h"

G_BEGIN_DECLS

/* Resizing one axis: which input elements make each output element, and how much of each.
 * As in ONNX's Resize, whose axes are independent of each other. */

typedef enum { SEG_RESIZE_NEAREST, SEG_RESIZE_LINEAR, SEG_RESIZE_CUBIC } SegResizeMode;

typedef enum {
  SEG_RESIZE_HALF_PIXEL,
  SEG_RESIZE_HALF_PIXEL_SYMMETRIC,
  SEG_RESIZE_PYTORCH_HALF_PIXEL,
  SEG_RESIZE_ALIGN_CORNERS,
  SEG_RESIZE_ASYMMETRIC,
  SEG_RESIZE_TF_HALF_PIXEL_FOR_NN,
  SEG_RESIZE_TF_CROP_AND_RESIZE,
} SegResizeCoords;

typedef enum {
  SEG_RESIZE_ROUND_PREFER_FLOOR,
  SEG_RESIZE_ROUND_PREFER_CEIL,
  SEG_RESIZE_FLOOR,
  SEG_RESIZE_CEIL,
} SegResizeNearest;

typedef struct {
  SegResizeMode mode;
  SegResizeCoords coords;
  SegResizeNearest nearest;
  double cubic_a;
  gboolean exclude_outside, antialias;
} SegResizeKind;

typedef struct {
  gint64 in, out; /* extents */
  double scale; /* out / in, as the model gives it: not always the ratio of the extents */
  double length; /* of the output as the model gives it: scale * in, not rounded */
  double roi_start, roi_end; /* for TF_CROP_AND_RESIZE, as fractions of the input */
} SegResizeAxis;

/* out x n entries: index within the input (clamped to it) and weight. */
typedef struct {
  guint n;
  gint32 *index; /* owned */
  double *weight;
  gboolean *outside; /* per output element: takes the extrapolation value */
  gboolean any_outside;
  gboolean identity; /* out == in and each element is itself */
} SegTaps;

/* How many entries seg_taps_make would make: the caller decides what is too many. */
double seg_taps_entries (const SegResizeKind *kind, const SegResizeAxis *axis);
void seg_taps_make (SegTaps *taps, const SegResizeKind *kind, const SegResizeAxis *axis);
void seg_taps_clear (SegTaps *taps);

G_END_DECLS
