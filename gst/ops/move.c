/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops/move.h"

#include "ops/planes.h"
#include "shaders.h"

#include <string.h>

SegMove
seg_move_whole (const SegDesc *loop)
{
  SegMove m = { 0 };
  for (guint i = 0; i < loop->rank; i++)
    seg_move_axis (&m, loop->dims[i], i, 1, i, 1);
  return m;
}

void
seg_move_axis (SegMove *m, gint64 extent, guint in_axis, gint64 in_step, guint out_axis,
    gint64 out_step)
{
  g_return_if_fail (m->n < SEG_MOVE_AXES);
  m->axes[m->n++] = (SegMoveAxis){ extent, in_axis, out_axis, in_step, out_step };
}

/* --- on the host --- */

typedef struct {
  gint64 extent, in, out; /* steps in bytes */
} Loop;

static void
row_strides (const SegDesc *desc, gint64 strides[SEG_MAX_RANK])
{
  gint64 stride = 1;
  for (guint i = desc->rank; i-- > 0;) {
    strides[i] = stride;
    stride *= desc->dims[i];
  }
}

/* One inside those that there are; where it goes on as the one around it does, both are one. */
static void
add_loop (Loop *loops, guint *n, const Loop *loop)
{
  Loop *around = *n > 0 ? &loops[*n - 1] : NULL;
  if (loop->extent == 1)
    return;
  if (around != NULL && around->in == loop->extent * loop->in
      && around->out == loop->extent * loop->out)
    *around = (Loop){ around->extent * loop->extent, loop->in, loop->out };
  else
    loops[(*n)++] = *loop;
}

/* Where size is known to the compiler, without a call for each element. */
static inline void
copy_each (const Loop *loop, const guint8 *in, guint8 *out, gsize size)
{
  for (gint64 i = 0; i < loop->extent; i++)
    memcpy (out + i * loop->out, in + i * loop->in, size);
}

static void
run_innermost (const Loop *loop, const guint8 *in, guint8 *out, gsize size)
{
  if (loop->in == (gint64) size && loop->out == (gint64) size)
    memcpy (out, in, size * loop->extent);
  else if (size == 4)
    copy_each (loop, in, out, 4);
  else if (size == 8)
    copy_each (loop, in, out, 8);
  else
    copy_each (loop, in, out, size);
}

static void
run_loops (const Loop *loop, guint n, const guint8 *in, guint8 *out, gsize size)
{
  if (n == 0) {
    memcpy (out, in, size);
  } else if (n == 1) {
    run_innermost (loop, in, out, size);
  } else {
    for (gint64 i = 0; i < loop->extent; i++)
      run_loops (loop + 1, n - 1, in + i * loop->in, out + i * loop->out, size);
  }
}

void
seg_move_eval (const SegMove *m, const SegTensor *in, SegTensor *out)
{
  gint64 in_strides[SEG_MAX_RANK], out_strides[SEG_MAX_RANK];
  row_strides (&in->desc, in_strides);
  row_strides (&out->desc, out_strides);
  gint64 size = seg_dtype_bytes (out->desc.dtype);
  const guint8 *from = seg_tensor_data (in);
  guint8 *to = out->data;
  for (guint i = 0; i < in->desc.rank; i++)
    from += m->in_start[i] * in_strides[i] * size;
  for (guint i = 0; i < out->desc.rank; i++)
    to += m->out_start[i] * out_strides[i] * size;

  Loop loops[SEG_MOVE_AXES];
  guint n = 0;
  for (guint i = 0; i < m->n; i++) {
    const SegMoveAxis *a = &m->axes[i];
    const Loop loop = { a->extent,
      a->in_step == 0 ? 0 : a->in_step * in_strides[a->in_axis] * size,
      a->out_step == 0 ? 0 : a->out_step * out_strides[a->out_axis] * size };
    if (a->extent == 0)
      return;
    add_loop (loops, &n, &loop);
  }
  run_loops (loops, n, from, to, size);
}

/* --- on the device --- */

static guint
count_loops (const SegMove *m)
{
  guint n = 0;
  for (guint i = 0; i < m->n; i++)
    n += m->axes[i].extent != 1;
  return n;
}

gboolean
seg_move_fits (const SegMove *m)
{
  return count_loops (m) <= SEG_STRIDED_AXES;
}

/* The loops as views of the source and of the destination, in the order of the destination's
 * memory; loops of one turn are left out. */
static void
make_views (
    const SegMove *m, const SegView *src, const SegView *dst, SegView *in, SegView *out)
{
  *in = (SegView){ .offset = src->offset };
  *out = (SegView){ .offset = dst->offset };
  for (guint i = 0; i < src->rank; i++)
    in->offset += (guint32) m->in_start[i] * src->strides[i];
  for (guint i = 0; i < dst->rank; i++)
    out->offset += (guint32) m->out_start[i] * dst->strides[i];
  for (guint i = 0; i < m->n; i++) {
    const SegMoveAxis *a = &m->axes[i];
    if (a->extent == 1)
      continue;
    guint32 out_step = (guint32) a->out_step * dst->strides[a->out_axis];
    guint at = out->rank;
    for (; at > 0 && out->strides[at - 1] < out_step; at--) {
      in->strides[at] = in->strides[at - 1];
      out->strides[at] = out->strides[at - 1];
      out->dims[at] = out->dims[at - 1];
    }
    in->strides[at] =
        a->in_step == 0 ? 0 : (guint32) a->in_step * src->strides[a->in_axis];
    out->strides[at] = out_step;
    out->dims[at] = (guint32) a->extent;
    out->rank++;
  }
  in->rank = out->rank;
}

/* The loops write all elements of dst's memory from the first on, `unit` at a time. */
static gboolean
is_dense (const SegView *out, guint n_axes, guint32 unit, const SegView *dst)
{
  guint32 stride = unit;
  for (guint i = n_axes; i-- > 0;) {
    if (out->strides[i] != stride)
      return FALSE;
    stride *= out->dims[i];
  }
  return out->offset == dst->offset && (stride + 3) / 4 * 4 == dst->n_elems;
}

/* A loop over the whole of a padded dst: `out` and `in` get the channels as their axis 1,
 * which is where the plan expects them. */
static gboolean
as_padded (const SegView *dst, SegView *in, SegView *out)
{
  guint c = out->rank;
  guint32 n_channels = dst->pitch != 0 ? dst->dims[1] : 0;
  if (n_channels == 0 || out->rank + 2 > SEG_MAX_RANK)
    return FALSE;
  SegView o = { .offset = out->offset, .pitch = dst->pitch, .dims = { 1, 1 } };
  SegView v = { .offset = in->offset };
  guint32 channel_step = 0;
  if (n_channels > 1) {
    if (c == 0 || out->strides[c - 1] != 1 || out->dims[c - 1] != n_channels)
      return FALSE;
    channel_step = in->strides[--c];
  }
  guint32 n_pixels = 1;
  for (guint i = 0; i < dst->rank; i++)
    n_pixels *= i == 1 ? 1 : dst->dims[i];
  SegView dense = { .offset = dst->offset, .n_elems = n_pixels * dst->pitch };
  if (!is_dense (out, c, dst->pitch, &dense))
    return FALSE;
  o.dims[1] = n_channels;
  v.strides[1] = channel_step;
  o.rank = v.rank = c + 2;
  for (guint i = 0; i < c; i++) {
    o.dims[i + 2] = out->dims[i];
    v.strides[i + 2] = in->strides[i];
  }
  *in = v;
  *out = o;
  return TRUE;
}

static const SegShader *const part_shaders[] = {
  [SEG_STORAGE_F32] = &seg_shader_move_b32,
  [SEG_STORAGE_F16] = &seg_shader_move_b16,
  [SEG_STORAGE_I32] = &seg_shader_move_b32,
  [SEG_STORAGE_B8] = &seg_shader_move_b8,
};
static const SegShader *const whole_shaders[] = {
  [SEG_STORAGE_F32] = &seg_shader_copy_b32,
  [SEG_STORAGE_F16] = &seg_shader_copy_b16,
  [SEG_STORAGE_I32] = &seg_shader_copy_b32,
  [SEG_STORAGE_B8] = &seg_shader_copy_b8,
};

/* Some of dst's elements: the shader takes their places from a second operand. */
static gboolean
emit_part (SegProgram *p, SegRef src, const SegView *in, SegRef dst, const SegView *out,
    SegStorage storage, GError **error)
{
  SegStrided s;
  SegView views[2] = { *in, *out };
  SegView loop = { .rank = out->rank };
  memcpy (loop.dims, out->dims, sizeof loop.dims);
  if (!seg_strided_plan (&s, &loop, views, 2, error))
    return FALSE;
  /* A group of four that is not full must not touch what comes behind it. */
  if (s.modes[1] == SEG_STRIDED_VECTOR && s.push[5] % 4 != 0)
    s.modes[1] = SEG_STRIDED_GATHER;
  SegDispatch d = {
    .shader = part_shaders[storage],
    .bindings = { { src, SEG_BIND_BITS }, { dst, SEG_BIND_BUFFER_READ_WRITE } },
    .n_bindings = 2,
  };
  seg_strided_fill (&s, &d);
  return seg_program_dispatch (p, &d, error);
}

/* Of 32 bits and a known size. */
static gboolean
as_planes (const SegStrided *s, const SegProgram *p, const SegValue *dst, SegDispatch *d)
{
  guint texels = seg_program_store_texels (p, SEG_STORAGE_F32);
  SegPlanes planes;
  if (d->shader != &seg_shader_copy_b32 || dst->size != SEG_SIZE_FIXED
      || !seg_planes_plan (&planes, s, texels))
    return FALSE;
  d->shader = texels == 2 ? &seg_shader_planes_wide_b32 : &seg_shader_planes_b32;
  d->n_push = G_N_ELEMENTS (planes.push);
  memcpy (d->push, planes.push, sizeof planes.push);
  memcpy (d->groups, planes.groups, sizeof planes.groups);
  return TRUE;
}

static gboolean
emit_whole (SegProgram *p, SegRef src, const SegView *in, const SegValue *dst,
    const SegView *out, GError **error)
{
  SegStorage storage = seg_program_storage (p, dst);
  SegStrided s;
  if (!seg_strided_plan (&s, out, in, 1, error))
    return FALSE;
  SegDispatch d = {
    .shader = whole_shaders[storage],
    .bindings = { { src, SEG_BIND_BITS },
        { seg_program_value (p, dst), SEG_BIND_BUFFER_WRITE } },
    .n_bindings = 2,
  };
  if (!as_planes (&s, p, dst, &d)) {
    seg_strided_fill (&s, &d);
    seg_strided_live (&s, p, dst, &d);
  }
  return seg_program_dispatch (p, &d, error);
}

static SegRef
zeros_of (SegProgram *p, SegStorage storage)
{
  static const gint32 ints[4];
  static const float floats[4];
  switch (storage) {
  case SEG_STORAGE_I32: return seg_program_ints (p, ints, 4);
  case SEG_STORAGE_B8: return seg_program_bytes (p, (const guint8 *) ints, 4);
  default: return seg_program_floats (p, floats, 4, storage);
  }
}

gboolean
seg_move_clear_padding (SegProgram *p, const SegValue *dst, GError **error)
{
  SegView to = seg_view (dst);
  guint32 pad = to.pitch != 0 ? -to.dims[1] % SEG_CHANNEL_ALIGN : 0;
  if (pad == 0)
    return TRUE;
  SegView in = { .rank = to.rank },
          out = { .rank = to.rank, .offset = to.offset + to.dims[1] };
  for (guint i = 0, at = 0; i < to.rank; i++) {
    guint axis = i == 1 ? to.rank - 1 : at++;
    out.dims[axis] = i == 1 ? pad : to.dims[i];
    out.strides[axis] = to.strides[i];
  }
  SegStorage storage = seg_program_storage (p, dst);
  return emit_part (
      p, zeros_of (p, storage), &in, seg_program_value (p, dst), &out, storage, error);
}

static gboolean
is_all_of (const SegMove *m, const SegValue *dst)
{
  gint64 n = 1;
  for (guint i = 0; i < m->n; i++)
    n *= m->axes[i].extent;
  return n == seg_desc_n_elems (&dst->desc);
}

gboolean
seg_move_emit (const SegMove *m, SegProgram *p, const SegValue *src, const SegValue *dst,
    GError **error)
{
  SegView from = seg_view (src), to = seg_view (dst), in, out;
  if (!seg_move_fits (m)) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED,
        "needs %u nested loops; a device kernel has %d", count_loops (m),
        SEG_STRIDED_AXES);
    return FALSE;
  }
  make_views (m, &from, &to, &in, &out);
  SegRef a = seg_program_value (p, src), b = seg_program_value (p, dst);
  SegStorage storage = seg_program_storage (p, dst);
  gboolean padding = to.pitch != 0 && to.dims[1] % SEG_CHANNEL_ALIGN != 0;
  if ((to.offset == 0 && !padding && is_dense (&out, out.rank, 1, &to))
      || as_padded (&to, &in, &out))
    return emit_whole (p, a, &in, dst, &out, error);
  if (is_all_of (m, dst) && !seg_move_clear_padding (p, dst, error))
    return FALSE;
  return emit_part (p, a, &in, b, &out, storage, error);
}
