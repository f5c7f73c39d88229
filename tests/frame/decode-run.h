/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "reference.h"
#include "vk/common.h"

#include "frame/backdrop.h"
#include "frame/guide.h"
#include "frame/mattedraw.h"

/* Scores that are decoded and drawn on the device, without a network or a pipe. */

typedef enum { NCHW_LAST, NCHW_ROWS, NHWC_ROWS, N_LAYOUTS } Layout;

typedef struct {
  guint width, height, grid_width, grid_height, n_classes;
  SegFormat format;
  SegFit fit;
  Layout layout;
  SegStorage storage;
  SegDecodeKind kind;
  SegScores scores;
  gboolean nearest, contours, legend, cut, on_cpu;
  int background;
  double threshold, alpha;
  guint32 drop; /* classes that are not kept, a bit each */
  double sigma; /* of the blur behind; 0: a picture */
} Case;

/* What most cases are. */
extern const Case decode_plain;

/* Everything that a case's recording needs, and what came of it. */
typedef struct {
  Case c;
  SegFrame frame;
  SegGeometry g;
  SegBound scores;
  SegParams params;
  SegFrameSource source;
  SegDecodePlan plan;
  SegDecodeMemory memory;
  SegLegend legend;
  SegPiece drawn, late;
  SegBackdrop backdrop;
  SegGuide guide;
  const SegDecodeBlock *block; /* what `decode` holds */
  guint8 *behind;              /* its picture, laid out as the frame */
  SegPalette palette;
  SegStyleBlock *style;
  SegColorTable *colors;
  SegBufferView style_view, colors_view, decode;
  SegBuffer *upload, *input, *work, *readback;
  float *values; /* [class][y][x] */
  const guint8 *map, *matte, *result, *late_result;
  const guint32 *counts;
  const guint32 *first_counts; /* two, of the usual way, when counts are the late ones */
  gsize stride;
} Run;

char *decode_case_text (const Case *c);
/* picture: 0 none, 1 overlay, 2 cutout, 3 overlay, and once more as seg_matte_draw_record makes it: the
 * late ones; 4 another background; 5 none, but the matte made anew with the frame as its guide. */
Run *decode_run (SegVk *vk, const Case *c, int picture);
void decode_run_free (Run *r);
