/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/session-priv.h"

#include "ops/planes.h"
#include "shaders.h"

#include <string.h>

/* In the upload and download buffers a value is row-major, fp32 or int32. */
static SegView
host_view (const SegValue *v)
{
  SegView view = seg_view (v);
  guint32 step = 1;
  view.offset = view.pitch = 0;
  for (guint i = view.rank; i-- > 0;) {
    view.strides[i] = step;
    step *= view.dims[i];
  }
  return view;
}

gsize
seg_session_host_bytes (const SegValue *v)
{
  return (seg_desc_n_elems (&v->desc) + 3) / 4 * 16;
}

static SegStorage
host_storage (const SegSession *s, const SegValue *v)
{
  SegStorage storage = seg_program_storage (s->program, v);
  return storage == SEG_STORAGE_F32 || storage == SEG_STORAGE_F16 ? SEG_STORAGE_F32
                                                                  : SEG_STORAGE_I32;
}

/* Bytes and the integers that they become on the host move by bits: what is above the lowest
 * byte is cut off on the way up, and taken from the type on the way down. */
static const SegShader *
copy_shader (SegStorage from, SegStorage to)
{
  if (from == SEG_STORAGE_B8)
    return &seg_shader_copy_b32;
  switch (to) {
  case SEG_STORAGE_I32: return &seg_shader_copy_i32;
  case SEG_STORAGE_F16: return &seg_shader_copy_f16;
  case SEG_STORAGE_B8: return &seg_shader_copy_b8;
  default: return &seg_shader_copy_f32;
  }
}

static gboolean
record_copy (SegCmd *cmd, const SegBufferView *from, const SegView *from_view,
    const SegBufferView *to, const SegView *to_view, const SegShader *shader,
    guint texels, const char *label, GError **error)
{
  SegStrided plan;
  if (!seg_strided_plan (&plan, to_view, from_view, 1, error))
    return FALSE;
  SegBufferView views[2] = { *from, *to };
  SegVkDispatch d = {
    .shader = shader,
    .spec = plan.modes,
    .n_spec = SEG_STRIDED_OPERANDS,
    .views = views,
    .n_views = 2,
    .push = plan.push,
    .n_push = plan.n_push,
    .groups = { plan.groups[0], plan.groups[1], plan.groups[2] },
    .label = label,
  };
  SegPlanes planes;
  if (shader == &seg_shader_copy_f32 && seg_planes_plan (&planes, &plan, texels)) {
    d.shader = texels == 2 ? &seg_shader_planes_wide_f32 : &seg_shader_planes_f32;
    d.n_spec = 0;
    d.push = planes.push;
    d.n_push = G_N_ELEMENTS (planes.push);
    memcpy (d.groups, planes.groups, sizeof d.groups);
  }
  return seg_cmd_dispatch (cmd, &d, error);
}

gboolean
seg_session_record_upload (SegSession *s, SegCmd *cmd, const SegValue *v, GError **error)
{
  SegStorage storage = seg_program_storage (s->program, v);
  SegViewKind kind = storage == SEG_STORAGE_B8    ? SEG_VIEW_TEXEL_U32X4
                     : storage == SEG_STORAGE_I32 ? SEG_VIEW_TEXEL_I32X4
                                                  : SEG_VIEW_TEXEL_F32X4;
  SegBufferView from = { s->upload, s->places[v->id].upload_offset,
    seg_view_room (s->vk, kind, seg_session_host_bytes (v)), kind };
  SegBufferView to =
      seg_session_view (s, (SegRef){ SEG_REF_VALUE, v->id }, SEG_BIND_BUFFER_WRITE);
  SegView from_view = host_view (v), to_view = seg_view (v);
  return record_copy (cmd, &from, &from_view, &to, &to_view,
      copy_shader (host_storage (s, v), storage),
      seg_program_store_texels (s->program, SEG_STORAGE_F32), "upload", error);
}

gboolean
seg_session_record_download (
    SegSession *s, SegCmd *cmd, const SegValue *v, GError **error)
{
  SegBufferView from =
      seg_session_view (s, (SegRef){ SEG_REF_VALUE, v->id }, SEG_BIND_TEXEL);
  SegBufferView to = { s->download, s->places[v->id].download_offset,
    seg_view_room (s->vk, SEG_VIEW_STORAGE_WRITE, seg_session_host_bytes (v)),
    SEG_VIEW_STORAGE_WRITE };
  SegView from_view = seg_view (v), to_view = host_view (v);
  const SegShader *shader =
      copy_shader (seg_program_storage (s->program, v), host_storage (s, v));
  return record_copy (cmd, &from, &from_view, &to, &to_view, shader,
      seg_program_store_texels (s->program, SEG_STORAGE_F32), "download", error);
}

/* A live tensor fits when only its live axis is shorter than there is memory for. */
static gboolean
check_room (const SegValue *v, const SegTensor *t, GError **error)
{
  const SegDesc *most = &v->desc;
  int live = seg_value_live_axis_of (v);
  gboolean fits = t->desc.dtype == most->dtype && t->desc.rank == most->rank;
  for (guint i = 0; fits && i < most->rank; i++)
    fits = (int) i == live ? t->desc.dims[i] <= most->dims[i]
                           : t->desc.dims[i] == most->dims[i];
  if (fits)
    return TRUE;
  g_autofree char *got = seg_desc_to_string (&t->desc);
  g_autofree char *want = seg_desc_to_string (most);
  g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED,
      "'%s' became %s; the device has room for %s", v->name, got, want);
  return FALSE;
}

/* A live tensor in memory for as much as there can be: runs of elements, each with room behind it. */
typedef struct {
  gsize n, run, room;
} Runs;

static Runs
runs_of (const SegValue *v, const SegDesc *live)
{
  int axis = seg_value_live_axis_of (v);
  Runs r = { 1, 1, 1 };
  for (int i = 0; i < (int) live->rank; i++) {
    *(i < axis ? &r.n : &r.run) *= live->dims[i];
    r.room *= i < axis ? 1 : v->desc.dims[i];
  }
  return r;
}

static gboolean
fill_ints (gint32 *to, const SegValue *v, const SegTensor *t, GError **error)
{
  Runs r = runs_of (v, &t->desc);
  for (gsize k = 0; k < r.n * r.room; k++) {
    gsize at = k % r.room;
    gint64 value = at < r.run ? seg_tensor_get_int (t, k / r.room * r.run + at)
                              : G_MININT32; /* as an index: nowhere */
    if (value < G_MININT32 || value > G_MAXINT32) {
      g_set_error (error, SEG_ERROR, SEG_ERROR_INPUT,
          "'%s' holds %" G_GINT64_FORMAT "; on a device integers have 32 bits", v->name,
          value);
      return FALSE;
    }
    to[k] = value;
  }
  return TRUE;
}

static void
fill_floats (float *to, const SegValue *v, const SegTensor *t)
{
  Runs r = runs_of (v, &t->desc);
  for (gsize k = 0; k < r.n; k++, to += r.room) {
    if (t->desc.dtype == SEG_DTYPE_F32 && r.run > 0)
      memcpy (to, (const float *) seg_tensor_data (t) + k * r.run, r.run * sizeof *to);
    for (gsize i = 0; t->desc.dtype != SEG_DTYPE_F32 && i < r.run; i++)
      to[i] = seg_tensor_get_double (t, k * r.run + i);
    memset (to + r.run, 0, (r.room - r.run) * sizeof *to);
  }
}

gboolean
seg_session_fill_upload (
    SegSession *s, const SegValue *v, const SegTensor *t, GError **error)
{
  guint8 *to = (guint8 *) seg_buffer_map (s->upload) + s->places[v->id].upload_offset;
  if (!check_room (v, t, error))
    return FALSE;
  if (host_storage (s, v) == SEG_STORAGE_I32)
    return fill_ints ((gint32 *) to, v, t, error);
  fill_floats ((float *) to, v, t);
  return TRUE;
}

static void
take_run (const SegSession *s, const SegValue *v, const guint8 *from, gsize n,
    SegTensor *t, gsize at)
{
  if (t->desc.dtype == SEG_DTYPE_F32 || t->desc.dtype == SEG_DTYPE_I32)
    memcpy ((guint8 *) t->data + at * 4, from, n * 4);
  else if (host_storage (s, v) == SEG_STORAGE_F32)
    for (gsize i = 0; i < n; i++)
      seg_tensor_set_double (t, at + i, ((const float *) from)[i]);
  else
    for (gsize i = 0; i < n; i++)
      seg_tensor_set_int (t, at + i, ((const gint32 *) from)[i]);
}

SegTensor *
seg_session_take_download (SegSession *s, const SegValue *v, gint64 rows, GError **error)
{
  const guint8 *from =
      (const guint8 *) seg_buffer_map (s->download) + s->places[v->id].download_offset;
  SegDesc desc = v->desc;
  int axis = seg_value_live_axis_of (v);
  if (axis >= 0)
    desc.dims[axis] = rows;
  SegTensor *t = seg_tensor_new (&desc, error);
  Runs r = runs_of (v, &desc);
  for (gsize k = 0; t != NULL && r.run > 0 && k < r.n; k++)
    take_run (s, v, from + k * r.room * 4, r.run, t, k * r.run);
  return t;
}
