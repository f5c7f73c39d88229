/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "graph/rewrite.h"

#include <string.h>

/* Squeeze and excitation: a map is multiplied by one number for each channel, which the network has
 * computed. A convolution of pixels that reads the product reads the map instead, and takes the numbers into
 * its weights, of which there are fewer. Runs after graph/means.c. */

static gboolean
is_free (const SegValue *v)
{
  return v != NULL && v->constant == NULL && v->size == SEG_SIZE_FIXED;
}

/* The node that made v, when nobody else reads it. */
static SegNode *
sole_producer (const SegValue *v)
{
  SegNode *made = is_free (v) ? seg_value_sole_producer (v) : NULL;
  return made != NULL && !made->late && seg_node_is_on_device (made) ? made : NULL;
}

/* Which input of a Mul is one number for each channel of the other, a single picture; or -1. */
static int
find_factor (const SegNode *mul)
{
  const SegDesc *out = &seg_node_output (mul, 0)->desc;
  for (guint k = 0; k < 2; k++) {
    const SegValue *x = seg_node_input (mul, 1 - k), *s = seg_node_input (mul, k);
    gboolean fits = is_free (x) && is_free (s) && out->rank > 2 && out->dims[0] == 1
                    && seg_desc_same_dims (&x->desc, out) && s->desc.rank == out->rank
                    && s->desc.dims[0] == 1 && s->desc.dims[1] == out->dims[1]
                    && seg_desc_n_elems (&s->desc) == out->dims[1];
    if (fits)
      return (int) k;
  }
  return -1;
}

static guint
add_late_input (SegNode *node, SegValue *v)
{
  while (node->inputs->len < node->op->max_inputs)
    seg_node_add_input (node, NULL);
  seg_node_add_input (node, v);
  return node->inputs->len - 1;
}

/* What the Mul adds to the product is a map made larger: the convolution of that can be done before it is,
 * and added to the convolution of the product. */
static gboolean
can_part (const SegNode *mul, const SegNode *node)
{
  const SegValue *added = seg_node_input (mul, (guint) mul->epilogue.residual);
  SegNode *resize = sole_producer (added);
  return resize != NULL && resize->op->means != NULL && resize->epilogue.residual < 0
         && resize->epilogue.act.kind == SEG_ACT_NONE && node->epilogue.residual < 0
         && resize->op->means (resize) != SEG_MEANS_NOT
         && is_free (seg_node_input (resize, 0))
         && 2 * seg_desc_n_elems (&seg_node_input (resize, 0)->desc)
                <= seg_desc_n_elems (&added->desc);
}

static void
part (SegGraph *graph, SegNode *mul, SegNode *node)
{
  guint at = (guint) mul->epilogue.residual, index;
  SegValue *added = seg_node_input (mul, at);
  SegNode *resize = added->producer;
  SegNode *small = seg_node_new (node->op, resize->name, node->model, node->opset);
  SegDesc desc = seg_node_input (resize, 0)->desc;
  desc.dims[1] = seg_node_output (node, 0)->desc.dims[1];
  memcpy (small->params, node->params, node->op->params_size);
  seg_node_add_input (small, seg_node_input (resize, 0));
  seg_node_add_input (
      small, seg_node_input (node, 1)); /* the bias is added once, by node */
  seg_node_add_output (small, seg_graph_add_value (graph, resize->name, &desc));
  seg_node_set_input (resize, 0, seg_node_output (small, 0));
  added->desc.dims[1] = desc.dims[1];
  node->epilogue.act2 = node->epilogue.act;
  node->epilogue.act = (SegAct){ SEG_ACT_NONE, 0, 0 };
  node->epilogue.residual = (int) add_late_input (node, added);
  seg_node_set_input (mul, at, NULL);
  mul->epilogue.residual = -1;
  if (g_ptr_array_find (graph->nodes, resize, &index))
    g_ptr_array_insert (graph->nodes, (gint) index, small);
}

static gboolean
take_factor (SegGraph *graph, SegNode *node)
{
  if (node->op->takes_factor == NULL || node->late || node->factor >= 0
      || !seg_node_is_on_device (node) || !node->op->takes_factor (node))
    return FALSE;
  SegNode *mul = sole_producer (seg_node_input (node, 0));
  if (mul == NULL || strcmp (mul->op->name, "Mul") != 0
      || mul->epilogue.act.kind != SEG_ACT_NONE
      || mul->epilogue.act2.kind != SEG_ACT_NONE)
    return FALSE;
  int factor = find_factor (mul);
  if (factor < 0 || (mul->epilogue.residual >= 0 && !can_part (mul, node)))
    return FALSE;
  if (mul->epilogue.residual >= 0)
    part (graph, mul, node);
  node->factor = (int) add_late_input (node, seg_node_input (mul, (guint) factor));
  seg_node_set_input (node, 0, seg_node_input (mul, 1 - (guint) factor));
  return TRUE;
}

void
seg_graph_take_factors (SegGraph *graph)
{
  for (guint n = 0; n < graph->nodes->len; n++)
    (void) take_factor (graph, g_ptr_array_index (graph->nodes, n));
  seg_graph_remove_dead (graph);
}
