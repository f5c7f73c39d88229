/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GridSample of pictures: Jaderberg et al., "Spatial Transformer Networks", 2015; how detectors of
 * Detectron2 and mmdetection paste masks into the frame. */
#include "ops/epilogue.h"
#include "ops/ops.h"
#include "shaders.h"

#include <math.h>
#include <string.h>

/* The same numbers in shaders/grid_sample.comp. */
typedef enum { GRID_NEAREST, GRID_LINEAR, GRID_CUBIC } Mode;
typedef enum { PAD_ZEROS, PAD_BORDER, PAD_REFLECTION } Padding;

#define CUBIC_A (-0.75)
#define FAR     1e6 /* farther outside, or NaN, counts as this */

typedef struct {
  Mode mode;
  Padding padding;
  gboolean align_corners;
} Params;

/* The place of an attribute among the names, or -1. */
static int
choice (const SegNode *node, const char *attribute, const char *fallback,
    const char *const *names, guint n)
{
  const char *value = seg_node_attr_string (node, attribute, fallback);
  for (guint i = 0; i < n; i++)
    if (strcmp (value, names[i]) == 0)
      return i;
  return -1;
}

static gboolean
grid_sample_parse (SegNode *node, GError **error)
{
  /* as opset 16 calls the modes, then as opset 20 does */
  static const char *const modes[] = { "nearest", "bilinear", "bicubic", "nearest",
    "linear", "cubic" };
  static const char *const paddings[] = { "zeros", "border", "reflection" };
  Params *p = node->params;
  int mode = choice (node, "mode", "bilinear", modes, G_N_ELEMENTS (modes));
  int padding = choice (node, "padding_mode", "zeros", paddings, G_N_ELEMENTS (paddings));
  if (mode < 0 || padding < 0) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED,
        "mode '%s' with padding_mode '%s' is not supported",
        seg_node_attr_string (node, "mode", "bilinear"),
        seg_node_attr_string (node, "padding_mode", "zeros"));
    return FALSE;
  }
  *p = (Params){ (Mode) (mode % 3), (Padding) padding,
    seg_node_attr_int (node, "align_corners", 0) != 0 };
  return TRUE;
}

static gboolean
grid_sample_infer (SegNode *node, GError **error)
{
  const SegDesc *in = &seg_node_input (node, 0)->desc;
  const SegDesc *grid = &seg_node_input (node, 1)->desc;
  if (in->rank != 4 || grid->rank != 4 || grid->dims[3] != 2
      || grid->dims[0] != in->dims[0] || !seg_dtype_is_float (in->dtype)
      || !seg_dtype_is_float (grid->dtype)) {
    g_autofree char *a = seg_desc_to_string (in), *b = seg_desc_to_string (grid);
    g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED,
        "%s and %s are not pictures [n,c,h,w] and places in them [n,y,x,2]", a, b);
    return FALSE;
  }
  if (in->dims[2] == 0 || in->dims[3] == 0) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL, "takes samples of an empty picture");
    return FALSE;
  }
  seg_node_output (node, 0)->desc = (SegDesc){ in->dtype, 4,
    { in->dims[0], in->dims[1], grid->dims[1], grid->dims[2] } };
  return TRUE;
}

/* --- on the host --- */

/* One axis of a picture. */
typedef struct {
  gint64 extent;
  double first, last; /* its ends: the outermost pixels' middles, or edges */
} Axis;

static Axis
make_axis (const Params *p, gint64 extent)
{
  double edge = p->align_corners ? 0 : 0.5;
  return (Axis){ extent, -edge, (double) extent - 1 + edge };
}

static double
reflect (const Axis *a, double x)
{
  double range = a->last - a->first;
  if (!(range > 0))
    return a->first;
  double away = x < a->first ? a->first - x : x > a->last ? x - a->last : -1;
  if (away < 0)
    return x;
  double turns = floor (away / range), rest = away - turns * range;
  gboolean from_first = (x < a->first) == (fmod (turns, 2) == 0);
  return from_first ? a->first + rest : a->last - rest;
}

/* Where a grid coordinate is, in pixels. */
static double
locate (const Params *p, const Axis *a, double place)
{
  double x = p->align_corners ? (place + 1) / 2 * ((double) a->extent - 1)
                              : ((place + 1) * (double) a->extent - 1) / 2;
  x = x > -FAR ? fmin (x, FAR) : -FAR;
  if (p->mode == GRID_NEAREST)
    x = rint (x);
  if (p->padding == PAD_BORDER && (x < a->first || x > a->last))
    x = CLAMP (x, 0, (double) a->extent - 1);
  return p->padding == PAD_REFLECTION ? reflect (a, x) : x;
}

/* The pixel that stands for pixel i of an axis, or -1 for a zero. */
static gint64
pixel_of (const Params *p, const Axis *a, gint64 i)
{
  if (i >= 0 && i < a->extent)
    return i;
  if (p->padding == PAD_ZEROS)
    return -1;
  if (p->padding == PAD_REFLECTION)
    i = (gint64) reflect (a, (double) i);
  return CLAMP (i, 0, a->extent - 1);
}

/* The taps of an axis: pixels (-1: a zero) and weights. */
typedef struct {
  guint n;
  gint64 pixel[4];
  double weight[4];
} Taps;

static double
cubic_weight (double distance)
{
  double d = fabs (distance);
  if (d <= 1)
    return ((CUBIC_A + 2) * d - (CUBIC_A + 3)) * d * d + 1;
  return ((CUBIC_A * d - 5 * CUBIC_A) * d + 8 * CUBIC_A) * d - 4 * CUBIC_A;
}

static Taps
make_taps (const Params *p, const Axis *a, double x)
{
  Taps t = { .n = p->mode == GRID_NEAREST ? 1 : p->mode == GRID_LINEAR ? 2 : 4 };
  gint64 base = p->mode == GRID_NEAREST ? (gint64) x : (gint64) floor (x);
  double part = x - floor (x);
  for (guint k = 0; k < t.n; k++) {
    gint64 offset = p->mode == GRID_CUBIC ? (gint64) k - 1 : k;
    t.pixel[k] = pixel_of (p, a, base + offset);
    t.weight[k] = p->mode == GRID_CUBIC    ? cubic_weight (part - (double) offset)
                  : p->mode == GRID_LINEAR ? (k == 0 ? 1 - part : part)
                                           : 1;
  }
  return t;
}

static double
take_sample (const SegTensor *in, gsize plane, const Taps *y, const Taps *x)
{
  gint64 width = in->desc.dims[3];
  double sum = 0;
  for (guint j = 0; j < y->n; j++)
    for (guint i = 0; i < x->n; i++)
      if (y->pixel[j] >= 0 && x->pixel[i] >= 0)
        sum += y->weight[j] * x->weight[i]
               * seg_tensor_get_double (in, plane + y->pixel[j] * width + x->pixel[i]);
  return sum;
}

static gboolean
grid_sample_eval (
    const SegNode *node, SegTensor *const *in, SegTensor **out, GError **error)
{
  const Params *p = node->params;
  const gint64 *d = in[0]->desc.dims;
  gsize places = out[0]->desc.dims[2] * out[0]->desc.dims[3];
  Axis rows = make_axis (p, d[2]), columns = make_axis (p, d[3]);
  for (gsize i = 0; i < d[0] * places; i++) {
    Taps x = make_taps (
        p, &columns, locate (p, &columns, seg_tensor_get_double (in[1], 2 * i)));
    Taps y =
        make_taps (p, &rows, locate (p, &rows, seg_tensor_get_double (in[1], 2 * i + 1)));
    gsize picture = i / places * d[1];
    for (gint64 c = 0; c < d[1]; c++)
      seg_tensor_set_double (out[0], (picture + c) * places + i % places,
          take_sample (in[0], (picture + c) * d[2] * d[3], &y, &x));
  }
  return TRUE;
}

/* --- on the device --- */

static guint
grid_sample_by_row (const SegNode *node)
{
  return seg_node_input (node, 0)->size == SEG_SIZE_BOUNDED
                 && seg_node_input (node, 1)->size == SEG_SIZE_BOUNDED
             ? 3
             : 0;
}

static gboolean
grid_sample_emit (const SegNode *node, SegProgram *p, GError **error)
{
  const Params *params = node->params;
  const SegValue *x = seg_node_input (node, 0), *grid = seg_node_input (node, 1);
  const SegValue *y = seg_node_output (node, 0);
  SegView in = seg_view (x), at = seg_view (grid), out = seg_view (y);
  const gint64 *d = y->desc.dims;
  Axis rows = make_axis (params, x->desc.dims[2]),
       columns = make_axis (params, x->desc.dims[3]);
  guint32 c4 = (d[1] + 7) / 8 * 2;
  guint64 items = (guint64) d[0] * d[2] * d[3] * c4;
  if (items > G_MAXINT32) {
    g_set_error_literal (
        error, SEG_ERROR, SEG_ERROR_MEMORY, "there are too many samples");
    return FALSE;
  }
  guint32 n = (items + 63) / 64, width = MIN (n, 32768);
  gboolean half = seg_program_storage (p, y) == SEG_STORAGE_F16;
  SegDispatch dispatch = {
    .shader = half ? &seg_shader_grid_sample_f16 : &seg_shader_grid_sample_f32,
    .spec = { params->mode, params->padding, params->align_corners },
    .n_spec = 3,
    .bindings = { { seg_program_value (p, x), SEG_BIND_TEXEL },
        { seg_program_value (p, grid), SEG_BIND_TEXEL },
        { seg_program_value (p, y), SEG_BIND_BUFFER_WRITE } },
    .n_bindings = 3,
    .push = { columns.extent, rows.extent, d[3], d[2], in.pitch / 4, in.offset / 4,
        out.pitch / 4, out.offset / 4, d[1], c4, items, at.offset, at.strides[0],
        at.strides[1], at.strides[2], at.strides[3], seg_float_bits (columns.first),
        seg_float_bits (columns.last), seg_float_bits (rows.first),
        seg_float_bits (rows.last) },
    .n_push = 20,
    .groups = { width, (n + width - 1) / width, 1 },
  };
  return seg_program_dispatch (p, &dispatch, error);
}

const SegOp seg_op_grid_sample = {
  .name = "GridSample",
  .domain = "",
  .min_inputs = 2,
  .max_inputs = 2,
  .max_outputs = 1,
  .layout = SEG_OP_CHANNELS_LAST,
  .decides = 2,
  .params_size = sizeof (Params),
  .parse = grid_sample_parse,
  .infer = grid_sample_infer,
  .eval = grid_sample_eval,
  .emit = grid_sample_emit,
  .by_row = grid_sample_by_row,
};
