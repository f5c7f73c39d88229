/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "frame/compose.h"

G_BEGIN_DECLS

/* Another background behind what a matte says is in front: the frame's own, blurred, or a picture.
 *
 * The blur is a Gaussian of what is behind alone: each pixel counts as much as it is not foreground
 * (normalised convolution, Knutsson and Westin 1993), so that what is in front has no halo of its
 * own colours. It is made of a smaller picture and drawn with linear interpolation, in the frame's
 * own components, not in linear light, as cameras' and players' blurs are. */

typedef struct {
  double sigma; /* of the blur, in pixels of the frame; 0: a picture */
  guint size;   /* pixels of the frame along the side of one of the small picture */
  guint radius; /* of the Gaussian, in pixels of the small picture */
  double small_sigma;
  SegPiece small[2]; /* of the frame's components, 32 bits each, and a weight */
  SegBuffer *picture;
} SegBackdrop;

/* Pixels of the frame; what is wider is as wide as this. */
#define SEG_BACKDROP_MAX_SIGMA 256.0

/* For frames of this size: also what n_bytes of each of `small` is. sigma 0: a picture. */
void seg_backdrop_plan (SegBackdrop *backdrop, double sigma, guint width, guint height);

/* The picture for sigma 0: planes as GStreamer lays a frame of that format and size out. Waits for the
 * upload. Until there is one, the frame itself is behind. */
gboolean seg_backdrop_set_picture (SegBackdrop *backdrop, SegVk *vk,
    const SegFrame *frame, const guint8 *const *planes, const gint *strides,
    GError **error);
void seg_backdrop_clear (SegBackdrop *backdrop);

/* From the frame and input's matte to a frame of the same format and size at `target`. */
gboolean seg_backdrop_record (SegCmd *cmd, SegParams *params, const SegBackdrop *backdrop,
    const SegComposeInput *input, const SegFrameSource *source, const SegPiece *target,
    GError **error);

G_END_DECLS
