/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "graph/act.h"
#include "onnx/model.h"

G_BEGIN_DECLS

typedef struct _SegGraph SegGraph;
typedef struct _SegNode SegNode;
typedef struct _SegValue SegValue;
typedef struct _SegOp SegOp;
typedef struct _SegBody SegBody;

/* Order of a value's elements in device memory. Rank is as in ONNX in either case.
 * ROWS: row-major, dense.
 * CHANNELS_LAST: for [N,C,...]: N, then the spatial axes, then C, each pixel's channels
 *   padded to a pitch that is a multiple of 8 (SEG_CHANNEL_ALIGN), and more with a gap. The
 *   padding, and only the padding up to the next multiple of 8, is always zero: whoever writes
 *   a value writes it. */
typedef enum {
  SEG_LAYOUT_ROWS,
  SEG_LAYOUT_CHANNELS_LAST,
} SegLayout;

#define SEG_CHANNEL_ALIGN 8

/* What bodies may still cost in one run, so that no model keeps a program busy for ever: one unit
 * per element that a step makes, and some per step. */
typedef struct {
  guint64 limit, left;
} SegBudget;

/* How much of a value's dimensions is known when the model is loaded. */
typedef enum {
  SEG_SIZE_FIXED = 0,
  SEG_SIZE_BOUNDED, /* the data decides; the rank is known and no dimension exceeds desc's */
  SEG_SIZE_UNKNOWN, /* the data decides; desc says nothing */
} SegSize;

#define SEG_N_SAMPLES 4 /* sizes with which a model is tried out; see graph/bounds.c */

/* A tensor that flows along an edge of the graph. */
struct _SegValue {
  guint id; /* index into graph->values */
  char *name;
  SegDesc desc; /* dtype and dimensions; final once seg_graph_new has returned */
  SegSize size; /* whether desc says all */
  /* BOUNDED: desc with hardly anything of what the data decides; it decides where they differ */
  SegDesc fewer;
  /* Of a shape calculation, with the sizes of graph/bounds.c's samples, or NULL; owned */
  SegTensor *contents[SEG_N_SAMPLES];
  SegTensor *constant; /* contents, when known at load; owned */
  SegNode *producer;   /* NULL for inputs and constants */
  guint n_uses;        /* node inputs and graph outputs that read it */
  gboolean is_input, is_output;
  gboolean wide; /* fp32 on a device, where others are fp16; see graph/wide.c */

  /* Set by graph/layout.c */
  SegLayout layout;
  /* not NULL: shares base's memory. Same bytes in the same order, or, for a part of a
   * concatenation, channels [channel, channel + C) of its pixels */
  SegValue *base;
  guint channel;
  guint gap; /* CHANNELS_LAST, no base: elements between one pixel's and the next's */
};

/* One operation. inputs holds NULL for an absent optional input. */
struct _SegNode {
  char *name;
  const SegOp *op;
  const SegModelNode *model; /* attributes; NULL for a node that a pass made */
  guint opset;
  GPtrArray *inputs;  /* SegValue * */
  GPtrArray *outputs; /* SegValue *, NULL for an absent optional output */
  gpointer params;    /* op->params_size bytes, filled in by op->parse */
  SegEpilogue epilogue;
  int factor; /* input [1,C,1,...] that input 0 is multiplied by before all else, or -1 */
  /* parsed and inferred anew whenever it runs, with the inputs' contents: it reads or makes what
   * the data decides. On the host */
  gboolean late;
  gboolean by_row; /* late, but a device may do it for as many rows as there can be */
  gboolean keep_on_host; /* not worth a trip to the device */
  /* of a branch that may not be wanted: never on the host, where it could fail */
  gboolean guessed;
  GPtrArray *bodies; /* SegBody *, of the attributes that are graphs; NULL without any */
  guint n_captured;  /* the last so many inputs are there because bodies read them */
};

/* A graph in an attribute (a branch of If, the body of Loop), built like any other. Its inputs
 * are first the formal ones, then what it takes from around the node. */
struct _SegBody {
  char *name; /* the attribute's */
  SegGraph *graph;
  guint n_formal;
  guint *captures; /* per input past the formal ones: which of the node's inputs it is */
};

/* A dimension that the caller chooses for a free axis of an input: by the input's name. */
typedef struct {
  const char *input;
  guint rank;
  gint64 dims[SEG_MAX_RANK];
} SegInputShape;

/* A model with every size fixed that can be. After seg_graph_new the nodes are in topological order,
 * everything that depends on constants alone is a constant, dead nodes are gone, and the
 * passes have run (fusion, layout, concatenation in place). */
struct _SegGraph {
  SegModel *model;    /* owned reference */
  GPtrArray *values;  /* SegValue *, owned */
  GPtrArray *nodes;   /* SegNode *, owned, topological */
  GPtrArray *inputs;  /* SegValue *, in the model's order */
  GPtrArray *outputs; /* SegValue *, in the model's order; may be constants or inputs */
  gboolean steady; /* for emit: an element is computed by the same operations in the same
                       * order whatever the extents are, and wherever it lies, as far as its
                       * operands do not reach past an end */
  GPtrArray *assumptions; /* char *: sizes that were chosen here for free dimensions */
  SegBudget *budget, *own_budget; /* shared with bodies; NULL own_budget in these */
  guint depth;                    /* 0: not the body of a node */
};

typedef enum {
  SEG_GRAPH_PLAIN = 0,         /* build, infer, fold: each node as in the file */
  SEG_GRAPH_OPTIMISE = 1 << 0, /* fuse and simplify */
  SEG_GRAPH_LAYOUT = 1 << 1,   /* choose layouts for a device */
  SEG_GRAPH_UNPASTED =
      1 << 4,              /* with OPTIMISE: an output of masks [n,1,H,W] that are pasted
                                * into the picture is the masks [n,1,h,w] before that; one more at
                                * the end, NAME/boxes, is where each belongs: int64[n,4], the first
                                * and the last column and row */
  SEG_GRAPH_HALF = 1 << 3, /* with LAYOUT: the device stores floating point as fp16; some
                              * values stay fp32 */
  SEG_GRAPH_ANY_BATCH = 1 << 5, /* a first dimension of an input that is fixed to 1 may be
                                 * asked to be another; shapes in the file that say 1 follow */
  SEG_GRAPH_INPUTS_CHANNELS_LAST =
      1 << 2, /* with LAYOUT: inputs of rank 3 and 4 are so even
                                            * where nothing asks for it (tests) */
} SegGraphFlags;

/* The operator of an ONNX name, or NULL: seg_op_lookup of ops/table.h. The graph is handed it,
 * so that it can be tested without any operator. */
typedef const SegOp *(*SegOpLookup) (const char *domain, const char *op_type);

/* Builds a graph. `shapes` fixes free input dimensions (a fixed one must agree); a free
 * dimension without a shape is chosen where there is an obvious choice: batch 1, 3 channels,
 * and for height and width 512 (noted in `assumptions`).
 * Errors: SEG_ERROR_UNSUPPORTED lists every node whose operator is unknown, a line each;
 * SEG_ERROR_MODEL for cycles, dangling names and shapes that contradict each other;
 * SEG_ERROR_INPUT for shapes that do not fit the model. Not thread-safe per graph. */
SegGraph *seg_graph_new (SegModel *model, SegOpLookup lookup, const SegInputShape *shapes,
    guint n_shapes, SegGraphFlags flags, GError **error);
/* Another limit for what the bodies of a run may cost; the usual one is a minute or so. */
void seg_graph_limit_work (SegGraph *graph, guint64 units);
void seg_graph_free (SegGraph *graph); /* NULL is allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegGraph, seg_graph_free)

/* Runs the graph (made with SEG_GRAPH_PLAIN or OPTIMISE) on the host with each operator's
 * eval: the reference. inputs and outputs are in the graph's order; outputs[] receives new
 * references. On failure nothing is left in outputs. */
gboolean seg_graph_eval (
    const SegGraph *graph, SegTensor *const *inputs, SegTensor **outputs, GError **error);

/* --- for operators and passes ---------------------------------------------------------- */

SegValue *seg_node_input (const SegNode *node, guint i);  /* NULL if absent */
SegValue *seg_node_output (const SegNode *node, guint i); /* NULL if absent */

gint64 seg_node_attr_int (const SegNode *node, const char *name, gint64 fallback);
float seg_node_attr_float (const SegNode *node, const char *name, float fallback);
const char *seg_node_attr_string (
    const SegNode *node, const char *name, const char *fallback);
gboolean seg_node_has_attr (const SegNode *node, const char *name);
/* A list of integers; `n` receives the count. NULL and 0 if absent. */
const gint64 *seg_node_attr_ints (const SegNode *node, const char *name, guint *n);

/* For infer of LIVE operators, after desc: the data decides how much of this axis there is. */
void seg_value_live_axis (SegValue *v, guint axis);

/* The body of an attribute, or NULL. */
const SegBody *seg_node_body (const SegNode *node, const char *name);
/* Runs a body: inputs are the formal ones, captured the node's (in[] of its eval); outputs
 * receives new references, in the body's order. */
gboolean seg_body_eval (const SegNode *node, const SegBody *body, SegTensor *const *in,
    SegTensor *const *formal, SegTensor **outputs, GError **error);

/* An integer tensor input whose contents are known at load, as an array (transfer none for
 * the value, `out` is newly allocated). Fails with SEG_ERROR_RUN_TIME naming the input if
 * its contents are computed at run time. An absent input gives n 0 and out NULL. */
gboolean seg_node_const_ints (const SegNode *node, guint i, const char *what,
    gint64 **out, guint *n, GError **error);

/* A negative axis counted from the end; fails when it is outside [-rank, rank). */
gboolean seg_axis_normalize (gint64 axis, guint rank, guint *out, GError **error);
/* NumPy broadcasting of b onto a; dims in out. */
gboolean seg_broadcast (const SegDesc *a, const SegDesc *b, SegDesc *out, GError **error);

G_END_DECLS
