// SPDX-License-Identifier: LGPL-2.1-or-later
// Functions of one variable, by their kind; with a specialisation constant for `kind` all but
// one fold away.
// What GLSL has is used where its precision is guaranteed; the rest is built here, to a few
// units in the last place. Comparisons are written so that a NaN passes through.
#ifndef SEG_ACT_GLSL
#define SEG_ACT_GLSL

#include "act-kinds.glsl"

vec4 act_clip (vec4 v, float low, float high)
{
  v = mix (v, vec4 (low), lessThan (v, vec4 (low)));
  return mix (v, vec4 (high), greaterThan (v, vec4 (high)));
}

vec4 act_exp (vec4 v)
{
  return mix (exp (v), v, isnan (v)); // some drivers clamp, and lose a NaN
}

// exp (v) - 1 and log (1 + v) without cancellation near 0.
vec4 act_expm1 (vec4 v)
{
  vec4 p = v * (1.0 + v * (1.0 / 2.0 + v * (1.0 / 6.0 + v * (1.0 / 24.0 + v * (1.0 / 120.0
      + v * (1.0 / 720.0))))));
  return mix (act_exp (v) - 1.0, p, lessThan (abs (v), vec4 (0.4)));
}

vec4 act_log1p (vec4 v)
{
  vec4 p = v * (1.0 - v * (1.0 / 2.0 - v * (1.0 / 3.0 - v * (1.0 / 4.0 - v * (1.0 / 5.0
      - v * (1.0 / 6.0))))));
  return mix (log (1.0 + v), p, lessThan (abs (v), vec4 (0.06)));
}

vec4 act_tanh (vec4 v)
{
  vec4 z = v * v;
  vec4 p = ((((-5.70498872745e-3 * z + 2.06390887954e-2) * z - 5.37397155531e-2) * z
      + 1.33314422036e-1) * z - 3.33332819422e-1) * z * v + v;
  vec4 a = abs (v);
  vec4 q = sign (v) * (1.0 - 2.0 / (act_exp (2.0 * a) + 1.0));
  return mix (q, p, lessThan (a, vec4 (0.625)));
}

vec4 act_sigmoid (vec4 v)
{
  return 1.0 / (1.0 + act_exp (-v));
}

vec4 act_softplus (vec4 v)
{
  vec4 p = act_log1p (act_exp (-abs (v)));
  return mix (p, v + p, greaterThan (v, vec4 (0.0)));
}

// With e = exp (v): tanh (log (1 + e)) = e (e + 2) / (e (e + 2) + 2).
vec4 act_mish (vec4 v)
{
  vec4 e = act_exp (act_clip (v, -200.0, 20.0));
  vec4 n = e * (e + 2.0);
  return mix (v * (n / (n + 2.0)), v, greaterThan (v, vec4 (20.0)));
}

// 1 - erf (|v|), for |v| > 0.92, and erf for the others: N. Juffa's polynomials.
vec4 act_erfc_far (vec4 t)
{
  vec4 s = t * t;
  vec4 r = (-1.72853470e-5 * t + 3.83197126e-4) * s + (-3.88396438e-3 * t + 2.42546219e-2);
  r = ((r * t - 1.06777877e-1) * t - 6.34846687e-1) * t - 1.28717512e-1;
  return act_exp (r * t - t);
}

vec4 act_erf_near (vec4 v)
{
  vec4 s = v * v;
  vec4 r = -5.96761703e-4 * s + 4.99119423e-3;
  r = ((r * s - 2.67681349e-2) * s + 1.12819925e-1) * s - 3.76125336e-1;
  return (r * s + 1.28379166e-1) * v + v;
}

vec4 act_erf (vec4 v)
{
  vec4 t = min (abs (v), vec4 (6.0));
  vec4 r = mix (sign (v) * (1.0 - act_erfc_far (t)), act_erf_near (v),
      lessThan (t, vec4 (0.927734375)));
  return mix (r, v, isnan (v));
}

vec4 act_gelu_erf (vec4 v)
{
  vec4 u = v * 0.70710678;
  vec4 t = min (abs (u), vec4 (12.0));
  vec4 far = act_erfc_far (t);
  far = mix (far, 2.0 - far, greaterThan (u, vec4 (0.0)));
  vec4 r = mix (far, 1.0 + act_erf_near (u), lessThan (t, vec4 (0.927734375)));
  return 0.5 * v * mix (r, v, isnan (v));
}

vec4 act_gelu_tanh (vec4 v)
{
  // 0.5 (1 + tanh (u)) = sigmoid (2u)
  return v * act_sigmoid (1.5957691216 * (v + 0.044715 * v * v * v));
}

vec4 act_sign (vec4 v)
{
  vec4 r = mix (v, vec4 (1.0), greaterThan (v, vec4 (0.0)));
  return mix (r, vec4 (-1.0), lessThan (v, vec4 (0.0)));
}

// sin (v + quarter * pi / 2): Cody and Waite's reduction, good up to some 1e5.
vec4 act_sin (vec4 v, int quarter)
{
  vec4 k = roundEven (v * 0.63661977);
  precise vec4 r = v - k * 1.5703125;
  r = r - k * 4.837512969970703125e-4;
  r = r - k * 7.54978995489188216e-8;
  vec4 z = r * r;
  vec4 s = r + r * z * (-1.6666654611e-1 + z * (8.3321608736e-3 + z * -1.9515295891e-4));
  vec4 c = 1.0 - 0.5 * z + z * z * (4.166664568298827e-2 + z * (-1.388731625493765e-3
      + z * 2.443315711809948e-5));
  ivec4 q = ivec4 (k) + quarter;
  vec4 p = mix (s, c, notEqual (q & 1, ivec4 (0)));
  return mix (p, -p, notEqual (q & 2, ivec4 (0)));
}

vec4 act_atan (vec4 v)
{
  vec4 a = abs (v);
  bvec4 big = greaterThan (a, vec4 (2.41421356)), middle = greaterThan (a, vec4 (0.41421356));
  vec4 x = mix (mix (a, (a - 1.0) / (a + 1.0), middle), -1.0 / a, big);
  vec4 y = mix (mix (vec4 (0.0), vec4 (0.78539816), middle), vec4 (1.57079633), big);
  vec4 z = x * x;
  y += (((8.05374449538e-2 * z - 1.38776856032e-1) * z + 1.99777106478e-1) * z
      - 3.33329491539e-1) * z * x + x;
  return mix (y, -y, lessThan (v, vec4 (0.0)));
}

// asin of 0 .. 1/2
vec4 act_asin_near (vec4 x)
{
  vec4 z = x * x;
  return ((((4.2163199048e-2 * z + 2.4181311049e-2) * z + 4.5470025998e-2) * z
      + 7.4953002686e-2) * z + 1.6666752422e-1) * z * x + x;
}

vec4 act_asin (vec4 v)
{
  vec4 a = abs (v);
  vec4 far = 1.57079633 - 2.0 * act_asin_near (sqrt (0.5 * (1.0 - a)));
  vec4 y = mix (far, act_asin_near (a), lessThan (a, vec4 (0.5)));
  return mix (y, -y, lessThan (v, vec4 (0.0)));
}

vec4 act_acos (vec4 v)
{
  vec4 a = abs (v);
  vec4 far = 2.0 * act_asin_near (sqrt (0.5 * (1.0 - a)));
  far = mix (far, 3.14159265 - far, lessThan (v, vec4 (0.0)));
  vec4 near = act_asin_near (a);
  near = 1.57079633 + mix (-near, near, lessThan (v, vec4 (0.0)));
  return mix (far, near, lessThan (a, vec4 (0.5)));
}

vec4 act_sinh (vec4 v)
{
  vec4 z = v * v;
  vec4 p = v + v * z * (1.0 / 6.0 + z * (1.0 / 120.0 + z * (1.0 / 5040.0 + z / 362880.0)));
  vec4 q = act_exp (v - 0.69314718) - act_exp (-v - 0.69314718);
  return mix (q, p, lessThan (abs (v), vec4 (1.0)));
}

vec4 act_asinh (vec4 v)
{
  vec4 a = abs (v);
  vec4 y = act_log1p (a + a * a / (1.0 + sqrt (1.0 + a * a)));
  y = mix (y, log (a) + 0.69314718, greaterThan (a, vec4 (1e9)));
  return mix (y, -y, lessThan (v, vec4 (0.0)));
}

vec4 act_acosh (vec4 v)
{
  vec4 t = v - 1.0;
  vec4 y = act_log1p (t + sqrt (t * (v + 1.0)));
  return mix (y, log (v) + 0.69314718, greaterThan (v, vec4 (1e9)));
}

vec4 act_atanh (vec4 v)
{
  vec4 a = abs (v);
  vec4 y = 0.5 * act_log1p (2.0 * a / (1.0 - a));
  return mix (y, -y, lessThan (v, vec4 (0.0)));
}

vec4 act_apply (vec4 v, int kind, float a, float b)
{
  bvec4 negative = lessThan (v, vec4 (0.0));
  switch (kind) {
  case ACT_RELU: return mix (v, vec4 (0.0), negative);
  case ACT_LEAKY_RELU: return mix (v, a * v, negative);
  case ACT_ELU: return mix (v, a * act_expm1 (v), negative);
  case ACT_SELU: return b * mix (v, a * act_expm1 (v), negative);
  case ACT_CELU: return mix (v, a * act_expm1 (v / a), negative);
  case ACT_THRESHOLDED_RELU: return mix (v, vec4 (0.0), lessThanEqual (v, vec4 (a)));
  case ACT_CLIP: return act_clip (v, a, b);
  case ACT_SIGMOID: return act_sigmoid (v);
  case ACT_HARD_SIGMOID: return act_clip (a * v + b, 0.0, 1.0);
  case ACT_SILU: return v * act_sigmoid (v);
  case ACT_HARD_SWISH: return v * act_clip (v * (1.0 / 6.0) + 0.5, 0.0, 1.0);
  case ACT_MISH: return act_mish (v);
  case ACT_GELU_ERF: return act_gelu_erf (v);
  case ACT_GELU_TANH: return act_gelu_tanh (v);
  case ACT_SOFTPLUS: return act_softplus (v);
  case ACT_SOFTSIGN: return v / (1.0 + abs (v));
  case ACT_ERF: return act_erf (v);
  case ACT_TANH: return act_tanh (v);
  case ACT_EXP: return act_exp (v);
  case ACT_LOG: return log (v);
  case ACT_SQRT: return sqrt (v);
  case ACT_RECIPROCAL: return 1.0 / v;
  case ACT_ABS: return abs (v);
  case ACT_NEG: return -v;
  case ACT_SIGN: return act_sign (v);
  case ACT_FLOOR: return floor (v);
  case ACT_CEIL: return ceil (v);
  case ACT_ROUND: return roundEven (v);
  case ACT_SIN: return act_sin (v, 0);
  case ACT_COS: return act_sin (v, 1);
  case ACT_TAN: return act_sin (v, 0) / act_sin (v, 1);
  case ACT_ASIN: return act_asin (v);
  case ACT_ACOS: return act_acos (v);
  case ACT_ATAN: return act_atan (v);
  case ACT_SINH: return act_sinh (v);
  case ACT_COSH: return act_exp (v - 0.69314718) + act_exp (-v - 0.69314718);
  case ACT_ASINH: return act_asinh (v);
  case ACT_ACOSH: return act_acosh (v);
  case ACT_ATANH: return act_atanh (v);
  }
  return v;
}
#endif
