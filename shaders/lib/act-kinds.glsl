// SPDX-License-Identifier: LGPL-2.1-or-later
// SegActKind of gst/graph/act.h; tests/test-act.c compares the two lists.
#ifndef SEG_ACT_KINDS_GLSL
#define SEG_ACT_KINDS_GLSL
#define ACT_NONE             0
#define ACT_RELU             1
#define ACT_LEAKY_RELU       2
#define ACT_ELU              3
#define ACT_SELU             4
#define ACT_CELU             5
#define ACT_THRESHOLDED_RELU 6
#define ACT_CLIP             7
#define ACT_SIGMOID          8
#define ACT_HARD_SIGMOID     9
#define ACT_SILU             10
#define ACT_HARD_SWISH       11
#define ACT_MISH             12
#define ACT_GELU_ERF         13
#define ACT_GELU_TANH        14
#define ACT_SOFTPLUS         15
#define ACT_SOFTSIGN         16
#define ACT_ERF              17
#define ACT_TANH             18
#define ACT_EXP              19
#define ACT_LOG              20
#define ACT_SQRT             21
#define ACT_RECIPROCAL       22
#define ACT_ABS              23
#define ACT_NEG              24
#define ACT_SIGN             25
#define ACT_FLOOR            26
#define ACT_CEIL             27
#define ACT_ROUND            28
#define ACT_SIN              29
#define ACT_COS              30
#define ACT_TAN              31
#define ACT_ASIN             32
#define ACT_ACOS             33
#define ACT_ATAN             34
#define ACT_SINH             35
#define ACT_COSH             36
#define ACT_ASINH            37
#define ACT_ACOSH            38
#define ACT_ATANH            39
#endif
