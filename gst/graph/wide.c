/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What stays fp32 where a device stores floating point as fp16: all that decides where, how many
 * or in which order (boxes, indices, scores that are ranked), back to the products that it is
 * computed from, and what is computed from that in turn. Half floats are whole numbers from 2048 on and a
 * quarter apart at 300: a box would lose pixels, and with it the mask in it. */
#include "graph/rewrite.h"

typedef struct {
  SegGraph *graph;
  const SegOp *copy;
  guint8 *wanted;        /* per value: something is decided by it */
  GHashTable *converted; /* SegValue -> the same in the other storage */
  GPtrArray *nodes;      /* the new order, copies included */
} Widening;

static gboolean
decides (const SegNode *node, guint input)
{
  return node->op->decides >> MIN (input, 31) & 1;
}

static gboolean
any_wanted (const Widening *w, const GPtrArray *outputs)
{
  for (guint i = 0; i < outputs->len; i++) {
    const SegValue *v = g_ptr_array_index (outputs, i);
    if (v != NULL && w->wanted[v->id])
      return TRUE;
  }
  return FALSE;
}

/* Backwards from what decides, through all that only moves or recomputes elements. */
static void
note_wanted (Widening *w)
{
  for (guint n = w->graph->nodes->len; n-- > 0;) {
    const SegNode *node = g_ptr_array_index (w->graph->nodes, n);
    gboolean passes =
        node->op->storage != SEG_OP_PRECISION && any_wanted (w, node->outputs);
    for (guint i = 0; i < node->inputs->len; i++) {
      const SegValue *v = g_ptr_array_index (node->inputs, i);
      if (v != NULL && (passes || decides (node, i)))
        w->wanted[v->id] = TRUE;
    }
  }
}

/* Whether the node reads something computed that is stored so; of what is only moved, places do not
 * count. */
static gboolean
has_input (const SegNode *node, gboolean wide)
{
  for (guint i = 0; i < node->inputs->len; i++) {
    const SegValue *v = g_ptr_array_index (node->inputs, i);
    if (v != NULL && v->constant == NULL && seg_dtype_is_float (v->desc.dtype)
        && v->wide == wide && !(node->op->storage == SEG_OP_MOVES && decides (node, i)))
      return TRUE;
  }
  return FALSE;
}

/* What a device only moves gets no more exact by being moved as fp32. */
static gboolean
is_wide (const Widening *w, const SegNode *node)
{
  gboolean wanted = any_wanted (w, node->outputs);
  gboolean host = !seg_node_is_on_device (node);
  if (node->op->storage == SEG_OP_PRECISION)
    return host && wanted;
  if (has_input (node, TRUE))
    return TRUE;
  return wanted
         && (host || node->op->storage == SEG_OP_RECOMPUTES || !has_input (node, FALSE));
}

/* A value as a reader needs it; may add a Copy node. */
static SegValue *
in_storage (Widening *w, SegValue *v, gboolean wide)
{
  if (v->wide == wide)
    return v;
  SegValue *other = g_hash_table_lookup (w->converted, v);
  if (other != NULL)
    return other;
  g_autofree char *name = g_strdup_printf ("%s/%s", v->name, wide ? "fp32" : "fp16");
  if (v->constant != NULL) {
    other = seg_graph_add_constant (w->graph, name, v->constant);
  } else {
    SegNode *copy = seg_node_new (w->copy, name, NULL, w->graph->model->opset);
    other = seg_graph_add_value (w->graph, name, &v->desc);
    seg_value_copy_size (other, v);
    seg_node_add_input (copy, v);
    seg_node_add_output (copy, other);
    g_ptr_array_add (w->nodes, copy);
  }
  other->wide = wide;
  g_hash_table_insert (w->converted, v, other);
  return other;
}

/* Which storage the node reads input i in; what recomputes takes what comes, but its constants
 * are to be as exact as its result. */
static gboolean
reads_wide (const SegNode *node, guint i, gboolean wide)
{
  const SegValue *v = g_ptr_array_index (node->inputs, i);
  if (decides (node, i))
    return v->wide || v->constant != NULL;
  if (node->op->storage == SEG_OP_RECOMPUTES)
    return v->constant != NULL ? wide : v->wide;
  return node->op->storage == SEG_OP_MOVES && wide;
}

static void
convert_inputs (Widening *w, SegNode *node, gboolean wide)
{
  for (guint i = 0; i < node->inputs->len; i++) {
    SegValue *v = g_ptr_array_index (node->inputs, i);
    if (v == NULL || !seg_dtype_is_float (v->desc.dtype))
      continue;
    SegValue *fit = in_storage (w, v, reads_wide (node, i, wide));
    if (fit != v)
      seg_node_set_input (node, i, fit);
  }
}

static void
widen_node (Widening *w, SegNode *node)
{
  gboolean wide = is_wide (w, node);
  if (seg_node_is_on_device (node))
    convert_inputs (w, node, wide);
  for (guint i = 0; i < node->outputs->len; i++) {
    SegValue *v = g_ptr_array_index (node->outputs, i);
    if (v != NULL)
      v->wide = wide && seg_dtype_is_float (v->desc.dtype);
  }
  g_ptr_array_add (w->nodes, node);
}

gboolean
seg_graph_widen (SegGraph *graph, SegOpLookup lookup, GError **error)
{
  Widening w = { .graph = graph, .copy = lookup ("vkseg", "Copy") };
  if (w.copy == NULL) {
    g_set_error (
        error, SEG_ERROR, SEG_ERROR_UNSUPPORTED, "there is no operator vkseg.Copy");
    return FALSE;
  }
  w.wanted = g_new0 (guint8, graph->values->len + 1);
  w.converted = g_hash_table_new (NULL, NULL);
  w.nodes = g_ptr_array_new ();
  note_wanted (&w);
  for (guint i = 0; i < graph->inputs->len; i++) {
    SegValue *v = g_ptr_array_index (graph->inputs, i);
    v->wide = w.wanted[v->id] && seg_dtype_is_float (v->desc.dtype);
  }
  for (guint n = 0; n < graph->nodes->len; n++)
    widen_node (&w, g_ptr_array_index (graph->nodes, n));
  seg_graph_set_nodes (graph, w.nodes);
  g_hash_table_unref (w.converted);
  g_free (w.wanted);
  return TRUE;
}
