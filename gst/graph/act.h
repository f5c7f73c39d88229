/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Functions of one variable. They are operators of their own and, because they cost nothing
 * there, the last step of other operators (see SegEpilogue). shaders/lib/act.glsl has the
 * same list with the same numbers; tests/test-act.c compares the two.
 * a and b are the operator's parameters: LeakyRelu and Elu a = alpha; Selu a = alpha,
 * b = gamma; Clip a = min, b = max; HardSigmoid a = alpha, b = beta; ThresholdedRelu and
 * Celu a = alpha; Softplus, Gelu, ... none. */
typedef enum {
  SEG_ACT_NONE = 0,
  SEG_ACT_RELU,
  SEG_ACT_LEAKY_RELU,
  SEG_ACT_ELU,
  SEG_ACT_SELU,
  SEG_ACT_CELU,
  SEG_ACT_THRESHOLDED_RELU,
  SEG_ACT_CLIP,
  SEG_ACT_SIGMOID,
  SEG_ACT_HARD_SIGMOID,
  SEG_ACT_SILU,       /* x * sigmoid (x) */
  SEG_ACT_HARD_SWISH, /* x * clip (x / 6 + 1/2, 0, 1) */
  SEG_ACT_MISH,
  SEG_ACT_GELU_ERF,
  SEG_ACT_GELU_TANH,
  SEG_ACT_SOFTPLUS,
  SEG_ACT_SOFTSIGN,
  SEG_ACT_ERF,
  SEG_ACT_TANH,
  SEG_ACT_EXP,
  SEG_ACT_LOG,
  SEG_ACT_SQRT,
  SEG_ACT_RECIPROCAL,
  SEG_ACT_ABS,
  SEG_ACT_NEG,
  SEG_ACT_SIGN,
  SEG_ACT_FLOOR,
  SEG_ACT_CEIL,
  SEG_ACT_ROUND, /* half to even */
  SEG_ACT_SIN,
  SEG_ACT_COS,
  SEG_ACT_TAN,
  SEG_ACT_ASIN,
  SEG_ACT_ACOS,
  SEG_ACT_ATAN,
  SEG_ACT_SINH,
  SEG_ACT_COSH,
  SEG_ACT_ASINH,
  SEG_ACT_ACOSH,
  SEG_ACT_ATANH,
  SEG_ACT_COUNT
} SegActKind;

typedef struct {
  SegActKind kind;
  float a, b;
} SegAct;

double seg_act_apply (SegAct act, double x);

/* What a kernel does to each result v before it is stored:
 *   v = act (v);  if (residual >= 0) v += inputs[residual];  v = act2 (v)
 * Filled in by graph/fuse.c, only for operators that say SEG_OP_EPILOGUE. The residual has
 * the output's exact shape. All zero with residual -1 is "nothing". */
typedef struct {
  SegAct act;
  int residual; /* index into the node's inputs, or -1 */
  SegAct act2;
} SegEpilogue;

double seg_epilogue_apply (const SegEpilogue *e, double v, double residual);

G_END_DECLS
