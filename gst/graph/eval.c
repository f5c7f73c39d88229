/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "graph/rewrite.h"

#include <string.h>

/* Folding must not turn a small file into gigabytes of constants. */
#define MAX_FOLDED_BYTES (256 << 20)

static void
clear_tensors (SegTensor **tensors, guint n)
{
  for (guint i = 0; i < n; i++)
    g_clear_pointer (&tensors[i], seg_tensor_unref);
}

static gboolean
has_epilogue (const SegEpilogue *e)
{
  return e->act.kind != SEG_ACT_NONE || e->residual >= 0 || e->act2.kind != SEG_ACT_NONE;
}

static void
apply_epilogue (const SegNode *node, SegTensor *const *in, SegTensor *out)
{
  const SegEpilogue *e = &node->epilogue;
  gint64 n = seg_desc_n_elems (&out->desc);
  for (gint64 i = 0; i < n; i++) {
    double residual = e->residual >= 0 ? seg_tensor_get_double (in[e->residual], i) : 0;
    seg_tensor_set_double (
        out, i, seg_epilogue_apply (e, seg_tensor_get_double (out, i), residual));
  }
}

/* x times one number for each channel. */
static SegTensor *
multiply_channels (const SegTensor *x, const SegTensor *factor, GError **error)
{
  SegTensor *product = seg_tensor_new (&x->desc, error);
  gsize n = seg_desc_n_elems (&x->desc), channels = x->desc.dims[0] * x->desc.dims[1];
  for (gsize i = 0; product != NULL && i < n; i++)
    seg_tensor_set_double (product, i,
        seg_tensor_get_double (x, i)
            * seg_tensor_get_double (factor, i / (n / channels)));
  return product;
}

/* What is only renamed stays in its memory: masks of a whole picture each are hundreds of megabytes. */
static gboolean
make_outputs (const SegNode *node, SegTensor *const *in, SegTensor **out, GError **error)
{
  gboolean renames = (node->op->flags & SEG_OP_RENAME) != 0;
  for (guint i = 0; i < node->outputs->len; i++) {
    const SegValue *v = g_ptr_array_index (node->outputs, i);
    if (v == NULL)
      continue;
    out[i] = renames && i == 0
                 ? seg_tensor_reshape (in[0], v->desc.rank, v->desc.dims, error)
                 : seg_tensor_new (&v->desc, error);
    if (out[i] == NULL)
      return FALSE;
  }
  return TRUE;
}

/* What the graph was built for, where eval chose the size. */
static gboolean
check_output (const SegValue *v, const SegTensor *t, GError **error)
{
  const SegDesc *want = &v->desc, *got = &t->desc;
  if (v->size != SEG_SIZE_FIXED
      || (got->dtype == want->dtype && seg_desc_same_dims (got, want)))
    return TRUE;
  g_autofree char *a = seg_desc_to_string (got), *b = seg_desc_to_string (want);
  g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL, "'%s' became %s, %s was planned for",
      v->name, a, b);
  return FALSE;
}

static gboolean
check_live_outputs (const SegNode *node, SegTensor *const *out, GError **error)
{
  for (guint i = 0; i < node->outputs->len; i++) {
    const SegValue *v = g_ptr_array_index (node->outputs, i);
    if (v != NULL && !check_output (v, out[i], error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
eval_plain (const SegNode *node, SegTensor *const *in, SegTensor **out, GError **error)
{
  gboolean live = (node->op->flags & SEG_OP_LIVE) != 0;
  if (node->op->eval == NULL) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED, "has no host implementation");
    return FALSE;
  }
  if (!live && !make_outputs (node, in, out, error))
    return FALSE;
  if (node->factor < 0)
    return node->op->eval (node, in, out, error);
  g_autofree SegTensor **with = g_memdup2 (in, node->inputs->len * sizeof *in);
  g_autoptr (SegTensor) product = multiply_channels (in[0], in[node->factor], error);
  with[0] = product;
  return product != NULL && node->op->eval (node, with, out, error);
}

static gboolean
eval_prepared (const SegNode *node, SegTensor *const *in, SegTensor **out, GError **error)
{
  if (!eval_plain (node, in, out, error))
    return FALSE;
  if (has_epilogue (&node->epilogue))
    apply_epilogue (node, in, out[0]);
  return TRUE;
}

gboolean
seg_node_eval (const SegNode *node, SegTensor *const *in, SegTensor **out, GError **error)
{
  guint n_out = node->outputs->len;
  memset (out, 0, n_out * sizeof *out);
  gboolean ok = node->late ? seg_node_eval_late (node, in, out, error)
                           : eval_prepared (node, in, out, error);
  if (!ok && !node->late)
    seg_node_prefix_error (node, error);
  if (ok && (node->late || (node->op->flags & SEG_OP_LIVE))
      && !check_live_outputs (node, out, error)) {
    seg_node_prefix_error (node, error);
    ok = FALSE;
  }
  if (!ok)
    clear_tensors (out, n_out);
  return ok;
}

static gboolean
can_fold (const SegNode *node)
{
  gboolean desc_only = (node->op->flags & SEG_OP_DESC_ONLY) != 0;
  for (guint i = 0; i < node->inputs->len; i++) {
    const SegValue *v = g_ptr_array_index (node->inputs, i);
    if (v != NULL && v->constant == NULL && (!desc_only || v->size != SEG_SIZE_FIXED))
      return FALSE;
  }
  gsize bytes = 0;
  for (guint i = 0; i < node->outputs->len; i++) {
    const SegValue *v = g_ptr_array_index (node->outputs, i);
    if (v != NULL)
      bytes += seg_desc_n_elems (&v->desc) * seg_dtype_bytes (v->desc.dtype);
  }
  return bytes <= MAX_FOLDED_BYTES;
}

gboolean
seg_node_fold (SegNode *node, GError **error)
{
  if (!can_fold (node))
    return TRUE;
  guint n_in = node->inputs->len, n_out = node->outputs->len;
  g_autofree SegTensor **in = g_new0 (SegTensor *, n_in + 1);
  g_autofree SegTensor **out = g_new0 (SegTensor *, n_out + 1);
  g_autofree SegTensor *described =
      g_new0 (SegTensor, n_in + 1); /* desc only, never shared */
  for (guint i = 0; i < n_in; i++) {
    SegValue *v = g_ptr_array_index (node->inputs, i);
    if (v == NULL)
      continue;
    described[i].desc = v->desc;
    in[i] = v->constant != NULL ? v->constant : &described[i];
  }
  if (!seg_node_eval (node, in, out, error))
    return FALSE;
  for (guint i = 0; i < n_out; i++) {
    SegValue *v = g_ptr_array_index (node->outputs, i);
    if (v == NULL)
      continue;
    v->constant = out[i];
    v->desc = out[i]->desc;
    v->size = SEG_SIZE_FIXED;
  }
  return TRUE;
}

gboolean
seg_graph_check_inputs (const SegGraph *graph, SegTensor *const *inputs, GError **error)
{
  for (guint i = 0; i < graph->inputs->len; i++) {
    const SegValue *v = g_ptr_array_index (graph->inputs, i);
    const SegDesc *d = &inputs[i]->desc;
    if (v->size != SEG_SIZE_FIXED)
      continue; /* of a body */
    if (d->dtype == v->desc.dtype && seg_desc_same_dims (d, &v->desc))
      continue;
    g_autofree char *got = seg_desc_to_string (d);
    g_autofree char *want = seg_desc_to_string (&v->desc);
    g_set_error (error, SEG_ERROR, SEG_ERROR_INPUT,
        "input '%s' is %s, the network takes %s", v->name, got, want);
    return FALSE;
  }
  return TRUE;
}

/* --- whole graphs ------------------------------------------------------------------------ */

#define NODE_UNITS 2048 /* what a step costs in any case */

void
seg_graph_limit_work (SegGraph *graph, guint64 units)
{
  graph->budget->limit = graph->budget->left = units;
}

void
seg_graph_refill (const SegGraph *graph)
{
  graph->budget->left = graph->budget->limit;
}

void
seg_graph_share_budget (SegGraph *graph, const SegGraph *outer)
{
  g_free (graph->own_budget);
  graph->own_budget = NULL;
  graph->budget = outer->budget;
}

/* Only what bodies do counts: the rest of a graph is done once. */
static gboolean
spend (const SegGraph *graph, SegTensor *const *tensors, guint n, GError **error)
{
  guint64 units = NODE_UNITS;
  for (guint i = 0; i < n; i++)
    units += tensors[i] != NULL ? seg_desc_n_elems (&tensors[i]->desc) : 0;
  if (units < graph->budget->left) {
    graph->budget->left -= units;
    return TRUE;
  }
  g_set_error (error, SEG_ERROR, SEG_ERROR_MODEL,
      "gives up after %" G_GUINT64_FORMAT
      " steps; a loop does not end, or takes too long",
      graph->budget->limit);
  return FALSE;
}

/* The contents of the values of one run, and how many readers each still has. */
typedef struct {
  SegTensor **tensors;
  guint *n_left;
} Slots;

static void
read_slot (Slots *s, const SegValue *v)
{
  if (s->n_left[v->id] > 0 && --s->n_left[v->id] == 0)
    g_clear_pointer (&s->tensors[v->id], seg_tensor_unref);
}

static gboolean
eval_into (const SegGraph *graph, const SegNode *node, Slots *s, GError **error)
{
  guint n_in = node->inputs->len, n_out = node->outputs->len;
  g_autofree SegTensor **in = g_new0 (SegTensor *, n_in + 1);
  g_autofree SegTensor **out = g_new0 (SegTensor *, n_out + 1);
  for (guint i = 0; i < n_in; i++) {
    const SegValue *v = g_ptr_array_index (node->inputs, i);
    if (v != NULL)
      in[i] = v->constant != NULL ? v->constant : s->tensors[v->id];
  }
  if (!seg_node_eval (node, in, out, error))
    return FALSE;
  gboolean ok = graph->depth == 0 || spend (graph, out, n_out, error);
  for (guint i = 0; i < n_in; i++) {
    const SegValue *v = g_ptr_array_index (node->inputs, i);
    if (v != NULL)
      read_slot (s, v);
  }
  for (guint i = 0; i < n_out; i++) {
    const SegValue *v = g_ptr_array_index (node->outputs, i);
    if (v != NULL && v->n_uses > 0)
      s->tensors[v->id] = out[i];
    else
      seg_tensor_unref (out[i]);
  }
  return ok;
}

gboolean
seg_graph_eval_body (
    const SegGraph *graph, SegTensor *const *inputs, SegTensor **outputs, GError **error)
{
  if (!seg_graph_check_inputs (graph, inputs, error))
    return FALSE;
  guint n = graph->values->len;
  g_autofree SegTensor **tensors = g_new0 (SegTensor *, n + 1);
  g_autofree guint *n_left = g_new0 (guint, n + 1);
  Slots s = { tensors, n_left };
  for (guint i = 0; i < n; i++)
    n_left[i] = ((const SegValue *) g_ptr_array_index (graph->values, i))->n_uses;
  for (guint i = 0; i < graph->inputs->len; i++) {
    const SegValue *v = g_ptr_array_index (graph->inputs, i);
    tensors[v->id] = seg_tensor_ref (inputs[i]);
  }
  gboolean ok = TRUE;
  for (guint i = 0; ok && i < graph->nodes->len; i++)
    ok = eval_into (graph, g_ptr_array_index (graph->nodes, i), &s, error);
  for (guint i = 0; ok && i < graph->outputs->len; i++) {
    const SegValue *v = g_ptr_array_index (graph->outputs, i);
    outputs[i] = seg_tensor_ref (v->constant != NULL ? v->constant : tensors[v->id]);
  }
  clear_tensors (tensors, n);
  return ok;
}

gboolean
seg_graph_eval (
    const SegGraph *graph, SegTensor *const *inputs, SegTensor **outputs, GError **error)
{
  seg_graph_refill (graph);
  return seg_graph_eval_body (graph, inputs, outputs, error);
}
