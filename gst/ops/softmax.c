/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Softmax, LogSoftmax and Hardmax. */
#include "ops/ops.h"
#include "ops/reduction.h"
#include "shaders.h"

#include <math.h>
#include <string.h>

enum { VARIANT_SOFTMAX, VARIANT_LOG, VARIANT_HARDMAX };

typedef struct {
  guint first, last; /* axes [first, last) are one row */
} SoftmaxParams;

/* --- parameters and shapes ----------------------------------------------------------------- */

/* Before opset 13 the input is flattened to a matrix at `axis`: rows span all axes from there. */
static gboolean
softmax_parse (SegNode *node, GError **error)
{
  SoftmaxParams *params = node->params;
  gboolean flatten = node->opset < 13;
  guint rank = seg_node_input (node, 0)->desc.rank;
  gint64 axis = seg_node_attr_int (node, "axis", flatten ? 1 : -1);
  if (flatten && axis == rank) {
    params->first = params->last = rank; /* rows of one element */
    return TRUE;
  }
  if (!seg_axis_normalize (axis, rank, &params->first, error))
    return FALSE;
  params->last = flatten ? rank : params->first + 1;
  return TRUE;
}

static gboolean
softmax_infer (SegNode *node, GError **error)
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

/* A row of several axes may lie apart. */
static gboolean
softmax_permute (SegNode *node, const guint *perm)
{
  SoftmaxParams *params = node->params;
  if (params->last != params->first + 1)
    return FALSE;
  params->first = seg_axis_permuted (params->first, perm);
  params->last = params->first + 1;
  return TRUE;
}

/* --- host ---------------------------------------------------------------------------------- */

static void
eval_row (int variant, const SegTensor *in, SegTensor *out, gsize first, gsize extent,
    gsize step)
{
  gsize best = 0;
  double sum = 0;
  for (gsize k = 1; k < extent; k++)
    if (seg_tensor_get_double (in, first + k * step)
        > seg_tensor_get_double (in, first + best * step))
      best = k;
  double top = seg_tensor_get_double (in, first + best * step);
  for (gsize k = 0; k < extent; k++)
    sum += exp (seg_tensor_get_double (in, first + k * step) - top);
  for (gsize k = 0; k < extent; k++) {
    double x = seg_tensor_get_double (in, first + k * step) - top;
    double y = variant == VARIANT_SOFTMAX ? exp (x) / sum
               : variant == VARIANT_LOG   ? x - log (sum)
                                          : k == best;
    seg_tensor_set_double (out, first + k * step, y);
  }
}

static gboolean
softmax_eval (const SegNode *node, SegTensor *const *in, SegTensor **out, GError **error)
{
  const SoftmaxParams *params = node->params;
  const SegDesc *d = &in[0]->desc;
  gsize extent = 1, inner = 1, n = seg_desc_n_elems (d);
  for (guint i = params->first; i < d->rank; i++)
    *(i < params->last ? &extent : &inner) *= d->dims[i];
  for (gsize row = 0; n > 0 && row < n / extent; row++)
    eval_row (node->op->variant, in[0], out[0],
        row / inner * inner * extent + row % inner, extent, inner);
  return TRUE;
}

/* --- device: one pass ----------------------------------------------------------------------- */

/* A row is one loop in the source and in the output. */
typedef struct {
  guint32 extent, in_stride, out_stride;
} Row;

static gboolean
row_of (Row *row, const SegView *in, const SegView *out, guint axes)
{
  SegReduceLoops a, b;
  if (!seg_reduce_loops (&a, in, axes) || !seg_reduce_loops (&b, out, axes)
      || a.extent[1] != 1 || b.extent[1] != 1)
    return FALSE;
  *row = (Row){ a.extent[2], a.stride[2], b.stride[2] };
  return TRUE;
}

static gboolean
is_aligned (const SegView *steps)
{
  gboolean aligned = steps->offset % 4 == 0;
  for (guint i = 0; i < steps->rank; i++)
    aligned &= steps->strides[i] % 4 == 0;
  return aligned;
}

/* Rows as the loop's elements, each in the source and in the output. */
static SegView
rows_view (const SegView *out, guint axes, SegView steps[2], const SegView *in)
{
  SegView rows = *out;
  for (guint i = 0; i < rows.rank; i++)
    if (axes >> i & 1)
      rows.dims[i] = 1;
  steps[0] = seg_reduce_steps (in, axes, &rows);
  steps[1] = seg_reduce_steps (out, axes, &rows);
  for (guint k = 0; k < 2; k++)
    for (guint i = 0; i < rows.rank; i++)
      if (rows.dims[i] == 1)
        steps[k].strides[i] = 0;
  return rows;
}

/* One row an invocation: an axis of four that goes nowhere is put innermost. */
static gboolean
plan_run (SegStrided *s, SegView rows, SegView steps[2], const Row *row, gboolean padded)
{
  if (row->in_stride != 1 || row->out_stride != 1 || !is_aligned (&steps[0])
      || !is_aligned (&steps[1]) || (!padded && row->extent % 4 != 0)
      || rows.rank == SEG_MAX_RANK)
    return FALSE;
  rows.pitch = 0;
  rows.dims[rows.rank++] = 4;
  for (guint k = 0; k < 2; k++) {
    steps[k].dims[steps[k].rank] = 4;
    steps[k].strides[steps[k].rank++] = 0;
  }
  return seg_strided_plan (s, &rows, steps, 2, NULL);
}

static gboolean
plan_lanes (SegStrided *s, const SegView *rows, const SegView steps[2], const Row *row)
{
  return row->in_stride % 4 == 0 && row->out_stride % 4 == 0
         && seg_strided_plan (s, rows, steps, 2, NULL)
         && s->modes[0] == SEG_STRIDED_VECTOR && s->modes[1] == SEG_STRIDED_VECTOR;
}

/* Few long rows are better cut into parts. */
static gboolean
is_parallel (const SegStrided *s, const Row *row)
{
  guint32 n = s->push[7];
  return n >= 256 || row->extent <= 1024;
}

enum { MODE_APPLY, MODE_LANES, MODE_RUN };

/* FALSE without an error when the rows do not fit. */
static gboolean
fill_one_pass (SegDispatch *d, const SegOperand *in, const SegOperand *out, guint axes)
{
  SegStrided s;
  SegView steps[2];
  Row row;
  if (!row_of (&row, &in->view, &out->view, axes))
    return FALSE;
  SegView rows = rows_view (&out->view, axes, steps, &in->view);
  gboolean padded = out->view.pitch != 0 && (axes & 2);
  gboolean run = plan_run (&s, rows, steps, &row, padded);
  if (!run && !plan_lanes (&s, &rows, steps, &row))
    return FALSE;
  if (!is_parallel (&s, &row))
    return FALSE;
  guint32 texels = (row.extent + 3) / 4;
  seg_strided_fill (&s, d);
  d->spec[3] = run ? MODE_RUN : MODE_LANES;
  d->push[10 + 14] = row.extent;
  d->push[10 + 15] = padded ? (texels + 1) / 2 * 2 : texels;
  d->push[10 + 16] = row.in_stride / 4;
  d->push[10 + 17] = row.out_stride / 4;
  d->n_push = 10 + 18;
  return TRUE;
}

/* --- device: any rows ------------------------------------------------------------------------ */

static gboolean
emit_reductions (SegProgram *p, SegDispatch *d, const SegOperand *in,
    const SegOperand *out, guint axes, GError **error)
{
  SegReduceStep top = { .combine = SEG_REDUCE_MAX };
  SegReduceStep sum = { .pre = SEG_REDUCE_PRE_EXP, .combine = SEG_REDUCE_SUM };
  SegOperand tops = seg_reduce_temp (p, in, axes, SEG_STORAGE_F32);
  SegOperand sums = seg_reduce_temp (p, in, axes, SEG_STORAGE_F32);
  SegStrided s;
  if (!seg_reduce_emit (p, &top, in, axes, &tops, NULL, error)
      || !seg_reduce_emit (p, &sum, in, axes, &sums, &tops, error))
    return FALSE;
  SegView views[] = { in->view, seg_view_broadcast (&tops.view, &out->view) };
  if (!seg_strided_plan (&s, &out->view, views, 2, error))
    return FALSE;
  seg_strided_fill (&s, d);
  d->spec[3] = MODE_APPLY;
  d->bindings[2].ref = tops.ref;
  d->bindings[3].ref = sums.ref;
  return TRUE;
}

static gboolean
softmax_emit (const SegNode *node, SegProgram *p, GError **error)
{
  const SoftmaxParams *params = node->params;
  SegOperand in = seg_operand (p, seg_node_input (node, 0));
  SegOperand out = seg_operand (p, seg_node_output (node, 0));
  gboolean half = seg_program_ref_storage (p, out.ref) == SEG_STORAGE_F16;
  guint axes = ((1u << params->last) - 1) & ~((1u << params->first) - 1);
  SegDispatch d = {
    .shader = half ? &seg_shader_softmax_f16 : &seg_shader_softmax_f32,
    .spec = { [4] = node->op->variant == VARIANT_LOG },
    .n_spec = 5,
    .bindings = { { in.ref, SEG_BIND_TEXEL }, { out.ref, SEG_BIND_BUFFER_WRITE },
        { in.ref, SEG_BIND_TEXEL }, { in.ref, SEG_BIND_TEXEL } },
    .n_bindings = 4,
  };
  return (fill_one_pass (&d, &in, &out, axes)
             || emit_reductions (p, &d, &in, &out, axes, error))
         && seg_program_dispatch (p, &d, error);
}

/* --- operators ------------------------------------------------------------------------------ */

static guint
softmax_by_row (const SegNode *node)
{
  const SoftmaxParams *params = node->params;
  return params->first > 0 ? seg_rows_of_first (node) : 0;
}

static gboolean
softmax_align (const SegNode *node, guint axis, SegAlign *align)
{
  const SoftmaxParams *params = node->params;
  align->whole = axis >= params->first && axis < params->last;
  return TRUE;
}

#define SOFTMAX(id, onnx, which, emitter)                                                \
  const SegOp seg_op_##id = {                                                            \
    .name = onnx,                                                                        \
    .domain = "",                                                                        \
    .min_inputs = 1,                                                                     \
    .max_inputs = 1,                                                                     \
    .max_outputs = 1,                                                                    \
    .layout = SEG_OP_ANY,                                                                \
    .storage = SEG_OP_RECOMPUTES,                                                        \
    .variant = which,                                                                    \
    .params_size = sizeof (SoftmaxParams),                                               \
    .parse = softmax_parse,                                                              \
    .infer = softmax_infer,                                                              \
    .eval = softmax_eval,                                                                \
    .emit = emitter,                                                                     \
    .by_row = softmax_by_row,                                                            \
    .permute = softmax_permute,                                                          \
    .align = softmax_align,                                                              \
  };
SOFTMAX (hardmax, "Hardmax", VARIANT_HARDMAX, NULL) /* nothing asks for it on a device */
SOFTMAX (log_softmax, "LogSoftmax", VARIANT_LOG, softmax_emit)
SOFTMAX (softmax, "Softmax", VARIANT_SOFTMAX, softmax_emit)
