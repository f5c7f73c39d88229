/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* InstanceNormalization, LayerNormalization and GroupNormalization: moments of stretches of
 * the row-major input, then a scale and a bias. */
#include "ops/normalise.h"
#include "ops/ops.h"
#include "shaders.h"

#include <math.h>

typedef enum { NORM_INSTANCE, NORM_LAYER, NORM_GROUP } Kind;

typedef struct {
  double epsilon;
  guint axis;   /* LAYER: the first that is normalised */
  guint groups; /* GROUP */
} NormParams;

/* --- parameters and shapes ----------------------------------------------------------------- */

static gboolean
norm_parse (SegNode *node, GError **error)
{
  NormParams *params = node->params;
  const SegDesc *x = &seg_node_input (node, 0)->desc;
  Kind kind = node->op->variant;
  gint64 groups = seg_node_attr_int (node, "num_groups", 0);
  params->epsilon = seg_node_attr_float (node, "epsilon", 1e-5f);
  if (kind == NORM_LAYER)
    return seg_axis_normalize (
        seg_node_attr_int (node, "axis", -1), x->rank, &params->axis, error);
  if (x->rank >= 3 || (kind == NORM_GROUP && x->rank == 2)) {
    params->groups = groups;
    if (kind == NORM_INSTANCE
        || (groups > 0 && groups <= x->dims[1] && x->dims[1] % groups == 0))
      return TRUE;
    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL,
        "%" G_GINT64_FORMAT " channels do not divide into %" G_GINT64_FORMAT " groups",
        x->dims[1], groups);
    return FALSE;
  }
  g_autofree char *desc = seg_desc_to_string (x);
  g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL, "%s has no spatial axes", desc);
  return FALSE;
}

/* GroupNormalization has a scale for each group before opset 21, for each channel since. */
static gboolean
affine_fits (const SegNode *node, const SegDesc *x, const SegDesc *affine)
{
  const NormParams *params = node->params;
  if (!seg_dtype_is_float (affine->dtype))
    return FALSE;
  if (node->op->variant == NORM_LAYER) {
    SegDesc out;
    return affine->rank <= x->rank - params->axis && seg_broadcast (x, affine, &out, NULL)
           && seg_desc_same_dims (x, &out);
  }
  gboolean per_group = node->op->variant == NORM_GROUP && node->opset < 21;
  gint64 n = per_group ? (gint64) params->groups : x->dims[1];
  return affine->rank == 1 && affine->dims[0] == n;
}

static gboolean
norm_infer (SegNode *node, GError **error)
{
  const NormParams *params = node->params;
  const SegDesc *x = &seg_node_input (node, 0)->desc;
  for (guint i = 1; i < 3; i++) {
    const SegValue *v = seg_node_input (node, i);
    if (v == NULL || (seg_dtype_is_float (x->dtype) && affine_fits (node, x, &v->desc)))
      continue;
    g_autofree char *a = seg_desc_to_string (&v->desc), *b = seg_desc_to_string (x);
    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL, "%s %s does not fit the input %s",
        i == 1 ? "scale" : "bias", a, b);
    return FALSE;
  }
  seg_node_output (node, 0)->desc = *x;
  for (guint i = 1; i < node->outputs->len; i++) {
    SegValue *v = seg_node_output (node, i); /* LAYER: mean, 1 / deviation */
    if (v == NULL)
      continue;
    v->desc = *x;
    v->desc.dtype = SEG_DTYPE_F32;
    for (guint axis = params->axis; axis < x->rank; axis++)
      v->desc.dims[axis] = 1;
  }
  return TRUE;
}

/* Elements of the row-major input that share their moments. */
static gsize
stretch (const SegNode *node, const SegDesc *x)
{
  const NormParams *params = node->params;
  Kind kind = node->op->variant;
  gsize n = kind == NORM_GROUP ? x->dims[1] / params->groups : 1;
  for (guint i = kind == NORM_LAYER ? params->axis : 2; i < x->rank; i++)
    n *= x->dims[i];
  return n;
}

/* --- host ---------------------------------------------------------------------------------- */

/* Descriptions of scale and bias that broadcast to the input. */
static SegDesc
affine_desc (const SegNode *node, const SegTensor *affine, const SegDesc *x)
{
  SegDesc d = { .rank = 0 };
  if (affine == NULL)
    return d;
  if (node->op->variant == NORM_LAYER)
    return affine->desc;
  d.rank = x->rank - 1;
  for (guint i = 0; i < d.rank; i++)
    d.dims[i] = i == 0 ? affine->desc.dims[0] : 1;
  return d;
}

/* With a scale for each group, channel c has that of its group. */
static gsize
affine_index (const SegNode *node, const SegDesc *x, gsize i, gsize broadcast)
{
  const NormParams *params = node->params;
  if (node->op->variant != NORM_GROUP || node->opset >= 21)
    return broadcast;
  return i / stretch (node, x) % params->groups;
}

static gboolean
norm_eval (const SegNode *node, SegTensor *const *in, SegTensor **out, GError **error)
{
  const NormParams *params = node->params;
  const SegDesc *x = &in[0]->desc;
  const SegTensor *scale = in[1], *bias = node->inputs->len > 2 ? in[2] : NULL;
  SegDesc scale_desc = affine_desc (node, scale, x),
          bias_desc = affine_desc (node, bias, x);
  const SegDesc *descs[] = { &scale_desc, &bias_desc };
  gboolean per_group = node->op->variant == NORM_GROUP && node->opset < 21;
  gsize n = seg_desc_n_elems (x), m = stretch (node, x);
  double mean = 0, inverse = 0;
  SegWalk w;
  seg_walk_init (&w, x, descs, per_group ? 0 : 2);
  for (gsize i = 0; i < n; i++, seg_walk_next (&w)) {
    if (i % m == 0) {
      SegMoments moments = seg_moments (in[0], i, m, 1);
      mean = moments.mean;
      inverse = 1 / sqrt (moments.variance + params->epsilon);
      if (node->outputs->len > 1 && out[1] != NULL)
        seg_tensor_set_double (out[1], i / m, mean);
      if (node->outputs->len > 2 && out[2] != NULL)
        seg_tensor_set_double (out[2], i / m, inverse);
    }
    double y = (seg_tensor_get_double (in[0], i) - mean) * inverse;
    y *= seg_tensor_get_double (scale, affine_index (node, x, i, w.at[0]));
    if (bias != NULL)
      y += seg_tensor_get_double (bias, affine_index (node, x, i, w.at[1]));
    seg_tensor_set_double (out[0], i, y);
  }
  return TRUE;
}

/* --- device -------------------------------------------------------------------------------- */

static gboolean
norm_on_device (const SegNode *node)
{
  const SegValue *scale = seg_node_input (node, 1), *bias = seg_node_input (node, 2);
  return seg_node_device_types (node) && scale->constant != NULL
         && (node->op->variant != NORM_GROUP || seg_node_input (node, 0)->desc.rank < 6)
         && (bias == NULL
             || (bias->constant != NULL
                 && seg_desc_same_dims (&scale->desc, &bias->desc)));
}

static SegOperand
affine_operand (const SegNode *node, SegProgram *p, guint input)
{
  const NormParams *params = node->params;
  const SegTensor *t = seg_node_input (node, input)->constant;
  const SegDesc *x = &seg_node_input (node, 0)->desc;
  if (node->op->variant == NORM_LAYER)
    return seg_operand_constant (p, t);
  gboolean per_group = node->op->variant == NORM_GROUP && node->opset < 21;
  guint n = x->dims[1], each = per_group ? n / params->groups : 1;
  g_autofree float *values = g_new (float, n + 1);
  for (guint c = 0; c < n; c++)
    values[c] = seg_tensor_get_double (t, c / each);
  return seg_operand_channels (p, values, n, x->rank);
}

static gboolean
copy_operand (const SegNode *node, SegProgram *p, const SegOperand *from,
    const SegOperand *to, GError **error)
{
  SegDispatch d = { .shader = seg_program_ref_storage (p, to->ref) == SEG_STORAGE_F16
                                  ? &seg_shader_copy_f16
                                  : &seg_shader_copy_f32 };
  return seg_elementwise (p, node, &d, from, 1, to, SEG_EPILOGUE_NONE, error);
}

/* [N,C,...] as [N,groups,C / groups,...]. */
static SegView
grouped_view (const SegView *x, guint groups)
{
  SegView v = { .rank = x->rank + 1, .offset = x->offset };
  guint32 each = x->dims[1] / groups;
  for (guint i = 0; i < x->rank; i++) {
    guint to = i == 0 ? 0 : i + 1;
    v.dims[to] = x->dims[i];
    v.strides[to] = x->strides[i];
  }
  v.dims[1] = groups;
  v.strides[1] = x->strides[1] * each;
  v.dims[2] = each;
  return v;
}

/* Moments of each group, repeated for each of its channels: [N,groups] -> [N,C]. */
static gboolean
spread_groups (const SegNode *node, SegProgram *p, SegOperand *moment, const SegView *x,
    GError **error)
{
  const NormParams *params = node->params;
  guint32 n = x->dims[0], channels = x->dims[1], each = channels / params->groups;
  SegView out = {
    .rank = 3, .dims = { n, params->groups, each }, .strides = { channels, each, 1 }
  };
  SegOperand from = *moment, to = { .view = out };
  from.view.rank = 3; /* the rest are 1 */
  to.ref = seg_program_temp (p, (gsize) n * channels, SEG_STORAGE_F32);
  if (!copy_operand (node, p, &from, &to, error))
    return FALSE;
  *moment = (SegOperand){ to.ref, { .rank = x->rank } };
  for (guint i = 0; i < x->rank; i++)
    moment->view.dims[i] = i < 2 ? x->dims[i] : 1;
  moment->view.strides[0] = channels;
  moment->view.strides[1] = 1;
  return TRUE;
}

static gboolean
emit_group_moments (const SegNode *node, SegProgram *p, const SegOperand *x,
    SegNorm *norm, GError **error)
{
  const NormParams *params = node->params;
  SegOperand grouped = { x->ref, grouped_view (&x->view, params->groups) };
  guint axes = ((1u << grouped.view.rank) - 1) & ~3u;
  return seg_norm_moments (
             p, &grouped, axes, SEG_REDUCE_POST_RSQRT, params->epsilon, norm, error)
         && spread_groups (node, p, &norm->mean, &x->view, error)
         && spread_groups (node, p, &norm->inverse, &x->view, error);
}

static gboolean
emit_moments (const SegNode *node, SegProgram *p, const SegOperand *x, SegNorm *norm,
    GError **error)
{
  const NormParams *params = node->params;
  if (node->op->variant == NORM_GROUP)
    return emit_group_moments (node, p, x, norm, error);
  guint first = node->op->variant == NORM_LAYER ? params->axis : 2;
  guint axes = ((1u << x->view.rank) - 1) & ~((1u << first) - 1);
  if (!seg_norm_moments (p, x, axes, SEG_REDUCE_POST_RSQRT, params->epsilon, norm, error))
    return FALSE;
  const SegOperand *moments[] = { &norm->mean, &norm->inverse };
  for (guint i = 1; i < node->outputs->len; i++) {
    const SegValue *v = seg_node_output (node, i);
    SegOperand to;
    if (v == NULL)
      continue;
    to = seg_operand (p, v);
    if (!copy_operand (node, p, moments[i - 1], &to, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
norm_emit (const SegNode *node, SegProgram *p, GError **error)
{
  SegOperand x = seg_operand (p, seg_node_input (node, 0));
  SegOperand out = seg_operand (p, seg_node_output (node, 0));
  SegNorm norm = { .parts = SEG_NORM_SCALE };
  if (!emit_moments (node, p, &x, &norm, error))
    return FALSE;
  norm.scale = affine_operand (node, p, 1);
  if (seg_node_input (node, 2) != NULL) {
    norm.parts |= SEG_NORM_BIAS;
    norm.bias = affine_operand (node, p, 2);
  }
  return seg_norm_apply (p, node, &x, &norm, &out, error);
}

/* --- operators ------------------------------------------------------------------------------ */

static gboolean
norm_align (const SegNode *node, guint axis, SegAlign *align)
{
  const NormParams *params = node->params;
  align->whole = axis >= (node->op->variant == NORM_LAYER ? params->axis : 2);
  return TRUE;
}

#define NORM(id, onnx, kind, least, n_out)                                               \
  const SegOp seg_op_##id = {                                                            \
    .name = onnx,                                                                        \
    .domain = "",                                                                        \
    .min_inputs = least,                                                                 \
    .max_inputs = 3,                                                                     \
    .max_outputs = n_out,                                                                \
    .layout = SEG_OP_ANY,                                                                \
    .flags = SEG_OP_EPILOGUE_ACT,                                                        \
    .variant = kind,                                                                     \
    .params_size = sizeof (NormParams),                                                  \
    .parse = norm_parse,                                                                 \
    .infer = norm_infer,                                                                 \
    .eval = norm_eval,                                                                   \
    .on_device = norm_on_device,                                                         \
    .emit = norm_emit,                                                                   \
    .align = norm_align,                                                                 \
  };
NORM (group_normalization, "GroupNormalization", NORM_GROUP, 3, 1)
NORM (instance_normalization, "InstanceNormalization", NORM_INSTANCE, 3, 1)
NORM (layer_normalization, "LayerNormalization", NORM_LAYER, 2, 3)
