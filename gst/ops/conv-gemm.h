/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ops/conv-dense.h"

G_BEGIN_DECLS

/* What an implicit GEMM (conv-sc.c, conv-cm.c) is planned and packed by: the host side of
 * shaders/lib/conv-gemm.glsl, which explains it.
 *
 *   M = output pixels of all images, N = output channels, K = kernel y, kernel x, input channel
 *
 * The matrix A[M][K] is never built: a tile of it is gathered from the feature map. */

/* A workgroup's tile: pixels x channels; K goes by in steps of so many texels of 4 channels. How
 * fast a core is with it: multiply-adds a second, relative to the other tiles of the table, when
 * it has one such workgroup, and when it has more. What a tile takes besides, at its beginning and its
 * end, as that many of K: more where a core has room for one workgroup and nothing else goes on. */
typedef struct {
  guint pixels, channels, step4;
  float alone, together;
  guint besides;
} SegGemmTile;

typedef struct {
  guint32 n_pixels;
  guint32 in_c4; /* texels of a tap; a K step may span taps */
  guint32 steps; /* of K, the last filled up with zeros */
  gboolean
      whole_taps; /* K is by chunks of a step's channels, and by taps within: no step spans taps */
  guint32 tiles_m, tiles_n;
  guint32 splits;      /* workgroups that share the K of one tile, >= 1 */
  guint32 split_steps; /* each one's part */
} SegGemmPlan;

/* Dense, and few enough pixels and products for 32 bits. */
gboolean seg_gemm_takes (const SegDenseConv *c);
/* The tile by which the core with the most work is done first. Or number c->variant of them, if there
 * is one. */
guint seg_gemm_choose (const SegDenseConv *c, const SegGemmTile *tiles, guint n,
    const SegDeviceInfo *device);
/* Whether tile number `variant` of n is worth being measured. */
gboolean seg_gemm_offers (
    const SegDenseConv *c, const SegGemmTile *tiles, guint n, guint variant);
/* unit4: texels that the shader fetches at once; a tap is filled up to a multiple of it. by_chunks:
 * plan->whole_taps, where the channels are whole steps. */
SegGemmPlan seg_gemm_plan (const SegDenseConv *c, const SegGemmTile *tile, guint unit4,
    gboolean by_chunks, const SegDeviceInfo *device);

/* The filter as the matrix B[K][N] by tiles: element (k, n) of the tile is stored where `place`
 * says; [channel tile][step][pixel of the tile's step4 * 4 * channels elements]. */
typedef guint (*SegGemmPlace) (guint k, guint n, const SegGemmTile *tile, gpointer data);
SegRef seg_gemm_pack (const SegDenseConv *c, const SegGemmTile *tile,
    const SegGemmPlan *plan, SegGemmPlace place, gpointer data, SegProgram *p);

/* Sets d's push constants and groups, and with plan->splits > 1 makes binding `dest` a temporary
 * for sums, [split][pixel, whole tiles][channel, whole tiles] fp32. */
void seg_gemm_fill (SegDispatch *d, guint dest, const SegDenseConv *c,
    const SegGemmTile *tile, const SegGemmPlan *plan, SegProgram *p);
/* After d with plan->splits > 1: adds the sums of the splits, bias and epilogue. */
gboolean seg_gemm_add_sums (const SegDispatch *d, guint dest, const SegDenseConv *c,
    const SegGemmPlan *plan, SegProgram *p, GError **error);

G_END_DECLS
