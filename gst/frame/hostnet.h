/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "engine/session.h"

G_BEGIN_DECLS

/* A tensor that lies row-major and dense, with 32 bits an element; its buffer is the caller's. */
gboolean seg_bound_rows (SegBound *bound, const SegDesc *desc, GError **error);

/* A network with steps that run on the host, between two recordings: its input and some of its
 * outputs as plain rows in buffers of their own. Slower than recording it; always right. */
typedef struct _SegHostNet SegHostNet;

/* outputs: n_outputs numbers of graph outputs. */
SegHostNet *seg_host_net_new (SegSession *session, SegVk *vk, const guint *outputs,
    guint n_outputs, GError **error);
void seg_host_net_free (SegHostNet **net); /* NULL is allowed */

const SegBound *seg_host_net_input (const SegHostNet *net);
/* In the order of `outputs`. */
const SegBound *seg_host_net_outputs (const SegHostNet *net);
/* Last in the recording that writes the input. */
gboolean seg_host_net_record_input (SegHostNet *net, SegCmd *cmd, GError **error);
/* Between the two recordings: the first is done, the second not submitted. */
gboolean seg_host_net_run (SegHostNet *net, GError **error);

G_END_DECLS
