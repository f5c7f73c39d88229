/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ops/program.h"
#include "vk/vk.h"

G_BEGIN_DECLS

/* A short program on a device without a session around it, to see how fast it is. It has memory of
 * its own: its blobs are uploaded, and graph values and temporaries have the same harmless number
 * (1 in fp16) everywhere at first. */
typedef struct _SegTrial SegTrial;

/* The program, all of whose steps are dispatches, and its graph must outlive it. */
SegTrial *seg_trial_new (const SegProgram *program, SegVk *vk, GError **error);
void seg_trial_free (SegTrial **trial); /* and clears it; NULL is allowed */
/* Nanoseconds that its dispatches take, with a barrier between each. */
gboolean seg_trial_run (SegTrial *trial, guint64 *ns, GError **error);

G_END_DECLS
