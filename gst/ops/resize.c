/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Resize and Upsample: every mode is a list of taps per axis. Nearest takes elements by bits;
 * the others are weighted sums. */
#include "ops/resize.h"

#include "ops/ops.h"
#include "ops/strided.h"
#include "ops/take.h"
#include "shaders.h"

#include <math.h>
#include <string.h>

#define MAX_DEVICE_AXES 2 /* that resize.comp sums over */

typedef struct {
  guint rank;
  SegTaps axes[SEG_MAX_RANK];
} AllTaps;

static void
all_taps_clear (AllTaps *all)
{
  for (guint i = 0; i < all->rank; i++)
    seg_taps_clear (&all->axes[i]);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (AllTaps, all_taps_clear)

static void
make_taps (const SegNode *node, AllTaps *all)
{
  const SegResizeParams *params = node->params;
  all->rank = seg_node_output (node, 0)->desc.rank;
  for (guint i = 0; i < all->rank; i++) {
    SegResizeKind kind = params->kind;
    /* Before opset 11 growing takes the element before, shrinking the one after. */
    if (params->early && params->axes[i].scale < 1)
      kind.nearest = SEG_RESIZE_CEIL;
    seg_taps_make (&all->axes[i], &kind, &params->axes[i]);
  }
}

/* Nearest as lists of source coordinates; where an axis stays as it is there is none. */
static void
make_take (const AllTaps *all, const SegDesc *out, SegTake *take)
{
  for (guint i = 0; i < all->rank; i++) {
    const SegTaps *t = &all->axes[i];
    if (t->identity)
      continue;
    take->from[i] = g_new (gint32, out->dims[i] + 1);
    for (gint64 k = 0; k < out->dims[i]; k++)
      take->from[i][k] = t->outside[k] ? -1 : t->index[k];
  }
}

/* --- on the host --- */

static gboolean
eval_nearest (const SegNode *node, const AllTaps *all, const SegTensor *in,
    SegTensor *out, GError **error)
{
  const SegResizeParams *params = node->params;
  SegDesc scalar = { .dtype = out->desc.dtype };
  g_autoptr (SegTensor) fill = seg_tensor_new (&scalar, error);
  g_auto (SegTake) take = { 0 };
  if (fill == NULL)
    return FALSE;
  seg_tensor_set_double (fill, 0, params->extrapolation);
  make_take (all, &out->desc, &take);
  seg_take_eval (&take, in, seg_tensor_data (fill), out);
  return TRUE;
}

/* Resizes one axis of `from`, whose dims it changes to the output's extent. NULL: no memory. */
static double *
resize_axis (const double *from, SegDesc *dims, guint axis, gint64 extent,
    const SegTaps *t, double extrapolation)
{
  gint64 outer = 1, inner = 1, old = dims->dims[axis];
  for (guint i = 0; i < dims->rank; i++) {
    if (i < axis)
      outer *= dims->dims[i];
    else if (i > axis)
      inner *= dims->dims[i];
  }
  double *to = g_try_new (double, outer *extent *inner + 1);
  for (gint64 o = 0; to != NULL && o < outer; o++)
    for (gint64 x = 0; x < extent; x++)
      for (gint64 i = 0; i < inner; i++) {
        double sum = 0;
        for (guint k = 0; k < t->n; k++)
          sum += t->weight[x * t->n + k]
                 * from[(o * old + t->index[x * t->n + k]) * inner + i];
        to[(o * extent + x) * inner + i] = t->outside[x] ? extrapolation : sum;
      }
  dims->dims[axis] = extent;
  return to;
}

static gboolean
eval_sum (const SegNode *node, const AllTaps *all, const SegTensor *in, SegTensor *out,
    GError **error)
{
  const SegResizeParams *params = node->params;
  SegDesc dims = in->desc;
  gint64 n = seg_desc_n_elems (&dims);
  double *data = g_try_new (double, n + 1);
  for (gint64 i = 0; data != NULL && i < n; i++)
    data[i] = seg_tensor_get_double (in, i);
  for (guint axis = all->rank; data != NULL && axis-- > 0;) {
    if (all->axes[axis].identity)
      continue;
    double *next = resize_axis (
        data, &dims, axis, out->desc.dims[axis], &all->axes[axis], params->extrapolation);
    g_free (data);
    data = next;
  }
  if (data == NULL) {
    g_set_error (
        error, SEG_ERROR, SEG_ERROR_MEMORY, "not enough memory to resize on the host");
    return FALSE;
  }
  for (gint64 i = 0; i < seg_desc_n_elems (&out->desc); i++)
    seg_tensor_set_double (out, i, data[i]);
  g_free (data);
  return TRUE;
}

static gboolean
resize_eval (const SegNode *node, SegTensor *const *in, SegTensor **out, GError **error)
{
  const SegResizeParams *params = node->params;
  g_auto (AllTaps) all = { 0 };
  make_taps (node, &all);
  if (params->kind.mode == SEG_RESIZE_NEAREST)
    return eval_nearest (node, &all, in[0], out[0], error);
  return eval_sum (node, &all, in[0], out[0], error);
}

/* --- on the device --- */

static gboolean
resize_on_device (const SegNode *node)
{
  const SegResizeParams *params = node->params;
  const SegValue *in = seg_node_input (node, 0);
  if (!seg_node_device_types (node))
    return FALSE;
  if (params->kind.mode == SEG_RESIZE_NEAREST)
    return TRUE;
  g_auto (AllTaps) all = { 0 };
  guint n = 0;
  make_taps (node, &all);
  for (guint i = 0; i < all.rank; i++)
    n += !all.axes[i].identity;
  return n <= MAX_DEVICE_AXES && seg_dtype_is_float (in->desc.dtype);
}

/* An axis as resize.comp reads it: per output element, pairs of taps as four words: two offsets
 * in the source's memory, two weights by bits. A negative offset: extrapolation. */
static SegRef
upload_taps (SegProgram *p, const SegTaps *t, guint32 extent, guint32 stride)
{
  guint pairs = (t->n + 1) / 2;
  gint32 *words = g_new0 (gint32, 4 * pairs * extent + 4);
  for (guint x = 0; x < extent; x++)
    for (guint k = 0; k < 2 * pairs; k++) {
      gint32 *pair = &words[4 * (x * pairs + k / 2)];
      guint at = x * t->n + MIN (k, t->n - 1);
      float weight = k < t->n ? (float) t->weight[at] : 0;
      pair[k % 2] = t->outside[x] ? -1 : t->index[at] * (gint32) stride;
      memcpy (&pair[2 + k % 2], &weight, sizeof weight);
    }
  SegRef ref = seg_program_ints (p, words, 4 * pairs * extent);
  g_free (words);
  return ref;
}

/* The resized axes, in the order of their numbers. */
typedef struct {
  guint n;
  guint axis[MAX_DEVICE_AXES];
  int place[MAX_DEVICE_AXES]; /* among the plan's loops, or -1: only one turn */
} Resized;

static gboolean
plan (const AllTaps *all, const SegView *src, const SegView *dst, Resized *r,
    SegStrided *s, GError **error)
{
  SegView ins[2] = { *dst, *dst };
  gboolean texels = TRUE;
  ins[0].offset = src->offset;
  ins[1].offset = 0;
  for (guint i = 0; i < dst->rank; i++) {
    gboolean resized = !all->axes[i].identity;
    if (resized)
      r->axis[r->n++] = i;
    ins[0].strides[i] = resized ? 0 : src->strides[i];
    ins[1].strides[i] = resized ? r->n : 0; /* keeps the plan from merging it */
    texels &= !resized || src->strides[i] % 4 == 0;
  }
  if (!seg_strided_plan (s, dst, ins, 2, error))
    return FALSE;
  texels &= s->modes[0] == SEG_STRIDED_VECTOR && s->modes[1] == SEG_STRIDED_SPLAT;
  s->modes[0] = texels ? SEG_STRIDED_VECTOR : SEG_STRIDED_GATHER;
  s->modes[1] = SEG_STRIDED_SPLAT;
  for (guint k = 0; k < MAX_DEVICE_AXES; k++) {
    r->place[k] = -1;
    for (int i = 0; k < r->n && i < SEG_STRIDED_AXES; i++)
      if (s->push[10 + 7 + 1 + i] == k + 1)
        r->place[k] = i;
  }
  return TRUE;
}

static gboolean
emit_sum (const SegNode *node, const AllTaps *all, SegProgram *program, GError **error)
{
  const SegResizeParams *params = node->params;
  const SegValue *src = seg_node_input (node, 0), *dst = seg_node_output (node, 0);
  SegView from = seg_view (src), to = seg_view (dst);
  Resized r = { 0 };
  SegStrided s;
  if (!plan (all, &from, &to, &r, &s, error))
    return FALSE;
  gboolean half = seg_program_storage (program, dst) == SEG_STORAGE_F16;
  float extrapolation = (float) params->extrapolation;
  SegDispatch d = {
    .shader = half ? &seg_shader_resize_f16 : &seg_shader_resize_f32,
    .n_spec = 9,
    .bindings = { [0] = { seg_program_value (program, src), SEG_BIND_TEXEL },
        [3] = { seg_program_value (program, dst), SEG_BIND_BUFFER_WRITE } },
    .n_bindings = 4,
  };
  for (guint k = 0; k < MAX_DEVICE_AXES; k++) {
    gint32 none[4] = { 0 };
    const SegTaps *t = k < r.n ? &all->axes[r.axis[k]] : NULL;
    d.bindings[1 + k].kind = SEG_BIND_TEXEL;
    d.bindings[1 + k].ref =
        t != NULL ? upload_taps (program, t, to.dims[r.axis[k]], from.strides[r.axis[k]])
                  : seg_program_ints (program, none, 4);
    d.spec[3 + k] = (guint32) r.place[k];
    d.spec[5 + k] = t != NULL ? (t->n + 1) / 2 : 0;
    d.spec[8] |= t != NULL && t->any_outside;
  }
  memcpy (&d.spec[7], &extrapolation, sizeof extrapolation);
  seg_strided_fill (&s, &d);
  return seg_program_dispatch (program, &d, error);
}

/* What most networks ask for. */
static gboolean
emit_linear (const SegNode *node, const AllTaps *all, SegProgram *p, GError **error)
{
  SegView from = seg_view (seg_node_input (node, 0));
  SegView to = seg_view (seg_node_output (node, 0));
  SegRef y = upload_taps (p, &all->axes[2], to.dims[2], from.strides[2] / 4);
  SegRef x = upload_taps (p, &all->axes[3], to.dims[3], from.pitch / 4);
  return seg_resize_linear_emit (node, &from, &to, all->axes, y, x, p, error);
}

static gboolean
resize_emit (const SegNode *node, SegProgram *program, GError **error)
{
  const SegResizeParams *params = node->params;
  const SegValue *src = seg_node_input (node, 0), *dst = seg_node_output (node, 0);
  g_auto (AllTaps) all = { 0 };
  make_taps (node, &all);
  if (params->kind.mode != SEG_RESIZE_NEAREST) {
    SegView from = seg_view (src), to = seg_view (dst);
    return seg_resize_linear_takes (&from, &to, all.axes)
               ? emit_linear (node, &all, program, error)
               : emit_sum (node, &all, program, error);
  }
  g_auto (SegTake) take = { 0 };
  make_take (&all, &dst->desc, &take);
  return seg_take_emit (&take, program, src, dst, params->extrapolation, error);
}

/* Extents that are a multiple of each other but for a remainder mean that multiple. Where the ends
 * are aligned, positions are so on average. */
static void
whole_ratio (gint64 small, gint64 large, gint64 *few, gint64 *many)
{
  gint64 k = (large + small / 2) / small;
  gboolean whole = ABS (large - k * small) < k;
  *few = whole ? 1 : small;
  *many = whole ? k : large;
}

static gboolean
resize_align (const SegNode *node, guint axis, SegAlign *a)
{
  const SegResizeParams *params = node->params;
  const SegResizeAxis *r = &params->axes[axis];
  if (params->kind.coords == SEG_RESIZE_TF_CROP_AND_RESIZE || r->in < 1 || r->out < 1
      || (r->in == 1 && r->out != 1))
    return FALSE;
  if (r->out >= r->in)
    whole_ratio (r->in, r->out, &a->num, &a->den);
  else
    whole_ratio (r->out, r->in, &a->den, &a->num);
  double step = (double) a->num / (double) a->den;
  gboolean corner = params->kind.coords == SEG_RESIZE_ASYMMETRIC
                    && params->kind.mode != SEG_RESIZE_NEAREST;
  a->shift = corner ? 0.0 : 0.5 * step - 0.5;
  a->padded =
      r->in != r->out && (params->kind.mode != SEG_RESIZE_NEAREST || r->out % r->in != 0);
  return TRUE;
}

/* How much each element of the input counts along an axis is the same for all, but for rounding. */
static gboolean
counts_evenly (const SegTaps *t, gint64 in, gint64 out)
{
  g_autofree double *sums = g_new0 (double, in + 1);
  gboolean even = TRUE;
  for (gint64 i = 0; i < out * t->n; i++)
    sums[t->index[i]] += t->weight[i];
  for (gint64 i = 0; even && i < in; i++)
    even = fabs (sums[i] * (double) in - (double) out) < 1e-6 * (double) out;
  return even;
}

static gboolean
adds_up (const SegTaps *t, gint64 out)
{
  for (gint64 i = 0; i < out; i++) {
    double sum = 0;
    for (guint k = 0; k < t->n; k++)
      sum += t->weight[i * t->n + k];
    if (fabs (sum - 1) > 1e-6)
      return FALSE;
  }
  return !t->any_outside;
}

static SegMeans
resize_means (const SegNode *node)
{
  const SegResizeParams *params = node->params;
  g_auto (AllTaps) all = { 0 };
  make_taps (node, &all);
  gboolean evenly = TRUE;
  for (guint i = 0; i < all.rank; i++) {
    const SegTaps *t = &all.axes[i];
    if (i < 2 ? !t->identity : !adds_up (t, params->axes[i].out))
      return SEG_MEANS_NOT;
    evenly = evenly && counts_evenly (t, params->axes[i].in, params->axes[i].out);
  }
  if (all.rank < 3)
    return SEG_MEANS_NOT;
  return evenly ? SEG_MEANS_EVENLY : SEG_MEANS_SOME;
}

#define RESIZE(NAME, VARIANT, MAX_INPUTS)                                                \
  {                                                                                      \
    .name = NAME, .domain = "", .min_inputs = 1, .max_inputs = MAX_INPUTS,               \
    .max_outputs = 1, .layout = SEG_OP_ANY, .decides = SEG_OP_ALL_BUT_FIRST,             \
    .variant = VARIANT, .params_size = sizeof (SegResizeParams),                         \
    .parse = seg_resize_parse, .infer = seg_resize_infer, .eval = resize_eval,           \
    .on_device = resize_on_device, .emit = resize_emit, .align = resize_align,           \
    .means = resize_means                                                                \
  }

const SegOp seg_op_resize = RESIZE ("Resize", SEG_RESIZE, 4);
const SegOp seg_op_upsample = RESIZE ("Upsample", SEG_UPSAMPLE, 2);
