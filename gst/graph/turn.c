/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "graph/rewrite.h"

/* Networks that were converted from one order of axes to another are full of transpositions that
 * undo each other, often with a slice or an activation between them. */

/* Nodes between two transpositions. */
#define MOST_BETWEEN 16

static const guint *
perm_of (const SegNode *node)
{
  if (node == NULL || node->op->perm == NULL || node->late
      || seg_node_input (node, 0) == NULL)
    return NULL;
  return node->op->perm ((SegNode *) node);
}

static gboolean
undoes (const guint *first, const guint *then, guint rank)
{
  for (guint i = 0; i < rank; i++)
    if (first[then[i]] != i)
      return FALSE;
  return TRUE;
}

/* Who reads v, which has one reader. */
static SegNode *
reader_of (const SegGraph *graph, const SegValue *v)
{
  for (guint n = 0; n < graph->nodes->len; n++) {
    SegNode *node = g_ptr_array_index (graph->nodes, n);
    for (guint i = 0; i < node->inputs->len; i++)
      if (g_ptr_array_index (node->inputs, i) == v)
        return node;
  }
  return NULL;
}

/* The transposition by q that alone reads v, if its result has no name that must stay. */
static SegNode *
transposition_of (const SegGraph *graph, const SegValue *v, const guint *q)
{
  SegNode *reader = v->n_uses == 1 ? reader_of (graph, v) : NULL;
  const guint *p = perm_of (reader);
  if (p == NULL || seg_node_output (reader, 0)->is_output)
    return NULL;
  for (guint i = 0; i < v->desc.rank; i++)
    if (p[i] != q[i])
      return NULL;
  return reader;
}

/* Whether v can be made with its axes permuted by q, for nothing: through nodes that do not mind,
 * up to transpositions that q undoes. */
static gboolean
can_turn (const SegGraph *graph, const SegValue *v, const guint *q, guint depth)
{
  SegNode *node = v->producer;
  guint rank = v->desc.rank;
  if (node == NULL || v->size != SEG_SIZE_FIXED)
    return FALSE;
  const guint *p = perm_of (node);
  if (p != NULL)
    return undoes (p, q, rank);
  if (depth == 0 || node->late || node->op->permute == NULL
      || !node->op->permute (node, NULL))
    return FALSE;
  for (guint k = 0; k < node->outputs->len; k++) {
    const SegValue *out = g_ptr_array_index (node->outputs, k);
    if (out != NULL
        && (out->is_output || out->n_uses != 1 || out->desc.rank != rank
            || (out != v && transposition_of (graph, out, q) == NULL)))
      return FALSE;
  }
  guint n_turned = 0;
  for (guint i = 0; i < node->inputs->len; i++) {
    const SegValue *in = g_ptr_array_index (node->inputs, i);
    if (in == NULL || (in->constant != NULL && seg_desc_n_elems (&in->desc) == 1))
      continue;
    if (in->desc.rank == rank
            ? in->constant != NULL || !can_turn (graph, in, q, depth - 1)
            : in->constant == NULL)
      return FALSE;
    n_turned += in->desc.rank == rank;
  }
  return n_turned > 0;
}

static void
permute_desc (SegDesc *desc, const guint *q)
{
  SegDesc old = *desc;
  for (guint i = 0; i < desc->rank; i++)
    desc->dims[i] = old.dims[q[i]];
}

/* What can_turn found possible. */
static void
turn (SegGraph *graph, SegValue *v, const guint *q)
{
  SegNode *node = v->producer;
  guint rank = v->desc.rank;
  for (guint k = 0; k < node->outputs->len; k++) {
    SegValue *out = g_ptr_array_index (node->outputs, k);
    SegNode *other = out != NULL && out != v ? transposition_of (graph, out, q) : NULL;
    if (other != NULL) {
      seg_node_set_input (other, 0, NULL);
      seg_graph_replace_value (graph, seg_node_output (other, 0), out, 0);
    }
    if (out != NULL)
      permute_desc (&out->desc, q);
  }
  node->op->permute (node, q);
  for (guint i = 0; i < node->inputs->len; i++) {
    SegValue *in = g_ptr_array_index (node->inputs, i);
    if (in == NULL || in->constant != NULL || in->desc.rank != rank)
      continue;
    if (perm_of (in->producer) != NULL)
      seg_node_set_input (node, i, seg_node_input (in->producer, 0));
    else
      turn (graph, in, q);
  }
}

static void
drop (SegGraph *graph, SegNode *node, guint index, SegValue *same)
{
  seg_node_set_input (node, 0, NULL);
  seg_graph_replace_value (graph, seg_node_output (node, 0), same, index + 1);
}

/* Two in a row are one, or none. */
static void
join (SegGraph *graph, SegNode *node, guint index)
{
  guint *q = node->op->perm (node), joined[SEG_MAX_RANK];
  SegNode *before = seg_node_input (node, 0)->producer;
  const guint *p = perm_of (before);
  guint rank = seg_node_output (node, 0)->desc.rank;
  gboolean nothing = TRUE;
  for (guint i = 0; i < rank; i++) {
    joined[i] = p[q[i]];
    nothing = nothing && joined[i] == i;
  }
  if (nothing && !seg_node_output (node, 0)->is_output) {
    drop (graph, node, index, seg_node_input (before, 0));
    return;
  }
  for (guint i = 0; i < rank; i++)
    q[i] = joined[i];
  seg_node_set_input (node, 0, seg_node_input (before, 0));
}

void
seg_graph_drop_transpositions (SegGraph *graph)
{
  for (guint n = 0; n < graph->nodes->len; n++) {
    SegNode *node = g_ptr_array_index (graph->nodes, n);
    const guint *q = perm_of (node);
    if (q == NULL)
      continue;
    SegValue *v = seg_node_input (node, 0), *out = seg_node_output (node, 0);
    if (v->size != SEG_SIZE_FIXED || v->constant != NULL)
      continue;
    if (perm_of (v->producer) != NULL) {
      join (graph, node, n);
    } else if (!out->is_output && can_turn (graph, v, q, MOST_BETWEEN)) {
      turn (graph, v, q);
      drop (graph, node, n, v);
    }
  }
  seg_graph_remove_dead (graph);
}

/* --- for operators ---------------------------------------------------------------------------- */

guint
seg_axis_permuted (guint axis, const guint *perm)
{
  guint i = 0;
  while (perm != NULL && perm[i] != axis)
    i++;
  return perm != NULL ? i : axis;
}

/* What has fewer axes would have to be given the others first. */
gboolean
seg_permute_elementwise (SegNode *node, const guint *perm)
{
  for (guint i = 0; i < node->inputs->len; i++) {
    const SegValue *v = g_ptr_array_index (node->inputs, i);
    if (v != NULL && v->desc.rank != seg_node_output (node, 0)->desc.rank
        && seg_desc_n_elems (&v->desc) != 1)
      return FALSE;
  }
  return TRUE;
}
