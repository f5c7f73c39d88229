/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "frame/decode.h"

G_BEGIN_DECLS

/* Mattes along the edges of the picture: He, Sun, Tang: Guided Image Filtering, 2013, at the size of the matte
 * as in He, Sun: Fast Guided Filter, 2015. The frame is the guide, in colour, its components as they lie. */

/* Where intermediate results lie: four numbers for each pixel of the grid. */
typedef struct {
  SegPiece picture, lines;
} SegGuide;

/* A frame smaller than the grid has no edges to add. */
gboolean seg_guide_can (const SegGeometry *geometry);
/* Sets n_bytes. */
void seg_guide_plan (SegGuide *guide, guint grid_width, guint grid_height);
/* From memory's numbers to the matte and the map, as seg_decode_record_matte; the block is what job->decode
 * holds. */
gboolean seg_guide_record (SegCmd *cmd, const SegGuide *guide, const SegDecodeJob *job,
    const SegDecodeBlock *block, const SegFrameSource *source, GError **error);

G_END_DECLS
