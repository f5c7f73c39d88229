/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "graph/graph.h"

G_BEGIN_DECLS

typedef struct _SegProgram SegProgram; /* ops/program.h */

/* Which layout an operator's emit can read and write. Constants (weights) are not laid out:
 * emit packs them as it likes. */
typedef enum {
  SEG_OP_ROWS = 0,      /* all inputs and outputs ROWS */
  SEG_OP_CHANNELS_LAST, /* inputs 0.. of the output's rank, and the outputs: CHANNELS_LAST
                         * (when their rank is 3 or 4, else ROWS) */
  SEG_OP_ANY, /* emit addresses by strides (SegView): takes what comes. The output
                         * is CHANNELS_LAST when an input of its rank is */
} SegOpLayout;

/* How an operator's emit stores floating point in an fp16 program, in which some values are fp32
 * (SegValue.wide). Constants that it packs itself do not matter. */
typedef enum {
  SEG_OP_PRECISION = 0, /* inputs and outputs in the program's precision */
  SEG_OP_RECOMPUTES, /* each as the value is stored: reads as TEXEL, and computes in fp32 */
  SEG_OP_MOVES,      /* elements as they are: inputs and outputs stored alike */
} SegOpStorage;

#define SEG_OP_ALL_BUT_FIRST (~1u) /* for decides */
#define SEG_OP_ALL           (~0u)

typedef enum {
  SEG_OP_EPILOGUE_ACT = 1 << 0,      /* honours epilogue.act */
  SEG_OP_EPILOGUE_RESIDUAL = 1 << 1, /* honours epilogue.residual and act2 */
  SEG_OP_RENAME =
      1 << 2, /* same elements in the same row-major order, only other dims: no
                           * work. inputs[0] ROWS, output shares its memory; no emit,
                           * and for eval out[0] is in[0] with the output's dims */
  SEG_OP_DESC_ONLY =
      1 << 3, /* eval looks at its inputs' desc, never at their data (Shape, Size):
                              * folds although the input is not constant; data is NULL then */
  SEG_OP_LIVE =
      1 << 5, /* the data decides the outputs' sizes: infer gives bounds or says that
                         * there are none (SegValue.size), eval makes out[] itself */
  SEG_OP_HEAVY = 1 << 7, /* worth a device whatever the size */
  SEG_OP_BODIES =
      1 << 6, /* has graphs among its attributes; they are built before parse */
  SEG_OP_ANY_LIVE_AXIS = 1 << 9, /* by_row is asked whichever axis it is that is live */
  SEG_OP_BYTES = 1 << 8, /* emit takes uint8 and int8, which lie in bytes on a device */
  SEG_OP_REORDERS = 1 << 4, /* ANY, but the output's layout does not follow the input's
                              * (Transpose): it is what the consumers want */
} SegOpFlags;

/* Whether a node makes each element of its output as a weighted mean (the weights add up to 1) of elements
 * of the same channel of input 0, weighted alike in all channels. */
typedef enum {
  SEG_MEANS_NOT = 0,
  SEG_MEANS_SOME, /* it does, of some elements */
  SEG_MEANS_EVENLY, /* ... and each element of the input counts as much as any other in all of them */
  SEG_MEANS_ALL, /* of all elements, evenly: one element is left of a map */
} SegMeans;

/* How an axis of a node's output lies along an axis of its first input: the middle of output
 * element i is at input element i * num / den + shift. Starts as: the same axis, unchanged. */
typedef struct {
  guint in_axis;
  gint64 num, den;
  double shift;
  gboolean padded; /* at an end, elements are made up */
  gboolean whole;  /* each is made of all along the axis, wherever it lies */
  /* input elements that a stride would need to leave none out at the end */
  gint64 missing;
} SegAlign;

/* An operator. One const table per ONNX operator; see ops/table.h.
 * All functions set the error with what is wrong; callers add the node's name. */
struct _SegOp {
  const char *name;   /* as in ONNX: "Conv" */
  const char *domain; /* "" unless it is com.microsoft or our own ("vkseg") */
  guint min_inputs, max_inputs, max_outputs; /* checked before parse */
  SegOpLayout layout;
  SegOpFlags flags;
  SegOpStorage storage;
  /* A bit for each input (the last for all from there on) that says where, how many or in which
   * order, rather than what: indices, boxes, sizes, scores that are ranked. Such an input is kept in
   * fp32, back to where it comes from, and emit takes it in any storage. */
  guint32 decides;
  int variant; /* for families: which member this is */
  gsize params_size;

  /* Attributes (and constant inputs) -> node->params, zeroed before. NULL: no parameters. */
  gboolean (*parse) (SegNode *node, GError **error);
  /* Frees what params points to. NULL: nothing. */
  void (*clear) (gpointer params);
  /* Input descriptions -> descriptions of all present outputs (dtype, rank, dims). Inputs'
   * desc are final. Must reject ranks and shapes that emit and eval cannot take. */
  gboolean (*infer) (SegNode *node, GError **error);
  /* The specification, in plain C (for a LIVE operator see there): in[i] NULL for an absent input, out[i] are new tensors that
   * already have the outputs' desc and are zeroed (NULL for absent outputs). Dtypes are the
   * ONNX ones. Sums are done in double. Ignores the epilogue (the caller applies it). */
  gboolean (*eval) (
      const SegNode *node, SegTensor *const *in, SegTensor **out, GError **error);
  /* Whether emit can do this node on a device; NULL: when seg_node_device_types (node). A node
   * that cannot runs through eval, between two submissions. */
  gboolean (*on_device) (const SegNode *node);
  /* For graph/reach.c: axis `axis` of the output. FALSE: it follows no axis of the input. NULL: axes
   * stay as they are. */
  gboolean (*align) (const SegNode *node, guint axis, SegAlign *align);
  /* Appends dispatches to the program. NULL: host only (or SEG_OP_RENAME). */
  gboolean (*emit) (const SegNode *node, SegProgram *program, GError **error);

  /* For sizes that the data decides: whether emit, which sees the largest, may work on memory of
   * which only the first rows (of axis 0; see SEG_OP_ANY_LIVE_AXIS) are live. Row i of the outputs
   * must be made of row i of those inputs, and of the whole of the others: a bit for each BOUNDED
   * input that must have as many rows as the others; any bit where counts says TRUE. 0: it may not.
   * NULL: never. What is past the live rows is garbage (integers that come from the host, NonZero or
   * NonMaxSuppression: G_MININT32); outputs have the rows of the first such input, or
   * of that in rows_of (a bit). */
  guint (*by_row) (const SegNode *node);
  guint32 rows_of;
  /* Of a node that is on a device: emit counts the rows of its BOUNDED outputs (seg_program_count),
   * which are not those of an input. NULL: never. */
  gboolean (*counts) (const SegNode *node);
  /* A bit for each input that only says what size the outputs have, which emit does not read. */
  guint32 sizes;

  /* --- for graph/turn.c and graph/share.c; NULL where it does not apply -------------------- */

  /* The node shall take inputs whose axis i is what was axis perm[i], and make outputs likewise.
   * That is meant for inputs of the outputs' rank; others stay as they are. Descriptions are the
   * caller's. perm NULL: nothing changes, only says whether it can. */
  gboolean (*permute) (SegNode *node, const guint *perm);
  /* The node's output axis i is its input's axis perm[i]; can be written to. */
  guint *(*perm) (SegNode *node);
  /* Output k is some channels (axis 1) of input 0 as they are, from *first on. Where the output
   * shares the input's memory, emit leaves it alone. */
  gboolean (*as_channels) (const SegNode *node, guint k, guint *first);

  /* --- for graph/fuse.c; NULL where it does not apply ------------------------------------- */

  /* The node is just a function of one variable of its first input: which. */
  gboolean (*as_act) (const SegNode *node, SegAct *act);
  /* Makes the node compute y * scale[c] + shift[c] instead of y, c its output's channel (axis 1;
   * for matrices the last axis), by replacing constant weights and bias. FALSE: cannot. */
  gboolean (*fold_affine) (
      SegGraph *graph, SegNode *node, const double *scale, const double *shift, guint n);
  /* Takes over a zero padding of its input's spatial axes: begin and end per axis, all >= 0,
   * n axes. FALSE: cannot. The node's output keeps its dims. */
  gboolean (*absorb_pads) (
      SegNode *node, const gint64 *begin, const gint64 *end, guint n);

  /* `first`, of the same operator, makes the node's input 0, for it alone: makes the node do what both do, of
   * first's input 0. Sizes are known. FALSE: cannot. */
  gboolean (*join) (SegNode *node, const SegNode *first);

  /* --- for graph/means.c, graph/factor.c; NULL where it does not apply ----------------------- */

  /* NULL: SEG_MEANS_NOT. */
  SegMeans (*means) (const SegNode *node);
  /* Each pixel of the output is an affine function of the same pixel of input 0, the same everywhere;
   * the epilogue apart. */
  gboolean (*by_pixel) (const SegNode *node);
  /* Whether it is worth while that emit does what SegNode.factor asks for. */
  gboolean (*takes_factor) (const SegNode *node);
};

/* All inputs and outputs are of types that a device stores: floating point (as fp32 or fp16),
 * int32, int64 (as 32-bit), bool (as 32-bit 0 or 1), uint8 and int8 where the operator takes them
 * (SEG_OP_BYTES); ranks at most 6; no empty tensor. */
gboolean seg_node_device_types (const SegNode *node);

/* permute for operators that go element by element, with broadcasting. */
gboolean seg_permute_elementwise (SegNode *node, const guint *perm);
/* For permute: where an axis has gone; perm NULL: nowhere. */
guint seg_axis_permuted (guint axis, const guint *perm);

/* by_row for an operator where it holds for input 0, the others being FIXED. */
guint seg_rows_of_first (const SegNode *node);
/* counts for an operator that always does. */
gboolean seg_counts_rows (const SegNode *node);
/* The axis of a BOUNDED value that is live; -1 if there is none, or more than one. */
int seg_value_live_axis_of (const SegValue *v);
/* Integers that are indices from the start: known to be no less than 0, but for garbage. */
gboolean seg_value_is_index (const SegValue *v);
/* Its live part is the first elements of its memory: no axis before the live one has an extent. */
gboolean seg_value_is_prefix (const SegValue *v);

G_END_DECLS
