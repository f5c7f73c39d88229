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
  { "RoiAlign", NULL, "f32[1,4,0,3] f32[2,4] i64{0,0}" }, /* of no pixels */
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
  { "Reshape", NULL, "f32[2,3] i64{-5,6}" },
  { "Reshape", NULL, "f32[2,3] i64{1,1,1,1,1,1,1,2,3}" }, /* too many dimensions */
  { "Flatten", "axis=3", "f32[2,3]" },
  { "Dropout", NULL, "f32[2,3] f32=0.5 bool=1" }, /* training */
  { "Tile", NULL, "f32[2,3] i64{1,-1}" },
  { "Tile", NULL, "f32[2,3] i64{1,9223372036854775807}" },
  { "Expand", NULL, "f32[2,3] i64{-1,3}" },
  { "Split", "axis=0", "f32[5,3]", 2 },
  { "Split", "axis=0", "f32[4,3] i64{5,-1}", 2 },
  { "Split", "axis=0 num_outputs=3", "f32[4,3]", 2, .opset = 18 },
  { "Concat", "axis=0", "f32[2,3] i32[2,3]" },
  { "DepthToSpace", "blocksize=2", "f32[1,6,2,2]" },
  { "DepthToSpace", "blocksize=0", "f32[1,4,2,2]" },
  { "DepthToSpace", "blocksize=2 mode='XYZ'", "f32[1,4,2,2]" },
  { "SpaceToDepth", "blocksize=2", "f32[1,4,3,2]" },
  { "Pad", "mode='mirror'", "f32[2,3] i64{1,1,1,1}" },
  { "Pad", "mode='edge'", "f32[2,3] i64{0,-3,0,1}" }, /* nothing left to repeat */
  { "Pad", NULL, "f32[2,3] i64{-2,0,-1,0}" },
  { "Pad", NULL, "f32[2,3] i64{0,9223372036854775807,0,1}" },
  { "Pad", NULL, "f32[2,3] i64{1,1,1,1} i64=1" },
  { "Gather", NULL, "f32[2,3] f32[2]" },
  { "Gather", NULL, "f32[1,1,1,1,1] i64[1,1,1,1,1]" }, /* nine dimensions */
  { "GatherElements", NULL, "f32[2,3] i64[2,4]" },
  { "GatherElements", NULL, "f32[2,3] i64[2]" },
  { "GatherND", NULL, "f32[2,3] i64[4,3]" },
  { "GatherND", "batch_dims=1", "f32[2,3] i64[3,1]" },
  { "GatherND", "batch_dims=2", "f32[2,3] i64[2,3,1]" },
  { "ScatterElements", NULL, "f32[2,3] i64[1,3] f32[2,3]" },
  { "ScatterElements", "reduction='mean'", "f32[2,3] i64[1,3] f32[1,3]" },
  { "ScatterND", NULL, "f32[2,3] i64[4,1] f32[4,2]" },
  { "OneHot", NULL, "i64[3] i64=0 f32[2]" },
  { "OneHot", NULL, "i64[3] i64=4 f32[3]" },
  { "Trilu", NULL, "f32[3]" },
  { "Range", NULL, "f32=0.0 f32=1.0 f32=0.0" },
  { "Resize", NULL, "f32[1,1,2,2] - f32{1,1,2}" },
  { "Resize", NULL, "f32[1,1,2,2] - f32{1,1,0,2}" },
  { "Resize", NULL, "f32[1,1,2,2] - f32{1,1,-1,2}" },
  { "Resize", NULL, "f32[1,1,2,2] - f32{1,1,1e12,2}" },
  { "Resize", NULL, "f32[1,1,2,2] - - i64{1,1,2000000000,2}" },
  { "Resize", NULL, "f32[1,1,2,2] - f32{1,1,2,2} i64{1,1,4,4}" }, /* both */
  { "Resize", "mode='area'", "f32[1,1,2,2] - f32{1,1,2,2}" },
  { "Resize", "coordinate_transformation_mode='tf_crop_and_resize'",
      "f32[1,1,2,2] - - i64{1,1,4,4}" }, /* no roi */
  { "Resize", "axes=[2,4]", "f32[1,1,2,2] - f32{2,2}", .opset = 18 },
  { NULL },
};
