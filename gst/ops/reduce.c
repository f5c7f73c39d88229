/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReduceSum and its relatives, and the global pools, which reduce over the spatial axes. */
#include "ops/ops.h"
#include "ops/reduction.h"
#include "ops/rows.h"

#include <math.h>
#include <string.h>

typedef enum {
  REDUCE_SUM,
  REDUCE_MEAN,
  REDUCE_MAX,
  REDUCE_MIN,
  REDUCE_PROD,
  REDUCE_L1,
  REDUCE_L2,
  REDUCE_SUM_SQUARE,
  REDUCE_LOG_SUM,
  REDUCE_LOG_SUM_EXP,
} Kind;

typedef struct {
  guint axes; /* a bit each */
  gboolean keep_dims;
  gboolean noop;
} ReduceParams;

/* --- parameters and shapes ----------------------------------------------------------------- */

static gboolean
axes_from_list (
    ReduceParams *params, const gint64 *list, guint n, guint rank, GError **error)
{
  for (guint i = 0; i < n; i++) {
    guint axis;
    if (!seg_axis_normalize (list[i], rank, &axis, error))
      return FALSE;
    params->axes |= 1u << axis;
  }
  return TRUE;
}

/* The axes are an input (from opset 13 for ReduceSum, from 18 for the others) or an attribute. */
static gboolean
reduce_parse (SegNode *node, GError **error)
{
  ReduceParams *params = node->params;
  guint rank = seg_node_input (node, 0)->desc.rank, n = 0;
  g_autofree gint64 *from_input = NULL;
  params->keep_dims = seg_node_attr_int (node, "keepdims", 1) != 0;
  if (!seg_node_const_ints (node, 1, "axes", &from_input, &n, error))
    return FALSE;
  const gint64 *list = from_input;
  if (seg_node_input (node, 1) == NULL)
    list = seg_node_attr_ints (node, "axes", &n);
  if (n > 0)
    return axes_from_list (params, list, n, rank, error);
  params->noop = seg_node_attr_int (node, "noop_with_empty_axes", 0) != 0;
  params->axes = params->noop ? 0 : (1u << rank) - 1;
  return TRUE;
}

static gboolean
global_parse (SegNode *node, GError **error)
{
  ReduceParams *params = node->params;
  const SegDesc *in = &seg_node_input (node, 0)->desc;
  params->keep_dims = TRUE;
  params->axes = ((1u << in->rank) - 1) & ~3u;
  if (in->rank >= 3 && seg_dtype_is_float (in->dtype))
    return TRUE;
  g_autofree char *desc = seg_desc_to_string (in);
  g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL,
      "needs a floating-point input with spatial axes, not %s", desc);
  return FALSE;
}

static gboolean
reduce_infer (SegNode *node, GError **error)
{
  const ReduceParams *params = node->params;
  const SegDesc *in = &seg_node_input (node, 0)->desc;
  SegDesc *out = &seg_node_output (node, 0)->desc;
  if (in->dtype == SEG_DTYPE_BOOL) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED, "is not defined for bool");
    return FALSE;
  }
  *out = (SegDesc){ .dtype = in->dtype };
  for (guint i = 0; i < in->rank; i++) {
    gboolean reduced = params->axes >> i & 1;
    if (!reduced || params->keep_dims)
      out->dims[out->rank++] = reduced ? 1 : in->dims[i];
  }
  return TRUE;
}

/* --- host ---------------------------------------------------------------------------------- */

static double
start_of (Kind kind)
{
  return kind == REDUCE_PROD  ? 1
         : kind == REDUCE_MAX ? -INFINITY
         : kind == REDUCE_MIN ? INFINITY
                              : 0;
}

static double
accumulate (Kind kind, double sum, double x, double largest)
{
  switch (kind) {
  case REDUCE_MAX: return x > sum || isnan (x) ? x : sum;
  case REDUCE_MIN: return x < sum || isnan (x) ? x : sum;
  case REDUCE_PROD: return sum * x;
  case REDUCE_L1: return sum + fabs (x);
  case REDUCE_L2:
  case REDUCE_SUM_SQUARE: return sum + x * x;
  case REDUCE_LOG_SUM_EXP: return sum + exp (x - largest);
  default: return sum + x;
  }
}

static double
finish (Kind kind, double sum, double largest, gsize count)
{
  switch (kind) {
  case REDUCE_MEAN: return sum / count;
  case REDUCE_L2: return sqrt (sum);
  case REDUCE_LOG_SUM: return log (sum);
  case REDUCE_LOG_SUM_EXP: return log (sum) + largest;
  default: return sum;
  }
}

/* A description of the results with in's rank, to which results broadcast. */
static SegDesc
kept_desc (const SegDesc *in, guint axes)
{
  SegDesc d = *in;
  for (guint i = 0; i < d.rank; i++)
    if (axes >> i & 1)
      d.dims[i] = 1;
  return d;
}

static void
reduce_floats (Kind kind, guint axes, const SegTensor *in, double *sums, gsize n_out)
{
  SegDesc kept = kept_desc (&in->desc, axes);
  const SegDesc *descs[] = { &kept };
  gsize n = seg_desc_n_elems (&in->desc);
  g_autofree double *largest = g_new0 (double, n_out + 1);
  SegWalk w;
  if (kind == REDUCE_LOG_SUM_EXP) {
    reduce_floats (REDUCE_MAX, axes, in, largest, n_out);
    for (gsize o = 0; o < n_out; o++)
      largest[o] = isinf (largest[o]) ? 0 : largest[o];
  }
  for (gsize o = 0; o < n_out; o++)
    sums[o] = start_of (kind);
  seg_walk_init (&w, &in->desc, descs, 1);
  for (gsize i = 0; i < n; i++, seg_walk_next (&w)) {
    gsize o = w.at[0];
    sums[o] = accumulate (kind, sums[o], seg_tensor_get_double (in, i), largest[o]);
  }
  for (gsize o = 0; o < n_out; o++)
    sums[o] = finish (kind, sums[o], largest[o], n_out > 0 ? n / n_out : 0);
}

/* Sums, products and bounds of integers are exact (and wrap around). */
static gboolean
is_exact_for_integers (Kind kind)
{
  return kind != REDUCE_L2 && kind != REDUCE_LOG_SUM && kind != REDUCE_LOG_SUM_EXP;
}

static gint64
accumulate_int (Kind kind, gint64 sum, gint64 x, gboolean is_u64)
{
  guint64 a = sum, b = x;
  gboolean less = is_u64 ? a < b : sum < x;
  switch (kind) {
  case REDUCE_MAX: return less ? x : sum;
  case REDUCE_MIN: return less ? sum : x;
  case REDUCE_PROD: return a * b;
  case REDUCE_L1: return a + (!is_u64 && x < 0 ? 0 - b : b);
  case REDUCE_SUM_SQUARE: return a + b * b;
  default: return a + b;
  }
}

static void
reduce_ints (Kind kind, guint axes, const SegTensor *in, SegTensor *out)
{
  SegDesc kept = kept_desc (&in->desc, axes);
  const SegDesc *descs[] = { &kept };
  gsize n = seg_desc_n_elems (&in->desc), n_out = seg_desc_n_elems (&out->desc);
  gboolean bound = kind == REDUCE_MAX || kind == REDUCE_MIN;
  g_autofree gint64 *sums = g_new0 (gint64, n_out + 1);
  g_autofree gboolean *begun = g_new0 (gboolean, n_out + 1);
  SegWalk w;
  for (gsize o = 0; o < n_out; o++)
    sums[o] = kind == REDUCE_PROD;
  seg_walk_init (&w, &in->desc, descs, 1);
  for (gsize i = 0; i < n; i++, seg_walk_next (&w)) {
    gsize o = w.at[0];
    gint64 x = seg_tensor_get_int (in, i);
    sums[o] = bound && !begun[o]
                  ? x
                  : accumulate_int (kind, sums[o], x, in->desc.dtype == SEG_DTYPE_U64);
    begun[o] = TRUE;
  }
  for (gsize o = 0; o < n_out; o++)
    seg_tensor_set_int (
        out, o, kind == REDUCE_MEAN && n > 0 ? sums[o] / (gint64) (n / n_out) : sums[o]);
}

static gboolean
reduce_eval (const SegNode *node, SegTensor *const *in, SegTensor **out, GError **error)
{
  const ReduceParams *params = node->params;
  Kind kind = node->op->variant;
  gsize n_out = seg_desc_n_elems (&out[0]->desc);
  if (params->noop) {
    memcpy (out[0]->data, seg_tensor_data (in[0]), out[0]->n_bytes);
    return TRUE;
  }
  if (!seg_dtype_is_float (in[0]->desc.dtype) && is_exact_for_integers (kind)) {
    reduce_ints (kind, params->axes, in[0], out[0]);
    return TRUE;
  }
  g_autofree double *sums = g_new (double, n_out + 1);
  reduce_floats (kind, params->axes, in[0], sums, n_out);
  for (gsize i = 0; i < n_out; i++)
    seg_tensor_set_double (out[0], i, sums[i]);
  return TRUE;
}

/* --- device -------------------------------------------------------------------------------- */

static gboolean
reduce_on_device (const SegNode *node)
{
  Kind kind = node->op->variant;
  gboolean is_float = seg_dtype_is_float (seg_node_input (node, 0)->desc.dtype);
  return seg_node_device_types (node)
         && (is_float || (is_exact_for_integers (kind) && kind != REDUCE_MEAN));
}

static SegReduceStep
step_for (Kind kind, gsize count)
{
  SegReduceStep step = { .combine = SEG_REDUCE_SUM, .scale = 1.0f / count };
  switch (kind) {
  case REDUCE_SUM: break;
  case REDUCE_MEAN: step.post = SEG_REDUCE_POST_SCALE; break;
  case REDUCE_MAX: step.combine = SEG_REDUCE_MAX; break;
  case REDUCE_MIN: step.combine = SEG_REDUCE_MIN; break;
  case REDUCE_PROD: step.combine = SEG_REDUCE_PROD; break;
  case REDUCE_L1: step.pre = SEG_REDUCE_PRE_ABS; break;
  case REDUCE_L2: step.post = SEG_REDUCE_POST_SQRT; /* fall through */
  case REDUCE_SUM_SQUARE: step.pre = SEG_REDUCE_PRE_SQUARE; break;
  case REDUCE_LOG_SUM: step.post = SEG_REDUCE_POST_LOG; break;
  case REDUCE_LOG_SUM_EXP:
    step.pre = SEG_REDUCE_PRE_EXP;
    step.post = SEG_REDUCE_POST_LOG_PLUS;
    break;
  }
  return step;
}

static gboolean
reduces_rows (const SegNode *node)
{
  const ReduceParams *params = node->params;
  int live = seg_value_live_axis_of (seg_node_input (node, 0));
  return live >= 0 && (params->axes >> live & 1);
}

/* Rows that are reduced are cut off by what changes nothing; for that they have to lie in a row. */
static guint
reduce_by_row (const SegNode *node)
{
  const SegValue *in = seg_node_input (node, 0);
  if (!reduces_rows (node))
    return seg_value_live_axis_of (seg_node_output (node, 0)) >= 0
               ? seg_rows_of_first (node)
               : 0;
  return node->op->variant != REDUCE_MEAN && in->desc.rank <= 2
                 && seg_value_is_prefix (in)
             ? 1
             : 0;
}

static guint32
neutral_bits (Kind kind, SegStorage storage)
{
  gboolean least = kind == REDUCE_MAX || kind == REDUCE_LOG_SUM_EXP;
  if (storage == SEG_STORAGE_I32)
    return least                ? (guint32) G_MININT32
           : kind == REDUCE_MIN ? G_MAXINT32
                                : kind == REDUCE_PROD;
  float f = least ? -INFINITY : (float) start_of (kind);
  guint32 bits;
  memcpy (&bits, &f, sizeof f);
  return storage == SEG_STORAGE_F16 ? seg_half_from_float (f) : bits;
}

static gboolean
cut_rows (const SegNode *node, SegProgram *p, SegOperand *in, GError **error)
{
  SegStorage storage = seg_program_ref_storage (p, in->ref);
  SegOperand cut = seg_operand_temp (p, &in->view, storage);
  const SegValue *from = seg_node_input (node, 0);
  if (!seg_rows_emit_fill (p, from, cut.ref, seg_desc_n_elems (&from->desc),
          neutral_bits (node->op->variant, storage), error))
    return FALSE;
  *in = cut;
  return TRUE;
}

static gboolean
reduce_emit (const SegNode *node, SegProgram *p, GError **error)
{
  const ReduceParams *params = node->params;
  Kind kind = node->op->variant;
  SegValue *from = seg_node_input (node, 0), *to = seg_node_output (node, 0);
  SegOperand in = seg_operand (p, from), out = seg_operand (p, to), largest;
  SegReduceStep step = step_for (kind, seg_reduce_count (&in.view, params->axes));
  if (params->noop)
    return seg_copy_emit (node, p, error);
  if (reduces_rows (node) && !cut_rows (node, p, &in, error))
    return FALSE;
  if (kind == REDUCE_LOG_SUM_EXP) {
    SegReduceStep bound = step_for (REDUCE_MAX, 1);
    /* In the order of the results: of out's rank, so that both loops run alike. */
    largest = seg_operand_temp (p, &out.view, SEG_STORAGE_F32);
    if (!seg_reduce_emit (p, &bound, &in, params->axes, &largest, NULL, error))
      return FALSE;
  }
  return seg_reduce_emit (p, &step, &in, params->axes, &out,
      kind == REDUCE_LOG_SUM_EXP ? &largest : NULL, error);
}

static SegMeans
reduce_means (const SegNode *node)
{
  const ReduceParams *params = node->params;
  const SegDesc *in = &seg_node_input (node, 0)->desc;
  guint spatial = ((1u << in->rank) - 1) & ~3u;
  return node->op->variant == REDUCE_MEAN && params->keep_dims && params->axes == spatial
                 && spatial != 0 && seg_dtype_is_float (in->dtype)
             ? SEG_MEANS_ALL
             : SEG_MEANS_NOT;
}

/* --- operators ------------------------------------------------------------------------------ */

/* The axes that are left; what is reduced has no place any more. */
static gboolean
reduce_align (const SegNode *node, guint axis, SegAlign *align)
{
  const ReduceParams *params = node->params;
  if (!params->keep_dims)
    for (guint i = 0; i <= axis; i++)
      axis += params->axes >> i & 1;
  align->in_axis = axis;
  return !(params->axes >> axis & 1);
}

#define REDUCE_FULL(id, onnx, kind, n_in, parser)                                        \
  const SegOp seg_op_##id = {                                                            \
    .name = onnx,                                                                        \
    .domain = "",                                                                        \
    .min_inputs = 1,                                                                     \
    .max_inputs = n_in,                                                                  \
    .max_outputs = 1,                                                                    \
    .layout = SEG_OP_ANY,                                                                \
    .storage = SEG_OP_RECOMPUTES,                                                        \
    .variant = kind,                                                                     \
    .params_size = sizeof (ReduceParams),                                                \
    .parse = parser,                                                                     \
    .infer = reduce_infer,                                                               \
    .eval = reduce_eval,                                                                 \
    .on_device = reduce_on_device,                                                       \
    .flags = SEG_OP_ANY_LIVE_AXIS,                                                       \
    .by_row = reduce_by_row,                                                             \
    .emit = reduce_emit,                                                                 \
    .means = reduce_means,                                                               \
    .align = reduce_align,                                                               \
  };
#define REDUCE(id, onnx, kind) REDUCE_FULL (id, onnx, kind, 2, reduce_parse)

REDUCE_FULL (global_average_pool, "GlobalAveragePool", REDUCE_MEAN, 1, global_parse)
REDUCE_FULL (global_max_pool, "GlobalMaxPool", REDUCE_MAX, 1, global_parse)
REDUCE (reduce_l1, "ReduceL1", REDUCE_L1)
REDUCE (reduce_l2, "ReduceL2", REDUCE_L2)
REDUCE (reduce_log_sum, "ReduceLogSum", REDUCE_LOG_SUM)
REDUCE (reduce_log_sum_exp, "ReduceLogSumExp", REDUCE_LOG_SUM_EXP)
REDUCE (reduce_max, "ReduceMax", REDUCE_MAX)
REDUCE (reduce_mean, "ReduceMean", REDUCE_MEAN)
REDUCE (reduce_min, "ReduceMin", REDUCE_MIN)
REDUCE (reduce_prod, "ReduceProd", REDUCE_PROD)
REDUCE (reduce_sum, "ReduceSum", REDUCE_SUM)
REDUCE (reduce_sum_square, "ReduceSumSquare", REDUCE_SUM_SQUARE)
