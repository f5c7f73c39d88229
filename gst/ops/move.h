/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ops/program.h"

G_BEGIN_DECLS

/* Operators that only move elements describe it as nested loops that walk the input and the
 * output in steps; host and device both execute that. On the device elements move by bits, so
 * that NaNs and integers survive. Source and destination have the same dtype. */

#define SEG_MOVE_AXES (2 * SEG_MAX_RANK)

typedef struct {
  gint64 extent;
  guint in_axis, out_axis; /* of the tensors; not looked at when the step is 0 */
  gint64 in_step,
      out_step; /* in elements along that axis; in_step may be 0 or negative */
} SegMoveAxis;

/* Start from zero, or from seg_move_whole. */
typedef struct {
  guint n;
  SegMoveAxis axes[SEG_MOVE_AXES];
  gint64 in_start[SEG_MAX_RANK],
      out_start[SEG_MAX_RANK]; /* coordinates of the first element */
} SegMove;

/* One loop per axis of `loop`, in step with the same axis of the input and of the output. */
SegMove seg_move_whole (const SegDesc *loop);
void seg_move_axis (SegMove *m, gint64 extent, guint in_axis, gint64 in_step,
    guint out_axis, gint64 out_step);

void seg_move_eval (const SegMove *m, const SegTensor *in, SegTensor *out);

/* Whether the loops are few enough for a device. */
gboolean seg_move_fits (const SegMove *m);
/* Appends a dispatch. The moves of a node together write the whole of dst; one that writes
 * a part of it leaves channel padding alone: see seg_move_clear_padding. */
gboolean seg_move_emit (const SegMove *m, SegProgram *p, const SegValue *src,
    const SegValue *dst, GError **error);
/* Zeroes dst's channel padding, where it has any: for a dst that is written in several moves. */
gboolean seg_move_clear_padding (SegProgram *p, const SegValue *dst, GError **error);

G_END_DECLS
