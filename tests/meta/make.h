/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "meta/gstvksegmeta.h"

G_BEGIN_DECLS

/* A mask of rows in text, '#' for 255 and digits for 0 to 225 by 25, one pixel of the frame a
 * pixel, at x, y. Rows are padded in memory. */
GstVkSegMask *make_mask (const char *const *rows, guint n_rows, gdouble x, gdouble y);

/* A mask of ellipses and noise at any place and scale, the same for the same seed. */
GstVkSegMask *make_random_mask (GRand *rand, guint frame_width, guint frame_height);

G_END_DECLS
