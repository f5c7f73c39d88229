/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/trial.h"

#include "engine/session-priv.h"

#include <string.h>

#define HARMLESS 0x3c003c00 /* two halves, or a small float */

struct _SegTrial {
  const SegProgram *program;
  SegVk *vk;
  SegBuffer *memory; /* blobs, temporaries, values */
  gsize *blob_offsets, *temp_offsets;
  gsize *value_offsets; /* by the id of a root; SEG_NOWHERE */
  gsize blob_bytes, n_bytes;
  SegCmd *cmd;
};

/* --- memory ------------------------------------------------------------------------------------ */

static gsize
reserve (SegTrial *t, SegRef ref)
{
  gsize align = seg_vk_info (t->vk)->buffer_align, at = t->n_bytes;
  t->n_bytes += (seg_program_ref_room (t->program, ref) + align - 1) / align * align;
  return at;
}

static guint
root_id (const SegTrial *t, SegRef ref)
{
  return seg_value_root (g_ptr_array_index (t->program->graph->values, ref.id))->id;
}

static void
place_values (SegTrial *t, const SegDispatch *d)
{
  for (guint i = 0; i < d->n_bindings; i++) {
    SegRef ref = d->bindings[i].ref;
    if (ref.kind == SEG_REF_VALUE && t->value_offsets[root_id (t, ref)] == SEG_NOWHERE)
      t->value_offsets[root_id (t, ref)] = reserve (t, ref);
  }
}

static void
place (SegTrial *t)
{
  const SegProgram *p = t->program;
  guint n_values = p->graph != NULL ? p->graph->values->len : 0;
  t->blob_offsets = g_new (gsize, p->blobs->len + 1);
  t->temp_offsets = g_new (gsize, p->temps->len + 1);
  t->value_offsets = g_new (gsize, n_values + 1);
  for (guint i = 0; i < p->blobs->len; i++)
    t->blob_offsets[i] = reserve (t, (SegRef){ SEG_REF_BLOB, i });
  t->blob_bytes = t->n_bytes;
  for (guint i = 0; i < p->temps->len; i++)
    t->temp_offsets[i] = reserve (t, (SegRef){ SEG_REF_TEMP, i });
  for (guint i = 0; i < n_values; i++)
    t->value_offsets[i] = SEG_NOWHERE;
  for (guint i = 0; i < p->steps->len; i++)
    place_values (t, &g_array_index (p->steps, SegStep, i).dispatch);
}

static void
write_blobs (const SegTrial *t, guint8 *to)
{
  for (guint i = 0; i < t->program->blobs->len; i++) {
    const SegBlob *blob = &g_array_index (t->program->blobs, SegBlob, i);
    seg_blob_write (blob, to + t->blob_offsets[i]);
  }
}

static gboolean
finish (SegCmd *cmd, GError **error)
{
  return seg_cmd_end (cmd, error) && seg_cmd_run (cmd, error);
}

static gboolean
fill (SegTrial *t, SegBuffer *staging, GError **error)
{
  SegCmd *cmd = seg_cmd_new (t->vk, FALSE, error);
  gboolean ok = cmd != NULL && seg_cmd_begin (cmd, error)
                && seg_cmd_copy (cmd, staging, 0, t->memory, 0, t->blob_bytes, error)
                && (t->n_bytes == t->blob_bytes
                    || seg_cmd_fill (cmd, t->memory, t->blob_bytes,
                        t->n_bytes - t->blob_bytes, HARMLESS, error))
                && finish (cmd, error);
  seg_cmd_free (&cmd);
  return ok;
}

static gboolean
make_memory (SegTrial *t, GError **error)
{
  t->memory = seg_buffer_new_for_images (t->vk, t->n_bytes, SEG_BUFFER_DEVICE, error);
  SegBuffer *staging = NULL;
  if (t->memory != NULL)
    staging = seg_buffer_new (t->vk, t->blob_bytes, SEG_BUFFER_UPLOAD, error);
  if (staging == NULL)
    return FALSE;
  write_blobs (t, seg_buffer_map (staging));
  gboolean ok = fill (t, staging, error);
  seg_buffer_free (&staging);
  return ok;
}

/* --- running ------------------------------------------------------------------------------------- */

static SegBufferView
view_of (const SegTrial *t, const SegBinding *b)
{
  SegRef ref = b->ref;
  SegViewKind kind =
      seg_session_view_kind (b->kind, seg_program_ref_storage (t->program, ref));
  return (SegBufferView){
    .buffer = t->memory,
    .offset = ref.kind == SEG_REF_BLOB   ? t->blob_offsets[ref.id]
              : ref.kind == SEG_REF_TEMP ? t->temp_offsets[ref.id]
                                         : t->value_offsets[root_id (t, ref)],
    .n_bytes = seg_view_room (t->vk, kind, seg_program_ref_bytes (t->program, ref)),
    .kind = kind,
  };
}

static gboolean
record_step (SegTrial *t, const SegStep *step, GError **error)
{
  const SegDispatch *d = &step->dispatch;
  SegBufferView views[SEG_MAX_BINDINGS];
  for (guint i = 0; i < d->n_bindings; i++)
    views[i] = view_of (t, &d->bindings[i]);
  const SegVkDispatch vd = { d->shader, d->spec, d->n_spec, views, d->n_bindings, d->push,
    d->n_push, { d->groups[0], d->groups[1], d->groups[2] }, "trial" };
  return seg_cmd_dispatch (t->cmd, &vd, error);
}

static gboolean
record (SegTrial *t, gboolean timed, GError **error)
{
  t->cmd = seg_cmd_new (t->vk, timed, error);
  if (t->cmd == NULL || !seg_cmd_begin (t->cmd, error))
    return FALSE;
  for (guint i = 0; i < t->program->steps->len; i++)
    if (!record_step (t, &g_array_index (t->program->steps, SegStep, i), error))
      return FALSE;
  return seg_cmd_end (t->cmd, error);
}

SegTrial *
seg_trial_new (const SegProgram *program, SegVk *vk, gboolean timed, GError **error)
{
  SegTrial *t = g_new0 (SegTrial, 1);
  t->program = program;
  t->vk = seg_vk_ref (vk);
  place (t);
  if (!make_memory (t, error) || !record (t, timed, error))
    seg_trial_free (&t);
  return t;
}

void
seg_trial_free (SegTrial **trial)
{
  SegTrial *t = *trial;
  if (t == NULL)
    return;
  seg_cmd_free (&t->cmd);
  seg_buffer_free (&t->memory);
  g_free (t->blob_offsets);
  g_free (t->temp_offsets);
  g_free (t->value_offsets);
  seg_vk_unref (t->vk);
  g_free (t);
  *trial = NULL;
}

gboolean
seg_trial_run (SegTrial *t, guint64 *ns, GError **error)
{
  if (!seg_cmd_run (t->cmd, error))
    return FALSE;
  if (ns == NULL)
    return TRUE;
  guint n = seg_cmd_n_dispatches (t->cmd);
  g_autofree guint64 *times = g_new0 (guint64, n + 1);
  if (!seg_cmd_times (t->cmd, times, n, error))
    return FALSE;
  *ns = 0;
  for (guint i = 0; i < n; i++)
    *ns += times[i];
  return TRUE;
}

gboolean
seg_trial_read (SegTrial *t, guint temp, void *to, GError **error)
{
  gsize bytes = seg_program_ref_bytes (t->program, (SegRef){ SEG_REF_TEMP, temp });
  SegBuffer *host = seg_buffer_new (t->vk, bytes, SEG_BUFFER_READBACK, error);
  SegCmd *cmd = host != NULL ? seg_cmd_new (t->vk, FALSE, error) : NULL;
  gboolean ok =
      cmd != NULL && seg_cmd_begin (cmd, error)
      && seg_cmd_copy (cmd, t->memory, t->temp_offsets[temp], host, 0, bytes, error)
      && finish (cmd, error);
  if (ok)
    memcpy (to, seg_buffer_map (host), bytes);
  seg_cmd_free (&cmd);
  seg_buffer_free (&host);
  return ok;
}
