/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ops/program.h"

G_BEGIN_DECLS

/* Where each output coordinate of an axis is taken from: one list per axis, of the output's
 * extent, with the input's coordinate or -1 for a fill value. NULL: the same coordinate. Input
 * and output have the same rank and dtype. Padding and nearest-neighbour resizing are this. */
typedef struct {
  gint32 *from[SEG_MAX_RANK]; /* owned */
} SegTake;

void seg_take_clear (SegTake *take);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SegTake, seg_take_clear)

/* fill: one element of the tensors' type; NULL: zero. */
void seg_take_eval (
    const SegTake *take, const SegTensor *in, const void *fill, SegTensor *out);
/* Elements move by bits; fill is rounded to the storage. */
gboolean seg_take_emit (const SegTake *take, SegProgram *p, const SegValue *src,
    const SegValue *dst, double fill, GError **error);

G_END_DECLS
