/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "graph/rewrite.h"

#include <math.h>
#include <string.h>

/* Each rule looks at one node and back at what made its inputs; TRUE when it rewrote it. The
 * node is then dead or changed, and its output's readers see the same values as before. */

/* `node` becomes superfluous: its producer makes its output instead. */
static void
take_over_output (SegGraph *graph, SegNode *producer, SegNode *node)
{
  SegValue *old = seg_node_output (producer, 0);
  SegValue *out = seg_node_output (node, 0);
  for (guint i = 0; i < node->inputs->len; i++)
    seg_node_set_input (node, i, NULL);
  g_ptr_array_index (node->outputs, 0) = old;
  g_ptr_array_index (producer->outputs, 0) = out;
  old->producer = node;
  out->producer = producer;
}

static gboolean
can_fuse_into (const SegNode *producer, SegOpFlags flag)
{
  return producer != NULL && (producer->op->flags & flag) && producer->outputs->len == 1
         && seg_node_is_on_device (producer)
         && seg_dtype_is_float (seg_node_output (producer, 0)->desc.dtype);
}

/* --- renames ----------------------------------------------------------------------------- */

static gboolean
drop_identity (SegGraph *graph, SegNode *node, guint index)
{
  SegValue *in = seg_node_input (node, 0), *out = seg_node_output (node, 0);
  gboolean second_used =
      seg_node_output (node, 1) != NULL && seg_node_output (node, 1)->n_uses > 0;
  if (!(node->op->flags & SEG_OP_RENAME) || second_used || out->is_output
      || in->desc.dtype != out->desc.dtype || !seg_desc_same_dims (&in->desc, &out->desc))
    return FALSE;
  seg_graph_replace_value (graph, out, in, index + 1);
  return TRUE;
}

/* --- activations ------------------------------------------------------------------------- */

static gboolean
put_act (SegNode *producer, SegAct act)
{
  SegEpilogue *e = &producer->epilogue;
  SegAct *slot = e->residual >= 0 ? &e->act2 : &e->act;
  if (slot->kind != SEG_ACT_NONE)
    return FALSE;
  *slot = act;
  return TRUE;
}

static gboolean
fuse_act (SegGraph *graph, SegNode *node)
{
  SegAct act;
  SegNode *producer = seg_value_sole_producer (seg_node_input (node, 0));
  if (node->op->as_act == NULL || !node->op->as_act (node, &act)
      || node->epilogue.act.kind != SEG_ACT_NONE
      || !can_fuse_into (producer, SEG_OP_EPILOGUE_ACT) || !put_act (producer, act))
    return FALSE;
  take_over_output (graph, producer, node);
  return TRUE;
}

/* x * sigmoid (x) and x * hard_sigmoid (x) with slope 1/6, where x is made by a node that takes
 * an activation and is read by these two alone. */
static gboolean
fuse_gated (SegGraph *graph, SegNode *node)
{
  if (!seg_node_is (node, "Mul"))
    return FALSE;
  for (guint k = 0; k < 2; k++) {
    SegValue *x = seg_node_input (node, k);
    SegNode *gate = seg_value_sole_producer (seg_node_input (node, 1 - k));
    SegAct act;
    if (gate == NULL || gate->op->as_act == NULL || seg_node_input (gate, 0) != x
        || !gate->op->as_act (gate, &act) || gate->epilogue.act.kind != SEG_ACT_NONE)
      continue;
    gboolean silu = act.kind == SEG_ACT_SIGMOID;
    gboolean swish = act.kind == SEG_ACT_HARD_SIGMOID && fabsf (act.a - 1.f / 6) < 1e-5f
                     && fabsf (act.b - .5f) < 1e-5f;
    SegNode *producer = x->producer;
    if ((!silu && !swish) || x->n_uses != 2 || x->is_output
        || !can_fuse_into (producer, SEG_OP_EPILOGUE_ACT))
      continue;
    if (!put_act (producer, (SegAct){ silu ? SEG_ACT_SILU : SEG_ACT_HARD_SWISH, 0, 0 }))
      continue;
    seg_node_set_input (gate, 0, NULL);
    take_over_output (graph, producer, node);
    return TRUE;
  }
  return FALSE;
}

/* --- residuals ---------------------------------------------------------------------------- */

/* a + b, where a comes from a convolution that can add b itself. The convolution moves here,
 * after whatever makes b. */
static gboolean
fuse_residual (SegGraph *graph, SegNode *node, guint index)
{
  if (!seg_node_is (node, "Add") || node->epilogue.act.kind != SEG_ACT_NONE)
    return FALSE;
  for (guint k = 2; k-- > 0;) {
    SegValue *a = seg_node_input (node, k), *b = seg_node_input (node, 1 - k);
    SegNode *producer = seg_value_sole_producer (a);
    if (a == b || b->constant != NULL || a->size != SEG_SIZE_FIXED
        || !can_fuse_into (producer, SEG_OP_EPILOGUE_RESIDUAL)
        || producer->epilogue.residual >= 0 || a->desc.dtype != b->desc.dtype
        || !seg_desc_same_dims (&a->desc, &b->desc))
      continue;
    while (producer->inputs->len < producer->op->max_inputs)
      seg_node_add_input (producer, NULL);
    producer->epilogue.residual = producer->inputs->len;
    seg_node_add_input (producer, b);
    take_over_output (graph, producer, node);
    seg_graph_move_node (graph, producer, index);
    return TRUE;
  }
  return FALSE;
}

/* --- constants folded into weights -------------------------------------------------------- */

/* A constant that is one number for each channel of out (axis 1) or one number for all. NULL when it is not. */
static double *
per_channel (const SegValue *v, const SegDesc *out)
{
  if (v == NULL || v->constant == NULL || !seg_dtype_is_float (v->desc.dtype)
      || out->rank < 2)
    return NULL;
  gint64 channels = out->dims[1];
  guint lead = out->rank - MIN (v->desc.rank, out->rank);
  if (v->desc.rank > out->rank)
    return NULL;
  gint64 n = 1;
  for (guint i = 0; i < v->desc.rank; i++) {
    if (v->desc.dims[i] == 1)
      continue;
    if (lead + i != 1 || v->desc.dims[i] != channels)
      return NULL;
    n = channels;
  }
  double *values = g_new (double, channels);
  for (gint64 c = 0; c < channels; c++)
    values[c] = seg_tensor_get_double (v->constant, n == 1 ? 0 : c);
  return values;
}

static gboolean
affine_of_batch_norm (const SegNode *node, double **scale, double **shift)
{
  if (!seg_node_is (node, "BatchNormalization")
      || seg_node_attr_int (node, "training_mode", 0) != 0) /* the batch's own moments */
    return FALSE;
  const SegTensor *t[5] = { NULL };
  for (guint i = 1; i < 5; i++) {
    const SegValue *v = seg_node_input (node, i);
    if (v == NULL || v->constant == NULL)
      return FALSE;
    t[i] = v->constant;
  }
  double epsilon = seg_node_attr_float (node, "epsilon", 1e-5f);
  gint64 n = seg_node_output (node, 0)->desc.dims[1];
  *scale = g_new (double, n);
  *shift = g_new (double, n);
  for (gint64 c = 0; c < n; c++) {
    double deviation = sqrt (seg_tensor_get_double (t[4], c) + epsilon);
    (*scale)[c] = seg_tensor_get_double (t[1], c) / deviation;
    (*shift)[c] =
        seg_tensor_get_double (t[2], c) - seg_tensor_get_double (t[3], c) * (*scale)[c];
  }
  return TRUE;
}

static gboolean
all_finite (const double *a, const double *b, gint64 n)
{
  for (gint64 i = 0; i < n; i++)
    if (!isfinite (a[i]) || !isfinite (b[i]))
      return FALSE;
  return TRUE;
}

/* x + k, x - k, x * k, x / k with k per channel; *data receives which input is x. */
static gboolean
affine_of_binary (const SegNode *node, double **scale, double **shift, guint *data)
{
  gboolean add = seg_node_is (node, "Add"), sub = seg_node_is (node, "Sub");
  gboolean mul = seg_node_is (node, "Mul"), div = seg_node_is (node, "Div");
  if (!add && !sub && !mul && !div)
    return FALSE;
  const SegDesc *out = &seg_node_output (node, 0)->desc;
  *data = (add || mul) && seg_node_input (node, 0)->constant != NULL ? 1 : 0;
  if (!seg_desc_same_dims (&seg_node_input (node, *data)->desc, out))
    return FALSE;
  g_autofree double *k = per_channel (seg_node_input (node, 1 - *data), out);
  if (k == NULL)
    return FALSE;
  gint64 n = out->dims[1];
  *scale = g_new (double, n);
  *shift = g_new (double, n);
  for (gint64 c = 0; c < n; c++) {
    (*scale)[c] = mul ? k[c] : div ? 1 / k[c] : 1;
    (*shift)[c] = add ? k[c] : sub ? -k[c] : 0;
  }
  return TRUE;
}

static gboolean
fold_affine (SegGraph *graph, SegNode *node)
{
  g_autofree double *scale = NULL, *shift = NULL;
  guint data = 0;
  if (node->epilogue.act.kind != SEG_ACT_NONE
      || (!affine_of_batch_norm (node, &scale, &shift)
          && !affine_of_binary (node, &scale, &shift, &data)))
    return FALSE;
  SegNode *producer = seg_value_sole_producer (seg_node_input (node, data));
  gint64 n = seg_node_output (node, 0)->desc.dims[1];
  if (producer == NULL || producer->op->fold_affine == NULL
      || producer->epilogue.act.kind != SEG_ACT_NONE || producer->epilogue.residual >= 0
      || !all_finite (scale, shift, n)
      || !producer->op->fold_affine (graph, producer, scale, shift, n))
    return FALSE;
  take_over_output (graph, producer, node);
  return TRUE;
}

/* --- padding ------------------------------------------------------------------------------ */

/* The pads of a Pad with zeros, begin then end for each axis, or NULL. */
static gint64 *
zero_pads (const SegNode *pad, guint *rank)
{
  const SegValue *value = seg_node_input (pad, 2);
  gint64 *pads = NULL;
  guint n = 0, n_attr = 0;
  const gint64 *attr = seg_node_attr_ints (pad, "pads", &n_attr);
  if (g_strcmp0 (seg_node_attr_string (pad, "mode", "constant"), "constant") != 0
      || seg_node_attr_float (pad, "value", 0) != 0 || seg_node_input (pad, 3) != NULL)
    return NULL;
  if (value != NULL
      && (value->constant == NULL || seg_desc_n_elems (&value->desc) != 1
          || seg_tensor_get_double (value->constant, 0) != 0))
    return NULL;
  *rank = seg_node_output (pad, 0)->desc.rank;
  if (attr != NULL)
    pads = g_memdup2 (attr, n_attr * sizeof *attr), n = n_attr;
  else if (!seg_node_const_ints (pad, 1, "pads", &pads, &n, NULL))
    return NULL;
  gboolean ok = n == 2 * *rank;
  for (guint i = 0; ok && i < n; i++)
    ok = pads[i] >= 0 && (i % *rank >= 2 || pads[i] == 0);
  if (!ok)
    g_clear_pointer (&pads, g_free);
  return pads;
}

static gboolean
fuse_pad (SegGraph *graph, SegNode *node)
{
  SegValue *in = seg_node_input (node, 0);
  SegNode *pad = in != NULL ? in->producer : NULL;
  guint rank = 0;
  if (node->op->absorb_pads == NULL || !seg_node_is (pad, "Pad"))
    return FALSE;
  g_autofree gint64 *pads = zero_pads (pad, &rank);
  if (pads == NULL || rank < 3
      || !node->op->absorb_pads (node, pads + 2, pads + rank + 2, rank - 2))
    return FALSE;
  seg_node_set_input (node, 0, seg_node_input (pad, 0));
  return TRUE;
}

static gboolean
is_fixed (const SegValue *v)
{
  return v != NULL && v->size == SEG_SIZE_FIXED;
}

static gboolean
join_same (SegNode *node)
{
  SegValue *in = seg_node_input (node, 0);
  SegNode *first = in != NULL ? in->producer : NULL;
  if (node->op->join == NULL || first == NULL || first->op != node->op || in->is_output
      || in->n_uses != 1 || !is_fixed (in) || !is_fixed (seg_node_input (first, 0))
      || !is_fixed (seg_node_output (node, 0)) || !node->op->join (node, first))
    return FALSE;
  seg_node_set_input (node, 0, seg_node_input (first, 0));
  return TRUE;
}

void
seg_graph_fuse (SegGraph *graph)
{
  seg_graph_drop_transpositions (graph);
  for (guint n = 0; n < graph->nodes->len; n++) {
    SegNode *node = g_ptr_array_index (graph->nodes, n);
    if (node->late && !node->by_row)
      continue; /* not enough is known about it */
    (void) (drop_identity (graph, node, n) || join_same (node) || fuse_pad (graph, node)
            || fold_affine (graph, node) || fuse_gated (graph, node)
            || fuse_act (graph, node) || fuse_residual (graph, node, n));
  }
  seg_graph_commute_means (graph);
  seg_graph_take_factors (graph);
  seg_graph_remove_dead (graph);
}
