/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "engine/session.h"

G_BEGIN_DECLS

/* A tensor that lies row-major and dense, with 32 bits an element; its buffer is the caller's. */
gboolean seg_bound_rows (SegBound *bound, const SegDesc *desc, GError **error);

/* A network that runs between two recordings, because some of its steps run on the host or because
 * the data decides what size its outputs have: its input and some of its outputs as plain rows, these in
 * buffers of their own or, with the size that they have this time, in host memory. Slower than
 * recording it; always right. */
typedef struct _SegHostNet SegHostNet;

typedef enum {
  SEG_HOST_NET_BUFFERS, /* outputs must be of a fixed size */
  SEG_HOST_NET_TENSORS,
} SegHostNetKind;

/* outputs: n_outputs numbers of graph outputs. */
SegHostNet *seg_host_net_new (SegSession *session, SegVk *vk, SegHostNetKind kind,
    const guint *outputs, guint n_outputs, GError **error);
void seg_host_net_free (SegHostNet **net); /* NULL is allowed */

const SegBound *seg_host_net_input (const SegHostNet *net);
/* In the order of `outputs`: BUFFERS, of which each run changes the contents. */
const SegBound *seg_host_net_outputs (const SegHostNet *net);
/* TENSORS, until the next run. */
SegTensor *const *seg_host_net_tensors (const SegHostNet *net);
/* Last in the recording that writes the input. */
gboolean seg_host_net_record_input (SegHostNet *net, SegCmd *cmd, GError **error);
/* Between the two recordings: the first is done, the second not submitted. */
gboolean seg_host_net_run (SegHostNet *net, GError **error);

G_END_DECLS
