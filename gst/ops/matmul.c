/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops/matmul.h"

#include "ops/ops.h"
#include "ops/window.h"

/* MatMul, as numpy.matmul: the last two axes are matrices, those before are broadcast; a
 * vector is a row on the left and a column on the right. */

static SegDesc
batch_axes (const SegDesc *desc)
{
  SegDesc batch = *desc;
  batch.rank = desc->rank > 2 ? desc->rank - 2 : 0;
  return batch;
}

gboolean
seg_matmul_sizes (const SegDesc *a, const SegDesc *b, SegMatMulSizes *s, GError **error)
{
  g_autofree char *as = seg_desc_to_string (a), *bs = seg_desc_to_string (b);
  if (a->rank == 0 || b->rank == 0) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL, "%s times %s: a scalar", as, bs);
    return FALSE;
  }
  s->rows = a->rank > 1 ? a->dims[a->rank - 2] : 1;
  s->columns = b->rank > 1 ? b->dims[b->rank - 1] : 1;
  s->depth = a->dims[a->rank - 1];
  SegDesc a_batch = batch_axes (a), b_batch = batch_axes (b);
  if (s->depth != b->dims[b->rank > 1 ? b->rank - 2 : 0]
      || !seg_broadcast (&a_batch, &b_batch, &s->batch, NULL)) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL, "%s does not go with %s", as, bs);
    return FALSE;
  }
  return TRUE;
}

SegDesc
seg_matmul_shape (const SegDesc *a, const SegDesc *b, const SegMatMulSizes *s)
{
  SegDesc y = s->batch;
  y.dtype = a->dtype;
  if (a->rank > 1)
    y.dims[y.rank++] = s->rows;
  if (b->rank > 1)
    y.dims[y.rank++] = s->columns;
  return y;
}

static gboolean
matmul_infer (SegNode *node, GError **error)
{
  const SegDesc *a = &seg_node_input (node, 0)->desc,
                *b = &seg_node_input (node, 1)->desc;
  if (a->dtype != b->dtype || a->dtype == SEG_DTYPE_BOOL) {
    g_set_error_literal (
        error, SEG_ERROR, SEG_ERROR_UNSUPPORTED, "takes matrices of one type of numbers");
    return FALSE;
  }
  SegMatMulSizes s;
  if (!seg_matmul_sizes (a, b, &s, error))
    return FALSE;
  seg_node_output (node, 0)->desc = seg_matmul_shape (a, b, &s);
  return TRUE;
}

gint64
seg_matmul_matrix_at (const SegDesc *desc, const SegDesc *batch, gint64 i)
{
  gint64 at = 0, step = desc->rank > 2
                            ? desc->dims[desc->rank - 1] * desc->dims[desc->rank - 2]
                            : 0;
  for (guint k = 0; k < batch->rank; k++) {
    guint axis = batch->rank - 1 - k;
    gint64 index = i % batch->dims[axis];
    i /= batch->dims[axis];
    if (k + 2 >= desc->rank)
      break;
    gint64 dim = desc->dims[desc->rank - 3 - k];
    at += dim != 1 ? index * step : 0;
    step *= dim;
  }
  return at;
}

/* Exact where doubles are not. */
static void
multiply_ints (SegTensor *const *in, SegTensor *out, gint64 a, gint64 b, gint64 first,
    const SegMatMulSizes *s)
{
  for (gint64 i = 0; i < s->rows * s->columns; i++) {
    guint64 sum = 0;
    for (gint64 k = 0; k < s->depth; k++)
      sum += (guint64) seg_tensor_get_int (in[0], a + i / s->columns * s->depth + k)
             * (guint64) seg_tensor_get_int (in[1], b + k * s->columns + i % s->columns);
    seg_tensor_set_int (out, first + i, sum);
  }
}

static gboolean
matmul_eval (const SegNode *node, SegTensor *const *in, SegTensor **out, GError **error)
{
  SegMatMulSizes s;
  if (!seg_matmul_sizes (&in[0]->desc, &in[1]->desc, &s, error))
    return FALSE;
  g_autofree double *a = seg_window_doubles (in[0]), *b = seg_window_doubles (in[1]);
  gint64 elems = s.rows * s.columns, batches = seg_desc_n_elems (&s.batch);
  g_autofree double *sums = g_new (double, MAX (elems, 1));
  for (gint64 n = 0; n < batches; n++) {
    gint64 a_at = seg_matmul_matrix_at (&in[0]->desc, &s.batch, n);
    gint64 b_at = seg_matmul_matrix_at (&in[1]->desc, &s.batch, n);
    if (!seg_dtype_is_float (in[0]->desc.dtype)) {
      multiply_ints (in, out[0], a_at, b_at, n * elems, &s);
      continue;
    }
    for (gint64 i = 0; i < elems; i++)
      sums[i] = 0;
    seg_matmul_host ((SegHostMatrix){ a + a_at, s.depth, 1 },
        (SegHostMatrix){ b + b_at, s.columns, 1 }, sums, s.rows, s.columns, s.depth);
    for (gint64 i = 0; i < elems; i++)
      seg_tensor_set_double (out[0], n * elems + i, sums[i]);
  }
  return TRUE;
}

static gboolean
matmul_on_device (const SegNode *node)
{
  const SegDesc *y = &seg_node_output (node, 0)->desc;
  return seg_node_device_types (node) && seg_dtype_is_float (y->dtype)
         && y->rank <= SEG_MATMUL_BATCHES + 2;
}

static SegMatrix
matrix (const SegValue *value, gboolean left, const SegMatMulSizes *s)
{
  SegView v = seg_view (value);
  SegMatrix m = { .value = value, .offset = v.offset };
  if (v.rank == 1) {
    m.column = left ? v.strides[0] : 0;
    m.row = left ? 0 : v.strides[0];
    return m;
  }
  m.row = v.strides[v.rank - 2];
  m.column = v.strides[v.rank - 1];
  for (guint k = 0; k + 2 < v.rank; k++) {
    guint axis = v.rank - 3 - k;
    m.batch[SEG_MATMUL_BATCHES - 1 - k] = v.dims[axis] != 1 ? v.strides[axis] : 0;
  }
  return m;
}

gboolean
seg_matmul_plan (SegMatMul *m, const SegNode *node, const SegValue *a, const SegValue *b,
    GError **error)
{
  SegMatMulSizes s;
  if (!seg_matmul_sizes (&a->desc, &b->desc, &s, error))
    return FALSE;
  *m = (SegMatMul){
    .node = node,
    .rows = s.rows,
    .columns = s.columns,
    .depth = s.depth,
    .batch = { 1, 1, 1, 1 },
    .a = matrix (a, TRUE, &s),
    .b = matrix (b, FALSE, &s),
    .alpha = 1,
  };
  for (guint k = 0; k < s.batch.rank; k++)
    m->batch[SEG_MATMUL_BATCHES - 1 - k] = s.batch.dims[s.batch.rank - 1 - k];
  return TRUE;
}

static gboolean
matmul_emit (const SegNode *node, SegProgram *p, GError **error)
{
  SegMatMul m;
  return seg_matmul_plan (
             &m, node, seg_node_input (node, 0), seg_node_input (node, 1), error)
         && seg_matmul_emit (&m, p, error);
}

/* B must be one matrix for all rows. */
static guint
matmul_by_row (const SegNode *node)
{
  return seg_node_input (node, 0)->desc.rank >= 2
                 && seg_node_input (node, 1)->desc.rank == 2
             ? seg_rows_of_first (node)
             : 0;
}

const SegOp seg_op_matmul = {
  .name = "MatMul",
  .domain = "",
  .min_inputs = 2,
  .max_inputs = 2,
  .max_outputs = 1,
  .layout = SEG_OP_ROWS,
  .flags = SEG_OP_EPILOGUE_ACT | SEG_OP_EPILOGUE_RESIDUAL | SEG_OP_HEAVY,
  .infer = matmul_infer,
  .eval = matmul_eval,
  .on_device = matmul_on_device,
  .emit = matmul_emit,
  .by_row = matmul_by_row,
};
