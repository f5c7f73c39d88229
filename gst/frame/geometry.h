/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* How a frame is fitted into the size a network wants. */
typedef enum {
  SEG_FIT_STRETCH,   /* each side on its own */
  SEG_FIT_LETTERBOX, /* all of the frame, bars beside it */
  SEG_FIT_CROP,      /* the middle of the frame, nothing beside it */
} SegFit;

/* Positions are continuous: pixel i covers [i, i + 1). net = frame * scale + shift. */
typedef struct {
  guint frame_width, frame_height, net_width, net_height;
  double scale_x, scale_y, shift_x, shift_y;
  /* Pixels of the network's input that show the frame: [x0, x1) and [y0, y1). */
  guint net_x0, net_x1, net_y0, net_y1;
  /* Pixels of the frame that the network sees. */
  guint frame_x0, frame_x1, frame_y0, frame_y1;
} SegGeometry;

void seg_geometry_init (SegGeometry *geometry, SegFit fit, guint frame_width,
    guint frame_height, guint net_width, guint net_height);

G_END_DECLS
