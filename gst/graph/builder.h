/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "graph/rewrite.h"

G_BEGIN_DECLS

/* What is needed only while a model becomes a graph; joins build.c and body.c. A graph in an
 * attribute has a builder of its own, which looks for names in its parent's too. */
typedef struct _SegBuilder SegBuilder;
struct _SegBuilder {
  SegBuilder *parent; /* of what is around an attribute's graph, or NULL */
  SegGraph *graph;
  const SegModelGraph *source;
  SegOpLookup lookup;
  /* branches may be done before it is known which is wanted: on a device */
  gboolean guesses;
  gboolean any_batch;    /* SEG_GRAPH_ANY_BATCH */
  GHashTable *values;    /* name -> SegValue */
  GHashTable *producers; /* output name -> index into source->nodes, plus 1 */
  guint8 *marks;         /* per source node: 0 unseen, 1 waits for its inputs, 2 placed */
  GPtrArray **captures; /* per source node: the names that its bodies take from around it;
                          * NULL without any */
};

/* Attributes with graphs in graphs. */
#define SEG_MAX_BODY_DEPTH 16

void seg_builder_init (SegBuilder *b, SegBuilder *parent, SegGraph *graph,
    const SegModelGraph *source, SegOpLookup lookup);
void seg_builder_clear (SegBuilder *b);
/* The value of a name: this graph's, or one taken from around it (a constant, or an input that
 * is made for it). NULL: nothing makes it. */
SegValue *seg_builder_find (SegBuilder *b, const char *name);
/* inputs.c: the graph's inputs; fixes free dimensions. */
gboolean seg_builder_add_inputs (
    SegBuilder *b, const SegInputShape *shapes, guint n_shapes, GError **error);
/* rebatch.c: with any_batch, where a node's constant shape says a batch of one and its data is another,
 * it says that. The node's inputs are connected, its outputs not yet. */
gboolean seg_builder_free_batch (SegBuilder *b, SegNode *node, GError **error);
gboolean seg_builder_add_initializers (SegBuilder *b, GError **error);
/* Adds the nodes that the source's outputs need. */
gboolean seg_builder_add_nodes (SegBuilder *b, GError **error);
gboolean seg_builder_add_outputs (SegBuilder *b, GError **error);

/* body.c: the names that a node's bodies read and do not define, once each, borrowed. */
GPtrArray *seg_captured_names (const SegModelNode *node);
/* The bodies of a node whose own inputs are connected; adds the inputs that they capture. */
gboolean seg_builder_add_bodies (SegBuilder *b, SegNode *node, GError **error);
/* An If whose condition is known: the branch's nodes become part of the graph around it. So do those of
 * one where the other branch yields nothing, if a device can do them: then rows are kept or not, as
 * the condition says (vkseg.RowsIf). `done`: whether it has been. */
gboolean seg_builder_inline (
    SegBuilder *b, const SegModelNode *source, gboolean *done, GError **error);

G_END_DECLS
