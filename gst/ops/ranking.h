/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ops/program.h"

G_BEGIN_DECLS

/* What TopK, NonZero and NonMaxSuppression have in common: of rows of elements some are kept, and
 * perhaps brought into an order. Elements that are kept are counted chunk by chunk, the counts summed up,
 * and each written where it belongs, so that their order is always the same. Sorted by digits, four
 * bits at a time (D. Knuth, The Art of Computer Programming 3, 5.2.5), equals stay in their order.
 * Nothing here depends on a subgroup's size. */

typedef enum {
  SEG_KEEP_ALL,
  SEG_KEEP_NONZERO,
  SEG_KEEP_NUMBER, /* no NaN */
  SEG_KEEP_ABOVE,  /* those above `above` */
  SEG_KEEP_BEST,   /* the best k, and some that are hardly worse */
} SegKeep;

/* Rows lie in [outer, n, inner] elements, row-major: outer * inner rows of n, inner apart. */
typedef struct {
  const SegValue *source; /* fp32, fp16 or int32 */
  guint32 n, rows, inner;
  SegRows live; /* how many of each row's n are */
  SegKeep keep;
  float above;
  guint32 k;
  gboolean smallest; /* the best are */
} SegRanking;

typedef struct {
  SegRef chunks, totals, thresholds; /* a total for each row */
  guint32 n_chunks;
} SegKept;

/* How many are kept, by chunk and by row; the last row's number also goes to `count` if that is
 * something. */
gboolean seg_ranking_emit_kept (
    SegProgram *p, const SegRanking *r, SegRef count, SegKept *kept, GError **error);
/* Of each row the pairs {key, number} of those that are kept, at row * n, the best first. */
gboolean seg_ranking_emit_pairs (
    SegProgram *p, const SegRanking *r, SegKept *kept, SegRef *pairs, GError **error);
/* n numbers become sums of those before them, their sum goes to totals and to `count`. */
gboolean seg_ranking_emit_scan (SegProgram *p, SegRef numbers, guint32 n, guint32 rows,
    SegRef totals, SegRef count, GError **error);
/* Appends d, which has its shader and bindings from 2 on, as one over chunks of a ranking. */
gboolean seg_ranking_emit_chunks (
    SegProgram *p, const SegRanking *r, SegDispatch *d, GError **error);

/* Groups for n workgroups, of which a shader finds its own as y * columns + x. */
void seg_groups_for (SegDispatch *d, guint64 n);

G_END_DECLS
