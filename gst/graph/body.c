/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Graphs in attributes: what they take from around them, how they are built and run. */
#include "graph/builder.h"

#include "base/names.h"

#include <string.h>

/* --- names ------------------------------------------------------------------------------- */

static GHashTable *
defined_names (const SegModelGraph *g)
{
  GHashTable *names = g_hash_table_new (seg_name_hash, g_str_equal);
  for (guint i = 0; i < g->n_inputs; i++)
    g_hash_table_add (names, g->inputs[i].name);
  for (guint i = 0; i < g->n_inits; i++)
    g_hash_table_add (names, g->inits[i].name);
  for (guint n = 0; n < g->n_nodes; n++)
    for (guint i = 0; i < g->nodes[n].n_outputs; i++)
      g_hash_table_add (names, g->nodes[n].outputs[i]);
  return names;
}

static void
note_name (GHashTable *defined, GHashTable *seen, GPtrArray *names, char *name)
{
  if (name[0] == '\0' || g_hash_table_contains (defined, name)
      || !g_hash_table_add (seen, name))
    return;
  g_ptr_array_add (names, name);
}

static void
collect (const SegModelGraph *g, GHashTable *seen, GPtrArray *names)
{
  g_autoptr (GHashTable) defined = defined_names (g);
  for (guint n = 0; n < g->n_nodes; n++) {
    const SegModelNode *node = &g->nodes[n];
    g_autoptr (GPtrArray) inner = seg_captured_names (node);
    for (guint i = 0; i < node->n_inputs; i++)
      note_name (defined, seen, names, node->inputs[i]);
    for (guint i = 0; inner != NULL && i < inner->len; i++)
      note_name (defined, seen, names, g_ptr_array_index (inner, i));
  }
  for (guint i = 0; i < g->n_outputs; i++)
    note_name (defined, seen, names, g->outputs[i].name);
}

GPtrArray *
seg_captured_names (const SegModelNode *node)
{
  g_autoptr (GHashTable) seen = NULL;
  GPtrArray *names = NULL;
  for (guint a = 0; a < node->n_attrs; a++) {
    if (node->attrs[a].type != SEG_ATTR_GRAPH)
      continue;
    if (names == NULL) {
      names = g_ptr_array_new ();
      seen = g_hash_table_new (seg_name_hash, g_str_equal);
    }
    collect (node->attrs[a].g, seen, names);
  }
  return names;
}

/* --- building ---------------------------------------------------------------------------- */

static void
body_free (gpointer data)
{
  SegBody *body = data;
  seg_graph_free (body->graph);
  g_free (body->captures);
  g_free (body->name);
  g_free (body);
}

/* A formal input. What the file says of its size holds for the first round of a loop at best. */
static void
add_formal (SegGraph *graph, SegBuilder *b, const SegModelValue *in)
{
  SegValue *v = seg_graph_add_value (graph, in->name, NULL);
  v->size = SEG_SIZE_UNKNOWN;
  v->is_input = TRUE;
  g_ptr_array_add (graph->inputs, v);
  g_hash_table_insert (b->values, v->name, v);
}

static SegGraph *
build_body (SegBuilder *outer, const SegModelGraph *source, GError **error)
{
  g_autoptr (SegGraph) graph = seg_graph_alloc (outer->graph->model);
  SegBuilder b;
  seg_graph_share_budget (graph, outer->graph);
  graph->depth = outer->graph->depth + 1;
  if (graph->depth > SEG_MAX_BODY_DEPTH) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED,
        "graphs are nested in more than %d levels", SEG_MAX_BODY_DEPTH);
    return NULL;
  }
  seg_builder_init (&b, outer, graph, source, outer->lookup);
  for (guint i = 0; i < source->n_inputs; i++)
    add_formal (graph, &b, &source->inputs[i]);
  gboolean ok = seg_builder_add_initializers (&b, error)
                && seg_builder_add_nodes (&b, error)
                && seg_builder_add_outputs (&b, error);
  seg_builder_clear (&b);
  if (!ok)
    return NULL;
  seg_graph_remove_dead (graph);
  return g_steal_pointer (&graph);
}

/* The node's input that is this value around the body, added if there is none. */
static guint
capture (SegNode *node, SegValue *outer)
{
  for (guint i = node->inputs->len - node->n_captured; i < node->inputs->len; i++)
    if (g_ptr_array_index (node->inputs, i) == outer)
      return i;
  seg_node_add_input (node, outer);
  node->n_captured++;
  return node->inputs->len - 1;
}

static gboolean
add_body (SegBuilder *b, SegNode *node, const SegAttr *attr, GError **error)
{
  SegGraph *graph = build_body (b, attr->g, error);
  if (graph == NULL) {
    g_prefix_error (error, "%s: ", attr->name);
    return FALSE;
  }
  SegBody *body = g_new0 (SegBody, 1);
  g_ptr_array_add (node->bodies, body);
  body->name = g_strdup (attr->name);
  body->graph = graph;
  body->n_formal = attr->g->n_inputs;
  body->captures = g_new0 (guint, graph->inputs->len + 1);
  for (guint i = body->n_formal; i < graph->inputs->len; i++) {
    const SegValue *v = g_ptr_array_index (graph->inputs, i);
    body->captures[i - body->n_formal] = capture (node, seg_builder_find (b, v->name));
  }
  return TRUE;
}

gboolean
seg_builder_add_bodies (SegBuilder *b, SegNode *node, GError **error)
{
  node->bodies = g_ptr_array_new_with_free_func (body_free);
  for (guint i = 0; i < node->model->n_attrs; i++) {
    const SegAttr *attr = &node->model->attrs[i];
    if (attr->type == SEG_ATTR_GRAPH && !add_body (b, node, attr, error)) {
      seg_node_prefix_error (node, error);
      return FALSE;
    }
  }
  return TRUE;
}

/* --- running ----------------------------------------------------------------------------- */

const SegBody *
seg_node_body (const SegNode *node, const char *name)
{
  for (guint i = 0; node->bodies != NULL && i < node->bodies->len; i++) {
    const SegBody *body = g_ptr_array_index (node->bodies, i);
    if (strcmp (body->name, name) == 0)
      return body;
  }
  return NULL;
}

gboolean
seg_body_eval (const SegNode *node, const SegBody *body, SegTensor *const *in,
    SegTensor *const *formal, SegTensor **outputs, GError **error)
{
  guint n = body->graph->inputs->len;
  g_autofree SegTensor **inputs = g_new0 (SegTensor *, n + 1);
  for (guint i = 0; i < n; i++)
    inputs[i] = i < body->n_formal ? formal[i] : in[body->captures[i - body->n_formal]];
  if (seg_graph_eval_body (body->graph, inputs, outputs, error))
    return TRUE;
  g_prefix_error (error, "%s: ", body->name);
  return FALSE;
}
