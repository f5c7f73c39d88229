/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "meta/gstvksegmeta.h"

G_BEGIN_DECLS

/* A box that moves and grows at a constant speed: the Kalman filter of SORT (Bewley et al., "Simple
 * online and realtime tracking", 2016) over centre and size, with the noise of ByteTrack (Zhang et
 * al., 2022), which grows with the size. No two of the four are correlated there, so each is a filter
 * of its own. */
typedef struct {
  double at, speed;     /* pixels, pixels a frame */
  double p00, p01, p11; /* covariance */
} SegFilter;

typedef struct {
  SegFilter x, y, width, height;
} SegMotion;

void seg_motion_init (SegMotion *motion, const GstVkSegRect *box);
/* Some frames later. A box whose object is out of sight does not grow. */
void seg_motion_predict (SegMotion *motion, guint n_frames, gboolean grows);
void seg_motion_update (SegMotion *motion, const GstVkSegRect *box);
GstVkSegRect seg_motion_box (const SegMotion *motion);

G_END_DECLS
