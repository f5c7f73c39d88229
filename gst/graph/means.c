/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "graph/rewrite.h"

#include <string.h>

/* Resizing and pooling take means of pixels, and means do not mind whether what is done to each pixel
 * for itself, and is linear, is done before or after them: it is done where there are fewer pixels. Runs
 * after the other fusions, so that what has an epilogue by then is left as it is: that is not linear, or
 * would have to be done apart. */

/* More channels than this many times as before are not worth having fewer pixels. */
#define MOST_MORE_CHANNELS 2

static gboolean
is_plain (const SegNode *node)
{
  return node != NULL && !node->late && node->epilogue.act.kind == SEG_ACT_NONE
         && node->epilogue.residual < 0 && seg_node_is_on_device (node);
}

/* The plain node that made v, when nobody else reads it. */
static SegNode *
sole_producer (const SegValue *v)
{
  SegNode *made = v->size == SEG_SIZE_FIXED ? seg_value_sole_producer (v) : NULL;
  return is_plain (made) ? made : NULL;
}

static SegMeans
means_of (const SegNode *node)
{
  return node != NULL && node->op->means != NULL ? node->op->means (node) : SEG_MEANS_NOT;
}

static gint64
pixels_of (const SegDesc *desc)
{
  gint64 n = 1;
  for (guint i = 2; i < desc->rank; i++)
    n *= desc->dims[i];
  return n;
}

/* `node` mixes the channels of what `resize` has made larger: it does so before, and resize makes its
 * output, in its place. */
static void
swap (SegGraph *graph, SegNode *resize, SegNode *node, guint index)
{
  SegValue *between = seg_node_output (resize, 0), *out = seg_node_output (node, 0);
  seg_node_set_input (node, 0, seg_node_input (resize, 0));
  seg_node_set_input (resize, 0, between);
  g_ptr_array_index (node->outputs, 0) = between;
  g_ptr_array_index (resize->outputs, 0) = out;
  between->producer = node;
  out->producer = resize;
  between->desc = seg_node_input (node, 0)->desc;
  between->desc.dims[1] = out->desc.dims[1];
  seg_graph_move_node (graph, resize, index + 1);
}

static gboolean
mix_before_resizing (SegGraph *graph, SegNode *node, guint index)
{
  if (node->op->by_pixel == NULL || !is_plain (node) || !node->op->by_pixel (node))
    return FALSE;
  const SegValue *large = seg_node_input (node, 0);
  SegNode *resize = sole_producer (large);
  if (means_of (resize) == SEG_MEANS_NOT)
    return FALSE;
  const SegValue *small = seg_node_input (resize, 0), *out = seg_node_output (node, 0);
  if (small->size != SEG_SIZE_FIXED || small->constant != NULL
      || pixels_of (&small->desc) >= pixels_of (&large->desc)
      || out->desc.dims[1] > large->desc.dims[1] * MOST_MORE_CHANNELS)
    return FALSE;
  swap (graph, resize, node, index);
  return TRUE;
}

/* The mean over a map that was enlarged evenly is that over the map. */
static gboolean
pool_before_resizing (SegNode *node)
{
  SegNode *resize =
      seg_node_input (node, 0)->producer; /* whoever else reads its result */
  if (!is_plain (resize) || means_of (resize) != SEG_MEANS_EVENLY
      || seg_node_input (resize, 0)->size != SEG_SIZE_FIXED)
    return FALSE;
  seg_node_set_input (node, 0, seg_node_input (resize, 0));
  return TRUE;
}

static gboolean
adds_maps (const SegNode *node)
{
  if (node == NULL || strcmp (node->op->name, "Add") != 0)
    return FALSE;
  const SegDesc *out = &seg_node_output (node, 0)->desc;
  for (guint i = 0; i < 2; i++) {
    const SegValue *v = seg_node_input (node, i);
    if (v->constant != NULL || v->size != SEG_SIZE_FIXED || v->desc.dtype != out->dtype
        || !seg_desc_same_dims (&v->desc, out))
      return FALSE;
  }
  return TRUE;
}

/* The mean of a sum is the sum of the means: the sum of two maps, which nobody else wants, is never
 * made. The addition moves behind both poolings. */
static gboolean
pool_before_adding (SegGraph *graph, SegNode *node, guint index)
{
  SegNode *add = sole_producer (seg_node_input (node, 0));
  if (means_of (node) != SEG_MEANS_ALL || !adds_maps (add))
    return FALSE;
  SegValue *sum = seg_node_output (add, 0), *out = seg_node_output (node, 0);
  SegNode *other = seg_node_new (node->op, add->name, node->model, node->opset);
  SegValue *mean = seg_graph_add_value (graph, add->name, &out->desc);
  seg_node_add_input (other, seg_node_input (add, 1));
  seg_node_add_output (other, mean);
  memcpy (other->params, node->params, node->op->params_size);
  seg_node_set_input (node, 0, seg_node_input (add, 0));
  sum->desc = out->desc;
  g_ptr_array_index (node->outputs, 0) = sum;
  sum->producer = node;
  seg_node_set_input (add, 0, sum);
  seg_node_set_input (add, 1, mean);
  g_ptr_array_index (add->outputs, 0) = out;
  out->producer = add;
  g_ptr_array_insert (graph->nodes, (gint) index, other);
  seg_graph_move_node (graph, add, index + 2);
  return TRUE;
}

void
seg_graph_commute_means (SegGraph *graph)
{
  for (guint n = 0; n < graph->nodes->len; n++) {
    SegNode *node = g_ptr_array_index (graph->nodes, n);
    if (means_of (node) == SEG_MEANS_ALL && is_plain (node)) {
      /* Both poolings come to stand where it stood, or before it, and are looked at in turn. */
      if (pool_before_adding (graph, node, n))
        n -= 2;
      else
        (void) pool_before_resizing (node);
      continue;
    }
    (void) mix_before_resizing (graph, node, n);
  }
  seg_graph_remove_dead (graph);
}
