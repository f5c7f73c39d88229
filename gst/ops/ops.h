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
extern const SegOp seg_op_gemm;
extern const SegOp seg_op_matmul;

/* elementwise: one variable, two variables, comparison and logic */

/* reductions, normalisation */

/* moving data */
extern const SegOp seg_op_concat;
extern const SegOp seg_op_copy;
extern const SegOp seg_op_depth_to_space;
extern const SegOp seg_op_dropout;
extern const SegOp seg_op_expand;
extern const SegOp seg_op_flatten;
extern const SegOp seg_op_gather;
extern const SegOp seg_op_gather_elements;
extern const SegOp seg_op_gather_nd;
extern const SegOp seg_op_identity;
extern const SegOp seg_op_pad;
extern const SegOp seg_op_reshape;
extern const SegOp seg_op_slice;
extern const SegOp seg_op_space_to_depth;
extern const SegOp seg_op_split;
extern const SegOp seg_op_squeeze;
extern const SegOp seg_op_tile;
extern const SegOp seg_op_transpose;
extern const SegOp seg_op_unsqueeze;

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
