/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cases.h"

/* Numbers where functions overflow, saturate, change sign or are not defined; as run-time
 * inputs they come out of wide random ranges, as initialisers they are folded on the host. */
#define WIDE "f32[1,5,7,3](-100,100)"

/* One dimension to five, one element, channels that do not fill a texel. */
#define SHAPES(op, attrs)                                                                \
  { op, attrs, "f32[7]" }, { op, attrs, "f32[3,5]" }, { op, attrs, "f32[2,3,4]" },       \
      { op, attrs, "f32[1,17,3,5]" }, { op, attrs, "f32[2,8,3,3]" },                     \
      { op, attrs, "f32[1,3,2,4,5]" }, { op, attrs, "f32[1,1,1,1]" },                    \
  {                                                                                      \
    op, attrs, "f32[]"                                                                   \
  }

#define UNARY(op, attrs)                                                                 \
  { op, attrs, "f32[1,5,7,3]" }, { op, attrs, WIDE }, { op, attrs, "f64[3,5]" },         \
  {                                                                                      \
    op, attrs, "f16[2,5]"                                                                \
  }
/* Defined on a part of the line; outside, NaN must come out. */
#define PARTIAL(op, low, high)                                                           \
  { op, NULL, "f32[1,5,7,3](" low "," high ")" },                                        \
  {                                                                                      \
    op, NULL, "f32[63]"                                                                  \
  }

/* Broadcasting of each kind: a number, a channel, a row, both ways, ranks that differ. */
#define BROADCAST(op, t, r)                                                              \
  { op, NULL, t "[1,5,3,7]" r " " t "[1,5,3,7]" r },                                     \
      { op, NULL, t "[1,8,3,4]" r " " t "[1,8,1,1]" r },                                 \
      { op, NULL, t "[1,17,2,3]" r " " t "[17,1,1]" r "!" },                             \
      { op, NULL, t "[2,3,4,5]" r " " t "[5]" r },                                       \
      { op, NULL, t "[3,1,5]" r " " t "[1,4,1]" r },                                     \
      { op, NULL, t "[]" r " " t "[2,3]" r },                                            \
      { op, NULL, t "[1,3,5,1]" r " " t "[]" r },                                        \
      { op, NULL, t "[2,1,3,1]" r " " t "[2,5,3,4]" r },                                 \
      { op, NULL, t "[2,2,2,2,3]" r " " t "[2,1,2,1]" r },                               \
      { op, NULL, t "[1]" r " " t "[1]" r },                                             \
  {                                                                                      \
    op, NULL, t "[5,4]" r "! " t "[4]" r                                                 \
  }
#define FLOATS_AND_INTS(op)                                                              \
  BROADCAST (op, "f32", ""), { op, NULL, "f64[2,3] f64[3]" },                            \
      { op, NULL, "f16[2,3] f16[3]" }, { op, NULL, "i32[2,3,5] i32[3,1]" },              \
      { op, NULL, "i64[1,5,3,2] i64[1,5,1,1]" },                                         \
      { op, NULL, "u8[2,3](0,255) u8[3](0,9)" },                                         \
      { op, NULL, "i8[2,3](-99,99) i8[2,1](-99,99)" }, { op, NULL, "u64[2,3] u64[3]" },  \
  {                                                                                      \
    op, NULL, "u32[4] u32[4]"                                                            \
  }
#define COMPARISON(op)                                                                   \
  FLOATS_AND_INTS (op), { op, NULL, "f32[1,5,3,4](-1,1) f32=0.0" },                      \
  {                                                                                      \
    op, NULL, "i32[1,9,3,3](0,2) i32[1,9,3,3](0,2)"                                      \
  }
#define VARIADIC(op)                                                                     \
  { op, NULL, "f32[1,5,3,4]" }, { op, NULL, "f32[1,5,3,4] f32[1,5,3,4]" },               \
      { op, NULL, "f32[1,5,3,4] f32[5,1,1] f32[4]" },                                    \
      { op, NULL, "f32[3] f32[2,3] f32[] f32[2,1] f32[1,3]" },                           \
  {                                                                                      \
    op, NULL, "f64[3] f64[3]"                                                            \
  }

const SegCase seg_cases_elementwise[] = {
  /* one variable */
  SHAPES ("Relu", NULL),
  SHAPES ("Sigmoid", NULL),
  UNARY ("Relu", NULL),
  UNARY ("LeakyRelu", NULL),
  UNARY ("LeakyRelu", "alpha=0.3"),
  UNARY ("LeakyRelu", "alpha=-1.5"),
  UNARY ("Elu", NULL),
  UNARY ("Elu", "alpha=0.5"),
  UNARY ("Selu", NULL),
  UNARY ("Selu", "alpha=2.0 gamma=3.0"),
  UNARY ("Celu", NULL),
  UNARY ("Celu", "alpha=2.0"),
  UNARY ("ThresholdedRelu", NULL),
  UNARY ("ThresholdedRelu", "alpha=-0.5"),
  UNARY ("Sigmoid", NULL),
  UNARY ("HardSigmoid", NULL),
  UNARY ("HardSigmoid", "alpha=0.5 beta=0.6"),
  UNARY ("HardSwish", NULL),
  UNARY ("Mish", NULL),
  UNARY ("Gelu", NULL),
  UNARY ("Gelu", "approximate='tanh'"),
  UNARY ("com.microsoft.Gelu", NULL),
  UNARY ("Softplus", NULL),
  UNARY ("Softsign", NULL),
  UNARY ("Erf", NULL),
  UNARY ("Tanh", NULL),
  UNARY ("Exp", NULL),
  UNARY ("Reciprocal", NULL),
  UNARY ("Abs", NULL),
  UNARY ("Neg", NULL),
  UNARY ("Sign", NULL),
  UNARY ("Floor", NULL),
  UNARY ("Ceil", NULL),
  UNARY ("Round", NULL),
  UNARY ("Sin", NULL),
  UNARY ("Cos", NULL),
  { "Sin", NULL, "f32[99](-5000,5000)" },
  { "Cos", NULL, "f32[99](-5000,5000)" },
  { "Tan", NULL, "f32[1,5,7,3](-1.4,1.4)" },
  { "Tan", NULL, "f32[1,5,7,3](1.7,4.5)" },
  PARTIAL ("Log", "0.001", "100"),
  PARTIAL ("Sqrt", "0", "100"),
  PARTIAL ("Asin", "-1", "1"),
  PARTIAL ("Acos", "-1", "1"),
  PARTIAL ("Acosh", "1", "50"),
  PARTIAL ("Atanh", "-1", "1"),
  UNARY ("Atan", NULL),
  UNARY ("Asinh", NULL),
  { "Sinh", NULL, "f32[1,5,7,3]" },
  { "Sinh", NULL, "f32[99](-95,95)" },
  { "Cosh", NULL, "f32[1,5,7,3]" },
  { "Cosh", NULL, "f32[99](-95,95)" },
  { "Asinh", NULL, "f32[99](-1e20,1e20)" },
  { "Tanh", NULL, "f32[99](-0.001,0.001)" },
  { "Softplus", NULL, "f32[99](-20,-1)" },
  { "Gelu", NULL, "f32[99](-8,-3)" },
  { "Round", NULL, "f32{-2.5,-1.5,-0.5,0.5,1.5,2.5}" },
  { "Log", NULL, "f32{0.0,-1.0,inf,nan}" },
  { "Relu", NULL, "f32{-inf,inf,nan,0.0}" },

  /* one variable, integers */
  { "Relu", NULL, "i32[2,5,3,3]" },
  { "Relu", NULL, "i8[7]" },
  { "Abs", NULL, "i32[1,5,3,3]" },
  { "Abs", NULL, "i64[7]" },
  { "Abs", NULL, "u8[7]" },
  { "Neg", NULL, "i32[1,5,3,3]" },
  { "Neg", NULL, "i16[7]" },
  { "Sign", NULL, "i64[1,5,3,3](-1,1)" },
  { "Sign", NULL, "u64[7](0,1)" },
  { "Clip", NULL, "f32[1,5,7,3]" },
  { "Clip", NULL, "f32[1,5,7,3] f32=-0.5 f32=0.75" },
  { "Clip", NULL, "f32[1,5,7,3] f32=-0.5" },
  { "Clip", NULL, "f32[1,5,7,3] - f32=0.75" },
  { "Clip", NULL, "f32[1,5,7,3] f32=1.0 f32=-1.0" }, /* max wins */
  { "Clip", NULL, "f32[1,5,7,3] f32[] f32[]" },      /* at run time */
  { "Clip", "min=-0.25 max=6.0", "f32[1,5,7,3](-9,9)", .opset = 7 },
  { "Clip", "max=0.5", "f32[3,5]", .opset = 10 },
  { "Clip", NULL, "i32[1,5,7,3] i32=-3 i32=4" },
  { "Clip", NULL, "i64[7] i64=-3" },
  { "Clip", NULL, "i8[7] - i8=4" },
  { "Clip", NULL, "u64[7](0,9) u64=2 u64=5" },
  { "Not", NULL, "bool[1,5,3,3]" },
  { "Not", NULL, "bool[7]" },
  { "IsNaN", NULL, "f32[1,5,3,3]" },
  { "IsNaN", NULL, "f32{nan,1.0,inf,-inf}" },
  { "IsInf", NULL, "f32[1,5,3,3]" },
  { "IsInf", NULL, "f32{nan,1.0,inf,-inf}" },
  { "IsInf", "detect_negative=0", "f32{nan,1.0,inf,-inf}" },
  { "IsInf", "detect_positive=0", "f32[1,5,3,3]" },
  { "IsInf", "detect_positive=0 detect_negative=0", "f32[7]" },

  /* two variables */
  FLOATS_AND_INTS ("Add"),
  FLOATS_AND_INTS ("Sub"),
  FLOATS_AND_INTS ("Mul"),
  FLOATS_AND_INTS ("Div"),
  BROADCAST ("Div", "f32", "(0.5,2)"),
  { "Div", NULL, "i32[99](-99,99) i32[99](-3,3)" },
  { "Div", NULL, "i32[99](-99,99) i32{0}" },
  { "Div", NULL, "i64[7](-99,99) i64{-1}" },
  { "Mod", "fmod=1", "f32[1,5,3,4](-9,9) f32[1,5,1,1](1.1,2.1)" },
  { "Mod", "fmod=1", "f32[99](-9,9) f32{-1.5}" },
  { "Mod", NULL, "i32[99](-99,99) i32[99](-3,3)" },
  { "Mod", "fmod=1", "i32[99](-99,99) i32[99](-3,3)" },
  { "Mod", NULL, "i64[9,9](-99,99) i64[9](1,7)" },
  { "Mod", NULL, "u8[9,9](0,99) u8[9](1,7)" },
  { "Mod", "fmod=1", "i8[9,9](-99,99) i8[9](-7,7)" },
  { "Pow", NULL, "f32[1,5,3,4](0.1,3) f32[1,5,3,4]" },
  { "Pow", NULL, "f32[1,5,3,4](0.1,3) f32[5,1,1]" },
  { "Pow", NULL, "f32[1,5,3,4] f32=2.0" },
  { "Pow", NULL, "f32[1,5,3,4] f32=3.0" },
  { "Pow", NULL, "f32[1,5,3,4] f32=-1.0" },
  { "Pow", NULL, "f32[1,5,3,4] f32=0.5" },
  { "Pow", NULL, "f32[1,5,3,4](-1,0) f32=0.0" },
  { "Pow", NULL, "f32[1,5,3,4] i64=2" },
  { "Pow", NULL, "f32[1,5,3,4] i32{0,1,2,3}" },
  { "Pow", NULL, "f32[1,5,3,4] i32[4](0,3)" },
  { "Pow", NULL, "i32[1,5,3,4](-3,3) i32[4](-2,4)" },
  { "Pow", NULL, "i64[9] f32=0.5" },
  { "PRelu", NULL, "f32[1,5,3,4] f32[5,1,1]" },
  { "PRelu", NULL, "f32[1,8,3,4] f32[1,8,1,1]!" },
  { "PRelu", NULL, "f32[1,5,3,4] f32[1]!" },
  { "PRelu", NULL, "f32[3,4] f32[4]" },
  { "PRelu", NULL, "i32[3,4] i32[4]" },
#define SPECIAL(op)                                                                      \
  { op, NULL, "f32[1,3,2,6] f32{nan,inf,-inf,0.0,1.0,-1.5}" },                           \
  {                                                                                      \
    op, NULL, "f32{nan,inf,-inf,0.0,1.0,-1.5} f32[1,3,2,6]"                              \
  }
  SPECIAL ("Add"),
  SPECIAL ("Sub"),
  SPECIAL ("Mul"),
  SPECIAL ("Div"),
  SPECIAL ("Pow"),
  SPECIAL ("Min"),
  SPECIAL ("Max"),
  SPECIAL ("Equal"),
  SPECIAL ("Greater"),
  SPECIAL ("LessOrEqual"),
  { "Mod", "fmod=1", "f32[1,3,2,6] f32{nan,inf,-inf,0.0,1.0,-1.5}" },
  { "Mod", "fmod=1", "f32{nan,inf,-inf,0.0,1.0,-1.5} f32[1,3,2,6]" },
  { "Pow", NULL, "f32{0.0,1.0,2.0,-1.0,nan,inf} f32[1,3,2,6]" },
  BROADCAST ("And", "bool", ""),
  BROADCAST ("Or", "bool", ""),
  BROADCAST ("Xor", "bool", ""),
  { "BitShift", "direction='LEFT'", "u8[2,3](0,255) u8[3](0,9)" },
  { "BitShift", "direction='RIGHT'", "u32[2,3](0,99999) u32[3](0,9)" },
  { "BitShift", "direction='LEFT'", "u64[3] u64[3](0,70)" },
  COMPARISON ("Equal"),
  { "Equal", NULL, "bool[1,5,3,3] bool[5,1,1]" },
  COMPARISON ("Greater"),
  COMPARISON ("GreaterOrEqual"),
  COMPARISON ("Less"),
  COMPARISON ("LessOrEqual"),

  /* any number of variables */
  VARIADIC ("Sum"),
  VARIADIC ("Mean"),
  VARIADIC ("Min"),
  VARIADIC ("Max"),
  { "Min", NULL, "i32[1,5,3,4] i32[4] i32[5,1,1]" },
  { "Max", NULL, "i64[7]" },
  { "Max", NULL, "u8[7](0,255) u8[7](0,255)" },
  { "Min", NULL, "u64[7] u64[7] u64[1]" },

  /* three variables */
  { "Where", NULL, "bool[1,5,3,4] f32[1,5,3,4] f32[1,5,3,4]" },
  { "Where", NULL, "bool[1,1,3,4] f32[1,5,3,4] f32=0.5" },
  { "Where", NULL, "bool[1,8,1,1] f32[] f32[1,8,3,4]" },
  { "Where", NULL, "bool[3,1] f32[1,4] f32[2,1,1]" },
  { "Where", NULL, "bool[2,3,4,5] i64[5] i64[4,1]" },
  { "Where", NULL, "bool[7] bool[7] bool[1]" },
  { "Where", NULL, "bool[7] f64[7] f64[7]" },
  { "Where", NULL, "bool[7] u8[7] u8[7]" },

  /* types */
  { "Cast", "to=1", "f32[1,5,3,4]" },
  { "Cast", "to=10", "f32[1,5,3,4]" },
  { "Cast", "to=16", "f32[1,5,3,4]", .tolerance32 = 1e-2, .tolerance16 = 1e-2 },
  { "Cast", "to=11", "f32[1,5,3,4]" },
  { "Cast", "to=1", "f64[1,5,3,4]" },
  { "Cast", "to=1", "f16[1,5,3,4]" },
  { "Cast", "to=6", "f32[1,5,3,4](-99,99)" },
  { "Cast", "to=6", "f32{1e20,-1e20,nan,inf,-1.9,1.9}" },
  { "Cast", "to=6", "f32[99](-1e10,1e10)" },
  { "Cast", "to=7", "f32[1,5,3,4](-99,99)" },
  { "Cast", "to=9", "f32[1,5,3,4](0,2)" },
  { "Cast", "to=9", "i32[1,5,3,4](-1,1)" },
  { "Cast", "to=1", "i32[1,5,3,4]" },
  { "Cast", "to=1", "i64[7]" },
  { "Cast", "to=1", "bool[1,5,3,4]" },
  { "Cast", "to=7", "i32[1,5,3,4]" },
  { "Cast", "to=6", "i64[1,5,3,4]" },
  { "Cast", "to=7", "bool[7]" },
  { "Cast", "to=2", "f32[1,5,3,4](0,255)" },
  { "Cast", "to=3", "f32[9](-128,127)" },
  { "Cast", "to=1", "u8[1,5,3,4](0,255)" },
  { "CastLike", NULL, "f32[1,5,3,4] i32[2]" },
  { "CastLike", NULL, "i64[1,5,3,4] f32[1]" },
  { "CastLike", NULL, "u8[9] f16[1]" },
  { NULL },
};
