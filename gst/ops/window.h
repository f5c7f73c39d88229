/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "graph/op.h"

G_BEGIN_DECLS

/* The sliding window that convolutions and pools share: attributes kernel_shape, strides,
 * dilations, pads and auto_pad, and the sizes that follow. */

#define SEG_WINDOW_AXES 3

typedef enum {
  SEG_AUTO_PAD_NOTSET,
  SEG_AUTO_PAD_SAME_UPPER,
  SEG_AUTO_PAD_SAME_LOWER,
  SEG_AUTO_PAD_VALID,
} SegAutoPad;

typedef struct {
  guint n; /* spatial axes; 0 until an attribute or the input says */
  SegAutoPad auto_pad;
  gboolean has_kernel; /* kernel_shape was given */
  gboolean ceil_mode;
  gint64 kernel[SEG_WINDOW_AXES], stride[SEG_WINDOW_AXES], dilation[SEG_WINDOW_AXES];
  gint64 pad_begin[SEG_WINDOW_AXES], pad_end[SEG_WINDOW_AXES];
} SegWindow;

/* One spatial axis as the loops see it. */
typedef struct {
  gint64 in, out;
  gint64 kernel, stride, dilation;
  gint64 pad;     /* before the first element */
  gint64 pad_end; /* after the last */
} SegWindowAxis;

/* Reads the attributes; refuses lists of different lengths and values out of range. */
gboolean seg_window_parse (SegWindow *w, const SegNode *node, GError **error);
/* Sets the number of axes, and the kernel's size where the attributes left it to the weights
 * (`kernel` has n entries; NULL: kernel_shape is required). */
gboolean seg_window_set_kernel (
    SegWindow *w, guint n, const gint64 *kernel, GError **error);
/* Output sizes for the input sizes in[n], resolving auto_pad into pad_begin and pad_end. */
gboolean seg_window_slide (SegWindow *w, const gint64 *in, gint64 *out, GError **error);
/* The axes padded on the left to three (depth, height, width), with sizes from the spatial
 * dimensions of in and out ([N,C,...]). */
void seg_window_axes (const SegWindow *w, const SegDesc *in, const SegDesc *out,
    SegWindowAxis axes[SEG_WINDOW_AXES]);
/* SegOp.align of what slides a window over its input. */
void seg_window_align (const SegWindow *w, const SegNode *node, guint axis, SegAlign *a);
/* More padding on each side, n axes; for SegOp.absorb_pads. */
gboolean seg_window_add_pads (
    SegWindow *w, const gint64 *begin, const gint64 *end, guint n);
/* Whether a device kernel can take it: at most two axes, and all arithmetic in 32 bits. */
gboolean seg_window_fits_device (const SegWindow *w);

/* For shaders/lib/window.glsl. How far a tile's pixels lie apart: those a dilation apart share what they read;
 * that needs stride 1. */
gint64 seg_window_tile_apart (const SegWindowAxis *a);
/* Tiles of `size` pixels that cover the output. */
gint64 seg_window_tiles (const SegWindowAxis *a, guint size);
/* Whether they fit into it whichever their phase. */
gboolean seg_window_tile_fits (const SegWindowAxis *a, guint size);

/* For eval. Where element i of an output map lies: depth, row, column. */
static inline void
seg_window_at (
    const SegWindowAxis a[SEG_WINDOW_AXES], gint64 i, gint64 at[SEG_WINDOW_AXES])
{
  at[0] = i / (a[1].out * a[2].out);
  at[1] = i / a[2].out % a[1].out;
  at[2] = i % a[2].out;
}

/* Which element of an input map tap k of the window at `at` lies on; -1: on none, beside it. */
static inline gint64
seg_window_tap (const SegWindowAxis a[SEG_WINDOW_AXES], const gint64 at[SEG_WINDOW_AXES],
    gint64 k0, gint64 k1, gint64 k2)
{
  gint64 i0 = at[0] * a[0].stride - a[0].pad + k0 * a[0].dilation;
  gint64 i1 = at[1] * a[1].stride - a[1].pad + k1 * a[1].dilation;
  gint64 i2 = at[2] * a[2].stride - a[2].pad + k2 * a[2].dilation;
  if (i0 < 0 || i0 >= a[0].in || i1 < 0 || i1 >= a[1].in || i2 < 0 || i2 >= a[2].in)
    return -1;
  return (i0 * a[1].in + i1) * a[2].in + i2;
}

/* All elements as doubles; newly allocated. */
double *seg_window_doubles (const SegTensor *tensor);

G_END_DECLS
