/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/log.h"
#include "engine/session-priv.h"

/* A node's work is counted at its first dispatch that does any of it. */
static void
list_layers (SegSession *s)
{
  const SegNode *last = NULL;
  for (guint i = 0; i < s->program->steps->len; i++) {
    const SegStep *step = &g_array_index (s->program->steps, SegStep, i);
    SegLayerTime layer = {
      .node = step->node->name,
      .op = step->node->op->name,
      .kernel = step->host ? "host" : step->dispatch.shader->name,
      .output = seg_node_output (step->node, 0)->desc,
      .gflop = step->node != last && !step->makes_groups
                   ? seg_node_flops (step->node) / 1e9
                   : 0,
    };
    last = step->makes_groups ? last : step->node;
    g_array_append_val (s->layers, layer);
    s->stats.n_host_steps += step->host;
    s->stats.n_round_trips += step->host && (i == 0 || !step[-1].host);
    s->stats.n_dispatches += !step->host;
    s->stats.n_live_dispatches += step->groups.kind != SEG_REF_NONE;
  }
}

static void
log_step (const SegStep *step)
{
  const SegNode *node = step->node;
  const SegDispatch *d = &step->dispatch;
  if (step->host)
    seg_info ("%s (%s) runs on the host", node->name, node->op->name);
  else
    seg_debug ("%s (%s): %s, %u x %u x %u workgroups", node->name, node->op->name,
        d->shader->name, d->groups[0], d->groups[1], d->groups[2]);
}

static void
log_session (const SegSession *s)
{
  const SegSessionStats *stats = &s->stats;
  for (guint i = 0; i < s->program->steps->len; i++)
    log_step (&g_array_index (s->program->steps, SegStep, i));
  seg_info ("%s: %u dispatches, %u host steps with %u round trips, %.1f MiB of weights, "
            "%.1f MiB of activations, loaded in %.0f ms",
      s->precision == SEG_STORAGE_F16 ? "fp16" : "fp32", stats->n_dispatches,
      stats->n_host_steps, stats->n_round_trips, (double) stats->weight_bytes / 1048576.0,
      (double) stats->arena_bytes / 1048576.0, stats->load_ms);
}

SegSession *
seg_session_new (
    SegModel *model, SegVk *vk, const SegSessionOptions *options, GError **error)
{
  gint64 start = g_get_monotonic_time ();
  SegNetwork *network = seg_network_get (model, vk, options, error);
  if (network == NULL)
    return NULL;
  SegSession *s = g_new0 (SegSession, 1);
  s->network = network;
  s->graph = network->graph;
  s->vk = network->vk;
  s->program = network->program;
  s->precision = network->precision;
  s->timed = options->timed;
  s->poison = options->poison;
  s->layers = g_array_new (FALSE, TRUE, sizeof (SegLayerTime));
  s->stats.tuning = network->tuning;
  s->stats.weight_bytes = network->weight_bytes;
  if (vk != NULL)
    list_layers (s);
  if (vk != NULL && (!seg_session_place (s, error) || !seg_session_compile (s, error))) {
    seg_session_free (&s);
    return NULL;
  }
  seg_network_wait (network);
  s->stats.load_ms = (g_get_monotonic_time () - start) / 1e3;
  if (vk != NULL)
    log_session (s);
  return s;
}

static void
free_places (SegSession *s)
{
  for (guint i = 0; s->places != NULL && i < s->graph->values->len; i++)
    seg_tensor_unref (s->places[i].tensor);
  g_free (s->places);
}

void
seg_session_free (SegSession **session)
{
  SegSession *s = *session;
  if (s == NULL)
    return;
  g_clear_pointer (&s->stages, g_array_unref);
  free_places (s);
  seg_buffer_free (&s->arena);
  seg_buffer_free (&s->upload);
  seg_buffer_free (&s->download);
  seg_buffer_free (&s->poison_bytes);
  seg_buffer_free (&s->counts);
  g_free (s->temp_offsets);
  g_array_unref (s->layers);
  seg_network_put (s->network);
  g_free (s);
  *session = NULL;
}

const SegGraph *
seg_session_graph (const SegSession *s)
{
  return s->graph;
}

SegStorage
seg_session_precision (const SegSession *s)
{
  return s->precision;
}

void
seg_session_stats (const SegSession *s, SegSessionStats *stats)
{
  *stats = s->stats;
}

guint
seg_session_layers (const SegSession *s, const SegLayerTime **layers)
{
  *layers = (const SegLayerTime *) s->layers->data;
  return s->layers->len;
}

/* --- for frames ---------------------------------------------------------------------------------- */

static gboolean
is_fixed (const SegGraph *graph)
{
  for (guint i = 0; i < graph->outputs->len; i++)
    if (((const SegValue *) g_ptr_array_index (graph->outputs, i))->size
        != SEG_SIZE_FIXED)
      return FALSE;
  return TRUE;
}

gboolean
seg_session_is_recordable (const SegSession *s)
{
  return s->vk != NULL && s->stats.n_host_steps == 0 && is_fixed (s->graph);
}

static gboolean
bind_value (SegSession *s, const SegValue *v, SegBound *bound, GError **error)
{
  guint blob = GPOINTER_TO_UINT (g_hash_table_lookup (s->program->constants, v));
  SegRef ref = v->constant != NULL ? (SegRef){ SEG_REF_BLOB, blob - 1 }
                                   : (SegRef){ SEG_REF_VALUE, v->id };
  if (v->constant != NULL ? blob == 0 : !s->places[seg_value_root (v)->id].on_device) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED,
        "the network does not use '%s' on the device", v->name);
    return FALSE;
  }
  SegBufferView view = seg_session_view (s, ref, SEG_BIND_TEXEL);
  *bound = (SegBound){
    .buffer = view.buffer,
    .offset = view.offset,
    .n_bytes = view.n_bytes,
    .view = seg_view (v),
    .storage = seg_program_storage (s->program, v),
    .layout = v->layout,
    .desc = v->desc,
  };
  return TRUE;
}

static gboolean
bind_nth (
    SegSession *s, const GPtrArray *values, guint i, SegBound *bound, GError **error)
{
  if (s->vk != NULL && i < values->len)
    return bind_value (s, g_ptr_array_index (values, i), bound, error);
  g_set_error (
      error, SEG_ERROR, SEG_ERROR_INPUT, "the network has no input or output %u", i);
  return FALSE;
}

gboolean
seg_session_input (SegSession *s, guint i, SegBound *bound, GError **error)
{
  return bind_nth (s, s->graph->inputs, i, bound, error);
}

gboolean
seg_session_output (SegSession *s, guint i, SegBound *bound, GError **error)
{
  return bind_nth (s, s->graph->outputs, i, bound, error);
}

static void
need_producer (GHashTable *needed, const SegValue *v)
{
  if (v != NULL && v->producer != NULL)
    g_hash_table_add (needed, v->producer);
}

/* The nodes whose results the outputs are made from. */
static GHashTable *
nodes_for (const SegSession *s, const guint *outputs, guint n_outputs)
{
  GHashTable *needed = g_hash_table_new (NULL, NULL);
  for (guint i = 0; i < n_outputs; i++)
    need_producer (needed, g_ptr_array_index (s->graph->outputs, outputs[i]));
  for (guint n = s->graph->nodes->len; n-- > 0;) {
    const SegNode *node = g_ptr_array_index (s->graph->nodes, n);
    if (!g_hash_table_contains (needed, node))
      continue;
    for (guint i = 0; i < node->inputs->len; i++)
      need_producer (needed, g_ptr_array_index (node->inputs, i));
  }
  return needed;
}

/* Roughly what a step takes, for parts of about the same time: arithmetic, and moving data. */
static double
work_of (const SegStep *step)
{
  const SegNode *node = step->node;
  const SegValue *v = node->outputs->len > 0 ? node->outputs->pdata[0] : NULL;
  return seg_node_flops (node)
         + (v != NULL ? 32.0 * (double) seg_desc_n_elems (&v->desc) : 0.0);
}

/* The work up to the end of each step. */
static double *
sum_work (const SegSession *s, GHashTable *needed)
{
  double *sums = g_new (double, s->program->steps->len + 1);
  const SegNode *last = NULL;
  sums[0] = 0.0;
  for (guint i = 0; i < s->program->steps->len; i++) {
    const SegStep *step = &g_array_index (s->program->steps, SegStep, i);
    gboolean counts = step->node != last && g_hash_table_contains (needed, step->node);
    sums[i + 1] = sums[i] + (counts ? work_of (step) : 0.0);
    last = step->node;
  }
  return sums;
}

gboolean
seg_session_record_part (SegSession *s, SegCmd *cmd, const guint *outputs,
    guint n_outputs, guint part, guint n_parts, GError **error)
{
  if (!seg_session_is_recordable (s)) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED,
        "the network has steps that run on the host, or outputs of a size that the "
        "data decides; it cannot be recorded");
    return FALSE;
  }
  g_autoptr (GHashTable) needed = nodes_for (s, outputs, n_outputs);
  guint n = s->program->steps->len;
  g_autofree double *sums = sum_work (s, needed);
  double share = sums[n] > 0.0 ? n_parts / sums[n] : 0.0;
  for (guint i = 0; i < n; i++) {
    const SegStep *step = &g_array_index (s->program->steps, SegStep, i);
    guint its_part = (guint) ((sums[i] + sums[i + 1]) / 2.0 * share);
    /* Groups are also for others than the node whose dispatch came first. */
    gboolean wanted = step->makes_groups || g_hash_table_contains (needed, step->node);
    if (wanted && MIN (its_part, n_parts - 1) == part
        && !seg_session_record_step (s, cmd, step, error))
      return FALSE;
  }
  return TRUE;
}

gboolean
seg_session_record (
    SegSession *s, SegCmd *cmd, const guint *outputs, guint n_outputs, GError **error)
{
  return seg_session_record_part (s, cmd, outputs, n_outputs, 0, 1, error);
}
