/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "frame/compose.h"
#include "frame/palette.h"
#include "frame/preprocess.h"

G_BEGIN_DECLS

/* What the frame shaders do, again, in plain C and double precision. */

/* R'G'B' (0..1) of the frame at a continuous position, averaged over step_x x step_y pixels. */
void ref_rgb_at (const SegFrame *frame, const guint8 *bytes, double x, double y,
    double step_x, double step_y, double rgb[3]);

/* The network's pixel (x, y): its channels. */
void ref_net_pixel (const SegFrame *frame, const guint8 *bytes, const SegGeometry *g,
    const SegNormalize *n, guint x, guint y, double out[3]);

/* Scores of a grid, [class][y][x]. */
typedef struct {
  guint n_classes, width, height;
  const float *data;
} RefScores;

/* Interpolated score of a class at pixel (x, y) of the frame. */
double ref_score_at (const RefScores *s, const SegGeometry *g, guint c, guint x, guint y);
gboolean ref_inside (const SegGeometry *g, guint x, guint y);

/* A component whose byte is at `at`, in units of that byte; of samples of 16 bits with the lower byte. */
double ref_value (const SegFrame *frame, const guint8 *bytes, gsize at);
/* How far that is from what it should be, in steps of the format (of samples of 16 bits: of the upper 10).
 * Lower bytes are 0 off. */
double ref_off (const SegFrame *frame, const guint8 *bytes, gsize at, double want);

/* Blends class colours into a copy of the frame: the value that each byte should have, before
 * rounding. map and strength (0..1; NULL: 1) have a value a pixel, no padding. */
void ref_blend (const SegFrame *frame, const guint8 *bytes, const guint8 *map,
    const double *strength, const SegPalette *palette, const double *class_alpha,
    double *out);

G_END_DECLS
