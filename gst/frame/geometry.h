/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* How a frame is fitted into the size a network wants. */
typedef enum {
  SEG_FIT_STRETCH,   /* each side on its own */
  SEG_FIT_LETTERBOX, /* all of the frame, bars beside it */
  SEG_FIT_CROP,      /* the middle of the frame, nothing beside it */
  SEG_FIT_NATIVE,    /* the frame's own pixels, from the upper left corner */
} SegFit;

/* One side of a network: what of its input its output covers. Output pixel i covers input pixels
 * [margin + i * jump, margin + (i + 1) * jump). */
typedef struct {
  guint net, grid;     /* pixels of the input and of the output */
  double margin, jump; /* in pixels of the input */
} SegCover;

/* An output that covers the whole input. */
SegCover seg_cover_whole (guint net, guint grid);

/* Positions are continuous: pixel i covers [i, i + 1). net = frame * scale + shift. */
typedef struct {
  guint frame_width, frame_height, net_width, net_height;
  double scale_x, scale_y, shift_x, shift_y;
  /* Pixels of the network's input that show the frame: [x0, x1) and [y0, y1). Where they reach past
   * it, it goes on mirrored. */
  guint net_x0, net_x1, net_y0, net_y1;
  gboolean mirror; /* some do */
  /* Pixels of the frame that the network sees. */
  guint frame_x0, frame_x1, frame_y0, frame_y1;
  SegCover cover_x, cover_y;
} SegGeometry;

/* The frame is fitted to what the output covers; the input beyond that is context. */
void seg_geometry_init_cover (SegGeometry *geometry, SegFit fit, guint frame_width,
    guint frame_height, const SegCover *x, const SegCover *y);
/* For an output that covers the whole input, or where none is asked for positions. */
void seg_geometry_init (SegGeometry *geometry, SegFit fit, guint frame_width,
    guint frame_height, guint net_width, guint net_height);
/* The frame's own pixels from (x, y) on are what the output covers; the network sees the frame and,
 * past its edges, its mirror image. */
void seg_geometry_init_tile (SegGeometry *geometry, guint frame_width, guint frame_height,
    const SegCover *cover_x, const SegCover *cover_y, guint x, guint y);

G_END_DECLS
