/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ops/conv-dense.h"

G_BEGIN_DECLS

/* Dense or nearly dense, with subgroup shuffles: conv_lp.comp. For CPU devices. */

/* Whether the device has what the shader needs, and the groups can be made dense cheaply. */
gboolean seg_lp_takes (
    guint32 in_c, guint32 out_c, guint32 groups, const SegDeviceInfo *device);
/* About what a tap of four input channels costs, in multiplications of four channels; x is the
 * kernel's row. As for processors with many registers: with few, direct 3x3 take a seventh less. */
double seg_lp_cost (gint64 rows, gint64 width, guint32 out_c, const SegWindowAxis *x);
/* Whether so many pixels a lane, `variant`, are worth being measured beside those that are taken
 * otherwise. */
gboolean seg_lp_offers (const SegDenseConv *conv, const SegProgram *p, guint variant);
/* Weights are packed as [blocks of so many output channels][y][x][in / 4][block][4] (of each group after
 * the other, where these fill blocks). */
guint seg_lp_block (const SegDenseConv *conv);
gboolean seg_lp_emit (const SegDenseConv *conv, SegProgram *p, GError **error);

/* Texels that a lane can store at a time. */
guint seg_lp_store_texels (const SegDenseConv *conv, const SegProgram *p);
/* What seg_lp_emit does with a map of one pixel: conv_point.comp. conv is flat: 1x1 over one row. weights
 * as packed for blocks of so many channels. */
gboolean seg_point_takes (const SegDenseConv *conv);
gboolean seg_point_emit (
    const SegDenseConv *conv, guint block, SegRef weights, SegProgram *p, GError **error);

typedef struct {
  guint block, pixels; /* output channels and pixels of a lane */
  guint turn_blocks;   /* that are summed before the next pixels are */
  gboolean scaled;     /* weights are multiplied by the factor as they are read */
} SegFlatPlan;

typedef struct {
  guint block, pixels; /* output channels and pixels of a lane */
} SegFlatTile;

/* What it does with others that are flat and have few channels: conv_flat.comp, whose stores are cheaper. No
 * channels: it does not take this one. */
SegFlatTile seg_flat_tile (const SegDenseConv *conv, const SegProgram *p);
gboolean seg_flat_emit (const SegDenseConv *conv, const SegFlatPlan *plan, SegRef weights,
    SegProgram *p, GError **error);

G_END_DECLS
