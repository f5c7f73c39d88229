/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "frame/compose.h"

G_BEGIN_DECLS

/* A matte drawn over a frame without being stored: interpolated, counted and drawn in one pass. */

/* Whether it can: a pixel of the frame is no more than half of one of the grid, and chroma, if it has planes of its
 * own, is of 2x2 pixels; samples are bytes. `block` holds the grid. */
gboolean seg_matte_draw_can (const SegDecodeBlock *block, const SegFrame *frame);

/* Instead of seg_decode_record_matte, seg_count_record and seg_compose_record, after
 * seg_decode_record_numbers: from memory's numbers to a frame of the same format and size at
 * `target`, and to the counts. `block` is what job->decode shows. No outlines. */
gboolean seg_matte_draw_record (SegCmd *cmd, SegParams *params,
    const SegComposeInput *input, const SegDecodeJob *job, const SegDecodeBlock *block,
    const SegFrameSource *source, const SegPiece *target, GError **error);

G_END_DECLS
