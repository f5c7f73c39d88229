/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops/reduction.h"

#include "shaders.h"

#include <string.h>

#define MAX_PARTS 256

/* --- axes ---------------------------------------------------------------------------------- */

gsize
seg_reduce_count (const SegView *in, guint axes)
{
  gsize n = 1;
  for (guint i = 0; i < in->rank; i++)
    if (axes >> i & 1)
      n *= in->dims[i];
  return n;
}

/* The next axis outwards in memory after those of smaller stride. */
static int
widest_axis (const SegView *in, guint axes)
{
  int widest = -1;
  for (guint i = 0; i < in->rank; i++)
    if ((axes >> i & 1) && (widest < 0 || in->strides[i] > in->strides[widest]))
      widest = i;
  return widest;
}

gboolean
seg_reduce_loops (SegReduceLoops *loops, const SegView *in, guint axes)
{
  guint32 extent[SEG_MAX_RANK], stride[SEG_MAX_RANK];
  guint n = 0;
  for (int a; (a = widest_axis (in, axes)) >= 0; axes &= ~(1u << a)) {
    if (in->dims[a] == 1)
      continue;
    gboolean merge = n > 0 && stride[n - 1] == in->strides[a] * in->dims[a];
    extent[merge ? n - 1 : n] = (merge ? extent[n - 1] : 1) * in->dims[a];
    stride[merge ? n - 1 : n] = in->strides[a];
    n += !merge;
  }
  if (n > 3)
    return FALSE;
  for (guint i = 0; i < 3; i++) {
    gboolean used = i + n >= 3;
    loops->extent[i] = used ? extent[i + n - 3] : 1;
    loops->stride[i] = used ? stride[i + n - 3] : 0;
  }
  return TRUE;
}

SegView
seg_reduce_steps (const SegView *in, guint axes, const SegView *out)
{
  SegView steps = *out;
  gboolean kept = out->rank == in->rank;
  steps.offset = in->offset;
  for (guint i = 0, o = 0; i < in->rank; i++) {
    gboolean reduced = axes >> i & 1;
    if (!reduced || kept)
      steps.strides[o++] = reduced ? 0 : in->strides[i];
  }
  return steps;
}

SegOperand
seg_reduce_temp (SegProgram *p, const SegOperand *in, guint axes, SegStorage storage)
{
  SegView like = in->view;
  for (guint i = 0; i < like.rank; i++)
    if (axes >> i & 1)
      like.dims[i] = 1;
  return seg_operand_temp (p, &like, storage);
}

/* --- one dispatch -------------------------------------------------------------------------- */

/* The parts that the sources are cut into, along one of the loops. */
typedef struct {
  guint n;        /* parts */
  guint axis;     /* 0 or 2 */
  guint32 extent; /* of a part */
} Parts;

static void
fill_reduction (SegDispatch *d, const SegStrided *s, const SegReduceLoops *loops,
    const SegReduceStep *step, const Parts *parts, gsize n_results)
{
  seg_strided_fill (s, d);
  gboolean run = loops->stride[2] == 1;
  gboolean aligned = TRUE;
  guint32 *push = &d->push[10 + 7];
  for (guint i = 0; i < 3; i++) {
    push[i] = loops->extent[i];
    push[3 + i] = loops->stride[i];
    aligned &= loops->stride[i] % 4 == 0;
  }
  push[6] = parts->n > 1 && parts->axis == 0 ? parts->extent : 0;
  push[7] = parts->n > 1 && parts->axis == 2 ? parts->extent : 0;
  push[8] = seg_float_bits (step->scale);
  push[9] = seg_float_bits (step->epsilon);
  push[10] = n_results;
  d->n_push = 10 + 7 + 11;
  if (run || (d->spec[0] == SEG_STRIDED_VECTOR && !aligned))
    d->spec[0] = SEG_STRIDED_GATHER;
  d->spec[3] = step->pre;
  d->spec[4] = step->combine;
  d->spec[5] = step->post;
  d->spec[6] = run;
  d->n_spec = 7;
  d->groups[2] = parts->n;
}

static gboolean
dispatch_reduction (SegProgram *p, SegDispatch *d, const SegReduceStep *step,
    const SegReduceLoops *loops, const SegView *steps, const SegOperand *out,
    const Parts *parts, const SegOperand *centre, GError **error)
{
  SegStrided s;
  gsize n_results = 1;
  SegStorage storage = seg_program_ref_storage (p, out->ref);
  if (!seg_strided_plan (&s, &out->view, steps, 1, error))
    return FALSE;
  for (guint i = 0; i < out->view.rank; i++)
    n_results *= out->view.dims[i];
  fill_reduction (d, &s, loops, step, parts, n_results);
  d->shader = storage == SEG_STORAGE_I32   ? &seg_shader_reduction_i32
              : storage == SEG_STORAGE_F16 ? &seg_shader_reduction_f16
                                           : &seg_shader_reduction_f32;
  d->bindings[1] = (SegBinding){ out->ref, SEG_BIND_BUFFER_WRITE };
  if (storage != SEG_STORAGE_I32) {
    SegRef c = centre != NULL ? centre->ref : d->bindings[0].ref;
    d->bindings[2] = (SegBinding){ c, SEG_BIND_TEXEL };
  }
  d->n_bindings = storage == SEG_STORAGE_I32 ? 2 : 3;
  return seg_program_dispatch (p, d, error);
}

/* --- one or two dispatches ------------------------------------------------------------------ */

/* Enough invocations to fill the device, each with enough to do. */
static Parts
plan_parts (SegProgram *p, const SegReduceLoops *loops, const SegView *results)
{
  gboolean cpu = seg_program_device (p)->type == SEG_DEVICE_CPU;
  guint64 wanted = cpu ? 1024 : 32768, least = cpu ? 256 : 32;
  guint64 items = MAX (results->n_elems / 4, 1);
  guint64 work = (guint64) loops->extent[0] * loops->extent[1] * loops->extent[2];
  Parts parts = { 1, loops->extent[0] >= loops->extent[2] ? 0 : 2, 0 };
  guint32 extent = loops->extent[parts.axis];
  guint64 n = MIN (MIN (wanted / items, work / least), MIN (extent, MAX_PARTS));
  if (n < 2)
    return parts;
  parts.extent = (extent + n - 1) / n;
  if (parts.axis == 2)
    parts.extent = (parts.extent + 3) / 4 * 4;
  parts.n = (extent + parts.extent - 1) / parts.extent;
  return parts;
}

/* First each part into a temporary, then the parts together. */
static gboolean
reduce_in_parts (SegProgram *p, const SegReduceStep *step, const SegOperand *in,
    const SegReduceLoops *loops, const SegView *steps, const SegOperand *out,
    const Parts *parts, const SegOperand *centre, GError **error)
{
  SegView dense = seg_view_dense (&out->view);
  SegStorage storage = seg_program_ref_storage (p, out->ref);
  SegOperand temp = { .view = dense };
  temp.ref = seg_program_temp (p, (gsize) dense.n_elems * parts->n,
      storage == SEG_STORAGE_I32 ? storage : SEG_STORAGE_F32);
  SegReduceStep first = *step, second = *step;
  first.post = SEG_REDUCE_POST_NONE;
  second.pre = SEG_REDUCE_PRE_NONE;
  SegDispatch d1 = { .bindings = { { in->ref, SEG_BIND_TEXEL } } };
  SegDispatch d2 = { .bindings = { { temp.ref, SEG_BIND_TEXEL } } };
  SegReduceLoops over_parts = { { 1, 1, parts->n }, { 0, 0, dense.n_elems } };
  Parts whole = { 1, 2, 0 };
  return dispatch_reduction (p, &d1, &first, loops, steps, &temp, parts, centre, error)
         && dispatch_reduction (
             p, &d2, &second, &over_parts, &dense, out, &whole, centre, error);
}

gboolean
seg_reduce_emit (SegProgram *p, const SegReduceStep *step, const SegOperand *in,
    guint axes, const SegOperand *out, const SegOperand *centre, GError **error)
{
  SegReduceLoops loops;
  SegView steps = seg_reduce_steps (&in->view, axes, &out->view);
  if (!seg_reduce_loops (&loops, &in->view, axes)) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED,
        "reduces over more than 3 separate groups of axes");
    return FALSE;
  }
  SegView dense = seg_view_dense (&out->view);
  Parts parts = plan_parts (p, &loops, &dense);
  if (parts.n > 1)
    return reduce_in_parts (p, step, in, &loops, &steps, out, &parts, centre, error);
  SegDispatch d = { .bindings = { { in->ref, SEG_BIND_TEXEL } } };
  return dispatch_reduction (p, &d, step, &loops, &steps, out, &parts, centre, error);
}
