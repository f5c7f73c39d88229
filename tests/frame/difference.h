/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "frame/image.h"

G_BEGIN_DECLS

/* NULL when both are the same; else what differs, newly allocated, one line: where first and last, by how
 * much at most, how much of all. */
char *bytes_difference (
    const guint8 *got, gsize n_got, const guint8 *wanted, gsize n_wanted);

/* Of pixels; what is between the rows means nothing. */
char *frame_difference (const SegFrame *frame, const guint8 *got, const guint8 *wanted);

G_END_DECLS
