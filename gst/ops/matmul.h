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

/* Of numpy.matmul: the last two axes are matrices, those before are broadcast; a vector is a row on
 * the left and a column on the right. */
typedef struct {
  gint64 rows, columns, depth;
  SegDesc batch; /* the output's axes in front of the matrices */
} SegMatMulSizes;
gboolean seg_matmul_sizes (
    const SegDesc *a, const SegDesc *b, SegMatMulSizes *s, GError **error);
/* What the product is, with a's type. */
SegDesc seg_matmul_shape (const SegDesc *a, const SegDesc *b, const SegMatMulSizes *s);
/* First element of the operand's matrix for the output's matrix number i. */
gint64 seg_matmul_matrix_at (const SegDesc *desc, const SegDesc *batch, gint64 i);
/* The product of two values without C; alpha is 1. */
gboolean seg_matmul_plan (SegMatMul *m, const SegNode *node, const SegValue *a,
    const SegValue *b, GError **error);

gboolean seg_matmul_emit (const SegMatMul *m, SegProgram *p, GError **error);

/* C[row][column] += sum of A[row][k] B[k][column] in doubles, by strides: for eval. */
typedef struct {
  const double *data;
  gint64 row, column;
} SegHostMatrix;
void seg_matmul_host (SegHostMatrix a, SegHostMatrix b, double *out, gint64 rows,
    gint64 columns, gint64 depth);

G_END_DECLS
