/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "graph/act.h"

#include <math.h>

/* Comparisons are written so that a NaN passes through. */

static double
clip (double x, double low, double high)
{
  double v = x < low ? low : x;
  return v > high ? high : v;
}

static double
sigmoid (double x)
{
  return 1.0 / (1.0 + exp (-x));
}

static double
softplus (double x)
{
  return x > 0 ? x + log1p (exp (-x)) : log1p (exp (x));
}

static double
gelu_tanh (double x)
{
  return 0.5 * x * (1.0 + tanh (0.79788456080286536 * (x + 0.044715 * x * x * x)));
}

static double
sign (double x)
{
  return x > 0 ? 1 : x < 0 ? -1 : x == 0 ? 0 : x;
}

static double
rectifier (SegAct act, double x)
{
  double a = act.a, b = act.b;
  switch (act.kind) {
  case SEG_ACT_RELU: return x < 0 ? 0 : x;
  case SEG_ACT_LEAKY_RELU: return x < 0 ? a * x : x;
  case SEG_ACT_ELU: return x < 0 ? a * expm1 (x) : x;
  case SEG_ACT_SELU: return b * (x < 0 ? a * expm1 (x) : x);
  case SEG_ACT_CELU: return x < 0 ? a * expm1 (x / a) : x;
  case SEG_ACT_THRESHOLDED_RELU: return x <= a ? 0 : x;
  case SEG_ACT_CLIP: return clip (x, a, b);
  case SEG_ACT_SIGMOID: return sigmoid (x);
  case SEG_ACT_HARD_SIGMOID: return clip (a * x + b, 0, 1);
  case SEG_ACT_SILU: return x * sigmoid (x);
  case SEG_ACT_HARD_SWISH: return x * clip (x / 6 + 0.5, 0, 1);
  case SEG_ACT_MISH: return x * tanh (softplus (x));
  case SEG_ACT_GELU_ERF: return 0.5 * x * erfc (-x * G_SQRT2 / 2);
  case SEG_ACT_GELU_TANH: return gelu_tanh (x);
  case SEG_ACT_SOFTPLUS: return softplus (x);
  case SEG_ACT_SOFTSIGN: return x / (1 + fabs (x));
  default: return x;
  }
}

double
seg_act_apply (SegAct act, double x)
{
  switch (act.kind) {
  case SEG_ACT_ERF: return erf (x);
  case SEG_ACT_TANH: return tanh (x);
  case SEG_ACT_EXP: return exp (x);
  case SEG_ACT_LOG: return log (x);
  case SEG_ACT_SQRT: return sqrt (x);
  case SEG_ACT_RECIPROCAL: return 1.0 / x;
  case SEG_ACT_ABS: return fabs (x);
  case SEG_ACT_NEG: return -x;
  case SEG_ACT_SIGN: return sign (x);
  case SEG_ACT_FLOOR: return floor (x);
  case SEG_ACT_CEIL: return ceil (x);
  case SEG_ACT_ROUND: return rint (x);
  case SEG_ACT_SIN: return sin (x);
  case SEG_ACT_COS: return cos (x);
  case SEG_ACT_TAN: return tan (x);
  case SEG_ACT_ASIN: return asin (x);
  case SEG_ACT_ACOS: return acos (x);
  case SEG_ACT_ATAN: return atan (x);
  case SEG_ACT_SINH: return sinh (x);
  case SEG_ACT_COSH: return cosh (x);
  case SEG_ACT_ASINH: return asinh (x);
  case SEG_ACT_ACOSH: return acosh (x);
  case SEG_ACT_ATANH: return atanh (x);
  default: return rectifier (act, x);
  }
}

double
seg_epilogue_apply (const SegEpilogue *e, double v, double residual)
{
  v = seg_act_apply (e->act, v);
  if (e->residual >= 0)
    v += residual;
  return seg_act_apply (e->act2, v);
}
