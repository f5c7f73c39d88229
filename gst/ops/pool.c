/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops/ops.h"
#include "ops/program.h"
#include "ops/window.h"
#include "shaders.h"

#include <math.h>

/* MaxPool, AveragePool and LpPool. */

enum { POOL_MAX, POOL_AVERAGE, POOL_LP };

typedef struct {
  SegWindow window;
  gboolean count_padding; /* AveragePool: count_include_pad */
  gboolean column_major;  /* MaxPool's indices: storage_order */
  gint64 p;               /* LpPool: the norm */
} PoolParams;

static gboolean
pool_parse (SegNode *node, GError **error)
{
  PoolParams *params = node->params;
  params->window.ceil_mode = seg_node_attr_int (node, "ceil_mode", 0) != 0;
  params->count_padding = seg_node_attr_int (node, "count_include_pad", 0) != 0;
  params->column_major = seg_node_attr_int (node, "storage_order", 0) != 0;
  params->p = seg_node_attr_int (node, "p", 2);
  if (params->p < 1 || params->p > 1024) {
    g_set_error (
        error, SEG_ERROR, SEG_ERROR_UNSUPPORTED, "p is %" G_GINT64_FORMAT, params->p);
    return FALSE;
  }
  return seg_window_parse (&params->window, node, error);
}

static gboolean
pool_infer (SegNode *node, GError **error)
{
  PoolParams *params = node->params;
  const SegDesc *x = &seg_node_input (node, 0)->desc;
  gboolean small_ints = node->op->variant == POOL_MAX
                        && (x->dtype == SEG_DTYPE_U8 || x->dtype == SEG_DTYPE_I8);
  if (!seg_dtype_is_float (x->dtype) && !small_ints) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED, "does not take %s",
        seg_dtype_name (x->dtype));
    return FALSE;
  }
  if (x->rank < 3 || x->rank > 2 + SEG_WINDOW_AXES) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED,
        "takes an input of rank 3 to 5, not %u", x->rank);
    return FALSE;
  }
  SegDesc y = *x;
  if (!seg_window_set_kernel (&params->window, x->rank - 2, NULL, error)
      || !seg_window_slide (&params->window, x->dims + 2, y.dims + 2, error))
    return FALSE;
  seg_node_output (node, 0)->desc = y;
  SegValue *indices = seg_node_output (node, 1);
  if (indices != NULL) {
    indices->desc = y;
    indices->desc.dtype = SEG_DTYPE_I64;
  }
  return TRUE;
}

/* What has been gathered of one window. */
typedef struct {
  double value;
  gint64 index; /* of the largest, within the image */
} Gathered;

static void
gather (Gathered *g, int variant, double v, gint64 index, double norm)
{
  switch (variant) {
  case POOL_MAX:
    if (g->index < 0 || v > g->value || isnan (v))
      *g = (Gathered){ v, index };
    break;
  case POOL_AVERAGE: g->value += v; break;
  case POOL_LP: g->value += pow (fabs (v), norm); break;
  }
}

/* Taps of the window at `at` along one axis that fall into the input and its padding (what
 * lies past the padding, by ceil_mode, never counts). */
static gint64
padded_taps (const SegWindowAxis *a, gint64 at)
{
  gint64 first = at * a->stride - a->pad, n = 0;
  for (gint64 k = 0; k < a->kernel; k++)
    n += first + k * a->dilation < a->in + a->pad_end;
  return n;
}

/* The number of element `index` of an input map, its last axis being the outermost. */
static gint64
by_column (const SegWindowAxis a[3], gint64 index)
{
  gint64 i0 = index / (a[1].in * a[2].in), i1 = index / a[2].in % a[1].in;
  return (index % a[2].in * a[1].in + i1) * a[0].in + i0;
}

static Gathered
pool_window (
    const SegNode *node, const double *x, const SegWindowAxis a[3], const gint64 at[3])
{
  const PoolParams *params = node->params;
  Gathered g = { node->op->variant == POOL_MAX ? -INFINITY : 0, -1 };
  gint64 n = 0;
  for (gint64 k0 = 0; k0 < a[0].kernel; k0++)
    for (gint64 k1 = 0; k1 < a[1].kernel; k1++)
      for (gint64 k2 = 0; k2 < a[2].kernel; k2++) {
        gint64 index = seg_window_tap (a, at, k0, k1, k2);
        if (index < 0)
          continue;
        gint64 named = params->column_major ? by_column (a, index) : index;
        gather (&g, node->op->variant, x[index], named, params->p);
        n++;
      }
  if (params->count_padding)
    n = padded_taps (&a[0], at[0]) * padded_taps (&a[1], at[1])
        * padded_taps (&a[2], at[2]);
  if (node->op->variant == POOL_AVERAGE)
    g.value = n > 0 ? g.value / n : 0;
  else if (node->op->variant == POOL_LP)
    g.value = pow (g.value, 1.0 / params->p);
  return g;
}

static gboolean
pool_eval (const SegNode *node, SegTensor *const *in, SegTensor **out, GError **error)
{
  const PoolParams *params = node->params;
  SegWindowAxis a[SEG_WINDOW_AXES];
  seg_window_axes (&params->window, &in[0]->desc, &out[0]->desc, a);
  g_autofree double *x = seg_window_doubles (in[0]);
  gint64 image = a[0].in * a[1].in * a[2].in, windows = a[0].out * a[1].out * a[2].out;
  gint64 images = in[0]->desc.dims[0] * in[0]->desc.dims[1];
  for (gint64 n = 0; n < images; n++) {
    for (gint64 i = 0; i < windows; i++) {
      gint64 at[SEG_WINDOW_AXES];
      seg_window_at (a, i, at);
      Gathered g = pool_window (node, x + n * image, a, at);
      seg_tensor_set_double (out[0], n * windows + i, g.value);
      if (node->op->max_outputs > 1 && out[1] != NULL)
        seg_tensor_set_int (out[1], n * windows + i, n * image + g.index);
    }
  }
  return TRUE;
}

static gboolean
pool_on_device (const SegNode *node)
{
  const PoolParams *params = node->params;
  return seg_node_device_types (node) && seg_window_fits_device (&params->window)
         && seg_node_output (node, 1) == NULL;
}

static const SegShader *
choose_shader (SegStorage storage, guint texels)
{
  if (storage == SEG_STORAGE_B8)
    return &seg_shader_pool_b8;
  if (storage == SEG_STORAGE_F16)
    return texels == 2 ? &seg_shader_pool_wide_f16 : &seg_shader_pool_f16;
  return texels == 2 ? &seg_shader_pool_wide_f32 : &seg_shader_pool_f32;
}

static gboolean
pool_emit (const SegNode *node, SegProgram *p, GError **error)
{
  const PoolParams *params = node->params;
  const SegValue *x = seg_node_input (node, 0), *y = seg_node_output (node, 0);
  SegWindowAxis a[SEG_WINDOW_AXES];
  seg_window_axes (&params->window, &x->desc, &y->desc, a);
  SegView in = seg_view (x), out = seg_view (y);
  SegStorage storage = seg_program_storage (p, x);
  guint texels = storage == SEG_STORAGE_B8 ? 1 : seg_program_store_texels (p, storage);
  guint32 channels = x->desc.dims[1], items4 = (channels + 7) / 8 * 2 / texels;
  guint64 items = (guint64) x->desc.dims[0] * a[1].out * a[2].out * items4;
  if (items > G_MAXINT32) {
    g_set_error_literal (
        error, SEG_ERROR, SEG_ERROR_MEMORY, "the feature map has too many pixels");
    return FALSE;
  }
  guint32 n = (items + 63) / 64, columns = MIN (n, 32768);
  SegDispatch d = {
    .shader = choose_shader (storage, texels),
    .spec = { node->op->variant, params->count_padding, params->p,
        x->desc.dtype == SEG_DTYPE_I8 ? 128 : 0 },
    .n_spec = 4,
    .bindings = { { seg_program_value (p, x), SEG_BIND_TEXEL },
        { seg_program_value (p, y), SEG_BIND_BUFFER_WRITE } },
    .n_bindings = 2,
    .push = { a[2].in, a[1].in, a[2].out, a[1].out, in.pitch / 4, in.offset / 4,
        out.pitch / 4, out.offset / 4, channels, items4, items, a[1].kernel, a[2].kernel,
        a[1].stride, a[2].stride, a[1].dilation, a[2].dilation, a[1].pad, a[2].pad,
        a[1].pad_end, a[2].pad_end },
    .n_push = 21,
    .groups = { columns, (n + columns - 1) / columns, 1 },
  };
  return seg_program_dispatch (p, &d, error);
}

static gboolean
pool_align (const SegNode *node, guint axis, SegAlign *align)
{
  const PoolParams *params = node->params;
  seg_window_align (&params->window, node, axis, align);
  return TRUE;
}

/* Zeros in front of a maximum are not padding, but those in front of an average can count. */
static gboolean
average_absorb_pads (SegNode *node, const gint64 *begin, const gint64 *end, guint n)
{
  PoolParams *params = node->params;
  for (guint i = 0; i < params->window.n && !params->count_padding; i++)
    if (params->window.pad_begin[i] != 0 || params->window.pad_end[i] != 0)
      return FALSE;
  if (!seg_window_add_pads (&params->window, begin, end, n))
    return FALSE;
  params->count_padding = TRUE;
  return TRUE;
}

#define POOL(ONNX, VARIANT, OUTPUTS, ABSORB)                                             \
  {                                                                                      \
    .name = ONNX, .domain = "", .min_inputs = 1, .max_inputs = 1,                        \
    .max_outputs = OUTPUTS, .layout = SEG_OP_CHANNELS_LAST,                              \
    .flags = (VARIANT) == POOL_MAX ? SEG_OP_BYTES : 0, .variant = VARIANT,               \
    .params_size = sizeof (PoolParams), .parse = pool_parse, .infer = pool_infer,        \
    .eval = pool_eval, .on_device = pool_on_device, .emit = pool_emit,                   \
    .align = pool_align, .absorb_pads = ABSORB,                                          \
  }

const SegOp seg_op_max_pool = POOL ("MaxPool", POOL_MAX, 2, NULL);
const SegOp seg_op_average_pool =
    POOL ("AveragePool", POOL_AVERAGE, 1, average_absorb_pads);
const SegOp seg_op_lp_pool = POOL ("LpPool", POOL_LP, 1, NULL);
