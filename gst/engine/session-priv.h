/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "engine/network.h"

G_BEGIN_DECLS

#define SEG_NOWHERE G_MAXSIZE

/* Where one graph value is while the network runs. Indexed by the value's id. */
typedef struct {
  gboolean on_host;   /* made on the host: an input, or a host step's result */
  gboolean on_device; /* roots only: something on the device reads or writes its memory */
  gsize arena_offset; /* roots on the device; else SEG_NOWHERE */
  gsize upload_offset; /* its place in the upload buffer, or SEG_NOWHERE */
  gsize download_offset;
  SegTensor *tensor; /* contents of the current run, when on_host */
} SegPlace;

/* One submission, and the host steps that follow it: those of the program from `first` on. */
typedef struct {
  SegCmd *cmd;
  guint first, n_host; /* 0 in the last stage */
  GPtrArray *live;     /* SegNode *, dispatched here, whose rows are to be checked */
  GArray *layers; /* int per recorded dispatch: index of its layer, -1 for a transfer */
} SegStage;

struct _SegSession {
  SegNetwork *network;
  const SegGraph *graph; /* the network's, as are the next three */
  SegVk *vk;             /* NULL: all on the host */
  const SegProgram *program;
  SegStorage precision;
  gboolean timed, poison;

  SegBuffer *arena, *upload, *download, *poison_bytes;
  SegBuffer *counts;            /* of rows; NULL: there are none */
  gsize counts_up, counts_down; /* their copies in upload and download */
  gsize *temp_offsets;
  SegPlace *places;
  GArray *stages; /* SegStage; NULL until the first run */
  GArray *layers; /* SegLayerTime, one per step */
  SegSessionStats stats;
};

/* memory.c: plans the arena, makes the buffers. */
gboolean seg_session_place (SegSession *s, GError **error);
/* The memory of a reference, as `kind` sees it. */
SegBufferView seg_session_view (const SegSession *s, SegRef ref, SegBindKind kind);
SegViewKind seg_session_view_kind (SegBindKind kind, SegStorage storage);
/* The value whose memory v shares, v itself if none. */
const SegValue *seg_value_root (const SegValue *v);

/* transfer.c: values between host tensors and the device. */
/* In the upload or download buffer, behind which seg_texel_room is set apart. */
gsize seg_session_host_bytes (const SegValue *v);
gboolean seg_session_record_upload (
    SegSession *s, SegCmd *cmd, const SegValue *v, GError **error);
gboolean seg_session_record_download (
    SegSession *s, SegCmd *cmd, const SegValue *v, GError **error);
/* Writes a tensor to its place in the upload buffer. */
gboolean seg_session_fill_upload (
    SegSession *s, const SegValue *v, const SegTensor *t, GError **error);
/* New tensor from the value's place in the download buffer; `rows` of them along the live axis when
 * BOUNDED. */
SegTensor *seg_session_take_download (
    SegSession *s, const SegValue *v, gint64 rows, GError **error);

/* The i-th count of rows: bytes from the start of the counts. */
gsize seg_session_count_offset (const SegSession *s, guint i);

/* counts.c: how many rows of what the data decides there are. */
/* Of a value that the host has made, for the device. */
gboolean seg_session_record_count (
    SegSession *s, SegCmd *cmd, const SegValue *v, GError **error);
void seg_session_fill_count (SegSession *s, const SegValue *v, const SegTensor *t);
/* All of them, for the host. */
gboolean seg_session_record_counts (SegSession *s, SegCmd *cmd, GError **error);
/* After the device is done: the rows of a value, along its live axis. */
gint64 seg_session_live_rows (const SegSession *s, const SegValue *v);
/* Whether that is not said by where they come from: what to look at after a run. */
gboolean seg_session_must_check_rows (const SegNode *node);
/* Inputs of a node that belong together have as many rows. */
gboolean seg_session_check_rows (
    const SegSession *s, const SegNode *node, GError **error);

/* run.c */
gboolean seg_session_compile (SegSession *s, GError **error);
gboolean seg_session_record_step (
    SegSession *s, SegCmd *cmd, const SegStep *step, GError **error);
void seg_stage_clear (gpointer stage);

/* flops.c: multiply-adds count two; 0 for what only moves data. */
double seg_node_flops (const SegNode *node);

G_END_DECLS
