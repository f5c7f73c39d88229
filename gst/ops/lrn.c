/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Local response normalisation, across channels. */
#include "ops/epilogue.h"
#include "ops/ops.h"
#include "ops/strided.h"
#include "shaders.h"

#include <math.h>

typedef struct {
  gint64 size;
  double alpha, beta, bias;
} LrnParams;

static gboolean
lrn_parse (SegNode *node, GError **error)
{
  LrnParams *params = node->params;
  params->size = seg_node_attr_int (node, "size", 0);
  params->alpha = seg_node_attr_float (node, "alpha", 0.0001f);
  params->beta = seg_node_attr_float (node, "beta", 0.75f);
  params->bias = seg_node_attr_float (node, "bias", 1);
  if (params->size > 0 && params->size <= G_MAXINT16)
    return TRUE;
  g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL,
      "size must be positive, is %" G_GINT64_FORMAT, params->size);
  return FALSE;
}

static gboolean
lrn_infer (SegNode *node, GError **error)
{
  const SegDesc *in = &seg_node_input (node, 0)->desc;
  if (in->rank < 2 || !seg_dtype_is_float (in->dtype)) {
    g_autofree char *desc = seg_desc_to_string (in);
    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL, "is not defined for %s", desc);
    return FALSE;
  }
  seg_node_output (node, 0)->desc = *in;
  return TRUE;
}

static gboolean
lrn_eval (const SegNode *node, SegTensor *const *in, SegTensor **out, GError **error)
{
  const LrnParams *params = node->params;
  const SegDesc *d = &in[0]->desc;
  gint64 n = seg_desc_n_elems (d), channels = d->dims[1], inner = 1;
  for (guint i = 2; i < d->rank; i++)
    inner *= d->dims[i];
  for (gint64 i = 0; i < n; i++) {
    gint64 c = i / inner % channels, base = i - c * inner;
    gint64 first = MAX (c - (params->size - 1) / 2, 0);
    gint64 last = MIN (c + params->size / 2, channels - 1);
    double sum = 0;
    for (gint64 k = first; k <= last; k++) {
      double x = seg_tensor_get_double (in[0], base + k * inner);
      sum += x * x;
    }
    double x = seg_tensor_get_double (in[0], i);
    double denominator = params->bias + params->alpha / params->size * sum;
    seg_tensor_set_double (out[0], i, x * pow (denominator, -params->beta));
  }
  return TRUE;
}

static gboolean
lrn_emit (const SegNode *node, SegProgram *p, GError **error)
{
  const LrnParams *params = node->params;
  const SegValue *from = seg_node_input (node, 0), *to = seg_node_output (node, 0);
  SegView x = seg_view (from), out = seg_view (to);
  SegView views[] = { x, { .rank = x.rank, .strides = { 0, 1 } } };
  SegStrided s;
  if (!seg_strided_plan (&s, &out, views, 2, error))
    return FALSE;
  SegDispatch d = {
    .shader = seg_program_storage (p, to) == SEG_STORAGE_F16 ? &seg_shader_lrn_f16
                                                             : &seg_shader_lrn_f32,
    .bindings = { { seg_program_value (p, from), SEG_BIND_TEXEL },
        { seg_program_value (p, to), SEG_BIND_BUFFER_WRITE } },
    .n_bindings = 2,
  };
  seg_strided_fill (&s, &d);
  d.spec[0] = d.spec[1] = SEG_STRIDED_GATHER; /* one by one: each has its own channels */
  d.spec[3] = params->size;
  d.spec[4] = seg_float_bits (params->alpha / params->size);
  d.spec[5] = seg_float_bits (params->beta);
  d.spec[6] = seg_float_bits (params->bias);
  d.n_spec = 7;
  d.push[10 + 14] = x.dims[1];
  d.push[10 + 15] = x.strides[1];
  d.n_push = 10 + 16;
  return seg_program_dispatch (p, &d, error);
}

const SegOp seg_op_lrn = {
  .name = "LRN",
  .domain = "",
  .min_inputs = 1,
  .max_inputs = 1,
  .max_outputs = 1,
  .layout = SEG_OP_ANY,
  .params_size = sizeof (LrnParams),
  .parse = lrn_parse,
  .infer = lrn_infer,
  .eval = lrn_eval,
  .emit = lrn_emit,
};
