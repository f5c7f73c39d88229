/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* MeanVarianceNormalization over any axes, LpNormalization over one: no scale, no bias. */
#include "ops/normalise.h"
#include "ops/ops.h"

#include <math.h>

#define MVN_EPSILON 1e-9

enum { VARIANT_MVN, VARIANT_LP };

typedef struct {
  guint axes; /* a bit each */
  guint p;    /* LP: 1 or 2 */
} PlainParams;

static gboolean
mvn_parse (SegNode *node, GError **error)
{
  static const gint64 usual[] = { 0, 2, 3 };
  PlainParams *params = node->params;
  guint rank = seg_node_input (node, 0)->desc.rank, n = 0, axis;
  const gint64 *axes = seg_node_attr_ints (node, "axes", &n);
  if (axes == NULL) {
    axes = usual;
    n = G_N_ELEMENTS (usual);
  }
  for (guint i = 0; i < n; i++) {
    if (!seg_axis_normalize (axes[i], rank, &axis, error))
      return FALSE;
    params->axes |= 1u << axis;
  }
  return TRUE;
}

static gboolean
lp_parse (SegNode *node, GError **error)
{
  PlainParams *params = node->params;
  gint64 p = seg_node_attr_int (node, "p", 2);
  guint rank = seg_node_input (node, 0)->desc.rank, axis;
  if (p != 1 && p != 2) {
    g_set_error (
        error, SEG_ERROR, SEG_ERROR_MODEL, "p is 1 or 2, not %" G_GINT64_FORMAT, p);
    return FALSE;
  }
  if (!seg_axis_normalize (seg_node_attr_int (node, "axis", -1), rank, &axis, error))
    return FALSE;
  params->axes = 1u << axis;
  params->p = p;
  return TRUE;
}

static gboolean
plain_infer (SegNode *node, GError **error)
{
  const SegDesc *in = &seg_node_input (node, 0)->desc;
  if (!seg_dtype_is_float (in->dtype)) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL, "is not defined for %s",
        seg_dtype_name (in->dtype));
    return FALSE;
  }
  seg_node_output (node, 0)->desc = *in;
  return TRUE;
}

/* --- host ---------------------------------------------------------------------------------- */

static double
inverse_of (const SegNode *node, double sum, gsize count)
{
  const PlainParams *params = node->params;
  if (node->op->variant == VARIANT_MVN)
    return 1 / (sqrt (sum / count) + MVN_EPSILON);
  double norm = params->p == 2 ? sqrt (sum) : sum;
  return norm == 0 ? 0 : 1 / norm;
}

static gboolean
plain_eval (const SegNode *node, SegTensor *const *in, SegTensor **out, GError **error)
{
  const PlainParams *params = node->params;
  const SegDesc *d = &in[0]->desc;
  SegDesc kept = *d;
  for (guint i = 0; i < d->rank; i++)
    if (params->axes >> i & 1)
      kept.dims[i] = 1;
  const SegDesc *descs[] = { &kept };
  gsize n = seg_desc_n_elems (d), n_kept = seg_desc_n_elems (&kept);
  gsize count = n_kept > 0 ? n / n_kept : 0;
  g_autofree double *mean = g_new0 (double, n_kept + 1),
                    *sum = g_new0 (double, n_kept + 1);
  SegWalk w;
  seg_walk_init (&w, d, descs, 1);
  for (gsize i = 0; node->op->variant == VARIANT_MVN && i < n; i++, seg_walk_next (&w))
    mean[w.at[0]] += seg_tensor_get_double (in[0], i) / count;
  seg_walk_init (&w, d, descs, 1);
  for (gsize i = 0; i < n; i++, seg_walk_next (&w)) {
    double x = seg_tensor_get_double (in[0], i) - mean[w.at[0]];
    sum[w.at[0]] += params->p == 1 ? fabs (x) : x * x;
  }
  seg_walk_init (&w, d, descs, 1);
  for (gsize i = 0; i < n; i++, seg_walk_next (&w)) {
    double x = seg_tensor_get_double (in[0], i) - mean[w.at[0]];
    seg_tensor_set_double (out[0], i, x * inverse_of (node, sum[w.at[0]], count));
  }
  return TRUE;
}

/* --- device -------------------------------------------------------------------------------- */

static gboolean
emit_length (SegProgram *p, const PlainParams *params, const SegOperand *x, SegNorm *norm,
    GError **error)
{
  gboolean square = params->p == 2;
  SegReduceStep step = {
    .pre = square ? SEG_REDUCE_PRE_SQUARE : SEG_REDUCE_PRE_ABS,
    .combine = SEG_REDUCE_SUM,
    .post = square ? SEG_REDUCE_POST_INVERSE_SQRT : SEG_REDUCE_POST_INVERSE,
  };
  norm->parts = SEG_NORM_INVERSE;
  norm->inverse = seg_reduce_temp (p, x, params->axes, SEG_STORAGE_F32);
  return seg_reduce_emit (p, &step, x, params->axes, &norm->inverse, NULL, error);
}

static gboolean
plain_emit (const SegNode *node, SegProgram *p, GError **error)
{
  const PlainParams *params = node->params;
  SegOperand x = seg_operand (p, seg_node_input (node, 0));
  SegOperand out = seg_operand (p, seg_node_output (node, 0));
  SegNorm norm = { 0 };
  gboolean ok = node->op->variant == VARIANT_LP
                    ? emit_length (p, params, &x, &norm, error)
                    : seg_norm_moments (p, &x, params->axes, SEG_REDUCE_POST_INVERSE_STD,
                        MVN_EPSILON, &norm, error);
  return ok && seg_norm_apply (p, node, &x, &norm, &out, error);
}

static gboolean
plain_align (const SegNode *node, guint axis, SegAlign *align)
{
  const PlainParams *params = node->params;
  align->whole = params->axes >> axis & 1;
  return TRUE;
}

#define PLAIN(id, onnx, which, parser)                                                   \
  const SegOp seg_op_##id = {                                                            \
    .name = onnx,                                                                        \
    .domain = "",                                                                        \
    .min_inputs = 1,                                                                     \
    .max_inputs = 1,                                                                     \
    .max_outputs = 1,                                                                    \
    .layout = SEG_OP_ANY,                                                                \
    .flags = SEG_OP_EPILOGUE_ACT,                                                        \
    .variant = which,                                                                    \
    .params_size = sizeof (PlainParams),                                                 \
    .parse = parser,                                                                     \
    .infer = plain_infer,                                                                \
    .eval = plain_eval,                                                                  \
    .emit = plain_emit,                                                                  \
    .align = plain_align,                                                                \
  };
PLAIN (lp_normalization, "LpNormalization", VARIANT_LP, lp_parse)
PLAIN (mean_variance_normalization, "MeanVarianceNormalization", VARIANT_MVN, mvn_parse)
