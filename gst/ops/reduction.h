/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ops/elementwise.h"

G_BEGIN_DECLS

/* Reductions on a device: result = post (combine over the axes of pre (x)). Reductions,
 * normalisations and Softmax are made of them. shaders/reduction.comp has the same numbers. */
typedef enum {
  SEG_REDUCE_PRE_NONE = 0,
  SEG_REDUCE_PRE_ABS,
  SEG_REDUCE_PRE_SQUARE,
  SEG_REDUCE_PRE_CENTRED_SQUARE, /* (x - centre)^2 */
  SEG_REDUCE_PRE_EXP,            /* exp (x - centre) */
} SegReducePre;

typedef enum {
  SEG_REDUCE_SUM = 0,
  SEG_REDUCE_PROD,
  SEG_REDUCE_MAX,
  SEG_REDUCE_MIN,
} SegReduceCombine;

typedef enum {
  SEG_REDUCE_POST_NONE = 0,
  SEG_REDUCE_POST_SCALE, /* v * scale */
  SEG_REDUCE_POST_SQRT,
  SEG_REDUCE_POST_LOG,
  SEG_REDUCE_POST_LOG_PLUS,     /* log (v) + centre */
  SEG_REDUCE_POST_RSQRT,        /* 1 / sqrt (v * scale + epsilon) */
  SEG_REDUCE_POST_INVERSE_STD,  /* 1 / (sqrt (v * scale) + epsilon) */
  SEG_REDUCE_POST_INVERSE,      /* 1 / v, 0 for 0 */
  SEG_REDUCE_POST_INVERSE_SQRT, /* 1 / sqrt (v), 0 for 0 */
} SegReducePost;

typedef struct {
  SegReducePre pre;
  SegReduceCombine combine;
  SegReducePost post;
  float scale, epsilon;
} SegReduceStep;

/* The result of reducing `in` over the axes with a bit in `axes`, as an operand: kept axes keep
 * their place, reduced ones have one element. A temporary, float (F32) or I32. */
SegOperand seg_reduce_temp (
    SegProgram *p, const SegOperand *in, guint axes, SegStorage storage);

/* Appends one dispatch, or two where there are few results of many elements each. `out` is a
 * temporary from seg_reduce_temp or a value: its rank is in's, or in's less the reduced axes.
 * `centre` is a temporary from seg_reduce_temp for the same axes, or NULL. Integers (in and out
 * I32) know no centre and no post. */
gboolean seg_reduce_emit (SegProgram *p, const SegReduceStep *step, const SegOperand *in,
    guint axes, const SegOperand *out, const SegOperand *centre, GError **error);

/* The number of elements that the axes hold together. */
gsize seg_reduce_count (const SegView *in, guint axes);

/* The axes as loops, outermost first, merged where they can be; extents 1 and strides 0 come
 * before. FALSE when more than 3 remain. Innermost is [2]. */
typedef struct {
  guint32 extent[3], stride[3];
} SegReduceLoops;
gboolean seg_reduce_loops (SegReduceLoops *loops, const SegView *in, guint axes);
/* The steps of `in` for each axis of `out`, which is as for seg_reduce_emit. */
SegView seg_reduce_steps (const SegView *in, guint axes, const SegView *out);

G_END_DECLS
