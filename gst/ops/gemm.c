/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops/conv-fold.h"
#include "ops/matmul.h"
#include "ops/ops.h"
#include "ops/window.h"

/* Gemm: alpha * A' B' + beta * C, C broadcast to the result. */

typedef struct {
  float alpha, beta;
  gboolean trans_a, trans_b;
} GemmParams;

static gboolean
gemm_parse (SegNode *node, GError **error)
{
  GemmParams *params = node->params;
  params->alpha = seg_node_attr_float (node, "alpha", 1);
  params->beta = seg_node_attr_float (node, "beta", 1);
  params->trans_a = seg_node_attr_int (node, "transA", 0) != 0;
  params->trans_b = seg_node_attr_int (node, "transB", 0) != 0;
  return TRUE;
}

static gboolean
c_fits (const SegValue *c, gint64 rows, gint64 columns)
{
  if (c == NULL || c->desc.rank == 0)
    return TRUE;
  const gint64 *dims = c->desc.dims;
  guint rank = c->desc.rank;
  return rank <= 2 && (dims[rank - 1] == 1 || dims[rank - 1] == columns)
         && (rank < 2 || dims[0] == 1 || dims[0] == rows);
}

static gboolean
gemm_infer (SegNode *node, GError **error)
{
  const GemmParams *params = node->params;
  const SegDesc *a = &seg_node_input (node, 0)->desc,
                *b = &seg_node_input (node, 1)->desc;
  const SegValue *c = seg_node_input (node, 2);
  if (!seg_dtype_is_float (a->dtype) || b->dtype != a->dtype
      || (c != NULL && c->desc.dtype != a->dtype)) {
    g_set_error_literal (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED,
        "takes matrices of one floating-point type");
    return FALSE;
  }
  gint64 rows = a->dims[params->trans_a], depth = a->dims[!params->trans_a];
  gint64 columns = b->dims[!params->trans_b];
  if (a->rank != 2 || b->rank != 2 || b->dims[params->trans_b] != depth
      || !c_fits (c, rows, columns)) {
    g_autofree char *as = seg_desc_to_string (a), *bs = seg_desc_to_string (b);
    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL,
        "%s does not go with %s, or C with their product", as, bs);
    return FALSE;
  }
  seg_node_output (node, 0)->desc =
      (SegDesc){ .dtype = a->dtype, .rank = 2, .dims = { rows, columns } };
  return TRUE;
}

/* Where C's element for a row and a column lies: 0 where it is broadcast. */
static gint64
c_row (const SegDesc *c)
{
  return c->rank == 2 && c->dims[0] != 1 ? c->dims[1] : 0;
}

static gint64
c_column (const SegDesc *c)
{
  return c->rank >= 1 && c->dims[c->rank - 1] != 1 ? 1 : 0;
}

static gboolean
gemm_eval (const SegNode *node, SegTensor *const *in, SegTensor **out, GError **error)
{
  const GemmParams *params = node->params;
  const gint64 *ad = in[0]->desc.dims, *bd = in[1]->desc.dims;
  gint64 rows = out[0]->desc.dims[0], columns = out[0]->desc.dims[1];
  g_autofree double *a = seg_window_doubles (in[0]), *b = seg_window_doubles (in[1]);
  g_autofree double *sums = g_new0 (double, MAX (rows * columns, 1));
  SegHostMatrix am = { a, params->trans_a ? 1 : ad[1], params->trans_a ? ad[1] : 1 };
  SegHostMatrix bm = { b, params->trans_b ? 1 : bd[1], params->trans_b ? bd[1] : 1 };
  seg_matmul_host (am, bm, sums, rows, columns, ad[!params->trans_a]);
  const SegTensor *c = node->inputs->len > 2 ? in[2] : NULL;
  for (gint64 i = 0; i < rows * columns; i++) {
    double v = params->alpha * sums[i];
    if (c != NULL)
      v += params->beta
           * seg_tensor_get_double (
               c, i / columns * c_row (&c->desc) + i % columns * c_column (&c->desc));
    seg_tensor_set_double (out[0], i, v);
  }
  return TRUE;
}

static SegMatrix
matrix (const SegValue *value, gboolean transposed)
{
  SegView v = seg_view (value);
  return (SegMatrix){ .value = value,
    .offset = v.offset,
    .row = v.strides[transposed ? 1 : 0],
    .column = v.strides[transposed ? 0 : 1] };
}

static gboolean
gemm_emit (const SegNode *node, SegProgram *p, GError **error)
{
  const GemmParams *params = node->params;
  const SegDesc *a = &seg_node_input (node, 0)->desc,
                *y = &seg_node_output (node, 0)->desc;
  SegMatMul m = {
    .node = node,
    .rows = y->dims[0],
    .columns = y->dims[1],
    .depth = a->dims[!params->trans_a],
    .batch = { 1, 1, 1, 1 },
    .a = matrix (seg_node_input (node, 0), params->trans_a),
    .b = matrix (seg_node_input (node, 1), params->trans_b),
    .alpha = params->alpha,
    .beta = params->beta,
  };
  const SegValue *c = seg_node_input (node, 2);
  if (c != NULL)
    m.c = (SegMatrix){ .value = c,
      .offset = seg_view (c).offset,
      .row = c_row (&c->desc),
      .column = c_column (&c->desc) };
  return seg_matmul_emit (&m, p, error);
}

static gboolean
gemm_fold_affine (
    SegGraph *graph, SegNode *node, const double *scale, const double *shift, guint n)
{
  const GemmParams *params = node->params;
  const SegDesc *b = &seg_node_input (node, 1)->desc;
  const SegValue *c = seg_node_input (node, 2);
  if (params->alpha != 1 || params->beta != 1 || b->rank != 2
      || (c != NULL && (c->desc.rank != 1 || c->desc.dims[0] != n)))
    return FALSE;
  gsize total = seg_desc_n_elems (b);
  SegChannelOrder order = {
    .inner = params->trans_b ? b->dims[1] : 1, .group_channels = n, .group_elems = total
  };
  return seg_conv_fold_affine (graph, node, &order, scale, shift, n);
}

static guint
gemm_by_row (const SegNode *node)
{
  const GemmParams *params = node->params;
  return params->trans_a ? 0 : seg_rows_of_first (node);
}

const SegOp seg_op_gemm = {
  .name = "Gemm",
  .domain = "",
  .min_inputs = 2,
  .max_inputs = 3,
  .max_outputs = 1,
  .layout = SEG_OP_ROWS,
  .flags = SEG_OP_EPILOGUE_ACT | SEG_OP_EPILOGUE_RESIDUAL | SEG_OP_HEAVY,
  .params_size = sizeof (GemmParams),
  .parse = gemm_parse,
  .infer = gemm_infer,
  .eval = gemm_eval,
  .emit = gemm_emit,
  .by_row = gemm_by_row,
  .fold_affine = gemm_fold_affine,
};
