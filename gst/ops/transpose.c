/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops/move.h"
#include "ops/ops.h"

typedef struct {
  guint perm[SEG_MAX_RANK]; /* output axis -> input axis */
} Params;

static gboolean
transpose_infer (SegNode *node, GError **error)
{
  Params *params = node->params;
  const SegDesc *in = &seg_node_input (node, 0)->desc;
  SegDesc *out = &seg_node_output (node, 0)->desc;
  guint n, seen = 0;
  const gint64 *perm = seg_node_attr_ints (node, "perm", &n);
  if (perm != NULL && n != in->rank) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL,
        "perm has %u entries for an input of %u dimensions", n, in->rank);
    return FALSE;
  }
  *out = (SegDesc){ .dtype = in->dtype, .rank = in->rank };
  for (guint i = 0; i < in->rank; i++) {
    gint64 axis = perm != NULL ? perm[i] : (gint64) in->rank - 1 - i;
    if (!seg_axis_normalize (axis, in->rank, &params->perm[i], error))
      return FALSE;
    out->dims[i] = in->dims[params->perm[i]];
    seen |= 1u << params->perm[i];
  }
  if (seen != (1u << in->rank) - 1) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL, "perm is not a permutation");
    return FALSE;
  }
  return TRUE;
}

static SegMove
transpose_move (const SegNode *node)
{
  const Params *params = node->params;
  SegMove m = seg_move_whole (&seg_node_output (node, 0)->desc);
  for (guint i = 0; i < m.n; i++)
    m.axes[i].in_axis = params->perm[i];
  return m;
}

static gboolean
transpose_eval (
    const SegNode *node, SegTensor *const *in, SegTensor **out, GError **error)
{
  SegMove move = transpose_move (node);
  seg_move_eval (&move, in[0], out[0]);
  return TRUE;
}

static gboolean
transpose_emit (const SegNode *node, SegProgram *program, GError **error)
{
  if (seg_node_output (node, 0)->base == seg_node_input (node, 0))
    return TRUE;
  SegMove move = transpose_move (node);
  return seg_move_emit (
      &move, program, seg_node_input (node, 0), seg_node_output (node, 0), error);
}

static gboolean
transpose_align (const SegNode *node, guint axis, SegAlign *a)
{
  const Params *params = node->params;
  a->in_axis = params->perm[axis];
  return TRUE;
}

static guint *
transpose_perm (SegNode *node)
{
  Params *params = node->params;
  return params->perm;
}

const SegOp seg_op_transpose = {
  .name = "Transpose",
  .domain = "",
  .min_inputs = 1,
  .max_inputs = 1,
  .max_outputs = 1,
  .layout = SEG_OP_ANY,
  .storage = SEG_OP_MOVES,
  .flags = SEG_OP_REORDERS | SEG_OP_BYTES | SEG_OP_ANY_LIVE_AXIS,
  .params_size = sizeof (Params),
  .infer = transpose_infer,
  .eval = transpose_eval,
  .emit = transpose_emit,
  .by_row = seg_rows_of_first,
  .align = transpose_align,
  .perm = transpose_perm,
};
