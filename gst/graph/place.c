/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which nodes run on the host, and when: so that a run goes to the device and comes back as seldom
 * as the network allows. */
#include "graph/rewrite.h"

#define SMALL_ELEMS                                                                      \
  (1 << 17) /* the host is done with so many before the device has begun */

static gint64
largest (const SegNode *node)
{
  gint64 n = 0;
  for (guint i = 0; i < node->inputs->len + node->outputs->len; i++) {
    const SegValue *v = i < node->inputs->len
                            ? g_ptr_array_index (node->inputs, i)
                            : g_ptr_array_index (node->outputs, i - node->inputs->len);
    if (v != NULL)
      n = MAX (n, seg_desc_n_elems (&v->desc));
  }
  return n;
}

static gboolean
is_light (const SegNode *node)
{
  return !(node->op->flags & SEG_OP_HEAVY) && largest (node) <= SMALL_ELEMS;
}

/* Per value: a host step is needed to make it. */
static guint8 *
values_after_host (const SegGraph *graph)
{
  guint8 *after = g_new0 (guint8, graph->values->len + 1);
  for (guint n = 0; n < graph->nodes->len; n++) {
    const SegNode *node = g_ptr_array_index (graph->nodes, n);
    gboolean host = !seg_node_is_on_device (node);
    for (guint i = 0; i < node->inputs->len; i++) {
      const SegValue *v = g_ptr_array_index (node->inputs, i);
      host |= v != NULL && after[v->id];
    }
    for (guint i = 0; i < node->outputs->len; i++) {
      const SegValue *v = g_ptr_array_index (node->outputs, i);
      if (v != NULL)
        after[v->id] = host;
    }
  }
  return after;
}

/* Per value: the host reads it, or something that is made of it on the way of light steps. */
static gboolean
is_read_by_host (const SegNode *node, const guint8 *read)
{
  for (guint i = 0; i < node->outputs->len; i++) {
    const SegValue *v = g_ptr_array_index (node->outputs, i);
    if (v != NULL && (v->is_output || read[v->id]))
      return TRUE;
  }
  return FALSE;
}

/* What the host made is renamed there: it is a copy, and no step on the device that one could
 * wait for. */
static void
place_renames (SegGraph *graph)
{
  for (guint n = 0; n < graph->nodes->len; n++) {
    SegNode *node = g_ptr_array_index (graph->nodes, n);
    const SegValue *in = seg_node_input (node, 0);
    if ((node->op->flags & SEG_OP_RENAME) && in != NULL && in->constant == NULL
        && in->producer != NULL && !seg_node_is_on_device (in->producer))
      node->keep_on_host = TRUE;
  }
}

void
seg_graph_place (SegGraph *graph)
{
  g_autofree guint8 *after = values_after_host (graph);
  g_autofree guint8 *read = g_new0 (guint8, graph->values->len + 1);
  for (guint n = graph->nodes->len; n-- > 0;) {
    SegNode *node = g_ptr_array_index (graph->nodes, n);
    const SegValue *out = seg_node_output (node, 0);
    gboolean by_host = is_read_by_host (node, read);
    if (!node->guessed && seg_node_is_on_device (node) && node->op->eval != NULL
        && out != NULL && after[out->id] && by_host && is_light (node))
      node->keep_on_host = TRUE;
    gboolean on_host = !seg_node_is_on_device (node);
    for (guint i = 0; i < node->inputs->len; i++) {
      const SegValue *v = g_ptr_array_index (node->inputs, i);
      if (v != NULL)
        read[v->id] |= on_host || by_host;
    }
  }
  place_renames (graph);
}

/* --- order ------------------------------------------------------------------------------- */

/* After how many host segments a node can run. */
static guint
stage_of (const SegNode *node, const guint *stages)
{
  gboolean device = seg_node_is_on_device (node);
  guint stage = 0;
  for (guint i = 0; i < node->inputs->len; i++) {
    const SegValue *v = g_ptr_array_index (node->inputs, i);
    if (v == NULL || v->producer == NULL || v->constant != NULL)
      continue;
    gboolean trip = device && !seg_node_is_on_device (v->producer);
    stage = MAX (stage, stages[v->id] + (trip ? 1 : 0));
  }
  return stage;
}

static gboolean
has_host_nodes (const SegGraph *graph)
{
  for (guint n = 0; n < graph->nodes->len; n++)
    if (!seg_node_is_on_device (g_ptr_array_index (graph->nodes, n)))
      return TRUE;
  return FALSE;
}

/* Appends the nodes of one kind and stage, in their order. */
static void
take_nodes (const SegGraph *graph, const guint *node_stages, guint stage, gboolean device,
    GPtrArray *order)
{
  for (guint n = 0; n < graph->nodes->len; n++) {
    SegNode *node = g_ptr_array_index (graph->nodes, n);
    if (node_stages[n] == stage && seg_node_is_on_device (node) == device)
      g_ptr_array_add (order, node);
  }
}

void
seg_graph_schedule (SegGraph *graph)
{
  if (!has_host_nodes (graph))
    return;
  g_autofree guint *stages = g_new0 (guint, graph->values->len + 1);
  g_autofree guint *node_stages = g_new0 (guint, graph->nodes->len + 1);
  GPtrArray *order = g_ptr_array_new ();
  guint last = 0;
  for (guint n = 0; n < graph->nodes->len; n++) {
    const SegNode *node = g_ptr_array_index (graph->nodes, n);
    node_stages[n] = stage_of (node, stages);
    last = MAX (last, node_stages[n]);
    for (guint i = 0; i < node->outputs->len; i++) {
      const SegValue *v = g_ptr_array_index (node->outputs, i);
      if (v != NULL)
        stages[v->id] = node_stages[n];
    }
  }
  for (guint stage = 0; stage <= last; stage++) {
    take_nodes (graph, node_stages, stage, TRUE, order);
    take_nodes (graph, node_stages, stage, FALSE, order);
  }
  seg_graph_set_nodes (graph, order);
}
