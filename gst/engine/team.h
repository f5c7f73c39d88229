/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "engine/session.h"

G_BEGIN_DECLS

/* Sessions of one network that look at their inputs together: a team has a session of its own for a
 * batch, and in a round the inputs of those members that are there are copied into it, it runs once, and
 * each gets its outputs back as if it had run by itself. Who comes last, or has waited long enough,
 * submits for all. Members come, stay away and leave as they like: one that misses a round is not waited
 * for until it comes again. Thread-safe; a member is used by one thread at a time. */
typedef struct _SegMember SegMember;

#define SEG_TEAM_MAX_BATCH 16

typedef struct {
  guint batch; /* inputs at once, 2 to SEG_TEAM_MAX_BATCH; there may be more members */
  const char *name;     /* teams of different names are different; NULL: of none */
  const guint *outputs; /* those of the graph that are used */
  guint n_outputs;
  /* together from two on, whether that is sooner done or not: for tests */
  gboolean always;
} SegTeamOptions;

/* Into the team of those with a session of the same network (see SegSessionOptions.shared) and the same
 * options. The first one waits while the network is made for the batch, and timed. The session runs where
 * its member runs alone, and must outlive it. Fails with SEG_ERROR_UNSUPPORTED when the network cannot
 * tell the inputs of a batch apart. */
SegMember *seg_team_join (
    SegSession *session, const SegTeamOptions *options, GError **error);
/* Its frames have been waited for. And clears it; NULL is allowed. */
void seg_member_leave (SegMember **member);

/* A frame: `before` writes the session's inputs, `after` reads its outputs. */
typedef struct {
  SegCmd *const *before, *const *after;
  guint n_before, n_after; /* 1 to SEG_MEMBER_MAX_CMDS */
  /* somebody else wants to submit meanwhile: the network goes in parts, and this returns when the
   * last is submitted */
  gboolean in_turns;
  SegBatch *batch; /* of the member: to be waited for as if it had been submitted to it */
} SegMemberFrame;
#define SEG_MEMBER_MAX_CMDS 3

/* Waits for others, timeout_us at most, and for as long as a batch that is on its way takes to be
 * submitted: not long, except with in_turns. Then either all of the frame has been submitted; or,
 * *alone, none of it, since there were so few that the member's own session does it sooner. With an
 * error parts of it may have been submitted: the frame's batch is to be waited for all the same. */
gboolean seg_member_run (SegMember *member, const SegMemberFrame *frame,
    gint64 timeout_us, gboolean *alone, GError **error);
/* From any thread: while it is set the member waits for nobody. */
void seg_member_hurry (SegMember *member, gboolean hurry);

typedef struct {
  double alone_ms,
      batch_ms; /* a run of the session, and of the team's: as measured by the first */
  guint batch;
  guint least; /* inputs from which on it runs together; more than `batch`: never */
} SegTeamInfo;
void seg_member_info (const SegMember *member, SegTeamInfo *info);

G_END_DECLS
