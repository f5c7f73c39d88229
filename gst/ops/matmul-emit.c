/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops/conv-choose.h"
#include "ops/epilogue.h"
#include "ops/matmul.h"
#include "shaders.h"

#include <math.h>

static guint64
n_batches (const SegMatMul *m)
{
  guint64 n = 1;
  for (guint i = 0; i < SEG_MATMUL_BATCHES; i++)
    n *= m->batch[i];
  return n;
}

static guint32
residual_offset (const SegNode *node)
{
  const SegValue *residual = seg_epilogue_residual (node);
  return residual != NULL ? seg_view (residual).offset : 0;
}

/* --- weights known at load: a 1x1 convolution whose pixels are A's rows -------------------- */

/* A's rows, over all batches, follow one another. */
static gboolean
is_one_matrix (const SegMatMul *m)
{
  guint32 step = m->a.row * m->rows;
  for (guint i = SEG_MATMUL_BATCHES; i-- > 0;) {
    if (m->batch[i] != 1 && (m->a.batch[i] != step || m->b.batch[i] != 0))
      return FALSE;
    step *= m->batch[i];
  }
  return TRUE;
}

static gboolean
is_pointwise (const SegMatMul *m, const SegDeviceInfo *device)
{
  gboolean bias = m->c.value == NULL || (m->c.value->constant != NULL && m->c.row == 0);
  return m->b.value->constant != NULL && bias && m->a.column == 1 && m->depth % 4 == 0
         && m->columns % 4 == 0 && m->a.offset % 4 == 0 && m->a.row % 4 == 0
         && is_one_matrix (m) && seg_dense_takes (m->depth, m->columns, 1, device);
}

/* Element of a constant by the strides of its view: constants are ROWS here. */
static float
constant_at (const SegMatrix *x, guint32 row, guint32 column)
{
  gsize at = (gsize) row * x->row + (gsize) column * x->column;
  return seg_tensor_get_double (x->value->constant, at);
}

static gboolean
emit_pointwise (const SegMatMul *m, SegProgram *p, GError **error)
{
  guint32 padded = (m->columns + SEG_BIAS_ALIGN - 1) / SEG_BIAS_ALIGN * SEG_BIAS_ALIGN;
  g_autofree float *filter = g_new (float, (gsize) m->columns * m->depth);
  g_autofree float *bias = g_new0 (float, padded);
  for (guint32 n = 0; n < m->columns; n++) {
    for (guint32 k = 0; k < m->depth; k++)
      filter[(gsize) n * m->depth + k] = m->alpha * constant_at (&m->b, k, n);
    if (m->c.value != NULL)
      bias[n] = m->beta * constant_at (&m->c, 0, n);
  }
  gint64 rows = n_batches (m) * m->rows;
  SegDenseConv c = {
    .node = m->node,
    .source = seg_program_value (p, m->a.value),
    .dest = seg_program_value (p, seg_node_output (m->node, 0)),
    .storage = seg_program_precision (p),
    .in_pitch4 = m->a.row / 4,
    .in_offset4 = m->a.offset / 4,
    .out_pitch4 = m->columns / 4,
    .out_offset4 = seg_view (seg_node_output (m->node, 0)).offset / 4,
    .res_pitch4 = m->columns / 4,
    .res_offset4 = residual_offset (m->node) / 4,
    .batch = 1,
    .in_c = m->depth,
    .out_c = m->columns,
    .groups = 1,
    .out_c4 = m->columns / 4,
    .y = { .in = 1, .out = 1, .kernel = 1, .stride = 1, .dilation = 1 },
    .x = { .in = rows, .out = rows, .kernel = 1, .stride = 1, .dilation = 1 },
    .out_image = rows,
    .out_row = rows,
    .out_col = 1,
    .live = seg_program_live (p, seg_node_output (m->node, 0), rows),
    .filter = filter,
    .bias = seg_program_floats (p, bias, padded, SEG_STORAGE_F32),
  };
  return seg_dense_emit (&c, p, error);
}

/* --- anything ------------------------------------------------------------------------------ */

static gboolean
whole_texels (const SegMatrix *x)
{
  gboolean whole = x->column == 1 && x->row % 4 == 0 && x->offset % 4 == 0;
  for (guint i = 0; i < SEG_MATMUL_BATCHES; i++)
    whole = whole && x->batch[i] % 4 == 0;
  return whole;
}

/* With `lanes` whole subgroups have the same rows; a GPU's caches do as well. */
static const SegShader *
choose_shader (const SegMatMul *m, gboolean tiled, guint texels, SegProgram *p)
{
  static const SegShader *const shaders[2][2] = {
    { &seg_shader_matmul_f32, &seg_shader_matmul_f16 },
    { &seg_shader_matmul_lanes_f32, &seg_shader_matmul_lanes_f16 },
  };
  const SegDeviceInfo *device = seg_program_device (p);
  guint size = device->subgroup_size;
  gboolean lanes = tiled && device->type == SEG_DEVICE_CPU && device->subgroup_shuffle
                   && size >= 8 && 64 % size == 0 && m->rows >= 8
                   && m->columns / (4 * texels) % size == 0;
  return shaders[lanes][seg_program_precision (p) == SEG_STORAGE_F16];
}

/* Items of tiles of rows are counted in rows: a tile's columns are its times. */
static SegLive
live_items (const SegMatMul *m, gboolean tiled, guint rows, guint texels, SegProgram *p)
{
  const SegValue *out = seg_node_output (m->node, 0);
  if (!tiled)
    return seg_live_times (
        seg_program_live (p, out, n_batches (m) * m->rows * m->columns), 1, 256);
  SegLive live = { .items = 0 };
  if (n_batches (m) == 1)
    live = seg_live_times (seg_program_live (p, out, m->rows), 1, rows);
  live.times = (m->columns / (4 * texels) + 63) / 64;
  return live;
}

static gboolean
emit_general (const SegMatMul *m, SegProgram *p, GError **error)
{
  gboolean vector = m->columns % 4 == 0 && m->depth % 4 == 0 && whole_texels (&m->a)
                    && whole_texels (&m->b);
  guint64 batches = n_batches (m);
  guint rows = m->rows >= 8 ? 8 : 4, texels = m->columns % 8 == 0 ? 2 : 1;
  guint64 items =
      vector ? batches * ((m->rows + rows - 1) / rows) * (m->columns / (4 * texels))
             : batches * m->rows * m->columns;
  if (items > G_MAXINT32) {
    g_set_error_literal (error, SEG_ERROR, SEG_ERROR_MEMORY, "the product is too large");
    return FALSE;
  }
  guint32 n = (items + (vector ? 63 : 255)) / (vector ? 64 : 256),
          columns = MIN (n, 32768);
  SegRef a = seg_program_value (p, m->a.value);
  const SegMatrix *c = &m->c;
  SegDispatch d = {
    .shader = choose_shader (m, vector, texels, p),
    .spec = { vector, c->value != NULL, rows, texels },
    .bindings = { { a, SEG_BIND_TEXEL },
        { seg_program_value (p, m->b.value), SEG_BIND_TEXEL },
        { c->value != NULL ? seg_program_value (p, c->value) : a, SEG_BIND_TEXEL },
        { seg_program_value (p, seg_node_output (m->node, 0)), SEG_BIND_BUFFER_WRITE } },
    .n_bindings = 4,
    .push = { m->rows, m->columns, m->depth, items, m->batch[0], m->batch[1], m->batch[2],
        m->batch[3], m->a.offset, m->a.batch[0], m->a.batch[1], m->a.batch[2],
        m->a.batch[3], m->a.row, m->a.column, m->b.offset, m->b.batch[0], m->b.batch[1],
        m->b.batch[2], m->b.batch[3], m->b.row, m->b.column, c->offset, c->row, c->column,
        seg_view (seg_node_output (m->node, 0)).offset / 4, residual_offset (m->node) / 4,
        seg_float_bits (m->alpha), seg_float_bits (m->beta) },
    .n_push = 29,
    .groups = { columns, (n + columns - 1) / columns, 1 },
    .live = live_items (m, vector, rows, texels, p),
  };
  seg_epilogue_add (&d, m->node, p, a);
  return seg_program_dispatch (p, &d, error);
}

gboolean
seg_matmul_emit (const SegMatMul *m, SegProgram *p, GError **error)
{
  if (is_pointwise (m, seg_program_device (p)))
    return emit_pointwise (m, p, error);
  return emit_general (m, p, error);
}

void
seg_matmul_host (SegHostMatrix a, SegHostMatrix b, double *out, gint64 rows,
    gint64 columns, gint64 depth)
{
  for (gint64 i = 0; i < rows; i++) {
    for (gint64 j = 0; j < columns; j++) {
      double sum = 0;
      for (gint64 k = 0; k < depth; k++)
        sum += a.data[i * a.row + k * a.column] * b.data[k * b.row + j * b.column];
      out[i * columns + j] += sum;
    }
  }
}
