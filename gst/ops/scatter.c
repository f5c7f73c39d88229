/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ScatterElements (and its old name Scatter) and ScatterND: a copy of the data with updates at
 * places that indices say. Where several updates meet without a reduction, one of them stays. */
#include "ops/indexed.h"
#include "ops/move.h"
#include "ops/ops.h"
#include "ops/rows.h"
#include "ops/strided.h"
#include "shaders.h"

#include <math.h>
#include <string.h>

typedef enum { NONE, ADD, MUL, MIN_OF, MAX_OF } Reduction;

typedef struct {
  SegIndexed indexed;
  Reduction reduction;
} Params;

static gboolean
scatter_parse (SegNode *node, GError **error)
{
  static const char *const names[] = { "none", "add", "mul", "min", "max" };
  Params *params = node->params;
  const char *name = seg_node_attr_string (node, "reduction", "none");
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    if (strcmp (names[i], name) == 0) {
      params->reduction = (Reduction) i;
      return TRUE;
    }
  }
  g_set_error (
      error, SEG_ERROR, SEG_ERROR_UNSUPPORTED, "reduction '%s' is not supported", name);
  return FALSE;
}

static gboolean
scatter_infer (SegNode *node, GError **error)
{
  Params *params = node->params;
  const SegDesc *data = &seg_node_input (node, 0)->desc;
  const SegDesc *indices = &seg_node_input (node, 1)->desc;
  const SegDesc *updates = &seg_node_input (node, 2)->desc;
  SegDesc want;
  gboolean ok;
  if (node->op->variant == SEG_INDEXED_ND)
    ok = seg_indexed_init_nd (&params->indexed, 0, data, indices, error);
  else
    ok = seg_indexed_init_axis (&params->indexed, SEG_INDEXED_ELEMENTS,
        seg_node_attr_int (node, "axis", 0), data, indices, error);
  if (!ok || !seg_indexed_elements (&params->indexed, data, indices, &want, error))
    return FALSE;
  if (!seg_desc_same_dims (updates, &want) || updates->dtype != want.dtype) {
    g_autofree char *a = seg_desc_to_string (updates), *b = seg_desc_to_string (&want);
    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL,
        "updates are %s, the indices ask for %s", a, b);
    return FALSE;
  }
  seg_node_output (node, 0)->desc = *data;
  return TRUE;
}

/* --- on the host --- */

static double
reduce_double (Reduction reduction, double old, double v)
{
  switch (reduction) {
  case ADD: return old + v;
  case MUL: return old * v;
  case MIN_OF: return fmin (old, v);
  case MAX_OF: return fmax (old, v);
  default: return v;
  }
}

static gint64
reduce_int (Reduction reduction, gint64 old, gint64 v)
{
  switch (reduction) {
  case ADD: return (gint64) ((guint64) old + (guint64) v);
  case MUL: return (gint64) ((guint64) old * (guint64) v);
  case MIN_OF: return MIN (old, v);
  case MAX_OF: return MAX (old, v);
  default: return v;
  }
}

static gboolean
scatter_eval (const SegNode *node, SegTensor *const *in, SegTensor **out, GError **error)
{
  const Params *params = node->params;
  const SegTensor *updates = in[2];
  gboolean is_float = seg_dtype_is_float (out[0]->desc.dtype);
  gsize size = seg_dtype_bytes (out[0]->desc.dtype);
  g_autofree gsize *places =
      seg_indexed_places (&params->indexed, &in[0]->desc, in[1], &updates->desc, error);
  if (places == NULL)
    return FALSE;
  memcpy (out[0]->data, seg_tensor_data (in[0]), out[0]->n_bytes);
  for (gint64 i = 0; i < seg_desc_n_elems (&updates->desc); i++) {
    gsize at = places[i];
    if (params->reduction == NONE)
      memcpy ((guint8 *) out[0]->data + at * size,
          (const guint8 *) seg_tensor_data (updates) + i * size, size);
    else if (is_float)
      seg_tensor_set_double (out[0], at,
          reduce_double (params->reduction, seg_tensor_get_double (out[0], at),
              seg_tensor_get_double (updates, i)));
    else
      seg_tensor_set_int (out[0], at,
          reduce_int (params->reduction, seg_tensor_get_int (out[0], at),
              seg_tensor_get_int (updates, i)));
  }
  return TRUE;
}

/* --- on the device --- */

static gboolean
scatter_on_device (const SegNode *node)
{
  const Params *params = node->params;
  return seg_node_device_types (node) && params->reduction == NONE
         && params->indexed.tuple <= SEG_INDEXED_TUPLE;
}

static gboolean
scatter_emit (const SegNode *node, SegProgram *program, GError **error)
{
  const Params *params = node->params;
  const SegValue *indices = seg_node_input (node, 1), *updates = seg_node_input (node, 2);
  const SegValue *dst = seg_node_output (node, 0);
  SegMove copy = seg_move_whole (&dst->desc);
  if (!seg_move_emit (&copy, program, seg_node_input (node, 0), dst, error))
    return FALSE;

  SegView out = seg_view (dst), index = seg_view (indices), from = seg_view (updates);
  SegView loop = from, ins[3] = { from, from, from };
  SegStrided s;
  loop.pitch = 0;
  ins[1].offset = out.offset;
  ins[2].offset = index.offset;
  seg_indexed_steps (
      &params->indexed, out.strides, index.strides, ins[1].strides, ins[2].strides);
  if (!seg_strided_plan (&s, &loop, ins, 3, error))
    return FALSE;
  s.modes[0] = s.modes[1] = SEG_STRIDED_GATHER;
  SegRows rows;
  if (!seg_rows_emit_whole (program, seg_program_rows (program, indices), &rows, error))
    return FALSE;
  guint64 n = seg_desc_n_elems (&updates->desc);
  gboolean half = seg_program_storage (program, dst) == SEG_STORAGE_F16;
  SegDispatch d = {
    .shader = half ? &seg_shader_scatter_b16 : &seg_shader_scatter_b32,
    .bindings = { { seg_program_value (program, updates), SEG_BIND_BITS },
        { seg_program_value (program, indices), SEG_BIND_TEXEL },
        { seg_program_value (program, dst), SEG_BIND_BUFFER_READ_WRITE },
        { rows.ref, SEG_BIND_TEXEL } },
    .n_bindings = 4,
  };
  seg_indexed_fill (&params->indexed, &out, &index, &d);
  d.spec[d.n_spec++] = seg_rows_items (&rows, n);
  seg_strided_fill (&s, &d);
  d.live =
      seg_live_times (seg_program_live (program, indices, n), 1, 4 * SEG_STRIDED_LOCAL);
  return seg_program_dispatch (program, &d, error);
}

/* The data may have as many rows as it likes. */
static guint
scatter_by_row (const SegNode *node)
{
  return seg_node_input (node, 1)->size == SEG_SIZE_BOUNDED ? 6 : 0;
}

/* Where indices decide, a place may be that of any other element; and updates of a smaller extent than
 * the data's are for some of its places only. */
static gboolean
elements_align (const SegNode *node, guint axis, SegAlign *align)
{
  const SegIndexed *x = &((const Params *) node->params)->indexed;
  align->whole = axis == x->axis
                 || seg_node_input (node, 2)->desc.dims[axis]
                        != seg_node_input (node, 0)->desc.dims[axis];
  return TRUE;
}

/* Tuples are places among the first axes; those behind are the updates' last ones. */
static gboolean
nd_align (const SegNode *node, guint axis, SegAlign *align)
{
  const SegIndexed *x = &((const Params *) node->params)->indexed;
  align->whole = axis < x->tuple;
  if (seg_node_input (node, 0)->constant == NULL)
    return TRUE;
  align->in_axis = axis - x->tuple + x->index_rank - 1;
  return !align->whole;
}

static gboolean
scatter_align (const SegNode *node, guint axis, SegAlign *align)
{
  return node->op->variant == SEG_INDEXED_ND ? nd_align (node, axis, align)
                                             : elements_align (node, axis, align);
}

#define SCATTER(NAME, KIND)                                                              \
  {                                                                                      \
    .name = NAME, .domain = "", .min_inputs = 3, .max_inputs = 3, .max_outputs = 1,      \
    .layout = SEG_OP_ANY, .storage = SEG_OP_MOVES, .decides = 2, .variant = KIND,        \
    .params_size = sizeof (Params), .parse = scatter_parse, .infer = scatter_infer,      \
    .eval = scatter_eval, .on_device = scatter_on_device, .by_row = scatter_by_row,      \
    .rows_of = 1, .emit = scatter_emit, .align = scatter_align                           \
  }

const SegOp seg_op_scatter = SCATTER ("Scatter", SEG_INDEXED_ELEMENTS);
const SegOp seg_op_scatter_elements = SCATTER ("ScatterElements", SEG_INDEXED_ELEMENTS);
const SegOp seg_op_scatter_nd = SCATTER ("ScatterND", SEG_INDEXED_ND);
