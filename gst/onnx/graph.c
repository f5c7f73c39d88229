/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "onnx/private.h"
#include "base/names.h"

#include <string.h>

/* --- values ---------------------------------------------------------------------------- */

static void
read_dim (SegModelValue *value, guint i, const Onnx__TensorShapeProto__Dimension *dim)
{
  value->dims[i] = -1;
  if (dim->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE)
    value->dims[i] = MAX (dim->dim_value, -1); /* some write a free one so */
  else if (dim->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM
           && *dim->dim_param)
    value->dim_names[i] = g_strdup (dim->dim_param);
}

static void
read_value (SegModelValue *value, const Onnx__ValueInfoProto *proto)
{
  const Onnx__TypeProto *type = proto->type;
  const Onnx__TensorShapeProto *shape;

  value->name = seg_dup_string (proto->name);
  if (!type || type->value_case != ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE)
    return;
  value->dtype = type->tensor_type->elem_type;
  shape = type->tensor_type->shape;
  if (!shape || shape->n_dim > SEG_MAX_RANK)
    return;
  value->has_shape = TRUE;
  value->rank = shape->n_dim;
  for (guint i = 0; i < value->rank; i++)
    read_dim (value, i, shape->dim[i]);
}

static void
clear_value (SegModelValue *value)
{
  g_free (value->name);
  for (guint i = 0; i < SEG_MAX_RANK; i++)
    g_free (value->dim_names[i]);
}

/* What comes in and out must be what vkseg can hold; a type that is left out is allowed
 * (in subgraphs it usually is). */
static gboolean
check_interface (
    const SegModelValue *value, const Onnx__ValueInfoProto *proto, GError **error)
{
  const Onnx__TypeProto *type = proto->type;

  if (!*value->name) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL, "has no name");
    return FALSE;
  }
  if (type && type->value_case != ONNX__TYPE_PROTO__VALUE__NOT_SET
      && type->value_case != ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED,
        "is a sequence, map, optional or sparse tensor, which is not supported");
    return FALSE;
  }
  if (value->dtype != SEG_DTYPE_UNDEFINED && seg_dtype_bytes (value->dtype) == 0) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED,
        "elements of type %s (%d) are not supported", seg_dtype_name (value->dtype),
        (int) value->dtype);
    return FALSE;
  }
  if (type && type->value_case == ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE && !value->has_shape
      && type->tensor_type->shape) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED,
        "%" G_GSIZE_FORMAT " dimensions, at most %d are supported",
        type->tensor_type->shape->n_dim, SEG_MAX_RANK);
    return FALSE;
  }
  return TRUE;
}

/* Graph inputs or outputs, except those in `skip` (may be NULL). */
static gboolean
read_interface (SegModelValue **values, guint *n, Onnx__ValueInfoProto **protos,
    gsize n_protos, GHashTable *skip, const char *what, GError **error)
{
  *values = g_new0 (SegModelValue, n_protos);
  for (gsize i = 0; i < n_protos; i++) {
    SegModelValue *value = &(*values)[*n];

    if (skip && protos[i]->name && g_hash_table_contains (skip, protos[i]->name))
      continue;
    ++*n;
    read_value (value, protos[i]);
    if (!check_interface (value, protos[i], error)) {
      g_prefix_error (error, "%s '%s': ", what, value->name);
      return FALSE;
    }
  }
  return TRUE;
}

/* value_info only helps: what vkseg cannot hold is forgotten, and judged where it is used. */
static void
read_value_info (SegModelGraph *graph, const Onnx__GraphProto *proto)
{
  graph->n_values = proto->n_value_info;
  graph->values = g_new0 (SegModelValue, proto->n_value_info);
  for (guint i = 0; i < graph->n_values; i++) {
    read_value (&graph->values[i], proto->value_info[i]);
    if (seg_dtype_bytes (graph->values[i].dtype) == 0)
      graph->values[i].dtype = SEG_DTYPE_UNDEFINED;
  }
}

/* --- nodes ----------------------------------------------------------------------------- */

static char **
read_names (char **names, gsize n)
{
  char **copy = g_new0 (char *, n + 1);

  for (gsize i = 0; i < n; i++)
    copy[i] = seg_dup_string (names[i]);
  return copy;
}

static gboolean
read_attrs (SegModelNode *node, const Onnx__NodeProto *proto, SegExternal *external,
    GError **error)
{
  g_autoptr (GHashTable) names = g_hash_table_new (seg_name_hash, g_str_equal);

  node->attrs = g_new0 (SegAttr, proto->n_attribute);
  for (gsize i = 0; i < proto->n_attribute; i++) {
    SegAttr *attr = &node->attrs[node->n_attrs++];

    if (!seg_attr_from_proto (attr, proto->attribute[i], external, error)) {
      g_prefix_error (error, "attribute '%s': ", attr->name);
      return FALSE;
    }
    if (!*attr->name || !g_hash_table_add (names, attr->name)) {
      g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL, "attribute '%s' %s", attr->name,
          *attr->name ? "occurs twice" : "has no name");
      return FALSE;
    }
  }
  return TRUE;
}

static gboolean
read_node (SegModelNode *node, guint i, const Onnx__NodeProto *proto,
    SegExternal *external, GError **error)
{
  const char *domain =
      proto->domain && strcmp (proto->domain, "ai.onnx") != 0 ? proto->domain : "";

  node->op_type = seg_dup_string (proto->op_type);
  node->domain = g_strdup (domain);
  node->name = proto->name && *proto->name ? g_strdup (proto->name)
                                           : g_strdup_printf ("%s_%u", node->op_type, i);
  node->n_inputs = proto->n_input;
  node->inputs = read_names (proto->input, proto->n_input);
  node->n_outputs = proto->n_output;
  node->outputs = read_names (proto->output, proto->n_output);
  if (!*node->op_type) {
    g_set_error (
        error, SEG_ERROR, SEG_ERROR_MODEL, "node '%s' has no operator type", node->name);
    return FALSE;
  }
  if (!read_attrs (node, proto, external, error)) {
    g_prefix_error (error, "node '%s' (%s): ", node->name, node->op_type);
    return FALSE;
  }
  return TRUE;
}

static void
clear_node (SegModelNode *node)
{
  g_free (node->name);
  g_free (node->op_type);
  g_free (node->domain);
  g_strfreev (node->inputs);
  g_strfreev (node->outputs);
  for (guint i = 0; i < node->n_attrs; i++)
    seg_attr_clear (&node->attrs[i]);
  g_free (node->attrs);
}

static gboolean
read_nodes (SegModelGraph *graph, const Onnx__GraphProto *proto, SegExternal *external,
    GError **error)
{
  graph->nodes = g_new0 (SegModelNode, proto->n_node);
  for (gsize i = 0; i < proto->n_node; i++)
    if (!read_node (&graph->nodes[graph->n_nodes++], i, proto->node[i], external, error))
      return FALSE;
  return TRUE;
}

/* --- graphs ---------------------------------------------------------------------------- */

static gboolean
read_inits (SegModelGraph *graph, const Onnx__GraphProto *proto, SegExternal *external,
    GError **error)
{
  if (proto->n_sparse_initializer > 0) {
    g_set_error (
        error, SEG_ERROR, SEG_ERROR_UNSUPPORTED, "sparse initialisers are not supported");
    return FALSE;
  }
  graph->inits = g_new0 (SegModelInit, proto->n_initializer);
  for (gsize i = 0; i < proto->n_initializer; i++) {
    SegModelInit *init = &graph->inits[graph->n_inits++];

    init->name = seg_dup_string (proto->initializer[i]->name);
    init->tensor = seg_tensor_from_proto (proto->initializer[i], external, error);
    if (!init->tensor) {
      g_prefix_error (error, "initialiser '%s': ", init->name);
      return FALSE;
    }
  }
  return TRUE;
}

static gboolean
define (GHashTable *defined, const char *name, const char *what, GError **error)
{
  if (*name && g_hash_table_add (defined, (gpointer) name))
    return TRUE;
  g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL, "%s '%s' %s", what, name,
      *name ? "is defined twice" : "has no name");
  return FALSE;
}

/* Each value comes from one place. */
static gboolean
check_unique (const SegModelGraph *graph, GHashTable *defined, GError **error)
{
  for (guint i = 0; i < graph->n_inputs; i++)
    if (!define (defined, graph->inputs[i].name, "input", error))
      return FALSE;
  for (guint i = 0; i < graph->n_nodes; i++) {
    const SegModelNode *node = &graph->nodes[i];

    for (guint k = 0; k < node->n_outputs; k++)
      if (*node->outputs[k] && !define (defined, node->outputs[k], "value", error)) {
        g_prefix_error (error, "node '%s' (%s): ", node->name, node->op_type);
        return FALSE;
      }
  }
  return TRUE;
}

gboolean
seg_model_graph_from_proto (
    SegModelGraph *graph, Onnx__GraphProto *proto, SegExternal *external, GError **error)
{
  g_autoptr (GHashTable) defined = g_hash_table_new (seg_name_hash, g_str_equal);

  graph->name = seg_dup_string (proto->name);
  if (!read_inits (graph, proto, external, error))
    return FALSE;
  for (guint i = 0; i < graph->n_inits; i++)
    if (!define (defined, graph->inits[i].name, "initialiser", error))
      return FALSE;
  if (!read_interface (&graph->inputs, &graph->n_inputs, proto->input, proto->n_input,
          defined, "input", error)
      || !read_interface (&graph->outputs, &graph->n_outputs, proto->output,
          proto->n_output, NULL, "output", error)
      || !read_nodes (graph, proto, external, error))
    return FALSE;
  read_value_info (graph, proto);
  return check_unique (graph, defined, error);
}

void
seg_model_graph_clear (SegModelGraph *graph)
{
  g_free (graph->name);
  for (guint i = 0; i < graph->n_nodes; i++)
    clear_node (&graph->nodes[i]);
  for (guint i = 0; i < graph->n_inputs; i++)
    clear_value (&graph->inputs[i]);
  for (guint i = 0; i < graph->n_outputs; i++)
    clear_value (&graph->outputs[i]);
  for (guint i = 0; i < graph->n_values; i++)
    clear_value (&graph->values[i]);
  for (guint i = 0; i < graph->n_inits; i++) {
    g_free (graph->inits[i].name);
    seg_tensor_unref (graph->inits[i].tensor);
  }
  g_free (graph->nodes);
  g_free (graph->inputs);
  g_free (graph->outputs);
  g_free (graph->values);
  g_free (graph->inits);
}

const SegAttr *
seg_model_node_attr (const SegModelNode *node, const char *name)
{
  for (guint i = 0; i < node->n_attrs; i++)
    if (strcmp (node->attrs[i].name, name) == 0)
      return &node->attrs[i];
  return NULL;
}
