/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Our own RowsIf and RowsUnless: the rows of input 0, or none, as input 1 (one bool) says. An If of which
 * one branch yields nothing becomes this; see graph/body.c. */
#include "ops/move.h"
#include "ops/ops.h"
#include "ops/rows.h"

#include <string.h>

static gboolean
rows_if_infer (SegNode *node, GError **error)
{
  SegValue *out = seg_node_output (node, 0);
  const SegDesc *condition = &seg_node_input (node, 1)->desc;
  out->desc = seg_node_input (node, 0)->desc;
  if (out->desc.rank == 0 || condition->dtype != SEG_DTYPE_BOOL
      || seg_desc_n_elems (condition) != 1) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL, "needs rows and one bool");
    return FALSE;
  }
  seg_value_live_axis (out, 0);
  return TRUE;
}

static gboolean
rows_if_eval (const SegNode *node, SegTensor *const *in, SegTensor **out, GError **error)
{
  SegDesc none = in[0]->desc;
  none.dims[0] = 0;
  gboolean yes = seg_tensor_get_int (in[1], 0) != 0;
  out[0] = yes == (node->op->variant != 0) ? seg_tensor_ref (in[0])
                                           : seg_tensor_new (&none, error);
  return out[0] != NULL;
}

static guint
rows_if_by_row (const SegNode *node)
{
  return seg_node_input (node, 1)->size == SEG_SIZE_FIXED
         && seg_value_live_axis_of (seg_node_input (node, 0)) == 0;
}

static gboolean
rows_if_emit (const SegNode *node, SegProgram *p, GError **error)
{
  const SegValue *in = seg_node_input (node, 0), *out = seg_node_output (node, 0);
  SegMove move = seg_move_whole (&out->desc);
  return seg_rows_emit_unless (p, out, seg_program_rows (p, in), seg_node_input (node, 1),
             node->op->variant == 0, error)
         && seg_move_emit (&move, p, in, out, error);
}

#define ROWS_IF(NAME, VARIANT)                                                           \
  {                                                                                      \
    .name = NAME, .domain = "vkseg", .min_inputs = 2, .max_inputs = 2, .max_outputs = 1, \
    .layout = SEG_OP_ANY, .storage = SEG_OP_MOVES, .decides = 2, .flags = SEG_OP_LIVE,   \
    .variant = VARIANT, .infer = rows_if_infer, .eval = rows_if_eval,                    \
    .emit = rows_if_emit, .by_row = rows_if_by_row, .counts = seg_counts_rows            \
  }

const SegOp seg_op_rows_if = ROWS_IF ("RowsIf", 1);
const SegOp seg_op_rows_unless = ROWS_IF ("RowsUnless", 0);
