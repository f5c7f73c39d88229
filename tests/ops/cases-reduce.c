/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cases.h"

/* Each set of axes meets each way of a kernel: neighbouring results with neighbouring sources,
 * results with a contiguous run, neither; the long ones are cut into parts. */
#define REDUCE_RANGE(op, r, keep)                                                        \
  { op, keep, "f32[2,5,3,4]" r }, { op, keep " axes=[1]", "f32[1,17,3,5]" r },           \
      { op, keep " axes=[1]", "f32[2,8,3,4]" r },                                        \
      { op, keep " axes=[2,3]", "f32[2,5,3,4]" r },                                      \
      { op, keep " axes=[-1]", "f32[1,3,5,7]" r },                                       \
      { op, keep " axes=[2]", "f32[1,3,5,8]" r },                                        \
      { op, keep " axes=[0,2]", "f32[3,2,5,4]" r },                                      \
      { op, keep " axes=[0,2,4]", "f32[2,3,2,3,4]" r },                                  \
      { op, keep " axes=[0]", "f32[7]" r }, { op, keep, "f32[]" r },                     \
      { op, keep " axes=[1]", "f32[3,1,5]" r },                                          \
  {                                                                                      \
    op, keep " axes=[1]", "f64[3,4]" r                                                   \
  }
#define REDUCE_LONG(op, r)                                                               \
  { op, "axes=[2,3]", "f32[1,5,64,80]" r }, { op, "axes=[1]", "f32[3,5001]" r },         \
      { op, "axes=[0]", "f32[5001,3]" r },                                               \
  {                                                                                      \
    op, NULL, "f32[2,3,40,41]" r                                                         \
  }
#define REDUCE_INT(op)                                                                   \
  { op, "axes=[1]", "i32[2,5,3,4](-3,3)" }, { op, "keepdims=0", "i64[3,4](-3,3)" },      \
      { op, "axes=[-1]", "i32[5,7](-3,3)" }, { op, "axes=[0]", "i32[3,5,7](1,2)" },      \
  {                                                                                      \
    op, "axes=[0]", "u8[3,5](0,3)"                                                       \
  }
#define REDUCE(op, r)                                                                    \
  REDUCE_RANGE (op, r, "keepdims=1"), REDUCE_RANGE (op, r, "keepdims=0"),                \
      REDUCE_LONG (op, r)

#define ARG(op)                                                                          \
  { op, NULL, "f32[2,5,3,4]" }, { op, "axis=1", "f32[1,21,5,7]" },                       \
      { op, "axis=1 keepdims=0", "f32[1,21,5,7]" }, { op, "axis=1", "f32[2,8,4,4]" },    \
      { op, "axis=-1", "f32[3,5]" }, { op, "axis=2 keepdims=0", "f32[2,5,3,4]" },        \
      { op, "axis=-1 keepdims=0", "f32[2,3,4,7]" }, { op, "axis=0", "f32[7]" },          \
      { op, "axis=0 keepdims=0", "f32[7]" }, { op, "axis=1", "f32[3,1,5]" },             \
      { op, "axis=1", "f64[3,4]" }, { op, "axis=1", "i32[1,9,3,3](-1,1)" },              \
      { op, "axis=1", "u64[2,5](0,2)" },                                                 \
  {                                                                                      \
    op, "axis=1 select_last_index=1", "i64[2,9](0,1)"                                    \
  }
/* Few different values, so that there are ties. */
#define ARG_TIES(op, last)                                                               \
  { op, "axis=1" last, "f32[1,21,5,7](1,1)" }, { op, "axis=1" last, "f32[2,9](-1,-1)" }, \
      { op, "axis=2" last, "f32[1,8,9,3](1,1)" },                                        \
  {                                                                                      \
    op, "axis=0" last, "f32[5,8](0,0)"                                                   \
  }

/* Rows that lie side by side, in a run, neither; with a size of a texel and without. */
#define SOFTMAX(op)                                                                      \
  { op, NULL, "f32[3,5]" }, { op, NULL, "f32[3,8]" }, { op, NULL, "f32[2,3,4,16]" },     \
      { op, "axis=1", "f32[1,5,3,4]" }, { op, "axis=1", "f32[2,21,3,5]" },               \
      { op, "axis=1", "f32[2,8,4,4]" }, { op, "axis=2", "f32[1,5,3,4]" },                \
      { op, "axis=-1", "f32[1,3,5,7]" }, { op, "axis=0", "f32[5,8]" },                   \
      { op, "axis=0", "f32[7]" }, { op, "axis=1", "f32[3,1,4]" },                        \
      { op, "axis=1", "f32[1,6000,2]" }, { op, "axis=-1", "f32[2,6000]" },               \
      { op, "axis=1", "f32[1,2,3,4](-200,200)" },                                        \
      { op, "axis=-1", "f32[3,8](-60000,60000)" }, { op, NULL, "f64[3,5]" },             \
      { op, NULL, "f32[2,3,4,5]", .opset = 12 },                                         \
      { op, "axis=2", "f32[2,3,2,8]", .opset = 12 },                                     \
      { op, "axis=0", "f32[3,4]", .opset = 7 },                                          \
      { op, "axis=-1", "f32[3,4]", .opset = 11 },                                        \
  {                                                                                      \
    op, "axis=2", "f32[3,4]", .opset = 11                                                \
  }

const SegCase seg_cases_reduce[] = {
  REDUCE ("ReduceSum", ""),
  REDUCE ("ReduceMean", ""),
  REDUCE ("ReduceMax", ""),
  REDUCE ("ReduceMin", ""),
  REDUCE_RANGE ("ReduceProd", "(0.5,1.5)", "keepdims=1"),
  { "ReduceProd", "axes=[0]", "f32[600,3](0.95,1.05)" },
  REDUCE ("ReduceL1", ""),
  REDUCE ("ReduceL2", ""),
  REDUCE ("ReduceSumSquare", ""),
  REDUCE ("ReduceLogSum", "(0.1,4)"),
  REDUCE ("ReduceLogSumExp", ""),
  { "ReduceLogSumExp", "axes=[1]", "f32[3,7](-300,300)" },
  REDUCE_INT ("ReduceSum"),
  REDUCE_INT ("ReduceMean"),
  REDUCE_INT ("ReduceMax"),
  REDUCE_INT ("ReduceMin"),
  REDUCE_INT ("ReduceProd"),
  REDUCE_INT ("ReduceL1"),
  REDUCE_INT ("ReduceL2"),
  REDUCE_INT ("ReduceSumSquare"),
  { "ReduceSum", "axes=[0]", "i32[5000,3](-9,9)" },
  { "ReduceMean", "axes=[1]", "f32[2,5000](99,101)" },
  { "ReduceSum", NULL, "f32[2,5,3,4] i64{1,-1}" },
  { "ReduceSum", "keepdims=0", "f32[2,5,3,4] i64{0}" },
  { "ReduceSum", NULL, "f32[2,5,3] i64{}" },
  { "ReduceSum", "noop_with_empty_axes=1", "f32[1,5,3,2] i64{}" },
  { "ReduceSum", "noop_with_empty_axes=1", "f32[1,5,3,2]" },
  { "ReduceMean", NULL, "f32[2,5,3,4] i64{1}", .opset = 18 },
  { "ReduceL2", "noop_with_empty_axes=1", "f32[2,5]", .opset = 18 },
  { "GlobalAveragePool", NULL, "f32[1,8,5,7]" },
  { "GlobalAveragePool", NULL, "f32[2,17,3,3]" },
  { "GlobalAveragePool", NULL, "f32[1,64,80,60]" },
  { "GlobalAveragePool", NULL, "f32[1,3,9]" },
  { "GlobalAveragePool", NULL, "f32[1,3,2,3,4]" },
  { "GlobalAveragePool", NULL, "f32[1,1,1,1]" },
  { "GlobalMaxPool", NULL, "f32[1,8,5,7]" },
  { "GlobalMaxPool", NULL, "f32[2,17,3,3](-3,-1)" },
  { "GlobalMaxPool", NULL, "f32[1,3,80,60]" },
  { "GlobalMaxPool", NULL, "f32[1,3,9]" },
  ARG ("ArgMax"),
  ARG ("ArgMin"),
  ARG_TIES ("ArgMax", ""),
  ARG_TIES ("ArgMin", ""),
  ARG_TIES ("ArgMax", " select_last_index=1"),
  ARG_TIES ("ArgMin", " select_last_index=1"),

  { "CumSum", NULL, "f32[2,5,3,4] i64=1" },
  { "CumSum", NULL, "f32[1,3,5,7] i32=-1" },
  { "CumSum", "exclusive=1", "f32[2,9,3] i64=1" },
  { "CumSum", "reverse=1", "f32[1,8,6,2] i64=2" },
  { "CumSum", "reverse=1 exclusive=1", "f32[7] i64=0" },
  { "CumSum", NULL, "i64[1,5,3,4](0,1) i64=2" },
  { "CumSum", NULL, "i32[5] i64{0}" },
  { "CumSum", NULL, "f64[3,4] i64=1" },
  { "CumSum", NULL, "f32[3000] i64=0" },

  SOFTMAX ("Softmax"),
  SOFTMAX ("LogSoftmax"),
  SOFTMAX ("Hardmax"),

  { "BatchNormalization", NULL, "f32[1,8,3,5] f32[8]! f32[8]! f32[8]! f32[8](0.1,2)!" },
  { "BatchNormalization", "epsilon=0.1",
      "f32[2,17,3] f32[17]! f32[17]! f32[17]! f32[17](0,2)!" },
  { "BatchNormalization", NULL, "f32[3,5] f32[5]! f32[5]! f32[5]! f32[5](0.1,2)!" },
  { "BatchNormalization", NULL, "f32[1,3,2,3,4] f32[3]! f32[3]! f32[3]! f32[3](0.1,2)!" },
  { "BatchNormalization", NULL, "f32[2,3,4] f32[3] f32[3] f32[3] f32[3](0.1,2)" },
  { "BatchNormalization", "training_mode=1 momentum=0.7",
      "f32[2,3,4,5] f32[3]! f32[3]! f32[3]! f32[3](0.1,2)!", 3 },
  { "InstanceNormalization", NULL, "f32[1,8,5,7] f32[8]! f32[8]!" },
  { "InstanceNormalization", "epsilon=0.01", "f32[2,5,9] f32[5]! f32[5]!" },
  { "InstanceNormalization", NULL, "f32[2,3,40,50](9,10) f32[3]! f32[3]!" },
  { "InstanceNormalization", NULL, "f32[1,1,4096] f32[1]! f32[1]!" },
  { "InstanceNormalization", NULL, "f32[1,17,4,4](5,5) f32[17]! f32[17]!" },
  { "InstanceNormalization", NULL, "f32[1,3,4,4] f32[3] f32[3]" },
  { "LayerNormalization", NULL, "f32[2,5,16] f32[16]! f32[16]!" },
  { "LayerNormalization", NULL, "f32[3,7] f32[7]!" },
  { "LayerNormalization", "axis=1 epsilon=0.1", "f32[2,3,4,5] f32[3,4,5]! f32[3,4,5]!" },
  { "LayerNormalization", "axis=-2", "f32[2,3,4,5] f32[4,5]! f32[4,5]!" },
  { "LayerNormalization", "axis=0", "f32[3,5] f32[3,5]! f32[3,5]!" },
  { "LayerNormalization", NULL, "f32[1,5,3,8] f32[8]! f32[8]!", 3 },
  { "LayerNormalization", "axis=1", "f32[2,5,3,4] f32[4]! f32[4]!", 3 },
  { "LayerNormalization", NULL, "f32[2,5000](99,101) f32[5000]! f32[5000]!" },
  { "LayerNormalization", NULL, "f32[2,5] f32[5] f32[5]" },
  { "LayerNormalization", NULL, "f64[2,5] f64[5] f64[5]", 3 },
  { "GroupNormalization", "num_groups=2", "f32[1,8,3,5] f32[2]! f32[2]!", .opset = 18 },
  { "GroupNormalization", "num_groups=3", "f32[2,9,4] f32[3]! f32[3]!", .opset = 18 },
  { "GroupNormalization", "num_groups=4 epsilon=0.1", "f32[2,32,20,20] f32[32]! f32[32]!",
      .opset = 21 },
  { "GroupNormalization", "num_groups=5", "f32[1,5,3,3] f32[5]! f32[5]!", .opset = 21 },
  { "GroupNormalization", "num_groups=1", "f32[1,6,2,3,2] f32[6]! f32[6]!", .opset = 21 },
  { "LRN", "size=3", "f32[1,8,3,4]" },
  { "LRN", "size=5 alpha=0.5 beta=0.6 bias=2.0", "f32[2,17,3]" },
  { "LRN", "size=4 alpha=1.0", "f32[1,5,2,2,3]" },
  { "LRN", "size=99 alpha=1.0", "f32[3,5]" },
  { "MeanVarianceNormalization", NULL, "f32[2,5,3,4]" },
  { "MeanVarianceNormalization", "axes=[1]", "f32[2,8,3,4]" },
  { "MeanVarianceNormalization", "axes=[0,-1]", "f32[3,4,5]" },
  { "MeanVarianceNormalization", "axes=[2,3]", "f32[1,3,60,50]" },
  { "LpNormalization", NULL, "f32[2,5,3,4]" },
  { "LpNormalization", "axis=1", "f32[2,8,3,4]" },
  { "LpNormalization", "axis=1 p=1", "f32[1,17,3,4]" },
  { "LpNormalization", "axis=0 p=1", "f32[5,3]" },
  { "LpNormalization", "axis=1", "f32[3,5](0,0)" },
  /* means, mixed twice; `act` is a SegActKind */
  { "vkseg.Gate", "act=1",
      "f32[1,12,9,11] f32[5,12,1,1]! f32[5]! f32[12,5,1,1]! f32[12]!" },
  { "vkseg.Gate", "act=9 a=0.2 b=0.5", "f32[1,3,5,4] f32[1,3,1,1]! - f32[1,1,1,1]!" },
  { "vkseg.Gate", NULL, "f32[1,33,1,1] f32[8,33,1,1]! - f32[129,8,1,1]! f32[129]!" },
  { "vkseg.Gate", "act=1",
      "f32[1,16,8,8] f32[16,16,1,1]! f32[16]! f32[16,16,1,1]! - f32[1,16,3,5]" },
  { "vkseg.Gate", "act=8",
      "f32[1,13,130,141] f32[7,13,1,1]! f32[7]! f32[13,7,1,1]! f32[13]!" },
  { "vkseg.Gate", "act=1",
      "f32[1,24,7,7] f32[24,24,1,1]! - f32[24,24,1,1]! - f32[1,24,101,120]" },
  { "vkseg.Gate", "act=1",
      "f32[1,1024,3,3] f32[100,1024,1,1]! - f32[1024,100,1,1]! f32[1024]!" },
  { "vkseg.Gate", "act=1",
      "f32[1,40,3,3] f32[512,40,1,1]! f32[512]! f32[9,512,1,1]! f32[9]!" },
  { NULL },
};
