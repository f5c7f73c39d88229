/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "graph/op.h"

G_BEGIN_DECLS

/* Shared by the files of this room, and by operators that rewrite their constants. */

/* New value without a producer; name is copied. Owned by the graph. */
SegValue *seg_graph_add_value (SegGraph *graph, const char *name, const SegDesc *desc);
/* New constant; takes a reference of the tensor. */
SegValue *seg_graph_add_constant (SegGraph *graph, const char *name, SegTensor *tensor);

/* An empty graph; takes a reference of the model. */
SegGraph *seg_graph_alloc (SegModel *model);

SegNode *seg_node_new (
    const SegOp *op, const char *name, const SegModelNode *model, guint opset);
void seg_node_free (SegNode *node);
/* Connect; they keep n_uses and producer true. */
void seg_node_add_input (SegNode *node, SegValue *value);          /* value may be NULL */
void seg_node_set_input (SegNode *node, guint i, SegValue *value); /* value may be NULL */
void seg_node_add_output (SegNode *node, SegValue *value);         /* value may be NULL */
/* Every reader of `from` reads `to` instead, graph outputs too. The first node that may read it
 * is at index `start`. */
void seg_graph_replace_value (SegGraph *graph, SegValue *from, SegValue *to, guint start);

/* The same nodes in another order, perhaps with new ones; takes `nodes` over. */
void seg_graph_set_nodes (SegGraph *graph, GPtrArray *nodes);
/* Removes the last nodes, so that n are left. */
void seg_graph_truncate (SegGraph *graph, guint n);
/* To where the one at `index` is now, which comes after it. */
void seg_graph_move_node (SegGraph *graph, SegNode *node, guint index);
/* Removes nodes none of whose outputs is used, and repeats until there is none. */
void seg_graph_remove_dead (SegGraph *graph);
/* Parses parameters and infers the outputs, checking arities. */
gboolean seg_node_prepare (SegNode *node, GError **error);
gboolean seg_node_check_arity (const SegNode *node, GError **error);
/* The same for a node in a graph: where sizes are known only at run time, it becomes late, and its
 * outputs get bounds where there are any. */
gboolean seg_node_prepare_or_wait (SegNode *node, GError **error);
/* v is as much known as `from`, which has the same dims. */
void seg_value_copy_size (SegValue *v, const SegValue *from);
/* BOUNDED with only the first axis live: its live part is the first rows of its memory. */
gboolean seg_value_has_rows (const SegValue *v);
/* op->by_row, or 0 where some value has other live axes. */
guint seg_node_rows (const SegNode *node);
/* The input whose rows the outputs of a by_row node have, or NULL. */
const SegValue *seg_node_live_input (const SegNode *node);
/* The value whose rows are counted, of which v has as many, times the ratio of their bounds: made on
 * the host, or by a node that counts. */
const SegValue *seg_value_counted (const SegValue *v);
/* eval of a late node: prepares a copy of it for the inputs that came. */
gboolean seg_node_eval_late (
    const SegNode *node, SegTensor *const *in, SegTensor **out, GError **error);
/* seg_graph_eval for the graph of a body, on the budget of the one around it. */
gboolean seg_graph_eval_body (
    const SegGraph *graph, SegTensor *const *inputs, SegTensor **outputs, GError **error);
/* Whoever starts a run on the host fills the budget up; bodies take from it. */
void seg_graph_refill (const SegGraph *graph);
void seg_graph_share_budget (SegGraph *graph, const SegGraph *outer);
/* When the node's outputs can be known now, evaluates it and makes them constants. */
gboolean seg_node_fold (SegNode *node, GError **error);
/* Runs eval (and the epilogue) on in[], which matches node->inputs. out[] receives new tensors. */
gboolean seg_node_eval (
    const SegNode *node, SegTensor *const *in, SegTensor **out, GError **error);
/* The tensors are what the graph's inputs ask for. */
gboolean seg_graph_check_inputs (
    const SegGraph *graph, SegTensor *const *inputs, GError **error);
/* Prefixes the error with the node: "node 'x' (Conv): ". */
void seg_node_prefix_error (const SegNode *node, GError **error);
/* The node runs as dispatches (or is a rename), not through eval. */
gboolean seg_node_is_on_device (const SegNode *node);

/* The node that made v, when nobody else reads it, nor does who runs the graph. v may be NULL. */
SegNode *seg_value_sole_producer (const SegValue *v);

/* Passes. Each leaves a valid graph. */
/* Transpositions that undo each other go, also with nodes between them that do not mind. */
void seg_graph_drop_transpositions (SegGraph *graph);
/* torchvision's loop that pastes masks becomes a PasteMasks. Before dead nodes are removed for the
 * first time. */
void seg_graph_paste_masks (SegGraph *graph, SegOpLookup lookup);
/* SEG_GRAPH_UNPASTED. */
void seg_graph_leave_unpasted (SegGraph *graph);
void seg_graph_fuse (SegGraph *graph);
/* Of fuse: what is done to each pixel is done where there are fewer of them. */
void seg_graph_commute_means (SegGraph *graph);
/* Of fuse: factors of channels go into the convolutions that read their product (SegNode.factor). */
void seg_graph_take_factors (SegGraph *graph);
gboolean seg_graph_choose_layouts (
    SegGraph *graph, SegOpLookup lookup, gboolean inputs_last, GError **error);
/* After fuse: the small nodes that make factors of channels become a Gate. */
void seg_graph_make_gates (SegGraph *graph, SegOpLookup lookup);
/* With layouts chosen: gives values the memory of others, so that nothing has to be moved. */
void seg_graph_share_memory (SegGraph *graph);
/* Chooses what an fp16 program stores as fp32 (SegValue.wide), and puts a Copy before readers that need
 * a value in the other storage. */
gboolean seg_graph_widen (SegGraph *graph, SegOpLookup lookup, GError **error);
/* Light device work between host steps goes to the host too. */
void seg_graph_place (SegGraph *graph);
/* Nodes on the device no longer read what only says how large their outputs can be. */
void seg_graph_cut_sizes (SegGraph *graph);
/* An order with as few changes between device and host as there can be. */
void seg_graph_schedule (SegGraph *graph);

/* It is that operator, of ONNX's own domain. node may be NULL. */
gboolean seg_node_is (const SegNode *node, const char *op);

G_END_DECLS
