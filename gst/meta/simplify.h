/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "meta/gstvksegshape.h"

G_BEGIN_DECLS

/* Douglas and Peucker, "Algorithms for the reduction of the number of points required to represent
 * a digitized line or its caricature" (1973), for a closed line, in place: leaves out corners that
 * are no farther than `tolerance` from what remains. How many are left: at least 3. */
guint seg_simplify (GstVkSegPoint *points, guint n, gdouble tolerance);

G_END_DECLS
