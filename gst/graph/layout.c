/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "graph/rewrite.h"

/* Chooses each value's layout. Where a node needs an input in the other layout, a Copy goes in
 * before it, one for all the readers that need it. */
typedef struct {
  SegGraph *graph;
  const SegOp *copy;
  GHashTable *converted; /* SegValue -> the same in the other layout */
  GPtrArray *nodes;      /* the new order, copies included */
  /* per value: a CHANNELS_LAST operator reads it, perhaps through others */
  guint8 *wanted;
} Layouts;

static gboolean
can_be_last (const SegValue *v)
{
  return v->desc.rank == 3 || v->desc.rank == 4;
}

static gboolean
wishes (const Layouts *l, const SegNode *node)
{
  if (!seg_node_is_on_device (node))
    return FALSE;
  return node->op->layout == SEG_OP_CHANNELS_LAST
         || (node->op->layout == SEG_OP_ANY && !(node->op->flags & SEG_OP_REORDERS)
             && l->wanted[seg_node_output (node, 0)->id]);
}

/* Backwards: what takes any layout passes its readers' wish on. */
static void
note_wishes (Layouts *l)
{
  for (guint n = l->graph->nodes->len; n-- > 0;) {
    const SegNode *node = g_ptr_array_index (l->graph->nodes, n);
    if (!wishes (l, node))
      continue;
    guint rank = seg_node_output (node, 0)->desc.rank;
    for (guint i = 0; i < node->inputs->len; i++) {
      const SegValue *v = g_ptr_array_index (node->inputs, i);
      if (v != NULL && v->constant == NULL && can_be_last (v) && v->desc.rank == rank)
        l->wanted[v->id] = TRUE;
    }
  }
}

/* A value in the layout that a reader needs; may add a Copy node. */
static SegValue *
in_layout (Layouts *l, SegValue *v, SegLayout layout)
{
  if (v->layout == layout)
    return v;
  SegValue *other = g_hash_table_lookup (l->converted, v);
  if (other != NULL)
    return other;
  g_autofree char *name = g_strdup_printf (
      "%s/%s", v->name, layout == SEG_LAYOUT_ROWS ? "rows" : "channels_last");
  if (v->constant != NULL) {
    other = seg_graph_add_constant (l->graph, name, v->constant);
  } else {
    SegNode *copy = seg_node_new (l->copy, name, NULL, l->graph->model->opset);
    other = seg_graph_add_value (l->graph, name, &v->desc);
    seg_value_copy_size (other, v);
    seg_node_add_input (copy, v);
    seg_node_add_output (copy, other);
    g_ptr_array_add (l->nodes, copy);
  }
  other->layout = layout;
  other->wide = v->wide;
  g_hash_table_insert (l->converted, v, other);
  return other;
}

static gboolean
has_last_input (const SegNode *node, guint rank)
{
  for (guint i = 0; i < node->inputs->len; i++) {
    const SegValue *v = g_ptr_array_index (node->inputs, i);
    if (v != NULL && v->constant == NULL && v->desc.rank == rank
        && v->layout == SEG_LAYOUT_CHANNELS_LAST)
      return TRUE;
  }
  return FALSE;
}

static SegLayout
node_layout (const Layouts *l, const SegNode *node)
{
  const SegValue *out = seg_node_output (node, 0);
  if (!seg_node_is_on_device (node) || !can_be_last (out))
    return SEG_LAYOUT_ROWS;
  switch (node->op->layout) {
  case SEG_OP_CHANNELS_LAST: return SEG_LAYOUT_CHANNELS_LAST;
  case SEG_OP_ANY:
    if (l->wanted[out->id])
      return SEG_LAYOUT_CHANNELS_LAST;
    if (node->op->flags & SEG_OP_REORDERS)
      return SEG_LAYOUT_ROWS;
    return has_last_input (node, out->desc.rank) ? SEG_LAYOUT_CHANNELS_LAST
                                                 : SEG_LAYOUT_ROWS;
  default: return SEG_LAYOUT_ROWS;
  }
}

static void
convert_inputs (Layouts *l, SegNode *node, SegLayout layout)
{
  gboolean device = seg_node_is_on_device (node);
  guint rank = seg_node_output (node, 0)->desc.rank;
  gboolean any = device && node->op->layout == SEG_OP_ANY;
  for (guint i = 0; i < node->inputs->len; i++) {
    SegValue *v = g_ptr_array_index (node->inputs, i);
    if (v == NULL || (v->constant != NULL && !any) || v->desc.rank == 0)
      continue;
    gboolean same_rank = v->desc.rank == rank && can_be_last (v);
    if (any && (!same_rank || (node->op->flags & SEG_OP_REORDERS)))
      continue;
    SegValue *fit = in_layout (l, v, device && same_rank ? layout : SEG_LAYOUT_ROWS);
    if (fit != v)
      seg_node_set_input (node, i, fit);
  }
}

static void
set_outputs (SegNode *node, SegLayout layout)
{
  for (guint i = 0; i < node->outputs->len; i++) {
    SegValue *v = g_ptr_array_index (node->outputs, i);
    if (v != NULL && can_be_last (v))
      v->layout = layout;
  }
  SegValue *in = seg_node_input (node, 0);
  if (seg_node_is_on_device (node) && (node->op->flags & SEG_OP_RENAME)
      && in->constant == NULL)
    seg_node_output (node, 0)->base = in;
}

gboolean
seg_graph_choose_layouts (
    SegGraph *graph, SegOpLookup lookup, gboolean inputs_last, GError **error)
{
  Layouts l = { .graph = graph, .copy = lookup ("vkseg", "Copy") };
  if (l.copy == NULL) {
    g_set_error (
        error, SEG_ERROR, SEG_ERROR_UNSUPPORTED, "there is no operator vkseg.Copy");
    return FALSE;
  }
  l.converted = g_hash_table_new (NULL, NULL);
  l.nodes = g_ptr_array_new ();
  l.wanted = g_new0 (guint8, graph->values->len + 1);
  note_wishes (&l);
  for (guint i = 0; i < graph->inputs->len; i++) {
    SegValue *v = g_ptr_array_index (graph->inputs, i);
    if (can_be_last (v) && (inputs_last || l.wanted[v->id]))
      v->layout = SEG_LAYOUT_CHANNELS_LAST;
  }
  for (guint n = 0; n < graph->nodes->len; n++) {
    SegNode *node = g_ptr_array_index (graph->nodes, n);
    SegLayout layout = node_layout (&l, node);
    convert_inputs (&l, node, layout);
    set_outputs (node, layout);
    g_ptr_array_add (l.nodes, node);
  }

  seg_graph_set_nodes (graph, l.nodes);
  g_hash_table_unref (l.converted);
  g_free (l.wanted);
  return TRUE;
}
