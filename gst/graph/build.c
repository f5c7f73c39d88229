/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "graph/rewrite.h"
#include "base/names.h"

#include <string.h>

/* What is needed only while a model becomes a graph. */
typedef struct {
  SegGraph *graph;
  const SegModelGraph *source;
  SegOpLookup lookup;
  GHashTable *values;    /* name -> SegValue */
  GHashTable *producers; /* output name -> index into source->nodes, plus 1 */
  guint8 *marks;         /* per source node: 0 unseen, 1 waits for its inputs, 2 placed */
} Builder;

/* --- sizes of inputs --------------------------------------------------------------------- */

static const SegInputShape *
find_shape (const SegInputShape *shapes, guint n, const char *name)
{
  for (guint i = 0; i < n; i++)
    if (strcmp (shapes[i].input, name) == 0)
      return &shapes[i];
  return NULL;
}

static gboolean
check_shapes (const SegModelGraph *source, const SegInputShape *shapes, guint n_shapes,
    GError **error)
{
  for (guint s = 0; s < n_shapes; s++) {
    gboolean known = FALSE;
    GString *names = g_string_new (NULL);
    for (guint i = 0; i < source->n_inputs; i++) {
      known |= strcmp (source->inputs[i].name, shapes[s].input) == 0;
      g_string_append_printf (names, "%s'%s'", i > 0 ? ", " : "", source->inputs[i].name);
    }
    g_autofree char *list = g_string_free (names, FALSE);
    if (known)
      continue;
    g_set_error (error, SEG_ERROR, SEG_ERROR_INPUT,
        "the network has no input '%s'; it has %s", shapes[s].input, list);
    return FALSE;
  }
  return TRUE;
}

static gboolean
looks_like_channels (gint64 dim)
{
  return dim == 1 || dim == 3 || dim == 4;
}

/* What a free dimension of an image input most likely is. */
static gint64
guess_dim (const SegModelValue *in, guint axis)
{
  if (in->rank != 4)
    return 1;
  gboolean nhwc = looks_like_channels (in->dims[3]) && !looks_like_channels (in->dims[1]);
  if (axis == 0)
    return 1;
  if (axis == (nhwc ? 3 : 1))
    return 3;
  return 512;
}

static gboolean
choose_dims (SegGraph *graph, const SegModelValue *in, const SegInputShape *shape,
    SegDesc *desc, GError **error)
{
  if (shape != NULL && in->has_shape && shape->rank != in->rank) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_INPUT,
        "input '%s' has %u dimensions, not %u", in->name, in->rank, shape->rank);
    return FALSE;
  }
  if (shape == NULL && !in->has_shape) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_INPUT,
        "input '%s' has no shape in the file; give one", in->name);
    return FALSE;
  }
  desc->rank = shape != NULL ? shape->rank : in->rank;
  for (guint i = 0; i < desc->rank; i++) {
    gint64 fixed = in->has_shape ? in->dims[i] : -1;
    gint64 asked = shape != NULL ? shape->dims[i] : -1;
    if (fixed >= 0 && asked >= 0 && fixed != asked) {
      g_set_error (error, SEG_ERROR, SEG_ERROR_INPUT,
          "dimension %u of input '%s' is fixed to %" G_GINT64_FORMAT
          ", not %" G_GINT64_FORMAT,
          i, in->name, fixed, asked);
      return FALSE;
    }
    desc->dims[i] = fixed >= 0 ? fixed : asked;
    if (desc->dims[i] < 0) {
      desc->dims[i] = guess_dim (in, i);
      g_ptr_array_add (graph->assumptions,
          g_strdup_printf ("dimension %u of input '%s' is free: %" G_GINT64_FORMAT
                           " was chosen",
              i, in->name, desc->dims[i]));
    }
  }
  return TRUE;
}

static gboolean
add_inputs (Builder *b, const SegInputShape *shapes, guint n_shapes, GError **error)
{
  for (guint i = 0; i < b->source->n_inputs; i++) {
    const SegModelValue *in = &b->source->inputs[i];
    SegDesc desc = { .dtype = in->dtype };
    if (in->dtype == SEG_DTYPE_UNDEFINED) {
      g_set_error (
          error, SEG_ERROR, SEG_ERROR_MODEL, "input '%s' has no element type", in->name);
      return FALSE;
    }
    if (!choose_dims (
            b->graph, in, find_shape (shapes, n_shapes, in->name), &desc, error))
      return FALSE;
    if (seg_desc_n_elems (&desc) < 0) {
      g_set_error (
          error, SEG_ERROR, SEG_ERROR_INPUT, "input '%s' is too large", in->name);
      return FALSE;
    }
    SegValue *v = seg_graph_add_value (b->graph, in->name, &desc);
    v->is_input = TRUE;
    g_ptr_array_add (b->graph->inputs, v);
    if (!g_hash_table_insert (b->values, v->name, v)) {
      g_set_error (
          error, SEG_ERROR, SEG_ERROR_MODEL, "two inputs are called '%s'", in->name);
      return FALSE;
    }
  }
  return TRUE;
}

static gboolean
add_initializers (Builder *b, GError **error)
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
index_producers (Builder *b, GError **error)
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

/* The nodes that the outputs need, each after those it needs itself; a depth-first walk with a
 * stack of its own, since a file may chain as many nodes as it likes. */
static gboolean
visit (Builder *b, const char *output, GArray *order, GError **error)
{
  g_autoptr (GArray) stack = g_array_new (FALSE, FALSE, sizeof (guint));
  guint first = GPOINTER_TO_UINT (g_hash_table_lookup (b->producers, output));
  if (first == 0 || b->marks[first - 1] == 2)
    return TRUE;
  first--;
  g_array_append_val (stack, first);
  while (stack->len > 0) {
    guint n = g_array_index (stack, guint, stack->len - 1);
    const SegModelNode *node = &b->source->nodes[n];
    gboolean ready = TRUE;
    b->marks[n] = MAX (b->marks[n], 1);
    for (guint i = 0; i < node->n_inputs && b->marks[n] == 1; i++) {
      guint p = GPOINTER_TO_UINT (g_hash_table_lookup (b->producers, node->inputs[i]));
      if (p == 0 || b->marks[p - 1] == 2)
        continue;
      p--;
      if (b->marks[p] == 1) {
        g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL,
            "the graph has a cycle through node '%s'", node->name);
        return FALSE;
      }
      g_array_append_val (stack, p);
      ready = FALSE;
      break;
    }
    if (!ready)
      continue;
    if (b->marks[n] == 1)
      g_array_append_val (order, n);
    b->marks[n] = 2;
    g_array_set_size (stack, stack->len - 1);
  }
  return TRUE;
}

static gboolean
check_operators (Builder *b, const GArray *order, GError **error)
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
  if (node->inputs->len < op->min_inputs || node->inputs->len > op->max_inputs) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL,
        "has %u inputs, %u to %u are possible", node->inputs->len, op->min_inputs,
        op->max_inputs);
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
    if (v == NULL
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

static gboolean
connect_inputs (Builder *b, SegNode *node, GError **error)
{
  const SegModelNode *source = node->model;
  guint n_in = count_without_trailing_empty (source->inputs, source->n_inputs);
  for (guint i = 0; i < n_in; i++) {
    SegValue *v = NULL;
    if (source->inputs[i][0] != '\0') {
      v = g_hash_table_lookup (b->values, source->inputs[i]);
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

static gboolean
add_node (Builder *b, const SegModelNode *source, GError **error)
{
  const SegOp *op = b->lookup (source->domain, source->op_type);
  SegNode *node = seg_node_new (op, source->name, source, b->graph->model->opset);
  g_ptr_array_add (b->graph->nodes, node);
  if (!connect_inputs (b, node, error))
    return FALSE;
  guint n_out = count_without_trailing_empty (source->outputs, source->n_outputs);
  for (guint i = 0; i < n_out; i++) {
    SegValue *v = NULL;
    if (source->outputs[i][0] != '\0') {
      v = seg_graph_add_value (b->graph, source->outputs[i], NULL);
      g_hash_table_insert (b->values, v->name, v);
    }
    seg_node_add_output (node, v);
  }
  return seg_node_prepare (node, error) && seg_node_fold (node, error);
}

static gboolean
add_nodes (Builder *b, GError **error)
{
  g_autoptr (GArray) order = g_array_new (FALSE, FALSE, sizeof (guint));
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

static gboolean
add_outputs (Builder *b, GError **error)
{
  for (guint i = 0; i < b->source->n_outputs; i++) {
    SegValue *v = g_hash_table_lookup (b->values, b->source->outputs[i].name);
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

static gboolean
build (Builder *b, const SegInputShape *shapes, guint n_shapes, GError **error)
{
  return check_shapes (b->source, shapes, n_shapes, error)
         && add_inputs (b, shapes, n_shapes, error) && add_initializers (b, error)
         && index_producers (b, error) && add_nodes (b, error) && add_outputs (b, error);
}

SegGraph *
seg_graph_new (SegModel *model, SegOpLookup lookup, const SegInputShape *shapes,
    guint n_shapes, SegGraphFlags flags, GError **error)
{
  g_autoptr (SegGraph) graph = seg_graph_alloc (model);
  Builder b = { .graph = graph, .source = &model->graph, .lookup = lookup };
  b.values = g_hash_table_new (seg_name_hash, g_str_equal);
  b.producers = g_hash_table_new (seg_name_hash, g_str_equal);
  b.marks = g_new0 (guint8, model->graph.n_nodes + 1);
  gboolean ok = build (&b, shapes, n_shapes, error);
  g_hash_table_unref (b.values);
  g_hash_table_unref (b.producers);
  g_free (b.marks);
  if (!ok)
    return NULL;

  seg_graph_remove_dead (graph);
  if (flags & SEG_GRAPH_OPTIMISE)
    seg_graph_fuse (graph);
  if (flags & SEG_GRAPH_LAYOUT) {
    gboolean inputs_last = (flags & SEG_GRAPH_INPUTS_CHANNELS_LAST) != 0;
    if (!seg_graph_choose_layouts (graph, lookup, inputs_last, error))
      return NULL;
    if (flags & SEG_GRAPH_OPTIMISE)
      seg_graph_concat_in_place (graph);
  }
  return g_steal_pointer (&graph);
}
