/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The operators that are a function of two variables, with broadcasting. */
#include "ops/binary.h"

#include "ops/ops.h"
#include "shaders.h"

#include <math.h>
#include <string.h>

/* --- the functions ------------------------------------------------------------------------- */

gboolean
seg_binary_is_comparison (SegBinaryKind kind)
{
  return kind >= SEG_BINARY_EQUAL;
}

static double
python_mod (double x, double y)
{
  double r = fmod (x, y);
  return r * y < 0 ? r + y : r;
}

double
seg_binary_apply (SegBinaryKind kind, double x, double y)
{
  switch (kind) {
  case SEG_BINARY_ADD: return x + y;
  case SEG_BINARY_SUB: return x - y;
  case SEG_BINARY_MUL: return x * y;
  case SEG_BINARY_DIV: return x / y;
  case SEG_BINARY_POW: return pow (x, y);
  case SEG_BINARY_MIN: return y < x || isnan (y) ? y : x;
  case SEG_BINARY_MAX: return y > x || isnan (y) ? y : x;
  case SEG_BINARY_MOD: return python_mod (x, y);
  case SEG_BINARY_FMOD: return fmod (x, y);
  case SEG_BINARY_PRELU: return x < 0 ? x * y : x;
  case SEG_BINARY_EQUAL: return x == y;
  case SEG_BINARY_GREATER: return x > y;
  case SEG_BINARY_GREATER_EQUAL: return x >= y;
  case SEG_BINARY_LESS: return x < y;
  case SEG_BINARY_LESS_EQUAL: return x <= y;
  default: return x;
  }
}

static guint64
power_int (gint64 x, gint64 y)
{
  guint64 r = 1, base = x;
  if (y < 0)
    return x == 1 ? 1 : x == -1 ? (y % 2 == 0 ? 1 : -1) : 0;
  for (; y > 0; y >>= 1, base *= base)
    if (y & 1)
      r *= base;
  return r;
}

static gint64
divide (gint64 x, gint64 y, gboolean is_u64)
{
  if (y == 0)
    return 0;
  if (is_u64)
    return (guint64) x / (guint64) y;
  return y == -1 ? (gint64) (0 - (guint64) x) : x / y;
}

static gint64
modulo (SegBinaryKind kind, gint64 x, gint64 y, gboolean is_u64)
{
  gint64 r = y == 0 ? 0 : (gint64) ((guint64) x - (guint64) divide (x, y, is_u64) * y);
  gboolean differ = !is_u64 && r != 0 && (r < 0) != (y < 0);
  return kind == SEG_BINARY_MOD && differ ? r + y : r;
}

static gboolean
less (gint64 x, gint64 y, gboolean is_u64)
{
  return is_u64 ? (guint64) x < (guint64) y : x < y;
}

gint64
seg_binary_apply_int (SegBinaryKind kind, gint64 x, gint64 y, gboolean is_u64)
{
  guint64 a = x, b = y;
  switch (kind) {
  case SEG_BINARY_ADD: return a + b;
  case SEG_BINARY_SUB: return a - b;
  case SEG_BINARY_MUL: return a * b;
  case SEG_BINARY_DIV: return divide (x, y, is_u64);
  case SEG_BINARY_POW: return power_int (x, y);
  case SEG_BINARY_MIN: return less (y, x, is_u64) ? y : x;
  case SEG_BINARY_MAX: return less (x, y, is_u64) ? y : x;
  case SEG_BINARY_MOD:
  case SEG_BINARY_FMOD: return modulo (kind, x, y, is_u64);
  case SEG_BINARY_PRELU: return less (x, 0, is_u64) ? (gint64) (a * b) : x;
  case SEG_BINARY_AND: return a & b;
  case SEG_BINARY_OR: return a | b;
  case SEG_BINARY_XOR: return a ^ b;
  case SEG_BINARY_SHIFT_LEFT: return b < 64 ? a << b : 0;
  case SEG_BINARY_SHIFT_RIGHT: return b < 64 ? a >> b : 0;
  case SEG_BINARY_EQUAL: return x == y;
  case SEG_BINARY_GREATER: return less (y, x, is_u64);
  case SEG_BINARY_GREATER_EQUAL: return !less (x, y, is_u64);
  case SEG_BINARY_LESS: return less (x, y, is_u64);
  case SEG_BINARY_LESS_EQUAL: return !less (y, x, is_u64);
  }
  return x;
}

void
seg_binary_eval (
    SegBinaryKind kind, const SegTensor *x, const SegTensor *y, SegTensor *out)
{
  const SegDesc *descs[] = { &x->desc, &y->desc };
  gboolean ints =
      !seg_dtype_is_float (x->desc.dtype) && !seg_dtype_is_float (y->desc.dtype);
  gboolean is_u64 = x->desc.dtype == SEG_DTYPE_U64;
  gint64 n = seg_desc_n_elems (&out->desc);
  SegWalk w;
  seg_walk_init (&w, &out->desc, descs, 2);
  for (gint64 i = 0; i < n; i++, seg_walk_next (&w)) {
    if (ints)
      seg_tensor_set_int (out, i,
          seg_binary_apply_int (kind, seg_tensor_get_int (x, w.at[0]),
              seg_tensor_get_int (y, w.at[1]), is_u64));
    else
      seg_tensor_set_double (out, i,
          seg_binary_apply (kind, seg_tensor_get_double (x, w.at[0]),
              seg_tensor_get_double (y, w.at[1])));
  }
}

/* --- operators ----------------------------------------------------------------------------- */

typedef struct {
  SegBinaryKind kind;
} BinaryParams;

static gboolean
binary_parse (SegNode *node, GError **error)
{
  BinaryParams *params = node->params;
  params->kind = node->op->variant;
  return TRUE;
}

static gboolean
mod_parse (SegNode *node, GError **error)
{
  BinaryParams *params = node->params;
  params->kind =
      seg_node_attr_int (node, "fmod", 0) != 0 ? SEG_BINARY_FMOD : SEG_BINARY_MOD;
  return TRUE;
}

static gboolean
shift_parse (SegNode *node, GError **error)
{
  BinaryParams *params = node->params;
  const char *direction = seg_node_attr_string (node, "direction", "");
  params->kind =
      strcmp (direction, "LEFT") == 0 ? SEG_BINARY_SHIFT_LEFT : SEG_BINARY_SHIFT_RIGHT;
  if (strcmp (direction, "LEFT") == 0 || strcmp (direction, "RIGHT") == 0)
    return TRUE;
  g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL,
      "direction is 'LEFT' or 'RIGHT', not '%s'", direction);
  return FALSE;
}

static gboolean
is_logic (SegBinaryKind kind)
{
  return kind >= SEG_BINARY_AND && kind <= SEG_BINARY_XOR;
}

static gboolean
is_shift (SegBinaryKind kind)
{
  return kind == SEG_BINARY_SHIFT_LEFT || kind == SEG_BINARY_SHIFT_RIGHT;
}

static gboolean
takes_type (SegBinaryKind kind, SegDType dtype)
{
  if (is_logic (kind))
    return dtype == SEG_DTYPE_BOOL;
  if (is_shift (kind))
    return dtype == SEG_DTYPE_U8 || dtype == SEG_DTYPE_U16 || dtype == SEG_DTYPE_U32
           || dtype == SEG_DTYPE_U64;
  return dtype != SEG_DTYPE_BOOL || kind == SEG_BINARY_EQUAL;
}

static gboolean
binary_infer (SegNode *node, GError **error)
{
  const BinaryParams *params = node->params;
  const SegDesc *x = &seg_node_input (node, 0)->desc,
                *y = &seg_node_input (node, 1)->desc;
  SegDesc *out = &seg_node_output (node, 0)->desc;
  if (!takes_type (params->kind, x->dtype)
      || (x->dtype != y->dtype
          && (params->kind != SEG_BINARY_POW || y->dtype == SEG_DTYPE_BOOL))) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL, "is not defined for %s and %s",
        seg_dtype_name (x->dtype), seg_dtype_name (y->dtype));
    return FALSE;
  }
  if (!seg_broadcast (x, y, out, error))
    return FALSE;
  if (params->kind == SEG_BINARY_PRELU && !seg_desc_same_dims (x, out)) {
    g_autofree char *slope = seg_desc_to_string (y);
    g_set_error (
        error, SEG_ERROR, SEG_ERROR_MODEL, "slope %s does not fit the input", slope);
    return FALSE;
  }
  if (seg_binary_is_comparison (params->kind))
    out->dtype = SEG_DTYPE_BOOL;
  return TRUE;
}

static gboolean
binary_eval (const SegNode *node, SegTensor *const *in, SegTensor **out, GError **error)
{
  const BinaryParams *params = node->params;
  seg_binary_eval (params->kind, in[0], in[1], out[0]);
  return TRUE;
}

/* PRelu with one slope. */
static gboolean
prelu_as_act (const SegNode *node, SegAct *act)
{
  const SegValue *slope = seg_node_input (node, 1);
  if (slope->constant == NULL || seg_desc_n_elems (&slope->desc) != 1
      || !seg_dtype_is_float (slope->desc.dtype))
    return FALSE;
  *act = (SegAct){ SEG_ACT_LEAKY_RELU, seg_tensor_get_double (slope->constant, 0), 0 };
  return TRUE;
}

/* --- device -------------------------------------------------------------------------------- */

static gboolean
binary_on_device (const SegNode *node)
{
  const BinaryParams *params = node->params;
  gboolean x = seg_dtype_is_float (seg_node_input (node, 0)->desc.dtype);
  gboolean y = seg_dtype_is_float (seg_node_input (node, 1)->desc.dtype);
  if (!seg_node_device_types (node))
    return FALSE;
  if (params->kind == SEG_BINARY_POW)
    return x && (y || seg_node_input (node, 1)->constant != NULL);
  return TRUE;
}

static const SegShader *
shader_for (const SegBinaryStep *step)
{
  if (step->storage == SEG_STORAGE_F16)
    return &seg_shader_binary_f16;
  if (step->storage == SEG_STORAGE_F32)
    return &seg_shader_binary_f32;
  return step->in_storage == SEG_STORAGE_I32 ? &seg_shader_binary_i32
                                             : &seg_shader_compare_i32;
}

gboolean
seg_binary_emit (SegProgram *p, const SegNode *node, const SegBinaryStep *step,
    const SegOperand ins[2], const SegOperand *out, GError **error)
{
  SegDispatch d = { .shader = shader_for (step), .spec = { [3] = step->kind } };
  gboolean floats = step->storage != SEG_STORAGE_I32;
  d.spec[4] = seg_float_bits (step->scale);
  return seg_elementwise (
      p, node, &d, ins, 2, out, floats ? step->epilogue : SEG_EPILOGUE_NONE, error);
}

static gboolean
binary_emit (const SegNode *node, SegProgram *p, GError **error)
{
  const BinaryParams *params = node->params;
  const SegValue *x = seg_node_input (node, 0), *y = seg_node_input (node, 1);
  SegOperand out = seg_operand (p, seg_node_output (node, 0));
  SegOperand ins[] = { seg_operand (p, x),
    seg_dtype_is_float (x->desc.dtype) && !seg_dtype_is_float (y->desc.dtype)
        ? seg_operand_constant (p, y->constant)
        : seg_operand (p, y) };
  SegBinaryStep step = {
    .kind = params->kind,
    .scale = 1,
    .storage = seg_program_storage (p, seg_node_output (node, 0)),
    .in_storage = seg_program_storage (p, x),
    .epilogue = SEG_EPILOGUE_LAST,
  };
  return seg_binary_emit (p, node, &step, ins, &out, error);
}

/* Both have rows, or one has and the other is the same for all of them. */
guint
seg_binary_by_row (const SegNode *node)
{
  const SegValue *x = seg_node_input (node, 0), *y = seg_node_input (node, 1);
  if (x->size == SEG_SIZE_BOUNDED && y->size == SEG_SIZE_BOUNDED)
    return x->desc.rank == y->desc.rank && x->desc.dims[0] == y->desc.dims[0] ? 3 : 0;
  const SegValue *live = x->size == SEG_SIZE_FIXED ? y : x, *other = live == x ? y : x;
  if (other->size != SEG_SIZE_FIXED || other->desc.rank > live->desc.rank
      || (other->desc.rank == live->desc.rank && other->desc.dims[0] != 1))
    return 0;
  return live == x ? 1 : 2;
}

#define BINARY_COMMON(onnx, kind, parser)                                                \
  .name = onnx, .domain = "", .min_inputs = 2, .max_inputs = 2, .max_outputs = 1,        \
  .layout = SEG_OP_ANY, .storage = SEG_OP_RECOMPUTES,                                    \
  .flags = SEG_OP_EPILOGUE_ACT | SEG_OP_EPILOGUE_RESIDUAL, .variant = kind,              \
  .params_size = sizeof (BinaryParams), .parse = parser, .infer = binary_infer,          \
  .eval = binary_eval
#define BINARY_FULL(id, onnx, kind, parser, act)                                         \
  const SegOp seg_op_##id = { BINARY_COMMON (onnx, kind, parser),                        \
    .on_device = binary_on_device, .emit = binary_emit, .by_row = seg_binary_by_row,     \
    .as_act = act, .permute = seg_permute_elementwise };
#define BINARY(id, onnx, kind) BINARY_FULL (id, onnx, kind, binary_parse, NULL)

BINARY (add, "Add", SEG_BINARY_ADD)
BINARY (and, "And", SEG_BINARY_AND)
BINARY (div, "Div", SEG_BINARY_DIV)
BINARY (equal, "Equal", SEG_BINARY_EQUAL)
BINARY (greater, "Greater", SEG_BINARY_GREATER)
BINARY (greater_or_equal, "GreaterOrEqual", SEG_BINARY_GREATER_EQUAL)
BINARY (less, "Less", SEG_BINARY_LESS)
BINARY (less_or_equal, "LessOrEqual", SEG_BINARY_LESS_EQUAL)
BINARY_FULL (mod, "Mod", SEG_BINARY_MOD, mod_parse, NULL)
BINARY (mul, "Mul", SEG_BINARY_MUL)
BINARY (or, "Or", SEG_BINARY_OR)
BINARY (pow, "Pow", SEG_BINARY_POW)
BINARY_FULL (prelu, "PRelu", SEG_BINARY_PRELU, binary_parse, prelu_as_act)
BINARY (sub, "Sub", SEG_BINARY_SUB)
BINARY (xor, "Xor", SEG_BINARY_XOR)

/* Exists for unsigned integers alone, which a device does not store. */
const SegOp seg_op_bit_shift = { BINARY_COMMON (
    "BitShift", SEG_BINARY_SHIFT_LEFT, shift_parse) };
