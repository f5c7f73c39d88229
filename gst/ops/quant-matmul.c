/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* QLinearMatMul and MatMulInteger: shapes as MatMul's. */
#include "ops/conv-int.h"
#include "ops/matmul.h"
#include "ops/ops.h"
#include "shaders.h"

/* Which input is what; G_MAXUINT: there is none. */
typedef struct {
  guint a, a_scale, a_zero, b, b_scale, b_zero, y_scale, y_zero;
} Inputs;

static const Inputs qlinear_inputs = { 0, 1, 2, 3, 4, 5, 6, 7 };
static const Inputs integer_inputs = { 0, G_MAXUINT, 2, 1, G_MAXUINT, 3, G_MAXUINT,
  G_MAXUINT };

enum { QLINEAR, INTEGER };

static const Inputs *
inputs_of (const SegNode *node)
{
  return node->op->variant == QLINEAR ? &qlinear_inputs : &integer_inputs;
}

/* --- shapes -------------------------------------------------------------------------------- */

static gboolean
quant_matmul_infer (SegNode *node, GError **error)
{
  const Inputs *in = inputs_of (node);
  const SegDesc *a = &seg_node_input (node, in->a)->desc;
  const SegDesc *b = &seg_node_input (node, in->b)->desc;
  const SegValue *y_zero = seg_node_input (node, in->y_zero);
  SegDesc *y = &seg_node_output (node, 0)->desc;
  SegMatMulSizes s;
  if (!seg_matmul_sizes (a, b, &s, error))
    return FALSE;
  *y = seg_matmul_shape (a, b, &s);
  y->dtype = in->y_scale == G_MAXUINT ? SEG_DTYPE_I32
             : y_zero != NULL         ? y_zero->desc.dtype
                                      : a->dtype;
  if (!seg_quant_is_byte (a->dtype) || !seg_quant_is_byte (b->dtype)
      || (in->y_scale != G_MAXUINT && !seg_quant_is_byte (y->dtype))) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL,
        "takes and makes uint8 and int8, not %s, %s and %s", seg_dtype_name (a->dtype),
        seg_dtype_name (b->dtype), seg_dtype_name (y->dtype));
    return FALSE;
  }
  guint column = b->rank > 1 ? b->rank - 1 : G_MAXUINT;
  return seg_quant_check (node, in->a_scale, in->a_zero, a->dtype, a, G_MAXUINT, error)
         && seg_quant_check (node, in->b_scale, in->b_zero, b->dtype, b, column, error)
         && seg_quant_check (
             node, in->y_scale, in->y_zero, y->dtype, y, G_MAXUINT, error);
}

/* --- on the host --------------------------------------------------------------------------- */

static const SegTensor *
tensor_at (SegTensor *const *in, const SegNode *node, guint i)
{
  return i < node->inputs->len ? in[i] : NULL;
}

static gboolean
quant_matmul_eval (
    const SegNode *node, SegTensor *const *in, SegTensor **out, GError **error)
{
  const Inputs *i_of = inputs_of (node);
  const SegTensor *ta = in[i_of->a], *tb = in[i_of->b];
  SegMatMulSizes s;
  if (!seg_matmul_sizes (&ta->desc, &tb->desc, &s, error))
    return FALSE;
  guint column_axis = tb->desc.rank > 1 ? tb->desc.rank - 1 : tb->desc.rank;
  g_autofree gint16 *a = seg_quant_centred (ta, tensor_at (in, node, i_of->a_zero), 0);
  g_autofree gint16 *b =
      seg_quant_centred (tb, tensor_at (in, node, i_of->b_zero), column_axis);
  g_autofree float *scale = seg_quant_multipliers (tensor_at (in, node, i_of->a_scale),
      tensor_at (in, node, i_of->b_scale), tensor_at (in, node, i_of->y_scale),
      s.columns);
  gint64 zero = seg_quant_zero (tensor_at (in, node, i_of->y_zero), 0);
  gint64 elems = s.rows * s.columns, batches = seg_desc_n_elems (&s.batch);
  for (gint64 n = 0; n < batches; n++) {
    const gint16 *am = a + seg_matmul_matrix_at (&ta->desc, &s.batch, n);
    const gint16 *bm = b + seg_matmul_matrix_at (&tb->desc, &s.batch, n);
    for (gint64 i = 0; i < elems; i++) {
      gint64 row = i / s.columns, column = i % s.columns, sum = 0;
      for (gint64 k = 0; k < s.depth; k++)
        sum += am[row * s.depth + k] * bm[k * s.columns + column];
      gint64 y = scale != NULL ? seg_quantise (
                     (float) (gint32) sum * scale[column], zero, out[0]->desc.dtype)
                               : (gint32) sum;
      seg_tensor_set_int (out[0], n * elems + i, y);
    }
  }
  return TRUE;
}

/* --- on the device ------------------------------------------------------------------------- */

static gboolean
quant_matmul_on_device (const SegNode *node)
{
  const Inputs *in = inputs_of (node);
  const guint known[] = { in->a_scale, in->b_scale, in->y_scale, in->y_zero };
  for (guint i = 0; i < G_N_ELEMENTS (known); i++) {
    const SegValue *v = seg_node_input (node, known[i]);
    if (v != NULL && v->constant == NULL)
      return FALSE;
  }
  return seg_node_device_types (node)
         && seg_node_output (node, 0)->desc.rank <= SEG_MATMUL_BATCHES + 2;
}

static const SegTensor *
constant_at (const SegNode *node, guint i)
{
  const SegValue *v = seg_node_input (node, i);
  return v != NULL ? v->constant : NULL;
}

/* B is known at load, and A's rows and the result's are whole texels: a 1x1 convolution. */
static gboolean
is_pointwise (const SegNode *node, const SegMatMul *m)
{
  const SegValue *b_zero = seg_node_input (node, inputs_of (node)->b_zero);
  return m->a.value->constant == NULL && m->b.value->constant != NULL
         && m->b.value->desc.rank == 2 && (b_zero == NULL || b_zero->constant != NULL)
         && m->depth % 4 == 0 && m->columns % 4 == 0;
}

/* The columns of B as filters, less their zero points. */
static gint16 *
filters (const SegNode *node, const SegMatMul *m)
{
  g_autofree gint16 *b = seg_quant_centred (
      m->b.value->constant, constant_at (node, inputs_of (node)->b_zero), 1);
  gint16 *out = g_new (gint16, (gsize) m->columns * m->depth);
  for (guint32 n = 0; n < m->columns; n++)
    for (guint32 k = 0; k < m->depth; k++)
      out[(gsize) n * m->depth + k] = b[(gsize) k * m->columns + n];
  return out;
}

static gboolean
emit_pointwise (const SegNode *node, const SegMatMul *m, const float *scale,
    const guint32 output[3], SegProgram *p, GError **error)
{
  const SegValue *y = seg_node_output (node, 0);
  g_autofree gint16 *filter = filters (node, m);
  gint64 rows = seg_desc_n_elems (&y->desc) / m->columns;
  SegIntConv c = {
    .source = seg_program_value (p, m->a.value),
    .dest = seg_program_value (p, y),
    .zero = seg_quant_zero_ref (p, seg_node_input (node, inputs_of (node)->a_zero)),
    .dtype = m->a.value->desc.dtype,
    .in_pitch4 = m->depth / 4,
    .in_offset4 = m->a.offset / 4,
    .out_pitch4 = m->columns / 4,
    .out_offset4 = seg_view (y).offset / 4,
    .batch = 1,
    .in_c = m->depth,
    .out_c = m->columns,
    .groups = 1,
    .out_c4 = m->columns / 4,
    .y = { .in = 1, .out = 1, .kernel = 1, .stride = 1, .dilation = 1 },
    .x = { .in = rows, .out = rows, .kernel = 1, .stride = 1, .dilation = 1 },
    .filter = filter,
    .scale = scale,
    .output = { output[0], output[1], output[2] },
  };
  return seg_int_conv_emit (&c, p, error);
}

static gboolean
emit_general (const SegNode *node, const SegMatMul *m, const float *scale,
    const guint32 output[3], SegProgram *p, GError **error)
{
  const Inputs *in = inputs_of (node);
  const SegValue *y = seg_node_output (node, 0),
                 *b_zero = seg_node_input (node, in->b_zero);
  static const float one = 1;
  gint64 items = seg_desc_n_elems (&y->desc);
  guint32 n = (items + 255) / 256, columns = MIN (n, 32768);
  guint32 signs = seg_quant_sign (m->a.value->desc.dtype)
                  | seg_quant_sign (m->b.value->desc.dtype) << 8;
  guint32 b_zero_step = b_zero != NULL && seg_desc_n_elems (&b_zero->desc) > 1;
  if (items > G_MAXINT32) {
    g_set_error_literal (error, SEG_ERROR, SEG_ERROR_MEMORY, "the product is too large");
    return FALSE;
  }
  SegRef scales = seg_program_floats (
      p, scale != NULL ? scale : &one, scale != NULL ? m->columns : 1, SEG_STORAGE_F32);
  const SegMatrix *a = &m->a, *b = &m->b;
  SegDispatch d = {
    .shader = scale != NULL ? &seg_shader_matmul_int_b8 : &seg_shader_matmul_int_i32,
    .bindings = { { seg_program_value (p, a->value), SEG_BIND_TEXEL },
        { seg_program_value (p, b->value), SEG_BIND_TEXEL },
        { seg_quant_zero_ref (p, seg_node_input (node, in->a_zero)), SEG_BIND_TEXEL },
        { seg_quant_zero_ref (p, b_zero), SEG_BIND_TEXEL }, { scales, SEG_BIND_TEXEL },
        { seg_program_value (p, y), SEG_BIND_BUFFER_WRITE } },
    .n_bindings = 6,
    .push = { m->rows, m->columns, m->depth, items, m->batch[0], m->batch[1], m->batch[2],
        m->batch[3], a->offset, a->batch[0], a->batch[1], a->batch[2], a->batch[3],
        a->row, a->column, b->offset, b->batch[0], b->batch[1], b->batch[2], b->batch[3],
        b->row, b->column, seg_view (y).offset / 4, output[0], output[1], output[2],
        signs, b_zero_step },
    .n_push = 28,
    .groups = { columns, (n + columns - 1) / columns, 1 },
  };
  return seg_program_dispatch (p, &d, error);
}

static gboolean
quant_matmul_emit (const SegNode *node, SegProgram *p, GError **error)
{
  const Inputs *in = inputs_of (node);
  SegMatMul m;
  if (!seg_matmul_plan (
          &m, node, seg_node_input (node, in->a), seg_node_input (node, in->b), error))
    return FALSE;
  g_autofree float *scale = seg_quant_multipliers (constant_at (node, in->a_scale),
      constant_at (node, in->b_scale), constant_at (node, in->y_scale), m.columns);
  guint32 output[3] = { 0 };
  if (scale != NULL)
    seg_quant_output (output, seg_node_output (node, 0)->desc.dtype,
        seg_quant_zero (constant_at (node, in->y_zero), 0));
  if (is_pointwise (node, &m))
    return emit_pointwise (node, &m, scale, output, p, error);
  return emit_general (node, &m, scale, output, p, error);
}

#define QUANT_MATMUL(NAME, VARIANT, LEAST, MOST)                                         \
  {                                                                                      \
    .name = NAME, .domain = "", .min_inputs = LEAST, .max_inputs = MOST,                 \
    .max_outputs = 1, .layout = SEG_OP_ROWS, .flags = SEG_OP_BYTES | SEG_OP_HEAVY,       \
    .variant = VARIANT, .infer = quant_matmul_infer, .eval = quant_matmul_eval,          \
    .on_device = quant_matmul_on_device, .emit = quant_matmul_emit                       \
  }

const SegOp seg_op_qlinear_matmul = QUANT_MATMUL ("QLinearMatMul", QLINEAR, 8, 8);
const SegOp seg_op_matmul_integer = QUANT_MATMUL ("MatMulInteger", INTEGER, 2, 4);
