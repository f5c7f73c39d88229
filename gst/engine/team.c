/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/team-priv.h"

#include "base/registry.h"

typedef enum {
  AWAY,     /* nobody waits for it */
  EXPECTED, /* a frame of it is on its way */
  HERE,     /* with a frame */
} MemberState;

typedef struct {
  SegTeamSession session;
  GMutex lock; /* for what follows, also while a round is submitted */
  GCond changed;
  GPtrArray *members; /* SegMember */
  SegBatch *turns[2]; /* of a round in turns: no more wait in the queue */
} Team;

struct _SegMember {
  Team *team;
  SegSession *session;
  SegCmd *in[SEG_TEAM_MAX_BATCH], *out[SEG_TEAM_MAX_BATCH];
  gint hurry; /* atomic */
  /* the team's lock */
  MemberState state;
  const SegMemberFrame *frame;
  gboolean alone; /* what has become of it */
  GError *error;
};

/* --- rounds (with the lock) ---------------------------------------------------------------------------- */

static guint
count (const Team *team, MemberState state)
{
  guint n = 0;
  for (guint i = 0; i < team->members->len; i++)
    n += ((const SegMember *) team->members->pdata[i])->state == state;
  return n;
}

/* Nobody else is expected, or could come along, or would make it worth while. */
static gboolean
is_complete (const Team *team)
{
  guint here = count (team, HERE), expected = count (team, EXPECTED);
  return expected == 0 || here == team->session.batch
         || here + expected < team->session.least;
}

/* A round on its way to the device: one submission, or in turns one for each part. */
typedef struct {
  Team *team;
  SegBatch *last;
  gboolean in_turns;
  SegCmd *cmds[SEG_BATCH_MAX];
  guint n, n_sent;
} Sender;

static gboolean
send (Sender *s, gboolean last, GError **error)
{
  SegBatch *turn = s->team->turns[s->n_sent++ % 2];
  guint n = s->n;
  s->n = 0;
  if (last || !s->in_turns)
    return seg_batch_submit (s->last, s->cmds, n, FALSE, error);
  return seg_batch_wait (turn, error) && seg_batch_submit (turn, s->cmds, n, TRUE, error);
}

static gboolean
add (Sender *s, SegCmd *cmd, GError **error)
{
  if (s->n == SEG_BATCH_MAX && !send (s, FALSE, error))
    return FALSE;
  s->cmds[s->n++] = cmd;
  return TRUE;
}

static gboolean
submit_run (Team *team, SegMember *const *here, guint n, GError **error)
{
  const GPtrArray *runs = team->session.runs;
  Sender s = { .team = team, .last = here[0]->frame->batch };
  for (guint i = 0; i < n; i++) {
    const SegMemberFrame *f = here[i]->frame;
    s.in_turns = s.in_turns || f->in_turns;
    for (guint k = 0; k < f->n_before; k++)
      if (!add (&s, f->before[k], error))
        return FALSE;
    if (!add (&s, here[i]->in[i], error))
      return FALSE;
  }
  for (guint i = 0; i < runs->len; i++)
    if (!add (&s, runs->pdata[i], error)
        || (s.in_turns && i + 1 < runs->len && !send (&s, FALSE, error)))
      return FALSE;
  return send (&s, TRUE, error);
}

/* What place i has got. The member's own fence comes with it. */
static gboolean
submit_rest (const SegMember *m, guint i, GError **error)
{
  SegCmd *cmds[1 + SEG_MEMBER_MAX_CMDS] = { m->out[i] };
  const SegMemberFrame *f = m->frame;
  for (guint k = 0; k < f->n_after; k++)
    cmds[1 + k] = f->after[k];
  return seg_batch_submit (f->batch, cmds, 1 + f->n_after, TRUE, error);
}

/* What of the round the device has reads the members' buffers: the batch of one that has got an error,
 * and maybe no fence, waits for it all the same. */
static void
submit (Team *team, SegMember *const *here, guint n)
{
  guint most = team->session.runs->len + n * (1 + SEG_MEMBER_MAX_CMDS);
  g_autoptr (GError) error = NULL;
  gboolean ok = submit_run (team, here, n, &error);
  for (guint i = 0; i < n; i++) {
    if (ok && submit_rest (here[i], i, &here[i]->error))
      continue;
    if (!ok)
      here[i]->error = g_error_copy (error);
    seg_batch_close (here[i]->frame->batch, most);
  }
}

/* Those who are there go. late: others who should have come are not waited for again. */
static void
start_round (Team *team, gboolean late)
{
  SegMember *here[SEG_TEAM_MAX_BATCH] = { NULL };
  guint n = 0;
  for (guint i = 0; i < team->members->len; i++) {
    SegMember *m = team->members->pdata[i];
    if (m->state == HERE)
      here[n++] = m;
    else if (late)
      m->state = AWAY;
  }
  gboolean alone = n < team->session.least;
  if (!alone)
    submit (team, here, n);
  for (guint i = 0; i < n; i++) {
    here[i]->state = EXPECTED;
    here[i]->alone = alone;
  }
  g_cond_broadcast (&team->changed);
}

/* A hurry that comes while nobody listens is seen after this. */
#define LOOK_AGAIN_US (20 * 1000)

gboolean
seg_member_run (SegMember *m, const SegMemberFrame *frame, gint64 timeout_us,
    gboolean *alone, GError **error)
{
  Team *team = m->team;
  gint64 end = g_get_monotonic_time () + timeout_us;
  g_mutex_lock (&team->lock);
  m->frame = frame;
  m->state = HERE;
  while (m->state == HERE) {
    gint64 now = g_get_monotonic_time ();
    if (g_atomic_int_get (&m->hurry) || is_complete (team))
      start_round (team, FALSE);
    else if (now >= end)
      start_round (team, TRUE);
    else
      g_cond_wait_until (&team->changed, &team->lock, MIN (end, now + LOOK_AGAIN_US));
  }
  GError *failure = g_steal_pointer (&m->error);
  *alone = m->alone;
  g_mutex_unlock (&team->lock);
  if (failure != NULL)
    g_propagate_error (error, failure);
  return failure == NULL;
}

/* Does not take the lock, which is held while others submit: in turns for as long as the network
 * takes. */
void
seg_member_hurry (SegMember *m, gboolean hurry)
{
  g_atomic_int_set (&m->hurry, hurry);
  g_cond_broadcast (&m->team->changed);
}

void
seg_member_info (const SegMember *m, SegTeamInfo *info)
{
  const SegTeamSession *s = &m->team->session;
  *info = (SegTeamInfo){ s->alone_ms, s->batch_ms, s->batch, s->least };
}

/* --- teams --------------------------------------------------------------------------------------------- */

typedef struct {
  SegSession *session;
  const SegTeamOptions *options;
} Request;

static void
free_team (gpointer data)
{
  Team *team = data;
  for (guint i = 0; i < G_N_ELEMENTS (team->turns); i++)
    seg_batch_free (&team->turns[i]);
  seg_team_session_clear (&team->session);
  g_ptr_array_unref (team->members);
  g_mutex_clear (&team->lock);
  g_cond_clear (&team->changed);
  g_free (team);
}

static gpointer
make_team (gpointer data, GError **error)
{
  const Request *r = data;
  Team *team = g_new0 (Team, 1);
  g_mutex_init (&team->lock);
  g_cond_init (&team->changed);
  team->members = g_ptr_array_new ();
  gboolean ok = seg_team_session_init (&team->session, r->session, r->options, error);
  for (guint i = 0; ok && i < G_N_ELEMENTS (team->turns); i++)
    ok = (team->turns[i] = seg_batch_new (r->session->vk, error)) != NULL;
  if (ok)
    return team;
  free_team (team);
  return NULL;
}

static SegRegistry teams = SEG_REGISTRY (make_team, free_team, NULL);

/* Members keep the network alive, so that its address is a name. */
static char *
name_of (const Request *r)
{
  const SegTeamOptions *o = r->options;
  GString *name = g_string_new (NULL);
  g_string_printf (name, "%p %u", (const void *) r->session->network, o->batch);
  for (guint i = 0; i < o->n_outputs; i++)
    g_string_append_printf (name, " %u", o->outputs[i]);
  if (o->name != NULL)
    g_string_append_printf (name, "\n%s", o->name);
  return g_string_free (name, FALSE);
}

static gboolean
record_copies (SegMember *m, const SegTeamOptions *o, GError **error)
{
  const SegTeamSession *t = &m->team->session;
  gboolean ok = TRUE;
  for (guint i = 0; ok && i < o->batch; i++) {
    m->in[i] = seg_team_session_record_in (t, m->session, i, error);
    ok = m->in[i] != NULL;
    m->out[i] = ok ? seg_team_session_record_out (t, m->session, o, i, error) : NULL;
    ok = ok && m->out[i] != NULL;
  }
  return ok;
}

SegMember *
seg_team_join (SegSession *session, const SegTeamOptions *o, GError **error)
{
  Request request = { session, o };
  if (o->batch < 2 || o->batch > SEG_TEAM_MAX_BATCH) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_INPUT, "a batch of %u: 2 to %d are possible",
        o->batch, SEG_TEAM_MAX_BATCH);
    return NULL;
  }
  g_autofree char *name = name_of (&request);
  Team *team = seg_registry_get (&teams, name, &request, error);
  if (team == NULL)
    return NULL;
  SegMember *m = g_new0 (SegMember, 1);
  m->team = team;
  m->session = session;
  g_mutex_lock (&team->lock);
  g_ptr_array_add (team->members, m);
  g_mutex_unlock (&team->lock);
  if (!record_copies (m, o, error))
    seg_member_leave (&m);
  return m;
}

void
seg_member_leave (SegMember **pm)
{
  SegMember *m = *pm;
  *pm = NULL;
  if (m == NULL)
    return;
  g_mutex_lock (&m->team->lock);
  g_ptr_array_remove (m->team->members, m);
  g_cond_broadcast (&m->team->changed);
  g_mutex_unlock (&m->team->lock);
  for (guint i = 0; i < SEG_TEAM_MAX_BATCH; i++) {
    seg_cmd_free (&m->in[i]);
    seg_cmd_free (&m->out[i]);
  }
  seg_registry_put (&teams, m->team);
  g_free (m);
}
