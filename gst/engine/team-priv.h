/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "engine/session-priv.h"
#include "engine/team.h"

G_BEGIN_DECLS

/* What a team runs: team-session.c. */
typedef struct {
  SegSession *session;
  GPtrArray *runs; /* SegCmd: the network, in parts that run one after the other */
  double alone_ms, batch_ms;
  guint batch, least; /* see SegTeamInfo */
} SegTeamSession;

/* For a session of the same network, which is timed too. */
gboolean seg_team_session_init (
    SegTeamSession *t, SegSession *like, const SegTeamOptions *options, GError **error);
void seg_team_session_clear (SegTeamSession *t);

/* The copies between a session and place i of the batch: its inputs there, its outputs back. */
SegCmd *seg_team_session_record_in (
    const SegTeamSession *t, SegSession *member, guint i, GError **error);
SegCmd *seg_team_session_record_out (const SegTeamSession *t, SegSession *member,
    const SegTeamOptions *options, guint i, GError **error);

G_END_DECLS
