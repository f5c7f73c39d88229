/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/model-walk.h"

#include <string.h>

#define CHECK(condition)                                                                 \
  do {                                                                                   \
    if (!(condition))                                                                    \
      g_error ("a model breaks its promise: %s", #condition);                            \
  } while (0)

static guint walk_graph (const SegModelGraph *graph);

static void
walk_strings (char **strings, guint n)
{
  CHECK (strings);
  for (guint i = 0; i < n; i++)
    CHECK (strings[i] && strlen (strings[i]) < G_MAXINT32);
  CHECK (!strings[n]);
}

static void
walk_tensor (const SegTensor *tensor)
{
  const guint8 *data = seg_tensor_data (tensor);
  gsize size = seg_dtype_bytes (tensor->desc.dtype);
  volatile guint8 last;

  CHECK (size > 0 && tensor->desc.rank <= SEG_MAX_RANK);
  CHECK (seg_desc_n_elems (&tensor->desc) >= 0);
  CHECK (tensor->n_bytes == size * seg_desc_n_elems (&tensor->desc));
  CHECK (data && (guintptr) data % size == 0);
  for (gsize i = 0; i < tensor->n_bytes; i++) {
    last = data[i]; /* volatile: really read */
    CHECK (tensor->desc.dtype != SEG_DTYPE_BOOL || last <= 1);
  }
}

static void
walk_numbers (const SegAttr *attr)
{
  volatile double last = 0; /* really read */

  CHECK (attr->n == 0 || attr->floats || attr->ints);
  for (guint i = 0; i < attr->n; i++)
    last = attr->floats ? attr->floats[i] : (double) attr->ints[i];
  (void) last;
}

static guint
walk_attr (const SegAttr *attr)
{
  CHECK (attr->name && *attr->name);
  switch (attr->type) {
  case SEG_ATTR_STRING: walk_strings ((char *[]){ attr->s, NULL }, 1); break;
  case SEG_ATTR_TENSOR: walk_tensor (attr->t); break;
  case SEG_ATTR_GRAPH: return walk_graph (attr->g);
  case SEG_ATTR_FLOATS:
  case SEG_ATTR_INTS: walk_numbers (attr); break;
  case SEG_ATTR_STRINGS: walk_strings (attr->strings, attr->n); break;
  default: break;
  }
  return 0;
}

static guint
walk_node (const SegModelNode *node)
{
  guint n_nodes = 1;

  CHECK (node->name && *node->name && node->op_type && *node->op_type && node->domain);
  walk_strings (node->inputs, node->n_inputs);
  walk_strings (node->outputs, node->n_outputs);
  for (guint i = 0; i < node->n_attrs; i++) {
    n_nodes += walk_attr (&node->attrs[i]);
    CHECK (seg_model_node_attr (node, node->attrs[i].name) == &node->attrs[i]);
  }
  return n_nodes;
}

static void
walk_values (const SegModelValue *values, guint n)
{
  for (guint i = 0; i < n; i++) {
    const SegModelValue *value = &values[i];

    CHECK (value->name && value->rank <= SEG_MAX_RANK);
    CHECK (value->has_shape || value->rank == 0);
    CHECK (value->dtype == SEG_DTYPE_UNDEFINED || seg_dtype_bytes (value->dtype) > 0);
    for (guint k = 0; k < SEG_MAX_RANK; k++) {
      CHECK (k >= value->rank || value->dims[k] >= -1);
      CHECK (!value->dim_names[k] || (k < value->rank && value->dims[k] == -1));
    }
  }
}

static guint
walk_graph (const SegModelGraph *graph)
{
  guint n_nodes = 0;

  CHECK (graph->name);
  for (guint i = 0; i < graph->n_inits; i++) {
    CHECK (graph->inits[i].name && *graph->inits[i].name);
    walk_tensor (graph->inits[i].tensor);
  }
  walk_values (graph->inputs, graph->n_inputs);
  walk_values (graph->outputs, graph->n_outputs);
  walk_values (graph->values, graph->n_values);
  for (guint i = 0; i < graph->n_nodes; i++)
    n_nodes += walk_node (&graph->nodes[i]);
  return n_nodes;
}

guint
seg_test_model_walk (const SegModel *model)
{
  GHashTableIter iter;
  gpointer key, value;

  CHECK (model->opset >= 7 && model->opset <= 21 && model->ir_version > 0
         && model->producer);
  g_hash_table_iter_init (&iter, model->metadata);
  while (g_hash_table_iter_next (&iter, &key, &value))
    walk_strings ((char *[]){ key, value, NULL }, 2);
  return walk_graph (&model->graph);
}
