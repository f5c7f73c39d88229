/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "graph/gate.h"
#include "graph/rewrite.h"

/* Squeeze and excitation: the means of a map's channels, or those of two maps added up, mixed by two
 * convolutions of one pixel. These small nodes, each of which would wait for the one before, become one
 * (ops/gate.c). Runs after graph/means.c, which puts means before sums, and graph/factor.c. */

/* Weights that one workgroup is not too long about. */
#define MOST_WEIGHTS (1 << 17)

/* The node that made v, when nobody else reads it and it can go. */
static SegNode *
sole_producer (const SegValue *v)
{
  SegNode *made = v != NULL && v->constant == NULL && v->size == SEG_SIZE_FIXED
                      ? seg_value_sole_producer (v)
                      : NULL;
  gboolean can_go = made != NULL && !made->late && seg_node_is_on_device (made)
                    && made->factor < 0 && made->epilogue.residual < 0
                    && made->epilogue.act2.kind == SEG_ACT_NONE;
  return can_go ? made : NULL;
}

static gboolean
is_constant (const SegValue *v)
{
  return v == NULL || v->constant != NULL;
}

/* A convolution, with constant weights, of all channels of one pixel. */
static gboolean
is_mixer (const SegNode *node)
{
  if (node == NULL || !seg_node_is (node, "Conv") || node->op->by_pixel == NULL
      || !node->op->by_pixel (node))
    return FALSE;
  const SegDesc *in = &seg_node_input (node, 0)->desc;
  const SegValue *w = seg_node_input (node, 1);
  return in->rank == 4 && seg_desc_n_elems (in) == in->dims[1] && w->constant != NULL
         && w->desc.dims[1] == in->dims[1] && is_constant (seg_node_input (node, 2));
}

/* The map [1,C,h,w] whose means [1,C,1,1] v is, or NULL. */
static SegValue *
pooled (const SegValue *v)
{
  SegNode *pool = sole_producer (v);
  if (pool == NULL || pool->op->means == NULL || pool->epilogue.act.kind != SEG_ACT_NONE
      || pool->op->means (pool) != SEG_MEANS_ALL)
    return NULL;
  SegValue *map = seg_node_input (pool, 0);
  gboolean fits = map->size == SEG_SIZE_FIXED && map->constant == NULL
                  && map->desc.rank == 4 && map->desc.dims[0] == 1
                  && map->desc.dtype == v->desc.dtype && v->desc.rank == 4
                  && seg_desc_n_elems (&v->desc) == map->desc.dims[1];
  return fits ? map : NULL;
}

static gboolean
find_maps (const SegValue *means, SegValue *maps[2])
{
  maps[0] = pooled (means);
  maps[1] = NULL;
  if (maps[0] != NULL)
    return TRUE;
  const SegNode *add = sole_producer (means);
  if (!seg_node_is (add, "Add") || add->epilogue.act.kind != SEG_ACT_NONE)
    return FALSE;
  for (guint k = 0; k < 2; k++)
    maps[k] = pooled (seg_node_input (add, k));
  return maps[0] != NULL && maps[1] != NULL
         && maps[0]->desc.dims[1] == maps[1]->desc.dims[1];
}

static gboolean
fits (const SegNode *hidden, const SegNode *out)
{
  const gint64 *w1 = seg_node_input (hidden, 1)->desc.dims;
  const gint64 *w2 = seg_node_input (out, 1)->desc.dims;
  return w1[1] <= SEG_GATE_MAX && w2[0] <= SEG_GATE_MAX && w1[0] <= SEG_GATE_MAX_HIDDEN
         && w1[0] * (w1[1] + w2[0]) <= MOST_WEIGHTS;
}

static void
add_mixer (SegNode *gate, const SegNode *from)
{
  seg_node_add_input (gate, seg_node_input (from, 1));
  seg_node_add_input (gate, seg_node_input (from, 2));
}

/* The gate comes into the place of its last convolution; what it replaces is dead then. */
static void
make_gate (
    SegGraph *graph, guint index, SegNode *hidden, SegValue *maps[2], const SegOp *op)
{
  SegNode *last = g_ptr_array_index (graph->nodes, index);
  SegNode *gate = seg_node_new (op, last->name, NULL, last->opset);
  SegGateParams *params = gate->params;
  SegValue *out = seg_node_output (last, 0);
  params->act = hidden->epilogue.act;
  gate->epilogue.act = last->epilogue.act;
  seg_node_add_input (gate, maps[0]);
  add_mixer (gate, hidden);
  add_mixer (gate, last);
  if (maps[1] != NULL)
    seg_node_add_input (gate, maps[1]);
  for (guint i = 0; i < last->inputs->len; i++)
    seg_node_set_input (last, i, NULL);
  g_ptr_array_index (last->outputs, 0) = NULL;
  seg_node_add_output (gate, out);
  g_ptr_array_index (graph->nodes, index) = gate;
  seg_node_free (last);
}

void
seg_graph_make_gates (SegGraph *graph, SegOpLookup lookup)
{
  const SegOp *op = lookup ("vkseg", "Gate");
  for (guint n = 0; op != NULL && n < graph->nodes->len; n++) {
    SegNode *last = g_ptr_array_index (graph->nodes, n);
    SegValue *maps[2];
    gboolean plain = !last->late && last->factor < 0 && last->epilogue.residual < 0
                     && last->epilogue.act2.kind == SEG_ACT_NONE
                     && seg_node_is_on_device (last) && is_mixer (last);
    SegNode *hidden = plain ? sole_producer (seg_node_input (last, 0)) : NULL;
    if (hidden != NULL && is_mixer (hidden) && fits (hidden, last)
        && find_maps (seg_node_input (hidden, 0), maps))
      make_gate (graph, n, hidden, maps, op);
  }
  seg_graph_remove_dead (graph);
}
