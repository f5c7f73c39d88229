/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "frame/decode.h"
#include "frame/placement.h"

G_BEGIN_DECLS

/* The overlap-tile strategy (Ronneberger et al., U-Net, 2015): a frame is covered by tiles whose
 * outputs fit together; a tile's input reaches further by the context that its network needs, past
 * the frame's edges into its mirror image. Outputs of unpadded networks abut; those of padded ones
 * overlap, and their scores are blended with ramps that sum to one. Tiles run from left to right, then
 * down; scores wait for a neighbour in two strips, those of the frame never exist at once. */

/* One side. */
typedef struct {
  guint n;         /* tiles */
  guint step;      /* frame pixels from one to the next */
  guint grid_step; /* the same in pixels of the output */
  guint overlap;   /* pixels of the output: blended with the tile before */
  guint halo; /* pixels of the output: known from the tile before, to interpolate from */
  guint grid; /* pixels of the output that are used */
  gboolean interpolates;
} SegTileSide;

typedef struct {
  SegTileSide x, y;
  guint n, batch, rounds; /* rounds of `batch` tiles; the last may have fewer */
  guint n_channels4;      /* groups of four scores of a pixel, where they wait */
  gboolean merges; /* scores go through strips; else they are decoded as they lie */
} SegTiling;

/* overlap: pixels of the frame, for padded networks. nearest: nothing is interpolated. Fails with
 * SEG_ERROR_UNSUPPORTED where tiles cannot be placed, SEG_ERROR_INPUT where overlap leaves nothing. */
gboolean seg_tiling_plan (SegTiling *tiling, const SegPlacement *placement,
    guint frame_width, guint frame_height, guint overlap, gboolean nearest,
    guint n_scores, guint batch, GError **error);

/* Uniform block of shaders/merge.comp. */
typedef struct {
  /* of the merged grid: width, height; pixels in its rows; groups of scores */
  gint32 size[4];
  /* tile pixel of the merged grid's first; x of that in the strip below; - */
  gint32 first[4];
  gint32 view[4];  /* the tile's scores: offset, steps along x, y and class */
  gint32 blend[4]; /* overlap x, y: 0 in the first column, row; scores of a pixel; - */
  /* columns of the tile, from [0] up to [1], that the strip below gets; - */
  gint32 keep[4];
} SegMergeBlock;

/* What tile i asks of each step. `scores`: the network's output for it, of n_scores classes. */
typedef struct {
  SegGeometry geometry;
  SegRegion region;
  SegGrid grid;
  SegMergeBlock merge;
} SegTile;
void seg_tiling_tile (const SegTiling *tiling, const SegPlacement *placement,
    guint frame_width, guint frame_height, const SegGrid *scores, guint n_scores,
    const SegMapSize *map, guint i, SegTile *tile);

/* Where merged scores and strips lie: fp32. */
typedef struct {
  SegPiece merged, below, beside;
} SegMergeMemory;
void seg_tiling_sizes (const SegTiling *tiling, SegMergeMemory *memory);

/* Records the merging of one tile's scores, which are at `scores` (texels); `block` is a uniform view
 * of a SegMergeBlock. */
gboolean seg_merge_record (SegCmd *cmd, const SegTiling *tiling,
    const SegMergeMemory *memory, const SegBufferView *scores, const SegBufferView *block,
    GError **error);

G_END_DECLS
