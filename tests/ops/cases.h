/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* One-node models that tests/ops/test-ops.c makes, runs on the Vulkan device (fp32 and fp16,
 * inputs laid out ROWS and CHANNELS_LAST, memory poisoned with NaN) and compares with the
 * operator's eval. The test goes through seg_op_table: an operator that has no case fails it.
 *
 * attrs:  "kernel_shape=[3,3] group=2 alpha=0.5 mode='linear'": [..] is a list (of floats when
 *         an entry has a point), '..' a string, a number with a point a float, else an int;
 *         value=TENSOR a tensor in the notation of inputs.
 * inputs: separated by spaces, each
 *         TYPE[2,3,5]         random, given at run time; TYPE is f32 f16 f64 i32 i64 u8 i8 bool ...
 *         TYPE[2,3,5]!        random, an initialiser
 *         TYPE[2,3](0.5,2)    random within a range (default -2..2; integers -8..8); with ! last
 *         TYPE[1,3]{1,2,3}    an initialiser with these values
 *         TYPE{1,2,3}         an initialiser with these values, 1-D;  TYPE{} is empty
 *         TYPE=1.5            an initialiser, a scalar
 *         -                   absent
 * Under fp16 random floats are rounded to fp16 first. */
typedef struct {
  const char *op;    /* "Conv"; outside ai.onnx with its domain: "com.microsoft.Gelu" */
  const char *attrs; /* NULL: none */
  const char *inputs;
  guint n_outputs; /* 0 means 1 */
  guint opset;     /* 0 means 17 */
  double tolerance32,
      tolerance16; /* 0: 1e-4 and 2e-3, relative to the output's largest value */
} SegCase;

/* Each cases-FAMILY.c ends its list with an entry whose op is NULL. */
extern const SegCase seg_cases_conv[]; /* convolution, pooling, matrices */
extern const SegCase seg_cases_elementwise[];
extern const SegCase seg_cases_reduce[]; /* reductions, normalisation */
extern const SegCase seg_cases_move[];   /* moving data, resizing, shapes, constants */
extern const SegCase seg_cases_quant[];  /* quantised networks */
extern const SegCase seg_cases_detect[]; /* sizes that the data decides, regions */
/* Cases that must be refused at load with an error that is not "unknown operator". */
extern const SegCase seg_cases_refused[];
