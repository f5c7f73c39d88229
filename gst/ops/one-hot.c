/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops/ops.h"
#include "ops/strided.h"
#include "shaders.h"

#include <string.h>

typedef struct {
  guint axis;
  gint64 depth;
} Params;

static gboolean
read_depth (SegNode *node, gint64 *depth, GError **error)
{
  const SegValue *v = seg_node_input (node, 1);
  if (v->constant == NULL) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_RUN_TIME,
        "input '%s' (depth) is computed at run time", v->name);
    return FALSE;
  }
  double d =
      seg_desc_n_elems (&v->desc) == 1 ? seg_tensor_get_double (v->constant, 0) : -1;
  if (!(d >= 1 && d <= G_MAXINT32)) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL, "depth is not one number from 1");
    return FALSE;
  }
  *depth = (gint64) d;
  return TRUE;
}

static gboolean
one_hot_infer (SegNode *node, GError **error)
{
  Params *params = node->params;
  const SegDesc *indices = &seg_node_input (node, 0)->desc;
  const SegDesc *values = &seg_node_input (node, 2)->desc;
  SegDesc *out = &seg_node_output (node, 0)->desc;
  if (!read_depth (node, &params->depth, error)
      || !seg_axis_normalize (
          seg_node_attr_int (node, "axis", -1), indices->rank + 1, &params->axis, error))
    return FALSE;
  if (seg_desc_n_elems (values) != 2 || indices->rank == SEG_MAX_RANK) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL,
        "values has %" G_GINT64_FORMAT " entries, not 2, or indices too many dimensions",
        seg_desc_n_elems (values));
    return FALSE;
  }
  *out = (SegDesc){ .dtype = values->dtype, .rank = indices->rank + 1 };
  for (guint i = 0; i < out->rank; i++)
    out->dims[i] =
        i == params->axis ? params->depth : indices->dims[i - (i > params->axis)];
  return TRUE;
}

static gboolean
one_hot_eval (const SegNode *node, SegTensor *const *in, SegTensor **out, GError **error)
{
  const Params *params = node->params;
  const SegDesc *desc = &out[0]->desc;
  gsize size = seg_dtype_bytes (desc->dtype);
  const guint8 *values = seg_tensor_data (in[2]);
  gint64 inner = 1;
  for (guint i = params->axis + 1; i < desc->rank; i++)
    inner *= desc->dims[i];
  for (gint64 i = 0; i < seg_desc_n_elems (desc); i++) {
    gint64 at = i / inner % params->depth;
    double index =
        seg_tensor_get_double (in[0], i / inner / params->depth * inner + i % inner);
    gboolean hot = index == (double) at || index + (double) params->depth == (double) at;
    memcpy ((guint8 *) out[0]->data + i * size, values + (hot ? size : 0), size);
  }
  return TRUE;
}

static gboolean
one_hot_on_device (const SegNode *node)
{
  SegDType dtype = seg_node_input (node, 0)->desc.dtype;
  return seg_node_device_types (node) && !seg_dtype_is_float (dtype);
}

static gboolean
one_hot_emit (const SegNode *node, SegProgram *program, GError **error)
{
  const Params *params = node->params;
  const SegValue *indices = seg_node_input (node, 0), *values = seg_node_input (node, 2);
  const SegValue *dst = seg_node_output (node, 0);
  SegView out = seg_view (dst), index = seg_view (indices), ins[2] = { out, out };
  SegStrided s;
  ins[0].offset = index.offset;
  ins[1].offset = 0; /* walks along the new axis */
  for (guint i = 0; i < out.rank; i++) {
    ins[0].strides[i] = i == params->axis ? 0 : index.strides[i - (i > params->axis)];
    ins[1].strides[i] = i == params->axis;
  }
  if (!seg_strided_plan (&s, &out, ins, 2, error))
    return FALSE;
  s.modes[0] = s.modes[1] = SEG_STRIDED_GATHER;
  gboolean half = seg_program_storage (program, dst) == SEG_STORAGE_F16;
  SegDispatch d = {
    .shader = half ? &seg_shader_one_hot_b16 : &seg_shader_one_hot_b32,
    .spec = { [3] = (guint32) params->depth },
    .n_spec = 4,
    .bindings = { { seg_program_value (program, indices), SEG_BIND_TEXEL },
        { seg_program_value (program, values), SEG_BIND_BITS },
        { seg_program_value (program, dst), SEG_BIND_BUFFER_WRITE } },
    .n_bindings = 3,
  };
  seg_strided_fill (&s, &d);
  return seg_program_dispatch (program, &d, error);
}

const SegOp seg_op_one_hot = {
  .name = "OneHot",
  .domain = "",
  .min_inputs = 3,
  .max_inputs = 3,
  .max_outputs = 1,
  .layout = SEG_OP_ANY,
  .storage = SEG_OP_MOVES,
  .decides = 3,
  .params_size = sizeof (Params),
  .infer = one_hot_infer,
  .eval = one_hot_eval,
  .on_device = one_hot_on_device,
  .emit = one_hot_emit,
};
