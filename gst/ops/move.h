/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ops/program.h"

G_BEGIN_DECLS

/* Moving elements on a device, by bits, so that NaNs and integers survive. The source and the
 * destination are stored alike: they have the same dtype.
 * Appends a dispatch that writes the whole of `out`, a view of dst's memory, from `in`, a view
 * of src's with out's rank: per axis the step to take for one step of out. An operator that
 * only reorders computes `in` and is done. */
gboolean seg_move (SegProgram *p, const SegValue *src, const SegView *in,
    const SegValue *dst, const SegView *out, GError **error);

G_END_DECLS
