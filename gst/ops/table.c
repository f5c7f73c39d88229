/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops/table.h"

#include "ops/ops.h"

#include <string.h>

const SegOp *const seg_op_table[] = {
  /* convolution, pooling, matrices */
  &seg_op_conv,
  &seg_op_conv_transpose,
  &seg_op_max_pool,
  &seg_op_average_pool,
  &seg_op_lp_pool,
  &seg_op_gate,
  &seg_op_gemm,
  &seg_op_matmul,

  /* elementwise: one variable, two variables, comparison and logic */
  &seg_op_abs,
  &seg_op_acos,
  &seg_op_acosh,
  &seg_op_add,
  &seg_op_and,
  &seg_op_asin,
  &seg_op_asinh,
  &seg_op_atan,
  &seg_op_atanh,
  &seg_op_bit_shift,
  &seg_op_cast,
  &seg_op_cast_like,
  &seg_op_ceil,
  &seg_op_celu,
  &seg_op_clip,
  &seg_op_cos,
  &seg_op_cosh,
  &seg_op_div,
  &seg_op_elu,
  &seg_op_equal,
  &seg_op_erf,
  &seg_op_exp,
  &seg_op_floor,
  &seg_op_gelu,
  &seg_op_greater,
  &seg_op_greater_or_equal,
  &seg_op_hard_sigmoid,
  &seg_op_hard_swish,
  &seg_op_is_inf,
  &seg_op_is_nan,
  &seg_op_leaky_relu,
  &seg_op_less,
  &seg_op_less_or_equal,
  &seg_op_log,
  &seg_op_max,
  &seg_op_mean,
  &seg_op_min,
  &seg_op_mish,
  &seg_op_mod,
  &seg_op_ms_gelu,
  &seg_op_mul,
  &seg_op_neg,
  &seg_op_not,
  &seg_op_or,
  &seg_op_pow,
  &seg_op_prelu,
  &seg_op_reciprocal,
  &seg_op_relu,
  &seg_op_round,
  &seg_op_selu,
  &seg_op_sigmoid,
  &seg_op_sign,
  &seg_op_sin,
  &seg_op_sinh,
  &seg_op_softplus,
  &seg_op_softsign,
  &seg_op_sqrt,
  &seg_op_sub,
  &seg_op_sum,
  &seg_op_tan,
  &seg_op_tanh,
  &seg_op_thresholded_relu,
  &seg_op_where,
  &seg_op_xor,

  /* reductions, normalisation */
  &seg_op_argmax,
  &seg_op_argmin,
  &seg_op_batch_normalization,
  &seg_op_cumsum,
  &seg_op_global_average_pool,
  &seg_op_global_max_pool,
  &seg_op_group_normalization,
  &seg_op_hardmax,
  &seg_op_instance_normalization,
  &seg_op_layer_normalization,
  &seg_op_log_softmax,
  &seg_op_lp_normalization,
  &seg_op_lrn,
  &seg_op_mean_variance_normalization,
  &seg_op_reduce_l1,
  &seg_op_reduce_l2,
  &seg_op_reduce_log_sum,
  &seg_op_reduce_log_sum_exp,
  &seg_op_reduce_max,
  &seg_op_reduce_mean,
  &seg_op_reduce_min,
  &seg_op_reduce_prod,
  &seg_op_reduce_sum,
  &seg_op_reduce_sum_square,
  &seg_op_softmax,

  /* moving data */
  &seg_op_concat,
  &seg_op_copy,
  &seg_op_rows_if,
  &seg_op_rows_unless,
  &seg_op_depth_to_space,
  &seg_op_dropout,
  &seg_op_expand,
  &seg_op_flatten,
  &seg_op_gather,
  &seg_op_gather_elements,
  &seg_op_gather_nd,
  &seg_op_identity,
  &seg_op_one_hot,
  &seg_op_pad,
  &seg_op_reshape,
  &seg_op_scatter,
  &seg_op_scatter_elements,
  &seg_op_scatter_nd,
  &seg_op_slice,
  &seg_op_space_to_depth,
  &seg_op_split,
  &seg_op_squeeze,
  &seg_op_tile,
  &seg_op_transpose,
  &seg_op_trilu,
  &seg_op_unsqueeze,

  /* quantised networks */
  &seg_op_conv_integer,
  &seg_op_dequantize_linear,
  &seg_op_dynamic_quantize_linear,
  &seg_op_matmul_integer,
  &seg_op_ms_dequantize_linear,
  &seg_op_ms_quantize_linear,
  &seg_op_qlinear_add,
  &seg_op_qlinear_concat,
  &seg_op_qlinear_conv,
  &seg_op_qlinear_global_average_pool,
  &seg_op_qlinear_leaky_relu,
  &seg_op_qlinear_matmul,
  &seg_op_qlinear_mul,
  &seg_op_qlinear_sigmoid,
  &seg_op_quantize_linear,
  &seg_op_requantize,

  /* resizing */
  &seg_op_resize,
  &seg_op_upsample,

  /* shapes and constants */
  &seg_op_constant,
  &seg_op_constant_of_shape,
  &seg_op_eye_like,
  &seg_op_range,
  &seg_op_shape,
  &seg_op_size,

  /* detection, control flow */
  &seg_op_compress,
  &seg_op_grid_sample,
  &seg_op_if,
  &seg_op_loop,
  &seg_op_max_roi_pool,
  &seg_op_mmcv_roi_align,
  &seg_op_mmdeploy_roi_align,
  &seg_op_nms,
  &seg_op_nonzero,
  &seg_op_paste_masks,
  &seg_op_roi_align,
  &seg_op_topk,
  &seg_op_unique,

  NULL,
};

static gboolean
same_domain (const char *a, const char *b)
{
  return strcmp (a, b) == 0 || (a[0] == '\0' && strcmp (b, "ai.onnx") == 0);
}

const SegOp *
seg_op_lookup (const char *domain, const char *op_type)
{
  for (guint i = 0; seg_op_table[i] != NULL; i++)
    if (strcmp (seg_op_table[i]->name, op_type) == 0
        && same_domain (seg_op_table[i]->domain, domain))
      return seg_op_table[i];
  return NULL;
}
