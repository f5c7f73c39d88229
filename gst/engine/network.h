/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "engine/session.h"

G_BEGIN_DECLS

/* What sessions of one network have in common, whoever runs them: its graph, the program, and the
 * weights on the device. Once it is made it is only read, but for what `host_lock` is for. */
typedef struct {
  SegModel *model;
  SegVk *vk; /* NULL: all on the host; then there is no program */
  SegGraph *graph;
  SegProgram *program;
  SegStorage precision;
  SegBuffer *weights;
  gsize *blob_offsets; /* in weights */
  gsize weight_bytes;
  SegTuneStats tuning;
  GThread *writer; /* of weights, under way; NULL: they are there */
  /* held by a run when `has_bodies`: these share a budget; and to end the writer */
  GMutex host_lock;
  gboolean has_bodies;
  SegSessionOptions options; /* as asked for; without shapes, which `graph` has */
} SegNetwork;

/* options->shared: the one that others have, of the same model, device and options. */
SegNetwork *seg_network_get (
    SegModel *model, SegVk *vk, const SegSessionOptions *options, GError **error);
void seg_network_put (SegNetwork *network); /* NULL is allowed */

/* weights.c: brings the program's blobs to the device, and drops them on the host; or starts to. */
gboolean seg_network_upload (SegNetwork *network, GError **error);
/* Until they are there, before anything is submitted that reads them. Thread-safe. */
void seg_network_wait (SegNetwork *network);

G_END_DECLS
