/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "engine/tune.h"
#include "graph/graph.h"
#include "ops/program.h"
#include "vk/vk.h"

G_BEGIN_DECLS

/* A network bound to a device: weights uploaded, pipelines made, commands recorded once. */
typedef struct _SegSession SegSession;

typedef enum {
  SEG_PRECISION_AUTO, /* fp16 where the device gains by it */
  SEG_PRECISION_FP32,
  SEG_PRECISION_FP16, /* stored as fp16, accumulated as fp32 */
} SegPrecision;

typedef struct {
  SegPrecision precision;
  const SegInputShape *shapes; /* of free inputs; see seg_graph_new */
  guint n_shapes;
  gboolean steady; /* results do not depend on the input's size, not even in the last bit,
                         * where nothing is padded: slower convolutions */
  gboolean unpasted;    /* SEG_GRAPH_UNPASTED */
  gboolean any_batch;   /* SEG_GRAPH_ANY_BATCH */
  gboolean no_optimise; /* each node as in the file: for tests */
  gboolean timed;       /* per-layer times */
  guint tune_ms;        /* to spend on timing kernels: see seg_tuned_program */
  /* graph, program and weights with other sessions of the same model, device and options, whatever
   * threads they are used from; two that are made at once load once. Activations are each session's
   * own */
  gboolean shared;
  /* activations start as NaN, and inputs are laid out CHANNELS_LAST where they can be: for tests */
  gboolean poison;
} SegSessionOptions;

/* vk NULL: everything runs on the host by the operators' reference code (slow; tests). */
SegSession *seg_session_new (
    SegModel *model, SegVk *vk, const SegSessionOptions *options, GError **error);
void seg_session_free (SegSession **session);

const SegGraph *seg_session_graph (const SegSession *session);
SegStorage seg_session_precision (const SegSession *session);

/* Runs on host tensors: inputs in the model's order, dtype and shape as in the graph. outputs
 * receives new references, with the sizes that they have this time: those whose value in the
 * graph is not SEG_SIZE_FIXED (what a detector finds) differ from run to run, and may be empty.
 * One thread at a time. */
gboolean seg_session_run (
    SegSession *session, SegTensor *const *inputs, SegTensor **outputs, GError **error);

/* For frames: the caller's shaders write the inputs and read the outputs where they lie.
 * TRUE when the whole network is dispatches, no host step between, and no output has a size that the
 * data decides: its rows would have to be counted on the host. */
gboolean seg_session_is_recordable (const SegSession *session);
/* Where a graph input or output lies, and how (CHANNELS_LAST or ROWS, storage). A constant
 * output lies in a buffer like any other. */
typedef struct {
  SegBuffer *buffer;
  gsize offset, n_bytes;
  SegView view;
  SegStorage storage;
  SegLayout layout;
  SegDesc desc;
} SegBound;
gboolean seg_session_input (
    SegSession *session, guint i, SegBound *bound, GError **error);
gboolean seg_session_output (
    SegSession *session, guint i, SegBound *bound, GError **error);
/* Appends the network to a recording, between what writes the inputs and what reads the outputs:
 * the steps that the graph outputs `outputs` (by number) need. The session must outlive it. */
gboolean seg_session_record (SegSession *session, SegCmd *cmd, const guint *outputs,
    guint n_outputs, GError **error);

/* The same in n_parts recordings, of about the same work each, that run one after the other; some may
 * be empty. */
gboolean seg_session_record_part (SegSession *session, SegCmd *cmd, const guint *outputs,
    guint n_outputs, guint part, guint n_parts, GError **error);

typedef struct {
  gsize weight_bytes; /* on the device */
  gsize arena_bytes;  /* activations and temporaries */
  gsize tensor_bytes; /* largest sum of tensors alive at one step */
  gsize peak_bytes;   /* the same with the temporaries of that step */
  guint n_dispatches, n_host_steps;
  guint n_live_dispatches; /* of those, that do no more than the rows that are live */
  guint n_round_trips;     /* runs of host steps, each between two submissions */
  double load_ms;
  SegTuneStats tuning;
} SegSessionStats;
void seg_session_stats (const SegSession *session, SegSessionStats *stats);

/* One executed step, in order; times of the last run when options.timed. */
typedef struct {
  const char *node, *op, *kernel; /* kernel "host" for a host step */
  SegDesc output;
  double ms, gflop;
} SegLayerTime;
guint seg_session_layers (const SegSession *session, const SegLayerTime **layers);

G_END_DECLS
