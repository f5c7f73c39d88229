/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "graph/graph.h"

G_BEGIN_DECLS

/* How an output's pixels lie over the picture that a network sees, one axis at a time: followed
 * from node to node through strides, upsampling, crops and padding. */
typedef struct {
  gboolean known;  /* FALSE: positions were lost on the way; nothing else is set */
  guint axis;      /* of the output */
  gint64 in, out;  /* extents */
  gint64 num, den; /* pixels of the input per pixel of the output: num / den, reduced */
  double margin;   /* pixels of the input before those that the output covers, and ... */
  double margin_end; /* after them; negative where the output reaches past the input */
  /* moving the picture by this many pixels moves the output by whole pixels, and everything on the
   * way */
  gint64 period;
  gboolean padded; /* zeros (or repeated pixels) are made up at the ends on the way */
  gboolean global; /* something on the way depends on the whole picture */
  gint64 missing;  /* unless padded: pixels that would have to be added to the input for
                     * no stride to leave some out at the end; 0 is a size that fits */
} SegReach;

/* From axis `axis` of input `input` to the output (both by number). */
void seg_graph_reach (
    const SegGraph *graph, guint input, guint axis, guint output, SegReach *reach);

G_END_DECLS
