/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Our own Copy: the layout pass puts it where a value is needed in another layout. */
#include "ops/elementwise.h"
#include "ops/ops.h"

#include <string.h>

static gboolean
copy_infer (SegNode *node, GError **error)
{
  seg_node_output (node, 0)->desc = seg_node_input (node, 0)->desc;
  return TRUE;
}

static gboolean
copy_eval (const SegNode *node, SegTensor *const *in, SegTensor **out, GError **error)
{
  memcpy (out[0]->data, seg_tensor_data (in[0]), out[0]->n_bytes);
  return TRUE;
}

static gboolean
copy_emit (const SegNode *node, SegProgram *program, GError **error)
{
  return seg_copy_emit (node, program, error);
}

const SegOp seg_op_copy = {
  .name = "Copy",
  .domain = "vkseg",
  .min_inputs = 1,
  .max_inputs = 1,
  .max_outputs = 1,
  .layout = SEG_OP_ANY,
  .storage = SEG_OP_RECOMPUTES,
  .flags = SEG_OP_BYTES | SEG_OP_ANY_LIVE_AXIS,
  .infer = copy_infer,
  .eval = copy_eval,
  .emit = copy_emit,
  .by_row = seg_rows_of_first,
};
