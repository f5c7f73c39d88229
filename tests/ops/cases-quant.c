/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cases.h"

/* Bytes must come out exactly as eval has them. */
const SegCase seg_cases_quant[] = {
  /* QuantizeLinear: past both ends, ties, one scale and one for each channel */
  { "QuantizeLinear", NULL, "f32[2,5,7,9](-40,40) f32=0.25 u8=100" },
  { "QuantizeLinear", NULL, "f32[2,5,7,9](-40,40) f32=0.25 i8=-3" },
  { "QuantizeLinear", NULL, "f32[3,17] f32=0.015" },
  { "QuantizeLinear", NULL, "f32{-2.5,-1.5,-0.5,0.5,1.5,2.5,127.5,-128.5} f32=1 i8=0" },
  { "QuantizeLinear", NULL, "f32{nan,inf,-inf,1e30,-1e30} f32=0.5 i8=1" },
  { "QuantizeLinear", NULL, "f32[2,5,7,9] f32[5](0.01,0.03)! u8[5](0,255)!" },
  { "QuantizeLinear", "axis=-1", "f32[2,3,6] f32[6](0.01,0.03)! i8[6](-9,9)!" },
  { "QuantizeLinear", "axis=0", "f32[3,5] f32[3](0.01,0.03)! i8[3](-9,9)!" },
  { "QuantizeLinear", NULL, "f32[1,5,3,3] f32[1](0.01,0.03) u8[1](0,255)" },
  { "QuantizeLinear", NULL, "f32[2,5](-900,900) f32=0.03 i16=-5", .opset = 21 },
  { "QuantizeLinear", "output_dtype=3", "f32[2,5] f32=0.03", .opset = 21 },
  { "QuantizeLinear", NULL, "i32[2,5](-90,90) f32=0.7 i8=-5" },
  { "com.microsoft.QuantizeLinear", NULL, "f32[2,5] f32=0.02 u8=7" },

  /* DequantizeLinear */
  { "DequantizeLinear", NULL, "u8[2,5,7,9](0,255) f32=0.02 u8=100" },
  { "DequantizeLinear", NULL, "i8[2,5,7,9](-128,127) f32=0.02 i8=-3" },
  { "DequantizeLinear", NULL, "i8[3,17](-128,127) f32=0.02" },
  { "DequantizeLinear", NULL, "u8[2,5,7](0,255) f32[5](0.01,0.03)! u8[5](0,255)!" },
  { "DequantizeLinear", "axis=-1", "i8[2,3,6](-128,127) f32[6](0.01,0.03)!" },
  { "DequantizeLinear", "axis=0", "i8[5,3,3,3](-128,127) f32[5](0.01,0.03) i8[5](-2,2)" },
  { "DequantizeLinear", NULL, "i32[2,5,4](-9000,9000) f32[5](0.01,0.03)!" },
  { "DequantizeLinear", NULL, "u16[2,5](0,60000) f32=0.01 u16=300", .opset = 21 },
  { "com.microsoft.DequantizeLinear", NULL, "u8[2,5](0,255) f32=0.02 u8=7" },

  /* QLinearConv: odd channels, scales for each channel, zero points that padding stands for */
  { "QLinearConv", NULL,
      "u8[1,1,5,5](0,255) f32=0.02 u8=100 u8[1,1,1,1](0,255)! f32=0.01 u8=90 f32=0.02 "
      "u8=7" },
  { "QLinearConv", "pads=[1,1,1,1]",
      "u8[2,5,9,11](0,255) f32=0.02 u8=130 i8[12,5,3,3](-128,127)! f32[12](0.005,0.01)! "
      "i8=0 f32=0.11 u8=120 i32[12](-9000,9000)!" },
  { "QLinearConv", "pads=[0,1,2,3]",
      "i8[1,8,9,13](-128,127) f32=0.02 i8=-100 i8[7,8,3,3](-128,127)! "
      "f32[7](0.005,0.01)! i8[7](-9,9)! f32=0.15 i8=-5" },
  { "QLinearConv", NULL,
      "u8[1,17,6,7](0,255) f32=0.02 u8=3 u8[40,17,1,1](0,255)! f32=0.01 u8[40](90,140)! "
      "f32=0.3 u8=128 i32[40](-9000,9000)!" },
  { "QLinearConv", "pads=[1,1,1,1] strides=[2,2]",
      "u8[1,16,15,12](0,255) f32=0.02 u8=0 i8[24,16,3,3](-128,127)! f32=0.01 i8=0 "
      "f32=0.4 u8=128" },
  { "QLinearConv", "pads=[4,4,4,4] dilations=[4,4]",
      "u8[1,8,9,10](0,255) f32=0.02 u8=255 i8[16,8,3,3](-128,127)! f32=0.01 i8=0 f32=0.4 "
      "i8=2",
      .n_outputs = 1 },
  { "QLinearConv", "auto_pad='SAME_UPPER' strides=[2,2]",
      "u8[1,4,14,9](0,255) f32=0.02 u8=9 i8[8,4,3,3](-128,127)! f32=0.01 i8=0 f32=0.2 "
      "u8=9" },
  { "QLinearConv", "pads=[1,1]",
      "u8[2,6,19](0,255) f32=0.02 u8=90 i8[9,6,3](-128,127)! f32=0.01 i8=0 f32=0.2 "
      "u8=90" },
  { "QLinearConv", "pads=[1,1,1,1,1,1]",
      "u8[1,2,4,5,3](0,255) f32=0.02 u8=90 i8[3,2,3,3,3](-128,127)! f32=0.01 i8=0 "
      "f32=0.2 u8=90" },
  /* sums past 2^24 */
  { "QLinearConv", "pads=[1,1,1,1]",
      "u8[1,200,5,7](250,255) f32=0.02 u8=0 i8[10,200,3,3](120,127)! f32=0.01 i8=0 "
      "f32=60 u8=1 i32[10](-9000,9000)!" },
  { "QLinearConv", NULL,
      "u8[1,900,3,5](240,255) f32=0.02 u8=0 i8[16,900,1,1](-128,127)! f32=0.01 i8=0 "
      "f32=2 u8=100" },
  /* groups: whole texels, odd, one filter a channel and two */
  { "QLinearConv", "group=2 pads=[1,1,1,1]",
      "u8[1,16,7,9](0,255) f32=0.02 u8=90 i8[16,8,3,3](-128,127)! f32[16](0.005,0.01)! "
      "i8=0 f32=0.2 u8=90" },
  { "QLinearConv", "group=3",
      "u8[1,9,7,9](0,255) f32=0.02 u8=90 i8[6,3,3,3](-128,127)! f32[6](0.005,0.01)! "
      "i8[6](-9,9)! f32=0.2 u8=90" },
  { "QLinearConv", "group=17 pads=[1,1,1,1] strides=[2,2]",
      "u8[2,17,9,8](0,255) f32=0.02 u8=90 i8[17,1,3,3](-128,127)! f32[17](0.005,0.01)! "
      "i8=0 f32=0.05 u8=90 i32[17](-900,900)!" },
  { "QLinearConv", "group=8 pads=[4,4,4,4] dilations=[2,2]",
      "i8[1,8,9,8](-128,127) f32=0.02 i8=9 u8[8,1,5,5](0,255)! f32=0.01 u8=100 f32=0.05 "
      "i8=9" },
  { "QLinearConv", "group=8",
      "u8[1,8,7,9](0,255) f32=0.02 u8=90 i8[16,1,3,3](-128,127)! f32=0.01 i8=0 f32=0.1 "
      "u8=90" },
  /* weights at run time: on the host */
  { "QLinearConv", NULL,
      "u8[1,3,5,5](0,255) f32=0.02 u8=90 i8[4,3,3,3](-128,127) f32=0.01 i8=0 f32=0.1 "
      "u8=9" },

  /* ConvInteger */
  { "ConvInteger", "pads=[1,1,1,1]",
      "u8[2,5,9,7](0,255) i8[12,5,3,3](-128,127)! u8=131" },
  { "ConvInteger", "pads=[1,1,1,1]",
      "u8[1,5,9,7](0,255) i8[12,5,3,3](-128,127)! u8[](0,255)" },
  { "ConvInteger", NULL, "u8[1,3,9,7](0,255) u8[9,3,3,3](0,255)! - u8[9](0,255)!" },
  { "ConvInteger", "group=5", "i8[1,5,9,7](-128,127) i8[5,1,3,3](-128,127)! i8=-7 i8=3" },

  /* QLinearMatMul, MatMulInteger: as a 1x1 convolution, and any other way */
  { "QLinearMatMul", NULL,
      "u8[7,16](0,255) f32=0.02 u8=110 i8[16,12](-128,127)! f32[12](0.005,0.01)! i8=0 "
      "f32=0.1 u8=100" },
  { "QLinearMatMul", NULL,
      "u8[2,5,20](0,255) f32=0.02 u8=110 u8[20,8](0,255)! f32=0.01 u8[8](90,150)! "
      "f32=0.1 i8=9" },
  { "QLinearMatMul", NULL,
      "i8[2,3,5,7](-128,127) f32=0.02 i8=11 i8[2,3,7,3](-128,127) f32=0.01 i8=-4 f32=0.1 "
      "i8=9" },
  { "QLinearMatMul", NULL,
      "u8[9](0,255) f32=0.02 u8=11 i8[9,5](-128,127)! f32[5](0.005,0.01)! i8=4 f32=0.1 "
      "u8=9" },
  { "QLinearMatMul", NULL,
      "u8[2,1,3,6](0,255) f32=0.02 u8=11 u8[3,6,5](0,255) f32=0.01 u8=90 f32=0.1 u8=99" },
  { "MatMulInteger", NULL, "u8[7,16](0,255) i8[16,12](-128,127)! u8=110" },
  { "MatMulInteger", NULL, "u8[7,16](0,255) i8[16,12](-128,127)! u8[](0,255) i8=3" },
  { "MatMulInteger", NULL, "i8[2,3,7](-128,127) u8[7,5](0,255) - u8[5](90,150)" },
  { "MatMulInteger", NULL, "u8[5,900](250,255) u8[900,3](250,255)" },

  /* DynamicQuantizeLinear: a range with zero, and on either side of it */
  { "DynamicQuantizeLinear", NULL, "f32[2,5,7,9](-3,4)", .n_outputs = 3 },
  { "DynamicQuantizeLinear", NULL, "f32[40](1,4)", .n_outputs = 3 },
  { "DynamicQuantizeLinear", NULL, "f32[3,70](-4,-1)", .n_outputs = 3 },
  { "DynamicQuantizeLinear", NULL, "f32[3,7](0,0)", .n_outputs = 3 },
  { "DynamicQuantizeLinear", NULL, "f32[1,17,40,50](-3,4)", .n_outputs = 1 },

  /* com.microsoft's */
  { "com.microsoft.QLinearAdd", NULL,
      "u8[2,5,7,9](0,255) f32=0.02 u8=110 u8[2,5,7,9](0,255) f32=0.03 u8=90 f32=0.04 "
      "u8=99" },
  { "com.microsoft.QLinearAdd", NULL,
      "i8[2,5,7,9](-128,127) f32=0.02 - i8[5,1,1](-128,127)! f32=0.03 i8=9 f32=0.04" },
  { "com.microsoft.QLinearMul", NULL,
      "u8[2,5,7,9](0,255) f32=0.02 u8=110 u8[2,5,1,1](0,255) f32=0.004 u8=0 f32=0.02 "
      "u8=99" },
  { "com.microsoft.QLinearMul", NULL,
      "i8[3,7](-128,127) f32=0.02 i8=-5 i8[7](-128,127) f32=0.03 i8=9 f32=0.04 i8=-9" },
  { "com.microsoft.QLinearSigmoid", NULL,
      "u8[2,5,7,9](0,255) f32=0.05 u8=110 f32=0.00390625 u8=0" },
  { "com.microsoft.QLinearSigmoid", NULL,
      "i8[3,7](-128,127) f32=0.05 i8=-9 f32=0.008 i8=-7" },
  { "com.microsoft.QLinearLeakyRelu", "alpha=0.1",
      "u8[2,5,7,9](0,255) f32=0.05 u8=110 f32=0.04 u8=30" },
  { "com.microsoft.QLinearLeakyRelu", NULL, "i8[3,7](-128,127) f32=0.05 - f32=0.04" },
  { "com.microsoft.QLinearGlobalAveragePool", NULL,
      "u8[2,5,7,9](0,255) f32=0.05 u8=110 f32=0.004 u8=130" },
  { "com.microsoft.QLinearGlobalAveragePool", NULL,
      "i8[1,12,40,50](-128,127) f32=0.05 i8=-9 f32=0.001 i8=-7" },
  { "com.microsoft.QLinearConcat", "axis=1",
      "f32=0.04 u8=100 u8[2,5,7,9](0,255) f32=0.05 u8=110 u8[2,8,7,9](0,255) f32=0.04 "
      "u8=100" },
  { "com.microsoft.QLinearConcat", "axis=-1",
      "f32=0.04 i8=10 i8[2,5](-128,127) f32=0.05 i8=11 i8[2,3](-128,127) f32=0.03 "
      "i8=-10" },
  { "vkseg.Requantize", NULL, "u8[2,5,7,9](0,255) f32=0.05 u8=110 f32=0.04 i8=3" },
  { NULL },
};
