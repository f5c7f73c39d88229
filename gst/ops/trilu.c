/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Trilu: zeros above or below a diagonal of matrices. */
#include "ops/ops.h"
#include "ops/strided.h"
#include "shaders.h"

#include <string.h>

typedef struct {
  gboolean upper;
  gint64 k; /* the diagonal: column - row */
} Params;

static gboolean
trilu_infer (SegNode *node, GError **error)
{
  Params *params = node->params;
  const SegDesc *in = &seg_node_input (node, 0)->desc;
  g_autofree gint64 *k = NULL;
  guint n;
  if (!seg_node_const_ints (node, 1, "k", &k, &n, error))
    return FALSE;
  if (in->rank < 2 || n > 1) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL,
        in->rank < 2 ? "input has %u dimensions, not 2 or more"
                     : "k has %u entries, not 1",
        in->rank < 2 ? in->rank : n);
    return FALSE;
  }
  params->upper = seg_node_attr_int (node, "upper", 1) != 0;
  params->k = n > 0 ? CLAMP (k[0], -G_MAXINT32, G_MAXINT32) : 0;
  seg_node_output (node, 0)->desc = *in;
  return TRUE;
}

static gboolean
trilu_eval (const SegNode *node, SegTensor *const *in, SegTensor **out, GError **error)
{
  const Params *params = node->params;
  const SegDesc *desc = &out[0]->desc;
  gsize size = seg_dtype_bytes (desc->dtype);
  gint64 columns = desc->dims[desc->rank - 1], rows = desc->dims[desc->rank - 2];
  for (gint64 i = 0; i < seg_desc_n_elems (desc); i++) {
    gint64 diagonal = i % columns - i / columns % rows;
    if (params->upper ? diagonal >= params->k : diagonal <= params->k)
      memcpy ((guint8 *) out[0]->data + i * size,
          (const guint8 *) seg_tensor_data (in[0]) + i * size, size);
  }
  return TRUE;
}

static gboolean
trilu_emit (const SegNode *node, SegProgram *program, GError **error)
{
  const Params *params = node->params;
  const SegValue *src = seg_node_input (node, 0), *dst = seg_node_output (node, 0);
  SegView out = seg_view (dst), ins[2] = { seg_view (src), out };
  SegStrided s;
  memset (ins[1].strides, 0, sizeof ins[1].strides);
  ins[1].offset = 0;
  ins[1].strides[out.rank - 1] = 1;
  ins[1].strides[out.rank - 2] = (guint32) -1; /* so that it walks along column - row */
  if (!seg_strided_plan (&s, &out, ins, 2, error))
    return FALSE;
  s.modes[0] = s.modes[1] = SEG_STRIDED_GATHER;
  gboolean half = seg_program_storage (program, dst) == SEG_STORAGE_F16;
  SegDispatch d = {
    .shader = half ? &seg_shader_trilu_b16 : &seg_shader_trilu_b32,
    .spec = { [3] = params->upper, [4] = (guint32) (gint32) params->k },
    .n_spec = 5,
    .bindings = { { seg_program_value (program, src), SEG_BIND_BITS },
        { seg_program_value (program, dst), SEG_BIND_BUFFER_WRITE } },
    .n_bindings = 2,
  };
  seg_strided_fill (&s, &d);
  return seg_program_dispatch (program, &d, error);
}

const SegOp seg_op_trilu = {
  .name = "Trilu",
  .domain = "",
  .min_inputs = 1,
  .max_inputs = 2,
  .max_outputs = 1,
  .layout = SEG_OP_ANY,
  .storage = SEG_OP_MOVES,
  .decides = SEG_OP_ALL_BUT_FIRST,
  .params_size = sizeof (Params),
  .infer = trilu_infer,
  .eval = trilu_eval,
  .emit = trilu_emit,
};
