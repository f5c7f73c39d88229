/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Gather, GatherElements and GatherND. */
#include "ops/indexed.h"
#include "ops/ops.h"
#include "ops/strided.h"
#include "shaders.h"

#include <string.h>

static gboolean
gather_infer (SegNode *node, GError **error)
{
  SegIndexed *x = node->params;
  const SegDesc *data = &seg_node_input (node, 0)->desc;
  const SegDesc *indices = &seg_node_input (node, 1)->desc;
  gboolean ok;
  if (node->op->variant == SEG_INDEXED_ND)
    ok = seg_indexed_init_nd (
        x, seg_node_attr_int (node, "batch_dims", 0), data, indices, error);
  else
    ok = seg_indexed_init_axis (x, (SegIndexedKind) node->op->variant,
        seg_node_attr_int (node, "axis", 0), data, indices, error);
  return ok
         && seg_indexed_elements (
             x, data, indices, &seg_node_output (node, 0)->desc, error);
}

static gboolean
gather_eval (const SegNode *node, SegTensor *const *in, SegTensor **out, GError **error)
{
  const SegDesc *desc = &out[0]->desc;
  gsize size = seg_dtype_bytes (desc->dtype);
  g_autofree gsize *places =
      seg_indexed_places (node->params, &in[0]->desc, in[1], desc, error);
  if (places == NULL)
    return FALSE;
  for (gint64 i = 0; i < seg_desc_n_elems (desc); i++)
    memcpy ((guint8 *) out[0]->data + i * size,
        (const guint8 *) seg_tensor_data (in[0]) + places[i] * size, size);
  return TRUE;
}

static gboolean
gather_on_device (const SegNode *node)
{
  const SegIndexed *x = node->params;
  return seg_node_device_types (node) && x->tuple <= SEG_INDEXED_TUPLE;
}

/* Four neighbours come with one texel where one index serves all of them and no index moves
 * them off its start; else each comes on its own. */
static void
choose_modes (SegStrided *s, const SegView *data, const SegIndexed *x)
{
  gboolean texels = s->modes[0] == SEG_STRIDED_VECTOR && s->modes[1] == SEG_STRIDED_SPLAT;
  for (guint k = 0; k < x->tuple; k++)
    texels &= data->strides[x->axis + k] % 4 == 0;
  s->modes[0] = texels ? SEG_STRIDED_VECTOR : SEG_STRIDED_GATHER;
  s->modes[1] = texels ? SEG_STRIDED_SPLAT : SEG_STRIDED_GATHER;
}

static gboolean
gather_emit (const SegNode *node, SegProgram *program, GError **error)
{
  const SegIndexed *x = node->params;
  const SegValue *src = seg_node_input (node, 0), *indices = seg_node_input (node, 1);
  const SegValue *dst = seg_node_output (node, 0);
  SegView data = seg_view (src), index = seg_view (indices), out = seg_view (dst);
  SegView ins[2] = { out, out };
  SegStrided s;
  ins[0].offset = data.offset;
  ins[1].offset = index.offset;
  seg_indexed_steps (x, data.strides, index.strides, ins[0].strides, ins[1].strides);
  if (!seg_strided_plan (&s, &out, ins, 2, error))
    return FALSE;
  choose_modes (&s, &data, x);

  gboolean half = seg_program_storage (program, dst) == SEG_STORAGE_F16;
  SegDispatch d = {
    .shader = half ? &seg_shader_gather_b16 : &seg_shader_gather_b32,
    .bindings = { { seg_program_value (program, src), SEG_BIND_BITS },
        { seg_program_value (program, indices), SEG_BIND_TEXEL },
        { seg_program_value (program, dst), SEG_BIND_BUFFER_WRITE } },
    .n_bindings = 3,
  };
  seg_indexed_fill (x, &data, &index, &d);
  seg_strided_fill (&s, &d);
  seg_strided_live (&s, program, dst, &d);
  return seg_program_dispatch (program, &d, error);
}

/* Which says how many there are: the indices where they are live, else the data. An index from the end
 * of a live axis would not be known; of data that is live along the axis none may be negative. */
static guint
gather_by_row (const SegNode *node)
{
  const SegIndexed *x = node->params;
  const SegValue *data = seg_node_input (node, 0), *indices = seg_node_input (node, 1);
  int of_data = seg_value_live_axis_of (data);
  if (data->size == SEG_SIZE_FIXED) {
    int live = seg_value_live_axis_of (indices);
    gboolean last = live + 1 == (int) indices->desc.rank;
    return x->kind == SEG_INDEXED_AXIS
                   || (x->kind == SEG_INDEXED_ND && !last && x->axis == 0)
               ? 2
               : 0;
  }
  if (x->kind != SEG_INDEXED_AXIS)
    return 0;
  if (of_data != (int) x->axis)
    return indices->size == SEG_SIZE_FIXED ? 1 : 0;
  return indices->size == SEG_SIZE_BOUNDED && seg_value_is_index (indices) ? 2 : 0;
}

/* Axes that are not indexed are the data's, those of indices into a table the indices'. */
static gboolean
gather_align (const SegNode *node, guint axis, SegAlign *align)
{
  const SegIndexed *x = node->params;
  gboolean table = seg_node_input (node, 0)->constant != NULL;
  if (x->kind == SEG_INDEXED_ND)
    return table ? axis + 1 < x->index_rank : axis < x->axis;
  if (x->kind == SEG_INDEXED_ELEMENTS)
    return table || axis != x->axis;
  guint end = x->axis + x->index_rank;
  if (table)
    align->in_axis = axis - x->axis;
  else if (axis >= end)
    align->in_axis = axis + 1 - x->index_rank;
  return table == (axis >= x->axis && axis < end);
}

#define GATHER(NAME, KIND)                                                               \
  {                                                                                      \
    .name = NAME, .domain = "", .min_inputs = 2, .max_inputs = 2, .max_outputs = 1,      \
    .layout = SEG_OP_ANY, .storage = SEG_OP_MOVES, .decides = 2, .variant = KIND,        \
    .flags = SEG_OP_ANY_LIVE_AXIS, .by_row = gather_by_row,                              \
    .params_size = sizeof (SegIndexed), .infer = gather_infer, .eval = gather_eval,      \
    .on_device = gather_on_device, .emit = gather_emit, .align = gather_align            \
  }

const SegOp seg_op_gather = GATHER ("Gather", SEG_INDEXED_AXIS);
const SegOp seg_op_gather_elements = GATHER ("GatherElements", SEG_INDEXED_ELEMENTS);
const SegOp seg_op_gather_nd = GATHER ("GatherND", SEG_INDEXED_ND);
