/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "frame/geometry.h"
#include "frame/modelinfo.h"

G_BEGIN_DECLS

/* How a network's first output lies over its input, for maps. */
typedef struct {
  SegCover x, y;
  /* An input that is this many pixels longer, or has moved by as many, changes nothing but the
   * length, or the place, of everything in the network. */
  guint period_x, period_y;
  gboolean padded; /* something is made up at the input's edges, or it is not known */
  /* something depends on all of the input: in tiles it is not the same */
  gboolean global;
  gboolean aligned; /* the jumps are exact: outputs of moved inputs fit together */
  guint missing_x, missing_y; /* as SegReach.missing */
} SegPlacement;

/* From the graph, and what info says otherwise (output-margin). */
gboolean seg_placement_find (SegPlacement *placement, const SegGraph *graph,
    const SegModelInfo *info, GError **error);
/* The axes of the first output that go along the picture's height and width. */
void seg_placement_axes (const SegGraph *graph, const SegModelInfo *info,
    guint *height_axis, guint *width_axis);

/* Size of a map that has the output's own pixels, as many as the frame takes of them. */
void seg_placement_map_size (const SegGeometry *geometry, guint *width, guint *height);

/* An input that takes all of a frame's n pixels, without scaling, and that the network divides as it
 * divides the one that `cover` is about. */
guint seg_placement_fitting (
    const SegCover *cover, guint period, gboolean padded, guint n);

G_END_DECLS
