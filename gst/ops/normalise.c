/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops/normalise.h"

#include "shaders.h"

SegMoments
seg_moments (const SegTensor *t, gsize first, gsize n, gsize step)
{
  SegMoments m = { 0, 0 };
  for (gsize i = 0; i < n; i++)
    m.mean += seg_tensor_get_double (t, first + i * step);
  m.mean /= n;
  for (gsize i = 0; i < n; i++) {
    double d = seg_tensor_get_double (t, first + i * step) - m.mean;
    m.variance += d * d;
  }
  m.variance /= n;
  return m;
}

/* --- device -------------------------------------------------------------------------------- */

gboolean
seg_norm_apply (SegProgram *p, const SegNode *node, const SegOperand *x,
    const SegNorm *norm, const SegOperand *out, GError **error)
{
  const SegValue *residual = seg_epilogue_residual (node);
  gboolean has_moments = norm->parts & (SEG_NORM_MEAN | SEG_NORM_INVERSE);
  gboolean has_affine = norm->parts & (SEG_NORM_SCALE | SEG_NORM_BIAS);
  SegView nothing = { .rank = 0 };
  const SegView *moments = norm->parts & SEG_NORM_INVERSE ? &norm->inverse.view
                           : has_moments                  ? &norm->mean.view
                                                          : &nothing;
  const SegView *affine = norm->parts & SEG_NORM_SCALE ? &norm->scale.view
                          : has_affine                 ? &norm->bias.view
                                                       : &nothing;
  SegView views[] = { seg_view_broadcast (&x->view, &out->view),
    residual != NULL ? seg_view (residual) : seg_view_broadcast (moments, &out->view),
    seg_view_broadcast (affine, &out->view) };
  SegStrided s;
  if (!seg_strided_plan (&s, &out->view, views, 3, error))
    return FALSE;
  const SegOperand *parts[] = { &norm->mean, &norm->inverse, &norm->scale, &norm->bias };
  SegDispatch d = {
    .shader = seg_program_ref_storage (p, out->ref) == SEG_STORAGE_F16
                  ? &seg_shader_normalise_f16
                  : &seg_shader_normalise_f32,
    .spec = { [3] = norm->parts },
    .bindings = { [0] = { x->ref, SEG_BIND_TEXEL },
        [5] = { out->ref, SEG_BIND_BUFFER_WRITE } },
    .n_bindings = 6,
  };
  for (guint i = 0; i < 4; i++)
    d.bindings[1 + i] =
        (SegBinding){ norm->parts >> i & 1 ? parts[i]->ref : x->ref, SEG_BIND_TEXEL };
  seg_strided_fill (&s, &d);
  seg_epilogue_add (&d, node, p, x->ref);
  return seg_program_dispatch (p, &d, error);
}

gboolean
seg_norm_moments (SegProgram *p, const SegOperand *x, guint axes, SegReducePost post,
    float epsilon, SegNorm *norm, GError **error)
{
  float scale = 1.0f / seg_reduce_count (&x->view, axes);
  SegReduceStep mean = {
    .combine = SEG_REDUCE_SUM, .post = SEG_REDUCE_POST_SCALE, .scale = scale
  };
  SegReduceStep variance = { .pre = SEG_REDUCE_PRE_CENTRED_SQUARE,
    .combine = SEG_REDUCE_SUM,
    .post = post,
    .scale = scale,
    .epsilon = epsilon };
  norm->mean = seg_reduce_temp (p, x, axes, SEG_STORAGE_F32);
  norm->inverse = seg_reduce_temp (p, x, axes, SEG_STORAGE_F32);
  norm->parts |= SEG_NORM_MEAN | SEG_NORM_INVERSE;
  return seg_reduce_emit (p, &mean, x, axes, &norm->mean, NULL, error)
         && seg_reduce_emit (p, &variance, x, axes, &norm->inverse, &norm->mean, error);
}

SegOperand
seg_operand_channels (SegProgram *p, const float *values, guint n, guint rank)
{
  SegOperand o = { .view = { .rank = rank } };
  for (guint i = 0; i < rank; i++) {
    o.view.dims[i] = i == 1 ? n : 1;
    o.view.strides[i] = i == 1 ? 1 : 0;
  }
  o.ref = seg_program_floats (p, values, n, SEG_STORAGE_F32);
  return o;
}
