/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame/pipe-priv.h"

/* Rounds of tiles that compile what there is to compile and tell how long one takes. */
#define WARM_UP_ROUNDS 2

/* A frame on its way to the device, one recording after the other. In turns, what is added up to a
 * `send` is a submission that is soon done, and no more than two of them wait in the queue: whoever
 * submits from another thread comes next. */
typedef struct {
  SegPipe *pipe;
  SegPipeSlot *slot;
  gboolean in_turns;
  guint n_sent;
  SegCmd *cmds[SEG_BATCH_MAX];
  guint n;
} Sender;

static void
add (Sender *s, SegCmd *cmd)
{
  if (cmd != NULL)
    s->cmds[s->n++] = cmd;
}

static void
bring (Sender *s)
{
  if (!s->slot->there)
    add (s, s->slot->bring);
}

/* Shown, it is not what was there before the last flush. */
static gboolean
has_classes (SegPipe *pipe)
{
  return g_atomic_int_get (&pipe->answered) == g_atomic_int_get (&pipe->epoch);
}

/* By the slot's frame, unless that is from before a flush. */
static void
note_classes (SegPipe *pipe, const SegPipeSlot *slot)
{
  if (slot->epoch == g_atomic_int_get (&pipe->epoch))
    g_atomic_int_set (&pipe->answered, slot->epoch);
}

/* The first frame, or the first after a flush, is not drawn to what was there before. */
static void
forget (Sender *s)
{
  if (!has_classes (s->pipe))
    add (s, s->pipe->forget);
}

static gboolean
send (Sender *s, gboolean last, GError **error)
{
  SegBatch *batch = s->slot->batch;
  if (s->in_turns && !last) {
    batch = s->pipe->turns[s->n_sent % 2];
    if (!seg_batch_wait (batch, error))
      return FALSE;
  }
  guint n = s->n;
  s->n = 0;
  s->n_sent++;
  return seg_batch_submit (batch, s->cmds, n, last || s->in_turns, error);
}

static gboolean
send_round (Sender *s, GError **error)
{
  SegPipe *pipe = s->pipe;
  add (s, s->slot->look);
  for (guint i = 0; i < pipe->net->len; i++) {
    add (s, pipe->net->pdata[i]);
    if (s->in_turns && i + 1 < pipe->net->len && !send (s, FALSE, error))
      return FALSE;
  }
  add (s, pipe->decode);
  return !pipe->tiles.active || send (s, FALSE, error);
}

static gboolean
send_frame (Sender *s, GError **error)
{
  bring (s);
  add (s, s->pipe->begin);
  forget (s);
  for (guint i = 0; i < s->slot->rounds; i++)
    if (!send_round (s, error))
      return FALSE;
  add (s, s->pipe->finish);
  if (s->slot->doing != SEG_PIPE_INFER_ONLY)
    add (s, s->slot->show);
  return send (s, TRUE, error);
}

/* With frames of other pipes; *sent FALSE: there were too few. */
static gboolean
send_together (Sender *s, gboolean *sent, GError **error)
{
  SegPipe *pipe = s->pipe;
  SegCmd *after[2] = { pipe->decode, s->slot->show };
  bring (s);
  forget (s);
  add (s, s->slot->look);
  const SegMemberFrame frame = { s->cmds, after, s->n,
    s->slot->doing == SEG_PIPE_INFER_ONLY ? 1 : 2, s->in_turns, s->slot->batch };
  gint64 most_us = (gint64) g_atomic_int_get (&pipe->batch_timeout_ms) * 1000;
  gboolean alone = FALSE;
  if (!seg_member_run (pipe->member, &frame, most_us, &alone, error))
    return FALSE;
  s->n = 0;
  *sent = !alone;
  if (*sent)
    g_atomic_int_inc (&pipe->n_batched);
  gint64 before = s->slot->submitted_us;
  s->slot->submitted_us = g_get_monotonic_time ();
  s->slot->waited_us = s->slot->submitted_us - before;
  return TRUE;
}

static gboolean
send_inference (Sender *s, GError **error)
{
  gboolean sent = FALSE;
  if (s->pipe->member != NULL && s->slot->doing != SEG_PIPE_WARM_UP
      && !send_together (s, &sent, error))
    return FALSE;
  s->slot->together = sent;
  return sent || send_frame (s, error);
}

static gboolean
send_redraw (Sender *s, GError **error)
{
  bring (s);
  add (s, s->slot->show);
  return send (s, TRUE, error);
}

/* A network with a part on the host, or a decoder: up to there. */
static gboolean
start_hosted (Sender *s, GError **error)
{
  bring (s);
  add (s, s->pipe->begin);
  forget (s);
  add (s, s->slot->look);
  return send (s, TRUE, error);
}

/* The host's part of a round, which has been looked at, and what comes after it. */
static gboolean
continue_hosted (Sender *s, gboolean last, GError **error)
{
  SegPipe *pipe = s->pipe;
  if (!seg_batch_wait (s->slot->batch, error) || !seg_host_net_run (pipe->host_net, error)
      || (pipe->decoder->take != NULL
          && !pipe->decoder->take (pipe, seg_host_net_tensors (pipe->host_net), error)))
    return FALSE;
  add (s, pipe->decode);
  add (s, last ? pipe->finish : s->slot->look);
  if (last && s->slot->doing != SEG_PIPE_INFER_ONLY)
    add (s, s->slot->show);
  return send (s, TRUE, error);
}

static gboolean
wait_hosted (SegPipe *pipe, SegPipeSlot *slot, GError **error)
{
  Sender s = { .pipe = pipe, .slot = slot };
  for (guint i = 0; i < slot->rounds; i++)
    if (!continue_hosted (&s, i + 1 == slot->rounds, error))
      return FALSE;
  return TRUE;
}

static gboolean
submit (SegPipe *pipe, SegPipeSlot *slot, SegPipeWork work, GError **error)
{
  Sender s = { .pipe = pipe, .slot = slot };
  s.in_turns = pipe->turns[0] != NULL && work != SEG_PIPE_WARM_UP;
  s.slot->submitted_us = g_get_monotonic_time ();
  s.slot->waited_us = 0;
  s.slot->epoch = g_atomic_int_get (&pipe->epoch);
  if (work == SEG_PIPE_REDRAW && !has_classes (pipe))
    work = SEG_PIPE_INFER;
  if (work == SEG_PIPE_SHOW)
    work = SEG_PIPE_REDRAW;
  s.slot->doing = work;
  s.slot->rounds = pipe->tiles.active ? pipe->tiles.tiling.rounds : 1;
  if (work == SEG_PIPE_WARM_UP)
    s.slot->rounds = MIN (s.slot->rounds, WARM_UP_ROUNDS);
  if (!seg_pipe_record (pipe, error))
    return FALSE;
  if (work == SEG_PIPE_REDRAW)
    return send_redraw (&s, error);
  if (pipe->host_net != NULL)
    return start_hosted (&s, error);
  if (!send_inference (&s, error))
    return FALSE;
  if (!s.in_turns
      && work != SEG_PIPE_WARM_UP) /* what comes after it on the queue finds them */
    note_classes (pipe, slot);
  return TRUE;
}

/* Of a frame that failed nothing is on its way afterwards: the slot's next is written where the device would
 * read, and the recordings may be made anew. */
gboolean
seg_pipe_slot_submit (SegPipe *pipe, guint n, SegPipeWork work, GError **error)
{
  SegPipeSlot *slot = &pipe->slots[n];
  if (submit (pipe, slot, work, error))
    return TRUE;
  seg_batch_settle (slot->batch);
  for (guint i = 0; i < G_N_ELEMENTS (pipe->turns); i++)
    if (pipe->turns[i] != NULL
        && slot->doing != SEG_PIPE_REDRAW) /* not another thread's */
      seg_batch_settle (pipe->turns[i]);
  return FALSE;
}

/* --- what it took ------------------------------------------------------------------------------- */

static void
take_span (double *ms, const SegCmd *cmd, guint rounds)
{
  guint64 ns;
  if (cmd != NULL && seg_cmd_span (cmd, &ns))
    *ms = (double) ns * rounds / 1e6;
}

static void
take_network_span (SegPipe *pipe, guint rounds)
{
  double sum = 0.0, part;
  for (guint i = 0; i < pipe->net->len; i++) {
    part = -1.0;
    take_span (&part, pipe->net->pdata[i], rounds);
    if (part < 0.0)
      return;
    sum += part;
  }
  if (pipe->net->len > 0)
    pipe->stage_ms[SEG_STAGE_NETWORK] = sum;
}

/* Of tiles the last round is what is known. */
static void
take_stages (SegPipe *pipe, const SegPipeSlot *slot)
{
  take_span (&pipe->stage_ms[SEG_STAGE_UPLOAD], slot->bring, 1);
  take_span (&pipe->stage_ms[SEG_STAGE_PREPROCESS], slot->look, slot->rounds);
  if (!slot->together)
    take_network_span (pipe, slot->rounds);
  take_span (&pipe->stage_ms[SEG_STAGE_DECODE], pipe->decode, slot->rounds);
  if (slot->doing != SEG_PIPE_INFER_ONLY)
    take_span (&pipe->stage_ms[SEG_STAGE_DRAW], slot->show, 1);
}

gboolean
seg_pipe_slot_wait (SegPipe *pipe, guint n, GError **error)
{
  SegPipeSlot *slot = &pipe->slots[n];
  gboolean hosted = pipe->host_net != NULL && slot->doing != SEG_PIPE_REDRAW;
  if ((hosted && !wait_hosted (pipe, slot, error))
      || !seg_batch_wait (slot->batch, error)) {
    seg_batch_settle (slot->batch);
    return FALSE;
  }
  if (slot->doing == SEG_PIPE_WARM_UP)
    seg_pipe_forget (pipe);
  else if (slot->doing != SEG_PIPE_REDRAW)
    note_classes (pipe, slot);
  slot->last_ms = (double) (g_get_monotonic_time () - slot->submitted_us) / 1e3;
  if (pipe->config.staged
      && (slot->doing == SEG_PIPE_INFER || slot->doing == SEG_PIPE_INFER_ONLY))
    take_stages (pipe, slot);
  if (pipe->tiles.active && slot->doing != SEG_PIPE_REDRAW)
    slot->last_ms *= (double) pipe->tiles.tiling.rounds / slot->rounds;
  return TRUE;
}

gboolean
seg_pipe_submit (SegPipe *pipe, SegPipeWork work, GError **error)
{
  return seg_pipe_slot_submit (pipe, pipe->selected, work, error);
}

gboolean
seg_pipe_wait (SegPipe *pipe, GError **error)
{
  return seg_pipe_slot_wait (pipe, pipe->selected, error);
}

gboolean
seg_pipe_take_turns (SegPipe *pipe, guint n_parts, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (pipe->turns); i++)
    if (pipe->turns[i] == NULL) {
      pipe->turns[i] = seg_batch_new (pipe->vk, error);
      if (pipe->turns[i] == NULL)
        return FALSE;
    }
  n_parts = CLAMP (n_parts, 1, SEG_PIPE_MAX_PARTS);
  pipe->recorded = pipe->recorded && n_parts == pipe->n_parts;
  pipe->n_parts = n_parts;
  return seg_pipe_record (pipe, error);
}
