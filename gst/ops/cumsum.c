/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* CumSum along an axis that is known at load. */
#include "ops/ops.h"
#include "ops/strided.h"
#include "shaders.h"

#include <string.h>

/* The kernel adds up anew for each element: longer axes go to the host. */
#define MAX_ON_DEVICE 2048

typedef struct {
  guint axis;
  gboolean exclusive, reverse;
} CumSumParams;

static gboolean
cumsum_parse (SegNode *node, GError **error)
{
  CumSumParams *params = node->params;
  const SegValue *x = seg_node_input (node, 0);
  g_autofree gint64 *axis = NULL;
  guint n = 0;
  if (!seg_node_const_ints (node, 1, "axis", &axis, &n, error))
    return FALSE;
  if (n != 1) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL, "has %u axes, needs one", n);
    return FALSE;
  }
  params->exclusive = seg_node_attr_int (node, "exclusive", 0) != 0;
  params->reverse = seg_node_attr_int (node, "reverse", 0) != 0;
  return seg_axis_normalize (axis[0], x->desc.rank, &params->axis, error);
}

static gboolean
cumsum_infer (SegNode *node, GError **error)
{
  const SegDesc *in = &seg_node_input (node, 0)->desc;
  if (in->dtype == SEG_DTYPE_BOOL) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED, "is not defined for bool");
    return FALSE;
  }
  seg_node_output (node, 0)->desc = *in;
  return TRUE;
}

/* One row of `extent` elements. */
static void
eval_row (const CumSumParams *params, const SegTensor *in, SegTensor *out, gsize first,
    gsize extent, gsize step)
{
  gboolean is_float = seg_dtype_is_float (in->desc.dtype);
  double sum = 0;
  guint64 int_sum = 0;
  for (gsize n = 0; n < extent; n++) {
    gsize k = first + (params->reverse ? extent - 1 - n : n) * step;
    double before = sum;
    guint64 int_before = int_sum;
    if (is_float) {
      sum += seg_tensor_get_double (in, k);
      seg_tensor_set_double (out, k, params->exclusive ? before : sum);
    } else {
      int_sum += seg_tensor_get_int (in, k);
      seg_tensor_set_int (out, k, params->exclusive ? int_before : int_sum);
    }
  }
}

static gboolean
cumsum_eval (const SegNode *node, SegTensor *const *in, SegTensor **out, GError **error)
{
  const CumSumParams *params = node->params;
  const SegDesc *d = &in[0]->desc;
  gsize extent = d->dims[params->axis], inner = 1, n = seg_desc_n_elems (d);
  for (guint i = params->axis + 1; i < d->rank; i++)
    inner *= d->dims[i];
  for (gsize row = 0; n > 0 && row < n / extent; row++)
    eval_row (
        params, in[0], out[0], row / inner * inner * extent + row % inner, extent, inner);
  return TRUE;
}

static gboolean
cumsum_on_device (const SegNode *node)
{
  const CumSumParams *params = node->params;
  return seg_node_input (node, 0)->desc.dims[params->axis] <= MAX_ON_DEVICE
         && seg_node_device_types (node);
}

static gboolean
cumsum_emit (const SegNode *node, SegProgram *p, GError **error)
{
  const CumSumParams *params = node->params;
  const SegValue *from = seg_node_input (node, 0), *to = seg_node_output (node, 0);
  SegView x = seg_view (from), out = seg_view (to);
  SegView views[] = { x, { .rank = x.rank } };
  SegStorage storage = seg_program_storage (p, to);
  SegStrided s;
  views[1].strides[params->axis] = 1;
  if (!seg_strided_plan (&s, &out, views, 2, error))
    return FALSE;
  SegDispatch d = {
    .shader = storage == SEG_STORAGE_I32   ? &seg_shader_cumsum_i32
              : storage == SEG_STORAGE_F16 ? &seg_shader_cumsum_f16
                                           : &seg_shader_cumsum_f32,
    .bindings = { { seg_program_value (p, from), SEG_BIND_TEXEL },
        { seg_program_value (p, to), SEG_BIND_BUFFER_WRITE } },
    .n_bindings = 2,
  };
  seg_strided_fill (&s, &d);
  d.spec[0] = d.spec[1] = SEG_STRIDED_GATHER; /* one by one: each has its own sum */
  d.spec[3] = params->exclusive;
  d.spec[4] = params->reverse;
  d.n_spec = 5;
  d.push[10 + 14] = x.dims[params->axis];
  d.push[10 + 15] = x.strides[params->axis];
  d.n_push = 10 + 16;
  return seg_program_dispatch (p, &d, error);
}

static gboolean
cumsum_align (const SegNode *node, guint axis, SegAlign *align)
{
  const CumSumParams *params = node->params;
  align->whole = axis == params->axis;
  return TRUE;
}

const SegOp seg_op_cumsum = {
  .name = "CumSum",
  .domain = "",
  .min_inputs = 2,
  .max_inputs = 2,
  .max_outputs = 1,
  .layout = SEG_OP_ANY,
  .storage = SEG_OP_RECOMPUTES,
  .params_size = sizeof (CumSumParams),
  .parse = cumsum_parse,
  .infer = cumsum_infer,
  .eval = cumsum_eval,
  .on_device = cumsum_on_device,
  .emit = cumsum_emit,
  .align = cumsum_align,
};
