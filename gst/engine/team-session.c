/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/team-priv.h"

#include "graph/reach.h"

/* --- whether there can be a batch -------------------------------------------------------------------- */

static gboolean
refuse (const SegValue *v, const char *why, GError **error)
{
  g_autofree char *shape = seg_desc_to_string (&v->desc);
  g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED, "'%s' %s in a batch: %s", v->name,
      shape, why);
  return FALSE;
}

/* Of one input, and of a batch: the first dimension is all that may differ. */
static gboolean
is_batch_of (const SegDesc *one, const SegDesc *all, guint batch)
{
  gboolean same = one->rank == all->rank && one->rank > 0 && one->dims[0] == 1
                  && all->dims[0] == batch && one->dtype == all->dtype;
  for (guint i = 1; same && i < one->rank; i++)
    same = one->dims[i] == all->dims[i];
  return same;
}

/* And how they lie, so that one is copied as bytes. */
static gboolean
check_value (const SegBound *one, const SegBound *all, const SegValue *v, guint batch,
    GError **error)
{
  if (!is_batch_of (&one->desc, &all->desc, batch))
    return refuse (v, "the first dimension does not follow the input's", error);
  gboolean same = one->storage == all->storage && one->layout == all->layout;
  for (guint i = 1; i < one->desc.rank; i++)
    same = same && one->view.strides[i] == all->view.strides[i];
  guint32 step = all->view.strides[0], bytes = seg_storage_bytes (one->storage);
  same = same && step * bytes % 4 == 0 && one->view.offset * bytes % 4 == 0
         && all->view.offset * bytes % 4 == 0;
  return same || refuse (v, "it does not lie as one alone does", error);
}

/* Row i of the output is made from row i of the input, and of no other. */
static gboolean
check_rows (const SegGraph *graph, guint output, GError **error)
{
  SegReach r;
  seg_graph_reach (graph, 0, 0, output, &r);
  if (r.known && r.axis == 0 && r.num == r.den && !r.global && !r.padded)
    return TRUE;
  return refuse (graph->outputs->pdata[output],
      "something on the way mixes the inputs, or cannot be followed", error);
}

static gboolean
check (SegTeamSession *t, SegSession *like, const SegTeamOptions *o, GError **error)
{
  const SegGraph *graph = seg_session_graph (t->session);
  SegBound one, all;
  if (!seg_session_is_recordable (t->session) || !seg_session_is_recordable (like)) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED,
        "parts of the network run on the host, or the data decides what size an output "
        "has");
    return FALSE;
  }
  if (!seg_session_input (like, 0, &one, error)
      || !seg_session_input (t->session, 0, &all, error)
      || !check_value (&one, &all, graph->inputs->pdata[0], o->batch, error))
    return FALSE;
  for (guint i = 0; i < o->n_outputs; i++) {
    guint output = o->outputs[i];
    if (!seg_session_output (like, output, &one, error)
        || !seg_session_output (t->session, output, &all, error)
        || !check_value (&one, &all, graph->outputs->pdata[output], o->batch, error)
        || !check_rows (graph, output, error))
      return FALSE;
  }
  return TRUE;
}

/* --- copies -------------------------------------------------------------------------------------------- */

typedef struct {
  gsize one, all, n_bytes;
} Slice;

/* Values may be parts of wider ones: what lies between is copied too, and means nothing. */
static Slice
slice_of (const SegBound *one, const SegBound *all, guint i)
{
  gsize bytes = seg_storage_bytes (one->storage), step = all->view.strides[0] * bytes;
  gsize from = one->view.offset * bytes, at = all->view.offset * bytes + i * step;
  gsize n = MIN (step, MIN (one->n_bytes - from, all->n_bytes - at));
  return (Slice){ one->offset + from, all->offset + at, n & ~(gsize) 3 };
}

static SegCmd *
open_recording (const SegTeamSession *t, GError **error)
{
  SegCmd *cmd = seg_cmd_new (t->session->vk, FALSE, error);
  if (cmd != NULL && !seg_cmd_begin (cmd, error))
    seg_cmd_free (&cmd);
  return cmd;
}

static SegCmd *
close_recording (SegCmd *cmd, gboolean ok, GError **error)
{
  if (cmd != NULL && (!ok || !seg_cmd_end (cmd, error)))
    seg_cmd_free (&cmd);
  return cmd;
}

SegCmd *
seg_team_session_record_in (
    const SegTeamSession *t, SegSession *member, guint i, GError **error)
{
  SegBound one, all;
  SegCmd *cmd = open_recording (t, error);
  gboolean ok = cmd != NULL && seg_session_input (member, 0, &one, error)
                && seg_session_input (t->session, 0, &all, error);
  if (ok) {
    Slice s = slice_of (&one, &all, i);
    ok = seg_cmd_copy (cmd, one.buffer, s.one, all.buffer, s.all, s.n_bytes, error);
  }
  return close_recording (cmd, ok, error);
}

SegCmd *
seg_team_session_record_out (const SegTeamSession *t, SegSession *member,
    const SegTeamOptions *o, guint i, GError **error)
{
  SegBound one, all;
  SegCmd *cmd = open_recording (t, error);
  gboolean ok = cmd != NULL;
  for (guint k = 0; ok && k < o->n_outputs; k++) {
    ok = seg_session_output (member, o->outputs[k], &one, error)
         && seg_session_output (t->session, o->outputs[k], &all, error);
    Slice s = ok ? slice_of (&one, &all, i) : (Slice){ 0 };
    ok = ok && seg_cmd_copy (cmd, all.buffer, s.all, one.buffer, s.one, s.n_bytes, error);
  }
  return close_recording (cmd, ok, error);
}

/* --- time ---------------------------------------------------------------------------------------------- */

/* A part takes about this, so that frames of others are drawn in between. */
#define PART_MS   4.0
#define MAX_PARTS 64

/* Short ones are disturbed easily, and cost little to look at again. */
#define MEASURE_MS   120.0
#define MEASURE_MOST 24

static gboolean
run (SegCmd *cmd, double *least_ms, double *spent_ms, GError **error)
{
  gint64 start = g_get_monotonic_time ();
  if (!seg_cmd_run (cmd, error))
    return FALSE;
  double taken = (double) MAX (g_get_monotonic_time () - start, 1) / 1e3;
  *least_ms = MIN (*least_ms, taken);
  *spent_ms += taken;
  return TRUE;
}

/* In turn, so that both see the same of whatever else the machine does. The first runs are the driver's,
 * to compile. */
static gboolean
measure (SegTeamSession *t, SegCmd *alone, SegCmd *all, GError **error)
{
  double spent = 0.0, ignored = G_MAXDOUBLE;
  t->alone_ms = t->batch_ms = G_MAXDOUBLE;
  gboolean ok =
      run (alone, &ignored, &spent, error) && run (all, &ignored, &spent, error);
  spent = 0.0;
  for (guint i = 0; ok && i < MEASURE_MOST && spent < MEASURE_MS; i++)
    ok = run (alone, &t->alone_ms, &spent, error)
         && run (all, &t->batch_ms, &spent, error);
  return ok;
}

static SegCmd *
record_part (const SegTeamSession *t, SegSession *s, const SegTeamOptions *o, guint part,
    guint n_parts, GError **error)
{
  SegCmd *cmd = open_recording (t, error);
  return close_recording (cmd,
      cmd != NULL
          && seg_session_record_part (
              s, cmd, o->outputs, o->n_outputs, part, n_parts, error),
      error);
}

static gboolean
time_both (SegTeamSession *t, SegSession *like, const SegTeamOptions *o, GError **error)
{
  SegCmd *alone = record_part (t, like, o, 0, 1, error);
  SegCmd *all = alone != NULL ? record_part (t, t->session, o, 0, 1, error) : NULL;
  gboolean ok = all != NULL && measure (t, alone, all, error);
  seg_cmd_free (&alone);
  seg_cmd_free (&all);
  t->least = ok && !o->always ? (guint) MAX (2.0, t->batch_ms / t->alone_ms + 1.0) : 2;
  return ok;
}

/* --- the session ----------------------------------------------------------------------------------------- */

static SegSession *
make_session (SegSession *like, guint batch, GError **error)
{
  SegNetwork *network = like->network;
  const SegGraph *graph = like->graph;
  SegInputShape shape = { .rank = 0 };
  if (graph->inputs->len != 1) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED, "the network has %u inputs",
        graph->inputs->len);
    return NULL;
  }
  const SegValue *in = graph->inputs->pdata[0];
  if (in->desc.rank == 0 || in->desc.dims[0] != 1) {
    refuse (in, "the network does not take one input at a time", error);
    return NULL;
  }
  shape.input = in->name;
  shape.rank = in->desc.rank;
  for (guint i = 0; i < shape.rank; i++)
    shape.dims[i] = i == 0 ? batch : in->desc.dims[i];
  SegSessionOptions options = network->options;
  options.shapes = &shape;
  options.n_shapes = 1;
  options.any_batch = TRUE;
  return seg_session_new (network->model, network->vk, &options, error);
}

static void
free_cmd (gpointer cmd)
{
  seg_cmd_free ((SegCmd **) &cmd);
}

static gboolean
record_runs (SegTeamSession *t, const SegTeamOptions *o, GError **error)
{
  guint n = (guint) CLAMP (t->batch_ms / PART_MS, 1.0, MAX_PARTS);
  t->runs = g_ptr_array_new_with_free_func (free_cmd);
  for (guint i = 0; i < n; i++) {
    SegCmd *cmd = record_part (t, t->session, o, i, n, error);
    if (cmd == NULL)
      return FALSE;
    g_ptr_array_add (t->runs, cmd);
  }
  return TRUE;
}

gboolean
seg_team_session_init (
    SegTeamSession *t, SegSession *like, const SegTeamOptions *o, GError **error)
{
  *t = (SegTeamSession){ .batch = o->batch };
  t->session = make_session (like, o->batch, error);
  return t->session != NULL && check (t, like, o, error) && time_both (t, like, o, error)
         && record_runs (t, o, error);
}

void
seg_team_session_clear (SegTeamSession *t)
{
  g_clear_pointer (&t->runs, g_ptr_array_unref);
  seg_session_free (&t->session);
}
