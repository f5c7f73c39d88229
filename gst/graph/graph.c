/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "graph/rewrite.h"

#include <string.h>

#define RUN_UNITS  (1ull << 33) /* at some 10^8 a second */
#define LOAD_UNITS (1ull << 28) /* for what is constant */

/* --- values and nodes -------------------------------------------------------------------- */

SegValue *
seg_graph_add_value (SegGraph *graph, const char *name, const SegDesc *desc)
{
  SegValue *v = g_new0 (SegValue, 1);
  v->id = graph->values->len;
  v->name = g_strdup (name);
  if (desc != NULL)
    v->desc = *desc;
  g_ptr_array_add (graph->values, v);
  return v;
}

SegValue *
seg_graph_add_constant (SegGraph *graph, const char *name, SegTensor *tensor)
{
  SegValue *v = seg_graph_add_value (graph, name, &tensor->desc);
  v->constant = seg_tensor_ref (tensor);
  return v;
}

void
seg_value_copy_size (SegValue *v, const SegValue *from)
{
  v->size = from->size;
  v->fewer = from->fewer;
  for (guint i = 0; i < SEG_N_SAMPLES; i++)
    if (from->contents[i] != NULL)
      v->contents[i] = seg_tensor_ref (from->contents[i]);
}

static void
value_free (gpointer data)
{
  SegValue *v = data;
  seg_tensor_unref (v->constant);
  for (guint i = 0; i < SEG_N_SAMPLES; i++)
    seg_tensor_unref (v->contents[i]);
  g_free (v->name);
  g_free (v);
}

SegNode *
seg_node_new (const SegOp *op, const char *name, const SegModelNode *model, guint opset)
{
  SegNode *node = g_new0 (SegNode, 1);
  node->op = op;
  node->name = g_strdup (name);
  node->model = model;
  node->opset = opset;
  node->inputs = g_ptr_array_new ();
  node->outputs = g_ptr_array_new ();
  node->params = op->params_size > 0 ? g_malloc0 (op->params_size) : NULL;
  node->epilogue.residual = -1;
  node->factor = -1;
  return node;
}

void
seg_node_free (SegNode *node)
{
  if (node == NULL)
    return;
  if (node->op->clear != NULL && node->params != NULL)
    node->op->clear (node->params);
  g_free (node->params);
  g_ptr_array_unref (node->inputs);
  g_ptr_array_unref (node->outputs);
  g_clear_pointer (&node->bodies, g_ptr_array_unref);
  g_free (node->name);
  g_free (node);
}

static void
node_destroy (gpointer data)
{
  seg_node_free (data);
}

void
seg_graph_move_node (SegGraph *graph, SegNode *node, guint index)
{
  guint i;
  if (!g_ptr_array_find (graph->nodes, node, &i))
    return;
  gpointer moved = g_ptr_array_steal_index (graph->nodes, i);
  g_ptr_array_insert (graph->nodes, (gint) (index - (i < index ? 1 : 0)), moved);
}

void
seg_node_add_input (SegNode *node, SegValue *value)
{
  g_ptr_array_add (node->inputs, value);
  if (value != NULL)
    value->n_uses++;
}

void
seg_node_set_input (SegNode *node, guint i, SegValue *value)
{
  SegValue *old = g_ptr_array_index (node->inputs, i);
  if (old != NULL)
    old->n_uses--;
  if (value != NULL)
    value->n_uses++;
  g_ptr_array_index (node->inputs, i) = value;
}

void
seg_node_add_output (SegNode *node, SegValue *value)
{
  g_ptr_array_add (node->outputs, value);
  if (value != NULL)
    value->producer = node;
}

SegValue *
seg_node_input (const SegNode *node, guint i)
{
  return i < node->inputs->len ? g_ptr_array_index (node->inputs, i) : NULL;
}

SegValue *
seg_node_output (const SegNode *node, guint i)
{
  return i < node->outputs->len ? g_ptr_array_index (node->outputs, i) : NULL;
}

void
seg_node_prefix_error (const SegNode *node, GError **error)
{
  g_prefix_error (error, "node '%s' (%s): ", node->name, node->op->name);
}

SegNode *
seg_value_sole_producer (const SegValue *v)
{
  gboolean sole = v != NULL && v->constant == NULL && v->n_uses == 1 && !v->is_output;
  return sole ? v->producer : NULL;
}

gboolean
seg_node_is_on_device (const SegNode *node)
{
  if ((node->late && !node->by_row) || node->keep_on_host)
    return FALSE;
  if (node->op->flags & SEG_OP_RENAME)
    return seg_node_device_types (node);
  if (node->op->emit == NULL)
    return FALSE;
  return node->op->on_device != NULL ? node->op->on_device (node)
                                     : seg_node_device_types (node);
}

static gboolean
device_stores (const SegNode *node, const SegValue *v)
{
  gboolean bytes = (node->op->flags & SEG_OP_BYTES) != 0;
  gboolean any_axis = (node->op->flags & SEG_OP_ANY_LIVE_AXIS) != 0;
  if (v->size != SEG_SIZE_FIXED && !seg_value_has_rows (v)
      && !(any_axis && seg_value_live_axis_of (v) >= 0))
    return FALSE;
  switch (v->desc.dtype) {
  case SEG_DTYPE_F32:
  case SEG_DTYPE_F16:
  case SEG_DTYPE_BF16:
  case SEG_DTYPE_I32:
  case SEG_DTYPE_I64:
  case SEG_DTYPE_BOOL: break;
  case SEG_DTYPE_U8:
  case SEG_DTYPE_I8:
    if (bytes)
      break;
    return FALSE;
  default: return FALSE;
  }
  return v->desc.rank <= 6 && seg_desc_n_elems (&v->desc) > 0;
}

/* An empty constant says something (no roi, no axes) but is never bound to a kernel. */
static gboolean
is_empty_constant (const SegValue *v)
{
  return v->constant != NULL && seg_desc_n_elems (&v->desc) == 0;
}

gboolean
seg_node_device_types (const SegNode *node)
{
  for (guint i = 0; i < node->inputs->len; i++) {
    const SegValue *v = g_ptr_array_index (node->inputs, i);
    if (v != NULL && !device_stores (node, v) && !is_empty_constant (v))
      return FALSE;
  }
  for (guint i = 0; i < node->outputs->len; i++) {
    const SegValue *v = g_ptr_array_index (node->outputs, i);
    if (v != NULL && !device_stores (node, v))
      return FALSE;
  }
  return TRUE;
}

/* --- graphs ------------------------------------------------------------------------------ */

void
seg_graph_replace_value (SegGraph *graph, SegValue *from, SegValue *to, guint start)
{
  for (guint n = start; n < graph->nodes->len && from->n_uses > 0; n++) {
    SegNode *node = g_ptr_array_index (graph->nodes, n);
    for (guint i = 0; i < node->inputs->len; i++)
      if (g_ptr_array_index (node->inputs, i) == from)
        seg_node_set_input (node, i, to);
  }
  for (guint i = 0; i < graph->outputs->len; i++) {
    if (g_ptr_array_index (graph->outputs, i) != from)
      continue;
    g_ptr_array_index (graph->outputs, i) = to;
    from->n_uses--;
    to->n_uses++;
    to->is_output = TRUE;
  }
  from->is_output = FALSE;
}

static gboolean
is_dead (const SegNode *node)
{
  for (guint i = 0; i < node->outputs->len; i++) {
    const SegValue *v = g_ptr_array_index (node->outputs, i);
    if (v != NULL && v->constant == NULL && v->n_uses > 0)
      return FALSE;
  }
  return TRUE;
}

static void
disconnect (SegNode *node)
{
  for (guint i = 0; i < node->inputs->len; i++)
    seg_node_set_input (node, i, NULL);
  for (guint i = 0; i < node->outputs->len; i++) {
    SegValue *v = g_ptr_array_index (node->outputs, i);
    if (v != NULL && v->producer == node)
      v->producer = NULL;
  }
}

void
seg_graph_truncate (SegGraph *graph, guint n)
{
  while (graph->nodes->len > n) {
    disconnect (g_ptr_array_index (graph->nodes, graph->nodes->len - 1));
    g_ptr_array_remove_index (graph->nodes, graph->nodes->len - 1);
  }
}

void
seg_graph_remove_dead (SegGraph *graph)
{
  for (guint n = graph->nodes->len; n-- > 0;) {
    SegNode *node = g_ptr_array_index (graph->nodes, n);
    if (!is_dead (node))
      continue;
    disconnect (node);
    g_ptr_array_remove_index (graph->nodes, n);
  }
}

void
seg_graph_set_nodes (SegGraph *graph, GPtrArray *nodes)
{
  g_ptr_array_set_free_func (graph->nodes, NULL);
  g_ptr_array_unref (graph->nodes);
  graph->nodes = nodes;
  g_ptr_array_set_free_func (nodes, node_destroy);
}

SegGraph *
seg_graph_alloc (SegModel *model)
{
  SegGraph *graph = g_new0 (SegGraph, 1);
  graph->model = seg_model_ref (model);
  graph->values = g_ptr_array_new_with_free_func (value_free);
  graph->nodes = g_ptr_array_new_with_free_func (node_destroy);
  graph->inputs = g_ptr_array_new ();
  graph->outputs = g_ptr_array_new ();
  graph->assumptions = g_ptr_array_new_with_free_func (g_free);
  graph->budget = graph->own_budget = g_new (SegBudget, 1);
  *graph->budget = (SegBudget){ RUN_UNITS, LOAD_UNITS };
  return graph;
}

void
seg_graph_free (SegGraph *graph)
{
  if (graph == NULL)
    return;
  g_ptr_array_unref (graph->nodes);
  g_ptr_array_unref (graph->values);
  g_ptr_array_unref (graph->inputs);
  g_ptr_array_unref (graph->outputs);
  g_ptr_array_unref (graph->assumptions);
  g_free (graph->own_budget);
  seg_model_unref (graph->model);
  g_free (graph);
}
