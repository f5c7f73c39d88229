/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops/elementwise.h"
#include "ops/ops.h"
#include "shaders.h"

#include <string.h>

static gboolean
where_infer (SegNode *node, GError **error)
{
  const SegDesc *condition = &seg_node_input (node, 0)->desc;
  const SegDesc *yes = &seg_node_input (node, 1)->desc,
                *no = &seg_node_input (node, 2)->desc;
  SegDesc *out = &seg_node_output (node, 0)->desc;
  if (condition->dtype != SEG_DTYPE_BOOL || yes->dtype != no->dtype) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL,
        "cannot choose by %s between %s and %s", seg_dtype_name (condition->dtype),
        seg_dtype_name (yes->dtype), seg_dtype_name (no->dtype));
    return FALSE;
  }
  return seg_broadcast (yes, no, out, error)
         && seg_broadcast (out, condition, out, error);
}

static gboolean
where_eval (const SegNode *node, SegTensor *const *in, SegTensor **out, GError **error)
{
  const SegDesc *descs[] = { &in[0]->desc, &in[1]->desc, &in[2]->desc };
  const guint8 *condition = seg_tensor_data (in[0]);
  gsize n = seg_desc_n_elems (&out[0]->desc), size = seg_dtype_bytes (out[0]->desc.dtype);
  SegWalk w;
  seg_walk_init (&w, &out[0]->desc, descs, 3);
  for (gsize i = 0; i < n; i++, seg_walk_next (&w)) {
    guint k = condition[w.at[0]] ? 1 : 2;
    memcpy ((char *) out[0]->data + i * size,
        (const char *) seg_tensor_data (in[k]) + w.at[k] * size, size);
  }
  return TRUE;
}

static gboolean
where_emit (const SegNode *node, SegProgram *p, GError **error)
{
  SegOperand ins[3], out = seg_operand (p, seg_node_output (node, 0));
  SegStorage storage = seg_program_storage (p, seg_node_output (node, 0));
  SegDispatch d = {
    .shader = storage == SEG_STORAGE_I32   ? &seg_shader_where_i32
              : storage == SEG_STORAGE_F16 ? &seg_shader_where_f16
                                           : &seg_shader_where_f32,
  };
  for (guint i = 0; i < 3; i++)
    ins[i] = seg_operand (p, seg_node_input (node, i));
  return seg_elementwise (p, node, &d, ins, 3, &out, SEG_EPILOGUE_NONE, error);
}

const SegOp seg_op_where = {
  .name = "Where",
  .domain = "",
  .min_inputs = 3,
  .max_inputs = 3,
  .max_outputs = 1,
  .layout = SEG_OP_ANY,
  .storage = SEG_OP_RECOMPUTES,
  .infer = where_infer,
  .eval = where_eval,
  .emit = where_emit,
};
