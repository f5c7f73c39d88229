/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "graph/op.h"

/* The descriptors that table.c lists; each is defined at the end of its family's file. */

/* convolution, pooling, matrices */
extern const SegOp seg_op_conv;
extern const SegOp seg_op_conv_transpose;
extern const SegOp seg_op_max_pool;
extern const SegOp seg_op_average_pool;
extern const SegOp seg_op_lp_pool;
extern const SegOp seg_op_gate;
extern const SegOp seg_op_gemm;
extern const SegOp seg_op_matmul;

/* elementwise: one variable, two variables, comparison and logic */
extern const SegOp seg_op_abs;
extern const SegOp seg_op_acos;
extern const SegOp seg_op_acosh;
extern const SegOp seg_op_add;
extern const SegOp seg_op_and;
extern const SegOp seg_op_asin;
extern const SegOp seg_op_asinh;
extern const SegOp seg_op_atan;
extern const SegOp seg_op_atanh;
extern const SegOp seg_op_bit_shift;
extern const SegOp seg_op_cast;
extern const SegOp seg_op_cast_like;
extern const SegOp seg_op_ceil;
extern const SegOp seg_op_celu;
extern const SegOp seg_op_clip;
extern const SegOp seg_op_cos;
extern const SegOp seg_op_cosh;
extern const SegOp seg_op_div;
extern const SegOp seg_op_elu;
extern const SegOp seg_op_equal;
extern const SegOp seg_op_erf;
extern const SegOp seg_op_exp;
extern const SegOp seg_op_floor;
extern const SegOp seg_op_gelu;
extern const SegOp seg_op_greater;
extern const SegOp seg_op_greater_or_equal;
extern const SegOp seg_op_hard_sigmoid;
extern const SegOp seg_op_hard_swish;
extern const SegOp seg_op_is_inf;
extern const SegOp seg_op_is_nan;
extern const SegOp seg_op_leaky_relu;
extern const SegOp seg_op_less;
extern const SegOp seg_op_less_or_equal;
extern const SegOp seg_op_log;
extern const SegOp seg_op_max;
extern const SegOp seg_op_mean;
extern const SegOp seg_op_min;
extern const SegOp seg_op_mish;
extern const SegOp seg_op_mod;
extern const SegOp seg_op_ms_gelu;
extern const SegOp seg_op_mul;
extern const SegOp seg_op_neg;
extern const SegOp seg_op_not;
extern const SegOp seg_op_or;
extern const SegOp seg_op_pow;
extern const SegOp seg_op_prelu;
extern const SegOp seg_op_reciprocal;
extern const SegOp seg_op_relu;
extern const SegOp seg_op_round;
extern const SegOp seg_op_selu;
extern const SegOp seg_op_sigmoid;
extern const SegOp seg_op_sign;
extern const SegOp seg_op_sin;
extern const SegOp seg_op_sinh;
extern const SegOp seg_op_softplus;
extern const SegOp seg_op_softsign;
extern const SegOp seg_op_sqrt;
extern const SegOp seg_op_sub;
extern const SegOp seg_op_sum;
extern const SegOp seg_op_tan;
extern const SegOp seg_op_tanh;
extern const SegOp seg_op_thresholded_relu;
extern const SegOp seg_op_where;
extern const SegOp seg_op_xor;

/* reductions, normalisation */
extern const SegOp seg_op_argmax;
extern const SegOp seg_op_argmin;
extern const SegOp seg_op_batch_normalization;
extern const SegOp seg_op_cumsum;
extern const SegOp seg_op_global_average_pool;
extern const SegOp seg_op_global_max_pool;
extern const SegOp seg_op_group_normalization;
extern const SegOp seg_op_hardmax;
extern const SegOp seg_op_instance_normalization;
extern const SegOp seg_op_layer_normalization;
extern const SegOp seg_op_log_softmax;
extern const SegOp seg_op_lp_normalization;
extern const SegOp seg_op_lrn;
extern const SegOp seg_op_mean_variance_normalization;
extern const SegOp seg_op_reduce_l1;
extern const SegOp seg_op_reduce_l2;
extern const SegOp seg_op_reduce_log_sum;
extern const SegOp seg_op_reduce_log_sum_exp;
extern const SegOp seg_op_reduce_max;
extern const SegOp seg_op_reduce_mean;
extern const SegOp seg_op_reduce_min;
extern const SegOp seg_op_reduce_prod;
extern const SegOp seg_op_reduce_sum;
extern const SegOp seg_op_reduce_sum_square;
extern const SegOp seg_op_softmax;

/* moving data */
extern const SegOp seg_op_concat;
extern const SegOp seg_op_copy;
extern const SegOp seg_op_rows_if;
extern const SegOp seg_op_rows_unless;
extern const SegOp seg_op_depth_to_space;
extern const SegOp seg_op_dropout;
extern const SegOp seg_op_expand;
extern const SegOp seg_op_flatten;
extern const SegOp seg_op_gather;
extern const SegOp seg_op_gather_elements;
extern const SegOp seg_op_gather_nd;
extern const SegOp seg_op_identity;
extern const SegOp seg_op_one_hot;
extern const SegOp seg_op_pad;
extern const SegOp seg_op_reshape;
extern const SegOp seg_op_scatter;
extern const SegOp seg_op_scatter_elements;
extern const SegOp seg_op_scatter_nd;
extern const SegOp seg_op_slice;
extern const SegOp seg_op_space_to_depth;
extern const SegOp seg_op_split;
extern const SegOp seg_op_squeeze;
extern const SegOp seg_op_tile;
extern const SegOp seg_op_transpose;
extern const SegOp seg_op_trilu;
extern const SegOp seg_op_unsqueeze;

/* quantised networks */
extern const SegOp seg_op_conv_integer;
extern const SegOp seg_op_dequantize_linear;
extern const SegOp seg_op_dynamic_quantize_linear;
extern const SegOp seg_op_matmul_integer;
extern const SegOp seg_op_ms_dequantize_linear;
extern const SegOp seg_op_ms_quantize_linear;
extern const SegOp seg_op_qlinear_add;
extern const SegOp seg_op_qlinear_concat;
extern const SegOp seg_op_qlinear_conv;
extern const SegOp seg_op_qlinear_global_average_pool;
extern const SegOp seg_op_qlinear_leaky_relu;
extern const SegOp seg_op_qlinear_matmul;
extern const SegOp seg_op_qlinear_mul;
extern const SegOp seg_op_qlinear_sigmoid;
extern const SegOp seg_op_quantize_linear;
extern const SegOp seg_op_requantize;

/* resizing */
extern const SegOp seg_op_resize;
extern const SegOp seg_op_upsample;

/* shapes and constants */
extern const SegOp seg_op_constant;
extern const SegOp seg_op_constant_of_shape;
extern const SegOp seg_op_eye_like;
extern const SegOp seg_op_range;
extern const SegOp seg_op_shape;
extern const SegOp seg_op_size;

/* detection, control flow */
extern const SegOp seg_op_compress;
extern const SegOp seg_op_grid_sample;
extern const SegOp seg_op_if;
extern const SegOp seg_op_loop;
extern const SegOp seg_op_max_roi_pool;
extern const SegOp seg_op_mmcv_roi_align;
extern const SegOp seg_op_mmdeploy_roi_align;
extern const SegOp seg_op_nms;
extern const SegOp seg_op_nonzero;
extern const SegOp seg_op_paste_masks;
extern const SegOp seg_op_roi_align;
extern const SegOp seg_op_topk;
extern const SegOp seg_op_unique;
