/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cases.h"

const SegCase seg_cases_refused[] = {
  { "Conv", "group=2", "f32[1,3,5,5] f32[4,1,3,3]!" }, /* 3 channels in 2 groups */
  { "Conv", "strides=[0,1]", "f32[1,3,5,5] f32[4,3,3,3]!" },
  { "Conv", "kernel_shape=[5,5]", "f32[1,3,8,8] f32[4,3,3,3]!" },
  { "Conv", "pads=[-9,0,0,0]", "f32[1,3,5,5] f32[4,3,3,3]!" },
  { "Conv", NULL, "f32[1,3,2,2] f32[4,3,3,3]!" }, /* the window does not fit */
  { "Conv", NULL, "f32[1,3,5,5] f32[4,2,3,3]!" },
  { "Conv", NULL, "f32[1,3,5,5]" },
  { "MaxPool", "kernel_shape=[0,2]", "f32[1,3,5,5]" },
  { "MatMul", NULL, "f32[3,4] f32[5,6]" },
  { "Gemm", NULL, "f32[3,4] f32[5,6]" },
  { "Add", NULL, "f32[2,3] f32[2,4]" },
  { "Concat", "axis=4", "f32[2,3] f32[2,3]" },
  { "Concat", "axis=0", "f32[2,3] f32[2,4]" },
  { "Softmax", "axis=2", "f32[2,3]" },
  { "ReduceMean", "axes=[2]", "f32[2,3]", .opset = 13 },
  { "Transpose", "perm=[0,0]", "f32[2,3]" },
  { "Transpose", "perm=[0,1,2]", "f32[2,3]" },
  { "Reshape", NULL, "f32[2,3] i64{4,2}" },
  { "Reshape", NULL, "f32[2,3] i64{-1,-1}" },
  { "Reshape", NULL, "f32[2,3] i64{-1,4}" },
  { "Squeeze", NULL, "f32[2,3] i64{0}" },
  { "Unsqueeze", NULL, "f32[2,3] i64{0,0}" },
  { "Unsqueeze", NULL, "f32[2,3] i64{4}" },
  { "Split", "axis=0", "f32[4,3] i64{3,2}", 2 },
  { "Slice", NULL, "f32[4,3] i64{0} i64{1} i64{0} i64{0}" }, /* a step of 0 */
  { "Slice", NULL, "f32[4,3] i64{0} i64{1} i64{2}" },
  { "Expand", NULL, "f32[2,3] i64{2,4}" },
  { "Tile", NULL, "f32[2,3] i64{2}" },
  { "Gather", "axis=2", "f32[2,3] i64{0}" },
  { "Pad", NULL, "f32[2,3] i64{1,1}" },
  { "Resize", NULL, "f32[1,1,2,2]" }, /* neither scales nor sizes */
  { "Cast", "to=8", "f32[2,3]" },
  { "ConstantOfShape", NULL, "i64{-1}" },
  { NULL },
};
