/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ops/strided.h"

G_BEGIN_DECLS

/* A copy that turns pixels with their channels together into planes of a channel each, by
 * shaders/planes.comp: several times as fast as one that finds each element (copy.comp). */
typedef struct {
  guint32 push[8]; /* as planes.comp reads them */
  guint32 groups[3];
} SegPlanes;

/* Whether the copy that `s` plans, of one operand, does that, in pieces of four pixels times `texels`, which
 * is 1, or 2 for the wide shaders. Without specialisation constants. */
gboolean seg_planes_plan (SegPlanes *planes, const SegStrided *s, guint texels);

G_END_DECLS
