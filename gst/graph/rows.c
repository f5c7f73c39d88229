/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows that the data decides, on a device: whose they are, and who counts them. A value's memory is
 * as large as it can become; of its live axis the first rows count. */
#include "graph/rewrite.h"

int
seg_value_live_axis_of (const SegValue *v)
{
  int axis = -1;
  if (v->size != SEG_SIZE_BOUNDED)
    return -1;
  for (guint i = 0; i < v->desc.rank; i++) {
    if (v->desc.dims[i] == v->fewer.dims[i])
      continue;
    if (axis >= 0)
      return -1;
    axis = (int) i;
  }
  return axis;
}

gboolean
seg_value_is_prefix (const SegValue *v)
{
  int axis = seg_value_live_axis_of (v);
  for (int i = 0; i < axis; i++)
    if (v->desc.dims[i] != 1)
      return FALSE;
  return axis >= 0;
}

gboolean
seg_value_has_rows (const SegValue *v)
{
  if (v->size != SEG_SIZE_BOUNDED || v->desc.rank == 0)
    return FALSE;
  for (guint i = 1; i < v->desc.rank; i++)
    if (v->desc.dims[i] != v->fewer.dims[i])
      return FALSE;
  return TRUE;
}

static gboolean
fits (const SegNode *node, const SegValue *v)
{
  return v == NULL || v->size == SEG_SIZE_FIXED
         || (node->op->flags & SEG_OP_ANY_LIVE_AXIS ? seg_value_live_axis_of (v) >= 0
                                                    : seg_value_has_rows (v));
}

static gboolean
all_fit (const SegNode *node, const GPtrArray *values)
{
  for (guint i = 0; i < values->len; i++)
    if (!fits (node, g_ptr_array_index (values, i)))
      return FALSE;
  return TRUE;
}

guint
seg_node_rows (const SegNode *node)
{
  if (node->op->by_row == NULL || !all_fit (node, node->inputs)
      || !all_fit (node, node->outputs))
    return 0;
  return node->op->by_row (node);
}

guint
seg_rows_of_first (const SegNode *node)
{
  for (guint i = 0; i < node->inputs->len; i++) {
    const SegValue *v = g_ptr_array_index (node->inputs, i);
    if (v != NULL && (v->size == SEG_SIZE_FIXED) != (i > 0))
      return 0;
  }
  return 1;
}

gboolean
seg_counts_rows (const SegNode *node)
{
  return TRUE;
}

const SegValue *
seg_node_live_input (const SegNode *node)
{
  guint rows = node->op->rows_of != 0 ? node->op->rows_of : seg_node_rows (node);
  for (guint i = 0; i < node->inputs->len; i++) {
    const SegValue *v = g_ptr_array_index (node->inputs, i);
    if (v != NULL && v->size == SEG_SIZE_BOUNDED
        && (rows == 0 || (rows >> MIN (i, 31) & 1)))
      return v;
  }
  return NULL;
}

static gboolean
is_counted (const SegValue *v)
{
  const SegNode *node = v->producer;
  return node == NULL || !seg_node_is_on_device (node)
         || (node->op->counts != NULL && node->op->counts (node));
}

const SegValue *
seg_value_counted (const SegValue *v)
{
  while (!is_counted (v)) {
    const SegValue *from = seg_node_live_input (v->producer);
    if (from == NULL)
      break;
    v = from;
  }
  return v;
}

/* --- sizes ------------------------------------------------------------------------------- */

static gboolean
only_says_size (const SegNode *node, guint i)
{
  const SegValue *v = g_ptr_array_index (node->inputs, i);
  return (node->op->sizes >> MIN (i, 31) & 1) && v != NULL && v->constant == NULL
         && v->contents[SEG_N_SAMPLES - 1] != NULL;
}

void
seg_graph_cut_sizes (SegGraph *graph)
{
  for (guint n = 0; n < graph->nodes->len; n++) {
    SegNode *node = g_ptr_array_index (graph->nodes, n);
    if (!seg_node_is_on_device (node)
        || (node->op->counts != NULL && node->op->counts (node)))
      continue;
    for (guint i = 0; i < node->inputs->len; i++) {
      SegValue *v = g_ptr_array_index (node->inputs, i);
      if (only_says_size (node, i))
        seg_node_set_input (node, i,
            seg_graph_add_constant (graph, v->name, v->contents[SEG_N_SAMPLES - 1]));
    }
  }
  seg_graph_remove_dead (graph);
}
