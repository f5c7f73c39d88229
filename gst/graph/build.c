/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "graph/builder.h"

#include "graph/quantise.h"
#include "base/log.h"
#include "base/names.h"

#include <string.h>

gboolean
seg_builder_add_initializers (SegBuilder *b, GError **error)
{
  for (guint i = 0; i < b->source->n_inits; i++) {
    const SegModelInit *init = &b->source->inits[i];
    SegValue *v = seg_graph_add_constant (b->graph, init->name, init->tensor);
    if (!g_hash_table_insert (b->values, v->name, v)) {
      g_set_error (
          error, SEG_ERROR, SEG_ERROR_MODEL, "two tensors are called '%s'", init->name);
      return FALSE;
    }
  }
  return TRUE;
}

/* --- nodes ------------------------------------------------------------------------------- */

static gboolean
index_producers (SegBuilder *b, GError **error)
{
  for (guint n = 0; n < b->source->n_nodes; n++) {
    const SegModelNode *node = &b->source->nodes[n];
    for (guint i = 0; i < node->n_outputs; i++) {
      const char *name = node->outputs[i];
      if (name[0] == '\0')
        continue;
      if (g_hash_table_contains (b->values, name)
          || !g_hash_table_insert (
              b->producers, (gpointer) name, GUINT_TO_POINTER (n + 1))) {
        g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL,
            "tensor '%s' is made twice, the second "
            "time by node '%s'",
            name, node->name);
        return FALSE;
      }
    }
  }
  return TRUE;
}

/* The i-th name that a node waits for: its inputs, then what its bodies take; NULL at the end. */
static const char *
needed_name (const SegBuilder *b, guint n, guint i)
{
  const SegModelNode *node = &b->source->nodes[n];
  const GPtrArray *captures = b->captures[n];
  if (i < node->n_inputs)
    return node->inputs[i];
  i -= node->n_inputs;
  return captures != NULL && i < captures->len ? g_ptr_array_index (captures, i) : NULL;
}

/* The node, plus 1, that is to be placed before node n; 0: none. */
static guint
first_missing (const SegBuilder *b, guint n)
{
  const char *name;
  for (guint i = 0; (name = needed_name (b, n, i)) != NULL; i++) {
    guint p = GPOINTER_TO_UINT (g_hash_table_lookup (b->producers, name));
    if (p != 0 && b->marks[p - 1] != 2)
      return p;
  }
  return 0;
}

/* The nodes that the outputs need, each after those it needs itself; a depth-first walk with a
 * stack of its own, since a file may chain as many nodes as it likes. */
static gboolean
visit (SegBuilder *b, const char *output, GArray *order, GError **error)
{
  g_autoptr (GArray) stack = g_array_new (FALSE, FALSE, sizeof (guint));
  guint first = GPOINTER_TO_UINT (g_hash_table_lookup (b->producers, output));
  if (first == 0 || b->marks[first - 1] == 2)
    return TRUE;
  first--;
  g_array_append_val (stack, first);
  while (stack->len > 0) {
    guint n = g_array_index (stack, guint, stack->len - 1);
    b->marks[n] = MAX (b->marks[n], 1);
    guint p = b->marks[n] == 1 ? first_missing (b, n) : 0;
    if (p != 0 && b->marks[p - 1] == 1) {
      g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL,
          "the graph has a cycle through node '%s'", b->source->nodes[n].name);
      return FALSE;
    }
    if (p != 0) {
      p--;
      g_array_append_val (stack, p);
      continue;
    }
    if (b->marks[n] == 1)
      g_array_append_val (order, n);
    b->marks[n] = 2;
    g_array_set_size (stack, stack->len - 1);
  }
  return TRUE;
}

static gboolean
check_operators (SegBuilder *b, const GArray *order, GError **error)
{
  GString *missing = g_string_new (NULL);
  guint n_missing = 0;
  for (guint k = 0; k < order->len; k++) {
    const SegModelNode *node = &b->source->nodes[g_array_index (order, guint, k)];
    if (b->lookup (node->domain, node->op_type) != NULL)
      continue;
    n_missing++;
    g_string_append_printf (missing, "\n  node '%s': %s%s%s", node->name, node->domain,
        node->domain[0] != '\0' ? "." : "", node->op_type);
  }
  g_autofree char *list = g_string_free (missing, FALSE);
  if (n_missing == 0)
    return TRUE;
  g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED,
      "%u node%s an operator that vkseg does not have:%s", n_missing,
      n_missing == 1 ? " uses" : "s use", list);
  return FALSE;
}

static gboolean
check_arity (const SegNode *node, GError **error)
{
  const SegOp *op = node->op;
  guint n_own = node->inputs->len - node->n_captured;
  if (n_own < op->min_inputs || n_own > op->max_inputs) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL,
        "has %u inputs, %u to %u are possible", n_own, op->min_inputs, op->max_inputs);
    return FALSE;
  }
  for (guint i = 0; i < op->min_inputs; i++) {
    if (seg_node_input (node, i) == NULL) {
      g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL, "input %u is missing", i);
      return FALSE;
    }
  }
  if (node->outputs->len > op->max_outputs || seg_node_output (node, 0) == NULL) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL,
        "has %u outputs, 1 to %u are possible", node->outputs->len, op->max_outputs);
    return FALSE;
  }
  return TRUE;
}

static gboolean
check_outputs (const SegNode *node, GError **error)
{
  for (guint i = 0; i < node->outputs->len; i++) {
    const SegValue *v = g_ptr_array_index (node->outputs, i);
    if (v == NULL || v->size == SEG_SIZE_UNKNOWN
        || (seg_desc_n_elems (&v->desc) >= 0 && seg_dtype_bytes (v->desc.dtype) > 0))
      continue;
    g_autofree char *desc = seg_desc_to_string (&v->desc);
    g_set_error (
        error, SEG_ERROR, SEG_ERROR_MODEL, "output '%s' would be %s", v->name, desc);
    return FALSE;
  }
  return TRUE;
}

gboolean
seg_node_check_arity (const SegNode *node, GError **error)
{
  gboolean ok = check_arity (node, error);
  if (!ok)
    seg_node_prefix_error (node, error);
  return ok;
}

gboolean
seg_node_prepare (SegNode *node, GError **error)
{
  gboolean ok = check_arity (node, error)
                && (node->op->parse == NULL || node->op->parse (node, error))
                && node->op->infer (node, error) && check_outputs (node, error);
  if (!ok)
    seg_node_prefix_error (node, error);
  return ok;
}

static guint
count_without_trailing_empty (char *const *names, guint n)
{
  while (n > 0 && names[n - 1][0] == '\0')
    n--;
  return n;
}

SegValue *
seg_builder_find (SegBuilder *b, const char *name)
{
  SegValue *v = g_hash_table_lookup (b->values, name);
  if (v != NULL || b->parent == NULL)
    return v;
  SegValue *outer = seg_builder_find (b->parent, name);
  if (outer == NULL || b->parent->graph == b->graph)
    return outer;
  v = seg_graph_add_value (b->graph, name, &outer->desc);
  seg_value_copy_size (v, outer);
  if (outer->constant != NULL) {
    v->constant = seg_tensor_ref (outer->constant);
  } else {
    v->is_input = TRUE;
    g_ptr_array_add (b->graph->inputs, v);
  }
  g_hash_table_insert (b->values, v->name, v);
  return v;
}

static gboolean
connect_inputs (SegBuilder *b, SegNode *node, GError **error)
{
  const SegModelNode *source = node->model;
  guint n_in = count_without_trailing_empty (source->inputs, source->n_inputs);
  for (guint i = 0; i < n_in; i++) {
    SegValue *v = NULL;
    if (source->inputs[i][0] != '\0') {
      v = seg_builder_find (b, source->inputs[i]);
      if (v == NULL) {
        g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL,
            "node '%s' (%s): nothing makes its input '%s'", source->name, source->op_type,
            source->inputs[i]);
        return FALSE;
      }
    }
    seg_node_add_input (node, v);
  }
  return TRUE;
}

static void
connect_outputs (SegBuilder *b, SegNode *node)
{
  const SegModelNode *source = node->model;
  guint n_out = count_without_trailing_empty (source->outputs, source->n_outputs);
  for (guint i = 0; i < n_out; i++) {
    SegValue *v = NULL;
    if (source->outputs[i][0] != '\0') {
      v = seg_graph_add_value (b->graph, source->outputs[i], NULL);
      g_hash_table_insert (b->values, v->name, v);
    }
    seg_node_add_output (node, v);
  }
}

static gboolean
add_node (SegBuilder *b, const SegModelNode *source, GError **error)
{
  gboolean done = FALSE;
  if (!seg_builder_inline (b, source, &done, error))
    return FALSE;
  if (done)
    return TRUE;
  const SegOp *op = b->lookup (source->domain, source->op_type);
  SegNode *node = seg_node_new (op, source->name, source, b->graph->model->opset);
  g_ptr_array_add (b->graph->nodes, node);
  if (!connect_inputs (b, node, error) || !seg_builder_free_batch (b, node, error)
      || ((op->flags & SEG_OP_BODIES) && !seg_builder_add_bodies (b, node, error)))
    return FALSE;
  connect_outputs (b, node);
  return seg_node_prepare_or_wait (node, error) && seg_node_fold (node, error);
}

gboolean
seg_builder_add_nodes (SegBuilder *b, GError **error)
{
  g_autoptr (GArray) order = g_array_new (FALSE, FALSE, sizeof (guint));
  if (!index_producers (b, error))
    return FALSE;
  for (guint i = 0; i < b->source->n_outputs; i++)
    if (!visit (b, b->source->outputs[i].name, order, error))
      return FALSE;
  if (!check_operators (b, order, error))
    return FALSE;
  for (guint k = 0; k < order->len; k++)
    if (!add_node (b, &b->source->nodes[g_array_index (order, guint, k)], error))
      return FALSE;
  return TRUE;
}

gboolean
seg_builder_add_outputs (SegBuilder *b, GError **error)
{
  for (guint i = 0; i < b->source->n_outputs; i++) {
    SegValue *v = seg_builder_find (b, b->source->outputs[i].name);
    if (v == NULL) {
      g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL,
          "nothing makes the graph's output '%s'", b->source->outputs[i].name);
      return FALSE;
    }
    v->is_output = TRUE;
    v->n_uses++;
    g_ptr_array_add (b->graph->outputs, v);
  }
  if (b->graph->outputs->len == 0) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL, "the graph has no output");
    return FALSE;
  }
  return TRUE;
}

void
seg_builder_init (SegBuilder *b, SegBuilder *parent, SegGraph *graph,
    const SegModelGraph *source, SegOpLookup lookup)
{
  *b = (SegBuilder){ parent, graph, source, lookup };
  b->values = g_hash_table_new (seg_name_hash, g_str_equal);
  b->producers = g_hash_table_new (seg_name_hash, g_str_equal);
  b->marks = g_new0 (guint8, source->n_nodes + 1);
  b->captures = g_new0 (GPtrArray *, source->n_nodes + 1);
  for (guint n = 0; n < source->n_nodes; n++)
    b->captures[n] = seg_captured_names (&source->nodes[n]);
}

void
seg_builder_clear (SegBuilder *b)
{
  g_hash_table_unref (b->values);
  g_hash_table_unref (b->producers);
  g_free (b->marks);
  for (guint n = 0; n < b->source->n_nodes; n++)
    if (b->captures[n] != NULL)
      g_ptr_array_unref (b->captures[n]);
  g_free (b->captures);
}

static gboolean
build (SegBuilder *b, const SegInputShape *shapes, guint n_shapes, GError **error)
{
  return seg_builder_add_inputs (b, shapes, n_shapes, error)
         && seg_builder_add_initializers (b, error) && seg_builder_add_nodes (b, error)
         && seg_builder_add_outputs (b, error);
}

SegGraph *
seg_graph_new (SegModel *model, SegOpLookup lookup, const SegInputShape *shapes,
    guint n_shapes, SegGraphFlags flags, GError **error)
{
  g_autoptr (SegGraph) graph = seg_graph_alloc (model);
  SegBuilder b;
  seg_builder_init (&b, NULL, graph, &model->graph, lookup);
  b.guesses = (flags & SEG_GRAPH_LAYOUT) != 0;
  b.any_batch = (flags & SEG_GRAPH_ANY_BATCH) != 0;
  gboolean ok = build (&b, shapes, n_shapes, error);
  seg_builder_clear (&b);
  if (!ok)
    return NULL;

  if (flags & SEG_GRAPH_OPTIMISE) {
    seg_graph_quantise (graph, lookup);
    seg_graph_paste_masks (graph, lookup);
    if (flags & SEG_GRAPH_UNPASTED)
      seg_graph_leave_unpasted (graph);
  }
  seg_graph_remove_dead (graph);
  if (flags & SEG_GRAPH_OPTIMISE) {
    seg_graph_fuse (graph);
    seg_graph_make_gates (graph, lookup);
  }
  if (flags & SEG_GRAPH_LAYOUT) {
    seg_graph_place (graph);
    seg_graph_cut_sizes (graph);
    if ((flags & SEG_GRAPH_HALF) && !seg_graph_widen (graph, lookup, error))
      return NULL;
    gboolean inputs_last = (flags & SEG_GRAPH_INPUTS_CHANNELS_LAST) != 0;
    if (!seg_graph_choose_layouts (graph, lookup, inputs_last, error))
      return NULL;
    if (flags & SEG_GRAPH_OPTIMISE)
      seg_graph_share_memory (graph);
    seg_graph_schedule (graph);
  }
  seg_info ("%u nodes from %u of the file", graph->nodes->len, model->graph.n_nodes);
  for (guint i = 0; i < graph->assumptions->len; i++)
    seg_info ("nobody says, so: %s", (char *) graph->assumptions->pdata[i]);
  return g_steal_pointer (&graph);
}
