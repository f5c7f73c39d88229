/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ops/program.h"

G_BEGIN_DECLS

/* Inside the matrix family (matmul.c, gemm.c): alpha * A B + beta * C on a device, where A, B
 * and C are values anywhere in memory; the output is ROWS. */

#define SEG_MATMUL_BATCHES 4 /* axes in front of the matrices that a device takes */

/* A matrix of a value: axis `row` and `column` of it, and how its batch axes follow the
 * output's (0: broadcast). Strides in elements. */
typedef struct {
  const SegValue *value;
  guint32 offset, row, column;
  guint32 batch[SEG_MATMUL_BATCHES];
} SegMatrix;

typedef struct {
  const SegNode *node;
  guint32 rows, columns, depth;
  guint32 batch[SEG_MATMUL_BATCHES]; /* outermost first, 1 where there is none */
  SegMatrix a, b, c;                 /* c.value NULL: none; no batches */
  float alpha, beta;
} SegMatMul;

gboolean seg_matmul_emit (const SegMatMul *m, SegProgram *p, GError **error);

/* C[row][column] += sum of A[row][k] B[k][column] in doubles, by strides: for eval. */
typedef struct {
  const double *data;
  gint64 row, column;
} SegHostMatrix;
void seg_matmul_host (SegHostMatrix a, SegHostMatrix b, double *out, gint64 rows,
    gint64 columns, gint64 depth);

G_END_DECLS
