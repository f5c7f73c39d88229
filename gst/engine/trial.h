/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ops/program.h"
#include "vk/vk.h"

G_BEGIN_DECLS

/* A short program on a device without a session around it, to see how fast it is, or whether it is right. It
 * has memory of its own: its blobs are uploaded, and graph values and temporaries have the same harmless
 * number (1 in fp16) everywhere at first. */
typedef struct _SegTrial SegTrial;

/* The program, all of whose steps are dispatches, and its graph, if it has one, must outlive it. timed: for
 * seg_trial_run to say how long it took, on a device with timestamps. */
SegTrial *seg_trial_new (
    const SegProgram *program, SegVk *vk, gboolean timed, GError **error);
void seg_trial_free (SegTrial **trial); /* and clears it; NULL is allowed */
/* Runs it and waits. ns: how long its dispatches took, with a barrier between each; NULL where it is not
 * timed. */
gboolean seg_trial_run (SegTrial *trial, guint64 *ns, GError **error);
/* The bytes of a temporary as the last run left them, seg_program_ref_bytes of them. */
gboolean seg_trial_read (SegTrial *trial, guint temp, void *to, GError **error);

G_END_DECLS
