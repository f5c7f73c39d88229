/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Branches of an If that become part of the graph around it: that of a known condition, and that of an
 * unknown one whose other branch yields nothing, if a device can do it. */
#include "graph/builder.h"

#include <string.h>

static gboolean
is_if (const SegModelNode *source)
{
  return source->domain[0] == '\0' && strcmp (source->op_type, "If") == 0
         && source->n_inputs == 1;
}

static const SegAttr *
branch_of (const SegModelNode *source, gboolean yes)
{
  const SegAttr *a = seg_model_node_attr (source, yes ? "then_branch" : "else_branch");
  return a != NULL && a->type == SEG_ATTR_GRAPH && a->g->n_outputs == source->n_outputs
                 && a->g->n_inputs == 0
             ? a
             : NULL;
}

static guint
depth_of (const SegBuilder *b)
{
  guint depth = 0;
  for (; b->parent != NULL; b = b->parent)
    depth++;
  return depth;
}

/* The branch's nodes, and its outputs in outs[]. A guess within a guess is not made: each builds
 * branches more than once. */
static gboolean
add_branch (SegBuilder *b, const SegAttr *branch, gboolean guesses, SegValue **outs,
    GError **error)
{
  SegBuilder inner;
  seg_builder_init (&inner, b, b->graph, branch->g, b->lookup);
  inner.guesses = guesses;
  gboolean ok = seg_builder_add_initializers (&inner, error)
                && seg_builder_add_nodes (&inner, error);
  for (guint i = 0; ok && i < branch->g->n_outputs; i++) {
    outs[i] = seg_builder_find (&inner, branch->g->outputs[i].name);
    ok = outs[i] != NULL;
    if (!ok)
      g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL, "nothing makes the output '%s'",
          branch->g->outputs[i].name);
  }
  seg_builder_clear (&inner);
  return ok;
}

static void
name_outputs (SegBuilder *b, const SegModelNode *source, SegValue **outs)
{
  for (guint i = 0; i < source->n_outputs; i++)
    if (source->outputs[i][0] != '\0')
      g_hash_table_insert (b->values, source->outputs[i], outs[i]);
}

/* --- conditions that the data decides ------------------------------------------------------- */

/* Everything that v is made of is made on a device, without a host step between. */
static gboolean
is_on_device (SegValue *v, GHashTable *seen)
{
  g_autoptr (GPtrArray) stack = g_ptr_array_new ();
  g_ptr_array_add (stack, v);
  while (stack->len > 0) {
    const SegValue *at = g_ptr_array_steal_index_fast (stack, stack->len - 1);
    SegNode *node = at->constant == NULL ? at->producer : NULL;
    if (node == NULL || !g_hash_table_add (seen, node))
      continue;
    if (!seg_node_is_on_device (node))
      return FALSE;
    for (guint i = 0; i < node->inputs->len; i++)
      if (g_ptr_array_index (node->inputs, i) != NULL)
        g_ptr_array_add (stack, g_ptr_array_index (node->inputs, i));
  }
  return TRUE;
}

/* none has no elements and is a constant, all is the same with rows. */
static gboolean
are_alternatives (const SegValue *none, const SegValue *all)
{
  const SegDesc *a = &none->desc, *b = &all->desc;
  gboolean ok = none->constant != NULL && seg_desc_n_elems (a) == 0
                && all->size != SEG_SIZE_UNKNOWN && a->dtype == b->dtype
                && a->rank == b->rank && a->rank > 0 && a->dims[0] == 0
                && seg_desc_n_elems (b) > 0
                && (all->size == SEG_SIZE_FIXED || seg_value_live_axis_of (all) == 0);
  for (guint i = 1; ok && i < a->rank; i++)
    ok = a->dims[i] == b->dims[i];
  return ok;
}

static gboolean
is_light (const SegNode *node)
{
  const SegValue *out = seg_node_output (node, 0);
  return (out != NULL && out->constant != NULL)
         || (seg_node_is_on_device (node) && !(node->op->flags & SEG_OP_HEAVY));
}

/* The rows of `all` where the condition is `when`, else none. */
static SegValue *
add_choice (
    SegBuilder *b, const SegOp *op, SegValue *all, SegValue *condition, GError **error)
{
  SegGraph *graph = b->graph;
  g_autofree char *name = g_strdup_printf ("%s/rows", all->name);
  SegNode *node = seg_node_new (op, name, NULL, graph->model->opset);
  SegValue *out = seg_graph_add_value (graph, name, NULL);
  g_ptr_array_add (graph->nodes, node);
  seg_node_add_input (node, all);
  seg_node_add_input (node, condition);
  seg_node_add_output (node, out);
  return seg_node_prepare_or_wait (node, error) ? out : NULL;
}

/* Whether the branch `yes` is one that yields something, and the other one nothing: then outs[] are
 * the If's outputs. Else the graph may have grown. */
static gboolean
try_branch (SegBuilder *b, const SegModelNode *source, SegValue *condition, gboolean yes,
    SegValue **outs)
{
  guint first = b->graph->nodes->len, n = source->n_outputs;
  g_autofree SegValue **none = g_new0 (SegValue *, n + 1);
  const SegOp *op = b->lookup ("vkseg", yes ? "RowsIf" : "RowsUnless");
  if (op == NULL || !add_branch (b, branch_of (source, !yes), FALSE, none, NULL))
    return FALSE;
  for (guint i = 0; i < n; i++)
    if (none[i]->constant == NULL || seg_desc_n_elems (&none[i]->desc) != 0)
      return FALSE;
  if (!add_branch (b, branch_of (source, yes), FALSE, outs, NULL))
    return FALSE;
  for (guint i = 0; i < n; i++) {
    if (!are_alternatives (none[i], outs[i])
        || (outs[i] = add_choice (b, op, outs[i], condition, NULL)) == NULL)
      return FALSE;
  }
  for (guint k = first; k < b->graph->nodes->len; k++) {
    SegNode *node = g_ptr_array_index (b->graph->nodes, k);
    node->guessed = TRUE;
    if (!is_light (node))
      return FALSE;
  }
  g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL);
  for (guint i = 0; i < n; i++)
    if (!is_on_device (outs[i], seen))
      return FALSE;
  return TRUE;
}

static gboolean
guess (SegBuilder *b, const SegModelNode *source, SegValue *condition, SegValue **outs)
{
  guint n = b->graph->nodes->len;
  if (branch_of (source, TRUE) == NULL || branch_of (source, FALSE) == NULL)
    return FALSE;
  for (int yes = 0; yes <= 1; yes++) {
    if (try_branch (b, source, condition, yes != 0, outs))
      return TRUE;
    seg_graph_truncate (b->graph, n);
  }
  return FALSE;
}

gboolean
seg_builder_inline (
    SegBuilder *b, const SegModelNode *source, gboolean *done, GError **error)
{
  *done = FALSE;
  if (!is_if (source) || depth_of (b) >= SEG_MAX_BODY_DEPTH)
    return TRUE;
  SegValue *condition = seg_builder_find (b, source->inputs[0]);
  if (condition == NULL || seg_desc_n_elems (&condition->desc) != 1
      || condition->size != SEG_SIZE_FIXED)
    return TRUE;
  g_autofree SegValue **outs = g_new0 (SegValue *, source->n_outputs + 1);
  if (condition->constant == NULL) {
    *done = b->guesses && guess (b, source, condition, outs);
  } else {
    const SegAttr *branch =
        branch_of (source, seg_tensor_get_int (condition->constant, 0) != 0);
    *done = branch != NULL;
    if (branch != NULL && !add_branch (b, branch, b->guesses, outs, error)) {
      g_prefix_error (error, "node '%s' (If): %s: ", source->name, branch->name);
      return FALSE;
    }
  }
  if (*done)
    name_outputs (b, source, outs);
  return TRUE;
}
