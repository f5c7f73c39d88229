/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/session-priv.h"

#include "graph/rewrite.h"

void
seg_stage_clear (gpointer data)
{
  SegStage *stage = data;
  seg_cmd_free (&stage->cmd);
  g_clear_pointer (&stage->live, g_ptr_array_unref);
  g_clear_pointer (&stage->layers, g_array_unref);
}

/* --- recording --------------------------------------------------------------------------------- */

/* The step's dispatch, which points to the step and to `views`. */
static SegVkDispatch
describe_step (
    const SegSession *s, const SegStep *step, SegBufferView views[SEG_MAX_BINDINGS])
{
  const SegDispatch *d = &step->dispatch;
  for (guint i = 0; i < d->n_bindings; i++)
    views[i] = seg_session_view (s, d->bindings[i].ref, d->bindings[i].kind);
  SegVkDispatch vd = {
    .shader = d->shader,
    .spec = d->spec,
    .n_spec = d->n_spec,
    .views = views,
    .n_views = d->n_bindings,
    .push = d->push,
    .n_push = d->n_push,
    .groups = { d->groups[0], d->groups[1], d->groups[2] },
    .label = step->node->name,
    .makes_groups = step->makes_groups,
  };
  if (step->groups.kind != SEG_REF_NONE) {
    SegBufferView groups = seg_session_view (s, step->groups, SEG_BIND_BUFFER_READ);
    vd.live.buffer = groups.buffer;
    vd.live.offset = groups.offset + 16 * (gsize) step->nth_groups;
  }
  return vd;
}

static gboolean
record_step (
    SegSession *s, SegCmd *cmd, const SegStep *step, gboolean idle, GError **error)
{
  SegBufferView views[SEG_MAX_BINDINGS];
  SegVkDispatch d = describe_step (s, step, views);
  d.idle = idle;
  if (seg_cmd_dispatch (cmd, &d, error))
    return TRUE;
  seg_node_prefix_error (step->node, error);
  return FALSE;
}

gboolean
seg_session_record_step (SegSession *s, SegCmd *cmd, const SegStep *step, GError **error)
{
  return record_step (s, cmd, step, FALSE, error);
}

static void
make_pipelines (SegSession *s)
{
  guint n = s->program->steps->len, n_dispatches = 0;
  g_autofree SegVkDispatch *dispatches = g_new (SegVkDispatch, n);
  g_autofree SegBufferView *views = g_new (SegBufferView, (gsize) n * SEG_MAX_BINDINGS);
  for (guint i = 0; i < n; i++) {
    const SegStep *step = &g_array_index (s->program->steps, SegStep, i);
    if (!step->host)
      dispatches[n_dispatches++] =
          describe_step (s, step, views + (gsize) i * SEG_MAX_BINDINGS);
  }
  seg_vk_make_pipelines (s->vk, dispatches, n_dispatches);
}

/* Makes the pipelines, and has a driver that compiles when a pipeline is first used do so, while weights
 * are still being packed. */
gboolean
seg_session_compile (SegSession *s, GError **error)
{
  make_pipelines (s);
  SegCmd *cmd = seg_cmd_new (s->vk, FALSE, error);
  gboolean ok = cmd != NULL && seg_cmd_begin (cmd, error);
  for (guint i = 0; ok && i < s->program->steps->len; i++) {
    const SegStep *step = &g_array_index (s->program->steps, SegStep, i);
    ok = step->host || record_step (s, cmd, step, TRUE, error);
  }
  ok = ok && seg_cmd_end (cmd, error) && seg_cmd_run (cmd, error);
  seg_cmd_free (&cmd);
  return ok;
}

/* A recording that is being made, and where its stages go. */
typedef struct {
  SegSession *s;
  SegStage stage;
  gboolean *downloaded; /* per value */
} Recorder;

static gboolean
open_stage (Recorder *r, GError **error)
{
  r->stage = (SegStage){ .layers = g_array_new (FALSE, FALSE, sizeof (int)),
    .live = g_ptr_array_new () };
  r->stage.cmd = seg_cmd_new (r->s->vk, r->s->timed, error);
  return r->stage.cmd != NULL && seg_cmd_begin (r->stage.cmd, error);
}

static gboolean
close_stage (Recorder *r, GError **error)
{
  if (!seg_cmd_end (r->stage.cmd, error))
    return FALSE;
  g_array_append_val (r->s->stages, r->stage);
  r->stage = (SegStage){ NULL };
  return TRUE;
}

static void
note_layer (Recorder *r, int layer)
{
  g_array_append_val (r->stage.layers, layer);
}

static gboolean
upload (Recorder *r, const SegValue *v, GError **error)
{
  if (v != NULL && seg_program_find_count (r->s->program, v) >= 0) {
    note_layer (r, -1);
    if (!seg_session_record_count (r->s, r->stage.cmd, v, error))
      return FALSE;
  }
  if (v == NULL || r->s->places[v->id].upload_offset == SEG_NOWHERE)
    return TRUE;
  note_layer (r, -1);
  return seg_session_record_upload (r->s, r->stage.cmd, v, error);
}

static gboolean
download (Recorder *r, const SegValue *v, GError **error)
{
  if (v == NULL || r->s->places[v->id].download_offset == SEG_NOWHERE
      || r->downloaded[v->id])
    return TRUE;
  r->downloaded[v->id] = TRUE;
  note_layer (r, -1);
  return seg_session_record_download (r->s, r->stage.cmd, v, error);
}

static const SegStep *
step_at (const SegSession *s, guint i)
{
  return &g_array_index (s->program->steps, SegStep, i);
}

static gboolean
download_counts (Recorder *r, GError **error)
{
  if (r->s->counts == NULL)
    return TRUE;
  note_layer (r, -1);
  return seg_session_record_counts (r->s, r->stage.cmd, error);
}

/* Ends the stage with what its host steps read; the next begins with what they make. */
static gboolean
record_host_steps (Recorder *r, guint first, guint n, GError **error)
{
  for (guint k = first; k < first + n; k++) {
    const SegNode *node = step_at (r->s, k)->node;
    for (guint i = 0; i < node->inputs->len; i++)
      if (!download (r, g_ptr_array_index (node->inputs, i), error))
        return FALSE;
  }
  r->stage.first = first;
  r->stage.n_host = n;
  if (!download_counts (r, error) || !close_stage (r, error) || !open_stage (r, error))
    return FALSE;
  for (guint k = first; k < first + n; k++) {
    const SegNode *node = step_at (r->s, k)->node;
    for (guint i = 0; i < node->outputs->len; i++)
      if (!upload (r, g_ptr_array_index (node->outputs, i), error))
        return FALSE;
  }
  return TRUE;
}

/* How many host steps there are in a row. */
static guint
count_host_steps (const SegSession *s, guint first)
{
  guint n = 0;
  while (first + n < s->program->steps->len && step_at (s, first + n)->host)
    n++;
  return n;
}

static gboolean
record_poison (Recorder *r, GError **error)
{
  SegSession *s = r->s;
  if (s->poison_bytes == NULL)
    return TRUE;
  note_layer (r, -1);
  if (!seg_cmd_copy (r->stage.cmd, s->poison_bytes, 0, s->arena, 0,
          seg_buffer_bytes (s->arena), error))
    return FALSE;
  if (s->counts == NULL)
    return TRUE;
  note_layer (r, -1);
  return seg_cmd_fill (
      r->stage.cmd, s->counts, 0, seg_buffer_bytes (s->counts), 0x7fffffff, error);
}

static gboolean
record_all (Recorder *r, GError **error)
{
  SegSession *s = r->s;
  if (!open_stage (r, error) || !record_poison (r, error))
    return FALSE;
  for (guint i = 0; i < s->graph->inputs->len; i++)
    if (!upload (r, g_ptr_array_index (s->graph->inputs, i), error))
      return FALSE;
  for (guint i = 0; i < s->program->steps->len; i++) {
    const SegStep *step = step_at (s, i);
    guint n_host = count_host_steps (s, i);
    if (n_host > 0) {
      if (!record_host_steps (r, i, n_host, error))
        return FALSE;
      i += n_host - 1;
      continue;
    }
    note_layer (r, i);
    gboolean is_first = i == 0 || step[-1].node != step->node;
    if (step->node->by_row && is_first && seg_session_must_check_rows (step->node))
      g_ptr_array_add (r->stage.live, (gpointer) step->node);
    if (!seg_session_record_step (s, r->stage.cmd, step, error))
      return FALSE;
  }
  for (guint i = 0; i < s->graph->outputs->len; i++)
    if (!download (r, g_ptr_array_index (s->graph->outputs, i), error))
      return FALSE;
  return download_counts (r, error) && close_stage (r, error);
}

static gboolean
record_stages (SegSession *s, GError **error)
{
  Recorder r = { .s = s };
  r.downloaded = g_new0 (gboolean, s->graph->values->len + 1);
  s->stages = g_array_new (FALSE, FALSE, sizeof (SegStage));
  g_array_set_clear_func (s->stages, seg_stage_clear);
  gboolean ok = record_all (&r, error);
  g_free (r.downloaded);
  if (!ok) {
    seg_stage_clear (&r.stage);
    g_clear_pointer (&s->stages, g_array_unref);
  }
  return ok;
}

/* --- running ----------------------------------------------------------------------------------- */

static gboolean
put_tensor (SegSession *s, const SegValue *v, SegTensor *t, GError **error)
{
  SegPlace *place = &s->places[v->id];
  seg_tensor_unref (place->tensor);
  place->tensor = seg_tensor_ref (t);
  seg_session_fill_count (s, v, t);
  return place->upload_offset == SEG_NOWHERE || seg_session_fill_upload (s, v, t, error);
}

/* A value's contents on the host, as a new reference. */
static SegTensor *
get_tensor (SegSession *s, const SegValue *v, GError **error)
{
  if (v->constant != NULL)
    return seg_tensor_ref (v->constant);
  if (s->places[v->id].on_host)
    return seg_tensor_ref (s->places[v->id].tensor);
  return seg_session_take_download (
      s, v, v->size == SEG_SIZE_BOUNDED ? seg_session_live_rows (s, v) : 0, error);
}

static gboolean
eval_host_step (
    SegSession *s, const SegNode *node, SegTensor **in, SegTensor **out, GError **error)
{
  for (guint i = 0; i < node->inputs->len; i++) {
    const SegValue *v = g_ptr_array_index (node->inputs, i);
    if (v != NULL && (in[i] = get_tensor (s, v, error)) == NULL)
      return FALSE;
  }
  if (!seg_node_eval (node, in, out, error))
    return FALSE;
  for (guint i = 0; i < node->outputs->len; i++)
    if (out[i] != NULL
        && !put_tensor (s, g_ptr_array_index (node->outputs, i), out[i], error))
      return FALSE;
  return TRUE;
}

static gboolean
run_host_step (SegSession *s, const SegNode *node, GError **error)
{
  guint n_in = node->inputs->len, n_out = node->outputs->len;
  g_autofree SegTensor **in = g_new0 (SegTensor *, n_in + 1);
  g_autofree SegTensor **out = g_new0 (SegTensor *, n_out + 1);
  gboolean ok = eval_host_step (s, node, in, out, error);
  for (guint i = 0; i < n_in; i++)
    seg_tensor_unref (in[i]);
  for (guint i = 0; i < n_out; i++)
    seg_tensor_unref (out[i]);
  return ok;
}

static gboolean
take_times (SegSession *s, const SegStage *stage, GError **error)
{
  guint n = stage->layers->len;
  g_autofree guint64 *ns = g_new0 (guint64, n + 1);
  if (!seg_cmd_times (stage->cmd, ns, n, error))
    return FALSE;
  for (guint i = 0; i < n; i++) {
    int layer = g_array_index (stage->layers, int, i);
    if (layer >= 0)
      g_array_index (s->layers, SegLayerTime, layer).ms = ns[i] / 1e6;
  }
  return TRUE;
}

static gboolean
run_stage (SegSession *s, const SegStage *stage, GError **error)
{
  if (stage->layers->len > 0) {
    if (!seg_cmd_run (stage->cmd, error))
      return FALSE;
    if (s->timed && !take_times (s, stage, error))
      return FALSE;
  }
  for (guint i = 0; i < stage->live->len; i++)
    if (!seg_session_check_rows (s, g_ptr_array_index (stage->live, i), error))
      return FALSE;
  for (guint i = stage->first; i < stage->first + stage->n_host; i++) {
    gint64 start = g_get_monotonic_time ();
    if (!run_host_step (s, step_at (s, i)->node, error))
      return FALSE;
    g_array_index (s->layers, SegLayerTime, i).ms =
        (g_get_monotonic_time () - start) / 1e3;
  }
  return TRUE;
}

static gboolean
run_on_device (
    SegSession *s, SegTensor *const *inputs, SegTensor **outputs, GError **error)
{
  if (s->stages == NULL && !record_stages (s, error))
    return FALSE;
  for (guint i = 0; i < s->graph->inputs->len; i++)
    if (!put_tensor (s, g_ptr_array_index (s->graph->inputs, i), inputs[i], error))
      return FALSE;
  for (guint i = 0; i < s->stages->len; i++)
    if (!run_stage (s, &g_array_index (s->stages, SegStage, i), error))
      return FALSE;
  for (guint i = 0; i < s->graph->outputs->len; i++) {
    outputs[i] = get_tensor (s, g_ptr_array_index (s->graph->outputs, i), error);
    if (outputs[i] == NULL) {
      while (i-- > 0)
        g_clear_pointer (&outputs[i], seg_tensor_unref);
      return FALSE;
    }
  }
  return TRUE;
}

static gboolean
run_anywhere (
    SegSession *s, SegTensor *const *inputs, SegTensor **outputs, GError **error)
{
  if (s->vk == NULL)
    return seg_graph_eval (s->graph, inputs, outputs, error);
  if (!seg_graph_check_inputs (s->graph, inputs, error))
    return FALSE;
  if (s->network->has_bodies)
    seg_graph_refill (s->graph);
  return run_on_device (s, inputs, outputs, error);
}

gboolean
seg_session_run (
    SegSession *s, SegTensor *const *inputs, SegTensor **outputs, GError **error)
{
  gboolean alone = s->network->has_bodies;
  if (alone)
    g_mutex_lock (&s->network->host_lock);
  gboolean ok = run_anywhere (s, inputs, outputs, error);
  if (alone)
    g_mutex_unlock (&s->network->host_lock);
  return ok;
}
