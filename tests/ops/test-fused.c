/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What fusion makes of chains of nodes, on the device, against the nodes one by one on the host:
 * the epilogues of kernels, folded scales, absorbed padding. The channel
 * padding of what comes out must be zero. */
#include "case-model.h"
#include "engine/session-priv.h"
#include "lib/compare.h"
#include "lib/device.h"
#include "lib/tap.h"
#include "ops/conv-choose.h"
#include "ops/table.h"
#include "padding.h"

#include <string.h>

#define MOST 6

typedef struct {
  const char *name;
  guint n_nodes; /* that are left after fusion */
  SegCase chain[MOST];
  guint n_shared;   /* values that lie in others' memory; 0: as many as there are */
  const char *last; /* operator of the last node; NULL: any */
  const char *input_of[2]; /* the first operator reads what the second makes */
  guint edge;              /* of Winograd's tiles, where it is done by these; 0: any */
} Chain;

#define IMAGE "f32[1,5,9,11]"
#define RELU                                                                             \
  {                                                                                      \
    "Relu", NULL, "^"                                                                    \
  }
#define GATE                                                                             \
  {                                                                                      \
    "Sigmoid", NULL, "^"                                                                 \
  }
#define PLUS                                                                             \
  {                                                                                      \
    "Add", NULL, "^ f32[1,12,9,11]"                                                      \
  }
#define DENSE                                                                            \
  {                                                                                      \
    "Conv", "pads=[1,1,1,1]", IMAGE " f32[12,5,3,3]! f32[12]!"                           \
  }
#define POINT                                                                            \
  {                                                                                      \
    "Conv", NULL, IMAGE " f32[12,5,1,1]! f32[12]!"                                       \
  }
#define DEPTH                                                                            \
  {                                                                                      \
    "Conv", "pads=[1,1,1,1] group=12", "f32[1,12,9,11] f32[12,1,3,3]! f32[12]!"          \
  }
#define DIRECT                                                                           \
  {                                                                                      \
    "Conv", "pads=[1,1,1,1]", IMAGE " f32[12,5,3,3] f32[12]"                             \
  }
#define PHASES                                                                           \
  {                                                                                      \
    "ConvTranspose", "strides=[2,2] pads=[1,1,1,1] output_padding=[0,0]",                \
        "f32[1,5,5,6] f32[5,12,3,3]! f32[12]!"                                           \
  }
#define SUBPIXEL                                                                         \
  {                                                                                      \
    "ConvTranspose", "strides=[3,3] pads=[1,1,0,1]",                                     \
        "f32[1,5,3,4] f32[5,12,4,4]! f32[12]!"                                           \
  }
#define GATHER                                                                           \
  {                                                                                      \
    "ConvTranspose", "strides=[2,2] pads=[1,1,1,1]", "f32[1,5,5,6] f32[5,12,3,3]"        \
  }
#define SCALE                                                                            \
  {                                                                                      \
    "Mul", NULL, "^ f32[1,12,1,1]!"                                                      \
  }
#define SHIFT                                                                            \
  {                                                                                      \
    "Add", NULL, "^ f32[12,1,1]!"                                                        \
  }

#define BYTES                                                                            \
  {                                                                                      \
    "QuantizeLinear", NULL, "f32[1,12,9,11] f32=0.02 u8=110"                             \
  }
#define NUMBERS                                                                          \
  {                                                                                      \
    "DequantizeLinear", NULL, "^ f32=0.02 u8=110"                                        \
  }
#define BYTES_AGAIN                                                                      \
  {                                                                                      \
    "QuantizeLinear", NULL, "^ f32=0.02 u8=110"                                          \
  }
#define WIDE                                                                             \
  {                                                                                      \
    "Conv", NULL, IMAGE " f32[32,5,1,1]! f32[32]!"                                       \
  }
#define NARROW                                                                           \
  {                                                                                      \
    "Conv", "pads=[1,1,1,1]", "^ f32[8,16,3,3]!"                                         \
  }
#define RELU_OF_IMAGE                                                                    \
  {                                                                                      \
    "Relu", NULL, IMAGE                                                                  \
  }
#define LOWER                                                                            \
  {                                                                                      \
    "Slice", NULL, "^ i64{0} i64{16} i64{1}"                                             \
  }
#define UPPER                                                                            \
  {                                                                                      \
    "Slice", NULL, "^^ i64{16} i64{32} i64{1}"                                           \
  }
#define FROM_CHANNELS                                                                    \
  {                                                                                      \
    "Transpose", "perm=[0,2,3,1]", "^"                                                   \
  }
#define TO_CHANNELS                                                                      \
  {                                                                                      \
    "Transpose", "perm=[0,3,1,2]", "^"                                                   \
  }

#define ENLARGE                                                                          \
  {                                                                                      \
    "Resize", "mode='linear'", "^ - f32{1,1,2,3}"                                        \
  }
#define ENLARGE_CORNERS                                                                  \
  {                                                                                      \
    "Resize", "mode='linear' coordinate_transformation_mode='align_corners'",            \
        "^ - f32{1,1,2,3}"                                                               \
  }
#define MEAN                                                                             \
  {                                                                                      \
    "GlobalAveragePool", NULL, "^"                                                       \
  }
#define MIX                                                                              \
  {                                                                                      \
    "Conv", NULL, "^ f32[7,12,1,1]! f32[7]!"                                             \
  }

#define SQUEEZE                                                                          \
  {                                                                                      \
    "Conv", NULL, "^ f32[3,12,1,1]! f32[3]!"                                             \
  }
#define EXCITE                                                                           \
  {                                                                                      \
    "Conv", NULL, "^ f32[12,3,1,1]! f32[12]!"                                            \
  }

static const Chain chains[] = {
  { "gate", 2, { DENSE, MEAN, SQUEEZE, RELU, EXCITE, GATE }, .last = "Gate" },
  { "gate by axes, without biases", 2,
      { DENSE, { "ReduceMean", "axes=[2,3] keepdims=1", "^" },
          { "Conv", NULL, "^ f32[40,12,1,1]!" }, { "Clip", NULL, "^ f32=0 f32=6" },
          { "Conv", NULL, "^ f32[17,40,1,1]!" }, { "HardSigmoid", NULL, "^" } },
      .last = "Gate" },
  { "gate of a sum", 3,
      { DENSE, PLUS, MEAN, SQUEEZE, EXCITE, { "Mul", NULL, "^ ^^^^^" } } },
  { "gate of what was larger", 2, { DENSE, ENLARGE, MEAN, SQUEEZE, RELU, EXCITE },
      .last = "Gate" },
  { "no gate: a sum behind it", 4,
      { DENSE, MEAN, SQUEEZE, EXCITE, { "Add", NULL, "^ f32[1,12,1,1]" } } },
  { "no gate: means of pictures", 4,
      { { "Conv", NULL, "f32[2,5,9,11] f32[12,5,1,1]!" }, MEAN, SQUEEZE, EXCITE } },
  { "no gate: weights from outside", 4,
      { DENSE, MEAN, { "Conv", NULL, "^ f32[3,12,1,1]" }, EXCITE } },
  { "no gate: read twice", 5,
      { DENSE, MEAN, SQUEEZE, EXCITE, { "Mul", NULL, "^ ^^^" } } },
  { "channels times factors, mixed", 3,
      { DENSE, MEAN, { "Mul", NULL, "^^ ^" }, MIX, RELU } },
  { "factors times channels of a signal, mixed, residual", 3,
      { { "Conv", NULL, "f32[1,5,99] f32[21,5,1]!" }, MEAN, { "Mul", NULL, "^ ^^" },
          { "Conv", NULL, "^ f32[17,21,1]! f32[17]!" },
          { "Add", NULL, "^ f32[1,17,99]" } } },
  { "channels times factors, mixed into one", 3,
      { { "Conv", NULL, IMAGE " f32[1,5,1,1]! f32[1]!" }, MEAN, { "Mul", NULL, "^^ ^" },
          { "Conv", NULL, "^ f32[1,1,1,1]!" } } },
  { "channels times factors, mixed into many", 4,
      { DENSE, MEAN, { "Mul", NULL, "^^ ^" }, { "Conv", NULL, "^ f32[100,12,1,1]!" } } },
  { "channels times factors, mixed into blocks", 3,
      { DENSE, MEAN, { "Mul", NULL, "^^ ^" }, { "Conv", NULL, "^ f32[24,12,1,1]!" } } },
  { "channels times factors, mixed into blocks of sixteen", 3,
      { DENSE, MEAN, { "Mul", NULL, "^^ ^" }, { "Conv", NULL, "^ f32[48,12,1,1]!" } } },
  { "channels times factors, relu, mixed", 4,
      { DENSE, MEAN, { "Mul", NULL, "^^ ^" }, RELU, MIX } },
  { "pictures times factors, mixed", 4,
      { { "Conv", NULL, "f32[2,5,9,11] f32[12,5,1,1]!" }, MEAN, { "Mul", NULL, "^^ ^" },
          MIX } },
  { "channels times factors, and what was larger, mixed, relu", 4,
      { DENSE, ENLARGE, { "Mul", NULL, "f32[1,12,18,33] f32[1,12,1,1]" },
          { "Add", NULL, "^ ^^" }, MIX, RELU },
      .last = "Conv" },
  { "larger, mixed", 3, { DENSE, ENLARGE, MIX }, .last = "Resize" },
  { "larger to the corners, mixed", 3, { DENSE, ENLARGE_CORNERS, MIX },
      .last = "Resize" },
  { "larger symmetrically, mixed", 3,
      { DENSE,
          { "Resize",
              "mode='linear' coordinate_transformation_mode='half_pixel_symmetric'",
              "^ - f32{1,1,2.1,3.3}" },
          MIX },
      .last = "Resize" },
  { "larger, mixed, twice", 4,
      { DENSE, ENLARGE, MIX, { "Conv", NULL, "^ f32[9,7,1,1]!" } }, .last = "Resize" },
  { "larger by sizes, mixed in groups", 3,
      { DENSE, { "Resize", "mode='cubic'", "^ - - i64{1,12,20,30}" },
          { "Conv", "group=2", "^ f32[6,6,1,1]! f32[6]!" } },
      .last = "Resize" },
  { "larger, nearest, mixed", 3,
      { DENSE, { "Upsample", "mode='nearest'", "^ f32{1,1,2,3}" }, MIX },
      .last = "Upsample" },
  { "larger, mixed, relu", 3, { DENSE, ENLARGE, MIX, RELU }, .last = "Conv" },
  { "larger, mixed, into many", 3,
      { DENSE, ENLARGE, { "Conv", NULL, "^ f32[25,12,1,1]!" } }, .last = "Conv" },
  { "larger, mixed with neighbours", 3,
      { DENSE, ENLARGE, { "Conv", "pads=[0,1,0,1]", "^ f32[7,12,1,1]! f32[7]!" } },
      .last = "Conv" },
  { "larger from outside, mixed", 3,
      { DENSE,
          { "Resize", "mode='linear' coordinate_transformation_mode='tf_crop_and_resize'",
              "^ f32{0,0,-0.2,0,1,1,1,1.3} f32{1,1,2,3}" },
          MIX },
      .last = "Conv" },
  { "smaller, mixed", 3,
      { DENSE, { "Resize", "mode='linear'", "^ - f32{1,1,0.5,0.5}" }, MIX },
      .last = "Conv" },
  { "larger, mean, and its factors", 5,
      { DENSE, ENLARGE, MEAN, GATE, { "Mul", NULL, "^^^ ^" }, RELU },
      .input_of = { "GlobalAveragePool", "Conv" } },
  { "larger, mean", 2, { DENSE, ENLARGE, MEAN } },
  { "larger, mean by axes", 2,
      { DENSE, ENLARGE, { "ReduceMean", "axes=[2,3] keepdims=1", "^" } } },
  { "larger, mean of one axis", 3,
      { DENSE, ENLARGE, { "ReduceMean", "axes=[2] keepdims=1", "^" } } },
  { "larger to the corners, mean", 3, { DENSE, ENLARGE_CORNERS, MEAN } },
  { "sum, mean", 5, { DENSE, PLUS, MEAN, { "Mul", NULL, "^ ^^^" } } },
  { "sum of larger, mixed, mean", 7,
      { DENSE, ENLARGE, MIX, { "Add", NULL, "^ f32[1,7,18,33]" }, MEAN,
          { "Mul", NULL, "^ ^^^" } } },
  { "sum with channels, mean", 3, { DENSE, { "Add", NULL, "^ f32[1,12,1,1]" }, MEAN },
      .last = "GlobalAveragePool" },

  { "dense, relu", 1, { DENSE, RELU } },
  { "dense, sigmoid", 1, { DENSE, GATE } },
  { "dense, residual, relu", 1, { DENSE, PLUS, RELU } },
  { "dense, sigmoid, residual, relu", 1, { DENSE, GATE, PLUS, RELU } },
  { "dense, scale, shift, residual, sigmoid", 1, { DENSE, SCALE, SHIFT, PLUS, GATE } },
  { "winograd, sigmoid, residual, relu", 1,
      { { "Conv", "pads=[1,1,1,1]", "f32[1,32,18,21] f32[44,32,3,3]! f32[44]!" }, GATE,
          { "Add", NULL, "^ f32[1,44,18,21]" }, RELU },
      .edge = 4 },
  { "winograd by large tiles, sigmoid, residual, relu", 1,
      { { "Conv", "pads=[1,1,1,1]", "f32[1,32,70,74] f32[44,32,3,3]! f32[44]!" }, GATE,
          { "Add", NULL, "^ f32[1,44,70,74]" }, RELU },
      .edge = 6 },
  { "few, sigmoid, residual, relu", 1,
      { { "Conv", "pads=[1,1,1,1]", "f32[1,32,18,21] f32[2,32,3,3]! f32[2]!" }, GATE,
          { "Add", NULL, "^ f32[1,2,18,21]" }, RELU } },
  { "long sum, sigmoid, residual, relu", 1,
      { { "Conv", "pads=[1,1,1,1]", "f32[1,256,9,11] f32[12,256,3,3]! f32[12]!" }, GATE,
          PLUS, RELU } },
  { "1x1, sigmoid, residual", 1, { POINT, GATE, PLUS } },
  { "1x1 of blocks, sigmoid, residual, relu", 1,
      { { "Conv", NULL, "f32[1,19,7,13] f32[48,19,1,1]! f32[48]!" }, GATE,
          { "Add", NULL, "^ f32[1,48,7,13]" }, RELU } },
  { "depthwise, sigmoid", 1, { DEPTH, GATE } },
  { "depthwise, scale, shift, residual, sigmoid", 1,
      { DEPTH, SCALE, SHIFT, PLUS, GATE } },
  { "direct, sigmoid, residual, relu", 1, { DIRECT, GATE, PLUS, RELU } },
  { "phases, scale, shift, sigmoid, residual", 1, { PHASES, SCALE, SHIFT, GATE, PLUS } },
  { "subpixel, sigmoid, residual, relu", 1, { SUBPIXEL, GATE, PLUS, RELU } },
  { "subpixel, scale, shift", 1, { SUBPIXEL, SCALE, SHIFT } },
  { "gather, sigmoid, residual, relu", 1, { GATHER, GATE, PLUS, RELU } },
  { "clip within limits", 1, { DENSE, { "Clip", NULL, "^ f32=-0.5 f32=0.5" } } },
  { "grouped scale", 1,
      { { "ConvTranspose", "group=2 strides=[2,2]", "f32[1,4,5,6] f32[4,6,2,2]!" },
          SCALE } },
  { "padding", 1,
      { { "Pad", NULL, "f32[1,5,8,9] i64{0,0,1,2,0,0,0,1}" },
          { "Conv", "pads=[0,1,2,0]", "^ f32[12,5,3,3]!" } } },
  { "padding, average", 1,
      { { "Pad", NULL, "f32[1,5,8,9] i64{0,0,1,2,0,0,1,1}" },
          { "AveragePool", "kernel_shape=[3,3] strides=[2,2]", "^" } } },
  { "gemm, sigmoid, residual, relu", 1,
      { { "Gemm", "transB=1", "f32[6,16] f32[20,16]! f32[20]!" }, GATE,
          { "Add", NULL, "^ f32[6,20]" }, RELU } },
  { "odd gemm, sigmoid, residual, relu", 1,
      { { "Gemm", "transB=1", "f32[6,15] f32[21,15]! f32[21]!" }, GATE,
          { "Add", NULL, "^ f32[6,21]" }, RELU } },
  { "matmul, residual, relu", 1,
      { { "MatMul", NULL, "f32[2,6,16] f32[16,20]!" }, { "Add", NULL, "^ f32[2,6,20]" },
          RELU } },
  { "product, sigmoid, residual, relu", 1,
      { { "Mul", NULL, "f32[1,12,9,11] f32[12,1,1]" }, GATE, PLUS, RELU } },
  { "channels last, product, sigmoid, residual, relu", 2,
      { DENSE, { "Mul", NULL, "^ f32[12,1,1]" }, GATE, PLUS, RELU } },
  { "rows, product, residual", 1,
      { { "Mul", NULL, "f32[3,7] f32[7]" }, { "Add", NULL, "^ f32[3,7]" } } },
  { "function, residual, relu", 1,
      { { "HardSwish", NULL, "f32[1,12,9,11]" }, PLUS, RELU } },
  { "clip, residual", 1, { { "Clip", NULL, "f32[1,12,9,11] f32=-0.5 f32=0.5" }, PLUS } },
  { "batch norm, sigmoid, residual, relu", 1,
      { { "BatchNormalization", NULL,
            "f32[1,12,9,11] f32[12]! f32[12]! f32[12]! f32[12](0.5,1)!" },
          GATE, PLUS, RELU } },
  { "conv, batch norm of a training", 2,
      { { "Conv", NULL, "f32[2,3,9,11] f32[12,3,1,1]!" },
          { "BatchNormalization", "training_mode=1",
              "^ f32[12]! f32[12]! f32[12]! f32[12](0.5,1)!" } } },
  { "instance norm, sigmoid", 1,
      { { "InstanceNormalization", NULL, "f32[1,12,9,11] f32[12]! f32[12]!" }, GATE } },
  { "layer norm, relu", 1,
      { { "LayerNormalization", NULL, "f32[3,5,7] f32[7]! f32[7]!" }, RELU } },
  { "mean of three, relu", 1,
      { { "Mean", NULL, "f32[1,12,9,11] f32[11] f32[12,1,1]" }, RELU } },
  { "sum of one, sigmoid", 1, { { "Sum", NULL, "f32[1,12,9,11]" }, GATE } },
  { "product, slope", 1,
      { { "Mul", NULL, "f32[2,7] f32[7]" }, { "PRelu", NULL, "^ f32[1]!" } } },
  { "product, larger, smaller", 2,
      { { "Mul", NULL, "f32[2,7] f32[7]" }, { "Max", NULL, "^ f32=-0.5" },
          { "Min", NULL, "^ f32=0.5" } } },
  { "bytes, a function", 2,
      { BYTES, NUMBERS, { "HardSwish", NULL, "^" },
          { "QuantizeLinear", NULL, "^ f32=0.01 i8=-100" } } },
  { "bytes, another scale", 2,
      { BYTES, NUMBERS, { "QuantizeLinear", NULL, "^ f32=0.03 u8=5" } } },
  { "bytes, relu that their range is", 2,
      { BYTES, NUMBERS, RELU, { "QuantizeLinear", NULL, "^ f32=0.03 u8=0" } } },
  { "bytes, pooled", 2,
      { BYTES, NUMBERS, { "MaxPool", "kernel_shape=[3,3]", "^" }, BYTES_AGAIN } },
  { "bytes, mean", 2,
      { BYTES, NUMBERS, { "GlobalAveragePool", NULL, "^" },
          { "QuantizeLinear", NULL, "^ f32=0.002 u8=90" } } },
  { "bytes, concatenated", 3,
      { BYTES,
          { "com.microsoft.QLinearConcat", "axis=1",
              "f32=0.04 u8=90 ^ f32=0.02 u8=110 u8[1,3,9,11](0,255) f32=0.04 u8=90" } } },
  { "batched matmul, sigmoid, residual", 1,
      { { "MatMul", NULL, "f32[2,6,16] f32[2,16,20]" }, GATE,
          { "Add", NULL, "^ f32[2,6,20]" } } },
  { "slice between transpositions", 3,
      { WIDE, FROM_CHANNELS, { "Slice", NULL, "^ i64{8} i64{24} i64{3}" }, TO_CHANNELS,
          RELU },
      1 },
  { "odd slice between transpositions", 3,
      { WIDE, FROM_CHANNELS, { "Slice", NULL, "^ i64{3} i64{23} i64{3}" }, TO_CHANNELS,
          RELU } },
  { "rows sliced between transpositions", 3,
      { WIDE, FROM_CHANNELS, { "Slice", NULL, "^ i64{8,1} i64{24,7} i64{3,1} i64{1,2}" },
          TO_CHANNELS, RELU } },
  { "functions between transpositions", 4,
      { { "Transpose", "perm=[0,3,1,2]", "f32[1,9,11,12]" }, GATE,
          { "Mul", NULL, "^ f32=0.5" }, { "Softmax", "axis=1", "^" }, FROM_CHANNELS,
          RELU } },
  { "concatenation between transpositions", 2,
      { { "Transpose", "perm=[0,3,1,2]", "f32[1,9,11,6]" }, { "Concat", "axis=1", "^ ^" },
          FROM_CHANNELS, RELU } },
  { "a slope between transpositions stays", 4,
      { { "Transpose", "perm=[0,3,1,2]", "f32[1,9,11,12]" },
          { "Mul", NULL, "^ f32[11]!" }, FROM_CHANNELS, RELU } },
  { "joined transpositions", 2,
      { { "Transpose", "perm=[0,1,3,2]", "f32[2,3,4,5]" }, TO_CHANNELS, GATE } },
  { "the end of odd channels", 3,
      { { "Conv", NULL, IMAGE " f32[20,5,1,1]!" },
          { "Slice", NULL, "^ i64{8} i64{20} i64{1}" },
          { "Conv", "pads=[1,1,1,1]", "^ f32[7,12,3,3]!" } },
      1 },
  { "rows, then columns, then every other channel backwards", 2,
      { RELU_OF_IMAGE, { "Slice", NULL, "^ i64{1} i64{7} i64{2} i64{2}" },
          { "Slice", NULL, "^ i64{2} i64{9} i64{3}" },
          { "Slice", NULL, "^ i64{-1} i64{-9} i64{1} i64{-2}" } } },
  { "a crop that others read stays", 4,
      { RELU_OF_IMAGE, { "Slice", NULL, "^ i64{1} i64{7} i64{2}" },
          { "Slice", NULL, "^ i64{2} i64{5} i64{2}" }, { "Concat", "axis=2", "^^ ^" } } },
  { "halves in place", 5,
      { WIDE, LOWER, UPPER, NARROW, { "Concat", "axis=1", "^^^ ^^ ^" } }, 4 },
  { "halves swapped", 5,
      { WIDE, LOWER, UPPER, NARROW, { "Concat", "axis=1", "^^ ^^^ ^" } }, 3 },
  { "half twice", 4, { WIDE, LOWER, UPPER, { "Concat", "axis=1", "^ ^^ ^" } }, 3 },
  { "halves apart", 5, { WIDE, LOWER, UPPER, NARROW, { "Concat", "axis=1", "^^^ ^ ^^" } },
      3 },
  { "whole and half", 4,
      { WIDE, LOWER, UPPER, NARROW, { "Concat", "axis=1", "^^^^ ^^ ^" } }, 3 },
  { "other dimensions are no other bytes", 5,
      { { "Softmax", "axis=2", "f32[2,3,4]" }, { "Unsqueeze", NULL, "^ i64{0}" },
          { "Reshape", NULL, "^ i64{4,6}" }, { "Flatten", "axis=0", "^" },
          { "Softmax", "axis=1", "^" } },
      3 },
  { "channels last are rows", 3, { WIDE, FROM_CHANNELS, { "Softmax", "axis=3", "^" } },
      1 },
  { "rows are channels last", 3,
      { { "MatMul", NULL, "f32[1,9,11,5] f32[5,16]!" }, TO_CHANNELS, NARROW }, 1 },
  { "rows are channels last, halved", 4,
      { { "MatMul", NULL, "f32[1,9,11,5] f32[5,32]!" }, TO_CHANNELS, LOWER, NARROW }, 2 },
  { "a signal's channels last are rows", 3,
      { { "Conv", NULL, "f32[2,5,9] f32[16,5,1]!" }, { "Transpose", "perm=[0,2,1]", "^" },
          { "Softmax", "axis=2", "^" } },
      1 },
};

/* NULL, or what is wrong with Winograd's tiles. With VKSEG_CONV=winograd there must be some. */
static char *
check_edge (const SegSession *session, guint edge)
{
  gboolean must = edge != 0 && seg_conv_is_forced (SEG_CONV_WINOGRAD);
  for (guint i = 0; i < session->program->steps->len; i++) {
    const SegStep *step = &g_array_index (session->program->steps, SegStep, i);
    if (step->host || !g_str_has_prefix (step->dispatch.shader->name, "winograd_"))
      continue;
    must = FALSE;
    if (edge != 0 && step->dispatch.spec[0] != edge)
      return g_strdup_printf ("tiles of %u pixels, not %u", step->dispatch.spec[0], edge);
  }
  return must ? g_strdup ("not done by Winograd") : NULL;
}

static char *
check_chain (const Chain *c, SegVk *vk, SegPrecision precision)
{
  g_auto (SegCaseModel) model = { NULL };
  g_autoptr (GError) error = NULL;
  g_autoptr (SegTensor) want = NULL, got = NULL;
  guint n = 0;
  while (n < MOST && c->chain[n].op != NULL)
    n++;
  gboolean half = precision == SEG_PRECISION_FP16;
  if (!seg_case_chain_make (c->chain, n, 7, half, &model, &error))
    return g_strdup (error->message);
  SegTensor *const *in = (SegTensor *const *) model.inputs->pdata;
  g_autoptr (SegGraph) graph =
      seg_graph_new (model.model, seg_op_lookup, NULL, 0, SEG_GRAPH_PLAIN, &error);
  if (graph == NULL || !seg_graph_eval (graph, in, &want, &error))
    return g_strdup (error->message);

  SegSessionOptions options = { .precision = precision, .poison = TRUE };
  SegSession *session = seg_session_new (model.model, vk, &options, &error);
  gboolean ok = session != NULL && seg_session_run (session, in, &got, &error);
  g_autofree char *padding = ok ? seg_check_padding (vk, session, &got) : NULL;
  g_autofree char *bad_edge = ok ? check_edge (session, c->edge) : NULL;
  guint left = 0, shared = 0;
  const char *last = NULL;
  const SegNode *bad_input = NULL;
  const GPtrArray *nodes = ok ? seg_session_graph (session)->nodes : NULL;
  for (guint i = 0; ok && i < nodes->len; i++) {
    const SegNode *node = g_ptr_array_index (nodes, i);
    if (g_strcmp0 (node->op->name, "Copy") != 0)
      last = node->op->name, left++;
    const SegNode *made = seg_node_input (node, 0)->producer;
    if (g_strcmp0 (node->op->name, c->input_of[0]) == 0
        && (made == NULL || strcmp (made->op->name, c->input_of[1]) != 0))
      bad_input = node;
    shared += seg_node_output (node, 0)->base != NULL;
  }
  seg_session_free (&session);
  if (!ok)
    return g_strdup (error->message);
  SegTolerance tolerance = {
    .relative = half ? 4e-3 : 1e-4, .to_largest = TRUE, .half = half
  };
  char *bad = seg_compare (got, want, &tolerance);
  if (bad == NULL)
    bad = g_steal_pointer (&padding);
  if (bad == NULL)
    bad = g_steal_pointer (&bad_edge);
  if (bad == NULL && left != c->n_nodes)
    bad = g_strdup_printf ("%u nodes are left, not %u", left, c->n_nodes);
  if (bad == NULL && bad_input != NULL)
    bad = g_strdup_printf (
        "a %s does not read what a %s makes", c->input_of[0], c->input_of[1]);
  if (bad == NULL && c->last != NULL && g_strcmp0 (last, c->last) != 0)
    bad = g_strdup_printf ("%s is last, not %s", last, c->last);
  if (bad == NULL && c->n_shared != 0 && shared != c->n_shared)
    bad = g_strdup_printf ("%u values share memory, not %u", shared, c->n_shared);
  return bad;
}

int
main (void)
{
  SegTap tap = { 0 };
  int status = 0;
  SegVk *vk = seg_test_device (&status);
  if (vk == NULL)
    return status;
  for (guint i = 0; i < G_N_ELEMENTS (chains); i++) {
    for (guint half = 0; half < 2; half++) {
      g_autofree char *bad =
          check_chain (&chains[i], vk, half ? SEG_PRECISION_FP16 : SEG_PRECISION_FP32);
      g_autofree char *name =
          g_strdup_printf ("%s, %s", chains[i].name, half ? "fp16" : "fp32");
      seg_tap_result (&tap, bad == NULL, name, bad);
    }
  }
  guint messages = seg_vk_validation_messages ();
  seg_tap_result (&tap, messages == 0, "no messages from the validation layer", NULL);
  seg_vk_unref (vk);
  return seg_tap_finish (&tap);
}
