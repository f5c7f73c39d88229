/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cases.h"

const SegCase seg_cases_detect[] = {
  { "TopK", NULL, "f32[5] i64{3}", 2 },
  { "TopK", NULL, "f32[3,7] i64{7}", 2 },
  { "TopK", "axis=0 largest=0", "f32[6,5] i64{2}", 2 },
  { "TopK", "axis=1 sorted=0", "f32[2,9,3,2] i64{4}", 2 },
  { "TopK", NULL, "i64[2,40](0,5) i64{6}", 2 }, /* equals: the lower index first */
  { "TopK", NULL, "f32[300](0,0) i64{9}", 2 },
  { "TopK", NULL, "f32[4,5] i64[1](2,2)", 2 }, /* k at run time */
  { "TopK", NULL, "u8[9] i64{0}", 2 },
  { "TopK", "k=2", "f32[3,5]", 2, .opset = 7 },
  { "NonZero", NULL, "i32[3,4](-1,1)" },
  { "NonZero", NULL, "bool[2,3,5]" },
  { "NonZero", NULL, "f32[70](0,0)" }, /* none */
  { "NonZero", NULL, "f32[2,2](1,2)" },
  { "Compress", "axis=1", "f32[3,4,2] bool[4]" },
  { "Compress", NULL, "i64[3,4] bool[7]" },
  { "Unique", NULL, "i64[40](0,6)", 4 },
  { "Unique", "sorted=0", "i32[30](-3,3)", 4 },
  { "Unique", "axis=0", "i32[12,2](0,1)", 4 },
  { "Unique", "axis=1", "f32[2,5]", 1 },

  { "NonMaxSuppression", NULL,
      "f32[1,50,4](0,1) f32[1,2,50](0,1) i64{7} f32{0.3} f32{0.2}" },
  { "NonMaxSuppression", NULL, "f32[2,30,4](0,1) f32[2,3,30](0,1) i64{30} f32{0.5}" },
  { "NonMaxSuppression", "center_point_box=1",
      "f32[1,30,4](0,1) f32[1,1,30](0,1) i64{30} f32{0.1}" },
  { "NonMaxSuppression", NULL,
      "f32[1,9,4](0,1) f32[1,1,9](0,1)" }, /* no limit given: none */
  { "NonMaxSuppression", NULL, "f32[1,9,4](0,1) f32[1,1,9](0,1) i64{9} f32{0.5} f32{2}" },
  { "NonMaxSuppression", NULL,
      "f32[1,20,4](0,1) f32[1,1,20](0,1) i64[1](4,4) f32[1](0,1)" },

  { "RoiAlign", "output_height=2 output_width=3 sampling_ratio=2",
      "f32[1,5,9,11] f32[4,4](0,9) i64[4](0,0)" },
  { "RoiAlign", "output_height=7 output_width=7 spatial_scale=0.25 sampling_ratio=2",
      "f32[2,16,12,10] f32[3,4](-4,50) i64[3](0,1)" },
  { "RoiAlign", "output_height=3 output_width=2",
      "f32[1,8,9,11] f32[6,4](0,11) i64[6](0,0)" },
  { "RoiAlign", "output_height=2 output_width=2 mode='max'",
      "f32[1,3,9,11] f32[4,4](0,11) i64[4](0,0)" },
  { "RoiAlign",
      "output_height=4 output_width=2 coordinate_transformation_mode='output_half_pixel'",
      "f32[2,9,7,5] f32[5,4](-1,8) i64[5](0,1)" },
  { "RoiAlign", "output_height=2 output_width=2 sampling_ratio=1",
      "f32[1,12,7,5] f32[5,4](0,8) i64[5](0,0)", .opset = 10 },
  { "RoiAlign", "output_height=2 output_width=2", "f32[1,12,7,5] f32[0,4] i64[0]" },
  { "MaxRoiPool", "pooled_shape=[2,3]", "f32[1,5,9,11] f32[4,5](0,0.9)" },
  { "MaxRoiPool", "pooled_shape=[3,2] spatial_scale=9.0",
      "f32[1,8,9,11] f32[6,5](0,0.9)" },
  { "MaxRoiPool", "pooled_shape=[7,7] spatial_scale=0.5",
      "f32[2,17,9,11] f32[6,5](0,1.9)" },
  { "MaxRoiPool", "pooled_shape=[2,2] spatial_scale=30.0",
      "f32[2,3,9,11] f32[6,5](0,1.9)" },

  /* sizes and the like that are known only at run time: on the host */
  { "Range", NULL, "i64=0 i64[](5,5) i64=1" },
  { "Reshape", NULL, "f32[4,6] i64[1](24,24)" },
  { "Expand", NULL, "f32[3,1] i64[2](3,3)" },
  { "Tile", NULL, "f32[2,3] i64[2](2,2)" },
  { "Upsample", NULL, "f32[1,1,2,2] f32[4](1,1)", .opset = 9 },
  { NULL },
};
