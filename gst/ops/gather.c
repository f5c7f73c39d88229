/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Gather, GatherElements and GatherND: elements at places that another tensor says. In common:
 * an output element comes from a base place plus one or more indices, each times a step. */
#include "ops/ops.h"
#include "ops/strided.h"
#include "shaders.h"

#include <string.h>

enum { GATHER, GATHER_ELEMENTS, GATHER_ND };

#define MAX_DEVICE_TUPLE 5 /* indices to an element in gather.comp */

typedef struct {
  guint axis;  /* the first data axis that is indexed */
  guint tuple; /* how many are: 1, or GatherND's last dimension */
  guint batch; /* GatherND: leading axes that data and indices share */
} Params;

static const SegDesc *
data_of (const SegNode *node)
{
  return &seg_node_input (node, 0)->desc;
}

static const SegDesc *
indices_of (const SegNode *node)
{
  return &seg_node_input (node, 1)->desc;
}

/* --- shapes --- */

static gboolean
check_indices (const SegNode *node, GError **error)
{
  SegDType dtype = indices_of (node)->dtype;
  if (dtype == SEG_DTYPE_I32 || dtype == SEG_DTYPE_I64)
    return TRUE;
  g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL, "indices are %s, not int32 or int64",
      seg_dtype_name (dtype));
  return FALSE;
}

/* Appends dimensions [from, to) of `in`. */
static gboolean
append_dims (SegDesc *out, const SegDesc *in, guint from, guint to, GError **error)
{
  for (guint i = from; i < to; i++) {
    if (out->rank == SEG_MAX_RANK) {
      g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED,
          "the output has more than %d dimensions", SEG_MAX_RANK);
      return FALSE;
    }
    out->dims[out->rank++] = in->dims[i];
  }
  return TRUE;
}

static gboolean
gather_infer (SegNode *node, GError **error)
{
  Params *params = node->params;
  const SegDesc *data = data_of (node), *indices = indices_of (node);
  SegDesc *out = &seg_node_output (node, 0)->desc;
  *out = (SegDesc){ .dtype = data->dtype };
  params->tuple = 1;
  return check_indices (node, error)
         && seg_axis_normalize (
             seg_node_attr_int (node, "axis", 0), data->rank, &params->axis, error)
         && append_dims (out, data, 0, params->axis, error)
         && append_dims (out, indices, 0, indices->rank, error)
         && append_dims (out, data, params->axis + 1, data->rank, error);
}

static gboolean
gather_elements_infer (SegNode *node, GError **error)
{
  Params *params = node->params;
  const SegDesc *data = data_of (node), *indices = indices_of (node);
  params->tuple = 1;
  if (!check_indices (node, error)
      || !seg_axis_normalize (
          seg_node_attr_int (node, "axis", 0), data->rank, &params->axis, error))
    return FALSE;
  gboolean fits = indices->rank == data->rank;
  for (guint i = 0; fits && i < data->rank; i++)
    fits = i == params->axis || indices->dims[i] <= data->dims[i];
  if (!fits) {
    g_autofree char *a = seg_desc_to_string (data), *b = seg_desc_to_string (indices);
    g_set_error (
        error, SEG_ERROR, SEG_ERROR_MODEL, "indices %s do not fit data %s", b, a);
    return FALSE;
  }
  seg_node_output (node, 0)->desc = *indices;
  seg_node_output (node, 0)->desc.dtype = data->dtype;
  return TRUE;
}

static gboolean
gather_nd_infer (SegNode *node, GError **error)
{
  Params *params = node->params;
  const SegDesc *data = data_of (node), *indices = indices_of (node);
  SegDesc *out = &seg_node_output (node, 0)->desc;
  gint64 batch = seg_node_attr_int (node, "batch_dims", 0);
  if (!check_indices (node, error))
    return FALSE;
  gint64 tuple = indices->rank > 0 ? indices->dims[indices->rank - 1] : -1;
  gboolean fits = batch >= 0 && batch < indices->rank && batch < data->rank && tuple >= 1
                  && batch + tuple <= data->rank;
  for (guint i = 0; fits && i < batch; i++)
    fits = data->dims[i] == indices->dims[i];
  if (!fits) {
    g_autofree char *a = seg_desc_to_string (data), *b = seg_desc_to_string (indices);
    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL,
        "indices %s do not fit data %s with %" G_GINT64_FORMAT " batch dimensions", b, a,
        batch);
    return FALSE;
  }
  params->batch = params->axis = (guint) batch;
  params->tuple = (guint) tuple;
  *out = (SegDesc){ .dtype = data->dtype };
  return append_dims (out, indices, 0, indices->rank - 1, error)
         && append_dims (out, data, params->axis + params->tuple, data->rank, error);
}

/* --- the places --- */

/* Per output axis, the step through the data (0 where an index decides) and through the
 * indices, made of the two tensors' own strides. */
static void
steps_of (const SegNode *node, const guint32 *data, const guint32 *indices,
    guint32 data_steps[SEG_MAX_RANK], guint32 index_steps[SEG_MAX_RANK])
{
  const Params *params = node->params;
  guint n = seg_node_output (node, 0)->desc.rank;
  guint first = params->axis; /* output axes that are the indices' */
  guint n_index = indices_of (node)->rank - (node->op->variant == GATHER_ND);
  guint skip = node->op->variant == GATHER_ND ? 0 : first;
  for (guint i = 0; i < n; i++) {
    if (node->op->variant == GATHER_ELEMENTS) {
      data_steps[i] = i == first ? 0 : data[i];
      index_steps[i] = indices[i];
      continue;
    }
    gboolean before = i < first, within = i >= skip && i < skip + n_index;
    data_steps[i] = before   ? data[i]
                    : within ? 0
                             : data[i - skip - n_index + first + params->tuple];
    index_steps[i] = within ? indices[i - skip] : 0;
  }
}

static void
row_strides (const SegDesc *desc, guint32 strides[SEG_MAX_RANK])
{
  guint32 stride = 1;
  for (guint i = desc->rank; i-- > 0;) {
    strides[i] = stride;
    stride *= (guint32) desc->dims[i];
  }
}

static gboolean
gather_eval (const SegNode *node, SegTensor *const *in, SegTensor **out, GError **error)
{
  const Params *params = node->params;
  const SegDesc *data = &in[0]->desc, *desc = &out[0]->desc;
  guint32 data_strides[SEG_MAX_RANK], index_strides[SEG_MAX_RANK];
  guint32 data_steps[SEG_MAX_RANK], index_steps[SEG_MAX_RANK];
  gsize size = seg_dtype_bytes (desc->dtype);
  row_strides (data, data_strides);
  row_strides (&in[1]->desc, index_strides);
  steps_of (node, data_strides, index_strides, data_steps, index_steps);
  for (gint64 i = 0; i < seg_desc_n_elems (desc); i++) {
    gsize at = 0, index_at = 0, rest = i;
    for (guint axis = desc->rank; axis-- > 0; rest /= desc->dims[axis]) {
      at += rest % desc->dims[axis] * data_steps[axis];
      index_at += rest % desc->dims[axis] * index_steps[axis];
    }
    for (guint k = 0; k < params->tuple; k++) {
      gint64 extent = data->dims[params->axis + k];
      gint64 index = seg_tensor_get_int (in[1], index_at + k);
      if (index < -extent || index >= extent) {
        g_set_error (error, SEG_ERROR, SEG_ERROR_INPUT,
            "index %" G_GINT64_FORMAT " is outside an extent of %" G_GINT64_FORMAT, index,
            extent);
        return FALSE;
      }
      at += (index < 0 ? index + extent : index) * data_strides[params->axis + k];
    }
    memcpy ((guint8 *) out[0]->data + i * size, (guint8 *) in[0]->data + at * size, size);
  }
  return TRUE;
}

/* --- on the device --- */

static gboolean
gather_on_device (const SegNode *node)
{
  const Params *params = node->params;
  return seg_node_device_types (node) && params->tuple <= MAX_DEVICE_TUPLE;
}

/* Four neighbours come with one texel where one index serves all of them and no index moves
 * them off its start; else each comes on its own. */
static void
choose_modes (SegStrided *s, const SegView *data, const Params *params)
{
  gboolean texels = s->modes[0] == SEG_STRIDED_VECTOR && s->modes[1] == SEG_STRIDED_SPLAT;
  for (guint k = 0; k < params->tuple; k++)
    texels &= data->strides[params->axis + k] % 4 == 0;
  s->modes[0] = texels ? SEG_STRIDED_VECTOR : SEG_STRIDED_GATHER;
  s->modes[1] = texels ? SEG_STRIDED_SPLAT : SEG_STRIDED_GATHER;
}

static gboolean
gather_emit (const SegNode *node, SegProgram *program, GError **error)
{
  const Params *params = node->params;
  const SegValue *src = seg_node_input (node, 0), *indices = seg_node_input (node, 1);
  const SegValue *dst = seg_node_output (node, 0);
  SegView data = seg_view (src), index = seg_view (indices), out = seg_view (dst);
  SegView ins[2] = { out, out };
  SegStrided s;
  ins[0].offset = data.offset;
  ins[1].offset = index.offset;
  steps_of (node, data.strides, index.strides, ins[0].strides, ins[1].strides);
  if (!seg_strided_plan (&s, &out, ins, 2, error))
    return FALSE;
  choose_modes (&s, &data, params);

  gboolean half = seg_program_storage (program, dst) == SEG_STORAGE_F16;
  guint32 tuple_step = node->op->variant == GATHER_ND ? index.strides[index.rank - 1] : 0;
  SegDispatch d = {
    .shader = half ? &seg_shader_gather_b16 : &seg_shader_gather_b32,
    .spec = { [3] = params->tuple, [4] = tuple_step },
    .n_spec = 5 + 2 * MAX_DEVICE_TUPLE,
    .bindings = { { seg_program_value (program, src), SEG_BIND_BITS },
        { seg_program_value (program, indices), SEG_BIND_TEXEL },
        { seg_program_value (program, dst), SEG_BIND_BUFFER_WRITE } },
    .n_bindings = 3,
  };
  for (guint k = 0; k < params->tuple; k++) {
    d.spec[5 + 2 * k] = data.dims[params->axis + k];
    d.spec[6 + 2 * k] = data.strides[params->axis + k];
  }
  seg_strided_fill (&s, &d);
  return seg_program_dispatch (program, &d, error);
}

#define GATHER_OP(NAME, VARIANT, INFER)                                                  \
  {                                                                                      \
    .name = NAME, .domain = "", .min_inputs = 2, .max_inputs = 2, .max_outputs = 1,      \
    .layout = SEG_OP_ANY, .variant = VARIANT, .params_size = sizeof (Params),            \
    .infer = INFER, .eval = gather_eval, .on_device = gather_on_device,                  \
    .emit = gather_emit                                                                  \
  }

const SegOp seg_op_gather = GATHER_OP ("Gather", GATHER, gather_infer);
const SegOp seg_op_gather_elements =
    GATHER_OP ("GatherElements", GATHER_ELEMENTS, gather_elements_infer);
const SegOp seg_op_gather_nd = GATHER_OP ("GatherND", GATHER_ND, gather_nd_infer);
