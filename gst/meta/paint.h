/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "meta/gstvksegmeta.h"

G_BEGIN_DECLS

/* Pixels [x0, x1) x [y0, y1) of the frame when it is width x height pixels. */
typedef struct {
  guint frame_width, frame_height; /* the pixels that rectangles are in */
  guint width, height;
  guint x0, y0, x1, y1;
} SegWindow;

/* All of the frame at a size. FALSE: a size of 0 or past GST_VK_SEG_MAX_PX. */
gboolean seg_window_init (
    SegWindow *window, guint frame_width, guint frame_height, guint width, guint height);
/* Takes the window in to pixels whose centres lie in the rectangle; may become empty. */
void seg_window_clip (SegWindow *window, const GstVkSegRect *rect);

typedef enum {
  SEG_PAINT_BINARY, /* bilinear, then 255 where the probability is over the mask's threshold */
  SEG_PAINT_PROBABILITY, /* bilinear, 0 .. 255 */
  SEG_PAINT_NEAREST,     /* values as they are */
} SegPaint;

/* The window's pixels, in rows of `stride` bytes from the window's first; 0 (for NEAREST: `outside`)
 * where the mask is not. */
void seg_mask_paint (const GstVkSegMask *mask, SegPaint how, guint8 outside,
    const SegWindow *window, guint8 *pixels, gsize stride);

/* The pixels of an instance's box when the frame is width x height. FALSE: a wrong size. */
gboolean seg_instance_window (
    const GstVkSegInstance *instance, guint width, guint height, SegWindow *window);
/* Its mask there; without a mask, 255. */
void seg_instance_paint (const GstVkSegInstance *instance, SegPaint how,
    const SegWindow *window, guint8 *pixels, gsize stride);

G_END_DECLS
