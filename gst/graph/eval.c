/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "graph/rewrite.h"

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

gboolean
seg_node_eval (const SegNode *node, SegTensor *const *in, SegTensor **out, GError **error)
{
  guint n_out = node->outputs->len;
  for (guint i = 0; i < n_out; i++) {
    const SegValue *v = g_ptr_array_index (node->outputs, i);
    out[i] = NULL;
    if (v != NULL && (out[i] = seg_tensor_new (&v->desc, error)) == NULL) {
      clear_tensors (out, i);
      seg_node_prefix_error (node, error);
      return FALSE;
    }
  }
  if (node->op->eval == NULL) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED, "has no host implementation");
    clear_tensors (out, n_out);
    seg_node_prefix_error (node, error);
    return FALSE;
  }
  if (!node->op->eval (node, in, out, error)) {
    clear_tensors (out, n_out);
    seg_node_prefix_error (node, error);
    return FALSE;
  }
  if (has_epilogue (&node->epilogue))
    apply_epilogue (node, in, out[0]);
  return TRUE;
}

static gboolean
can_fold (const SegNode *node)
{
  gboolean desc_only = (node->op->flags & SEG_OP_DESC_ONLY) != 0;
  for (guint i = 0; i < node->inputs->len; i++) {
    const SegValue *v = g_ptr_array_index (node->inputs, i);
    if (v != NULL && v->constant == NULL && !desc_only)
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
    if (v != NULL)
      v->constant = out[i];
  }
  return TRUE;
}

gboolean
seg_graph_check_inputs (const SegGraph *graph, SegTensor *const *inputs, GError **error)
{
  for (guint i = 0; i < graph->inputs->len; i++) {
    const SegValue *v = g_ptr_array_index (graph->inputs, i);
    const SegDesc *d = &inputs[i]->desc;
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

static gboolean
eval_into (const SegNode *node, SegTensor **slots, GError **error)
{
  guint n_in = node->inputs->len, n_out = node->outputs->len;
  g_autofree SegTensor **in = g_new0 (SegTensor *, n_in + 1);
  g_autofree SegTensor **out = g_new0 (SegTensor *, n_out + 1);
  for (guint i = 0; i < n_in; i++) {
    const SegValue *v = g_ptr_array_index (node->inputs, i);
    if (v != NULL)
      in[i] = v->constant != NULL ? v->constant : slots[v->id];
  }
  if (!seg_node_eval (node, in, out, error))
    return FALSE;
  for (guint i = 0; i < n_out; i++) {
    const SegValue *v = g_ptr_array_index (node->outputs, i);
    if (v != NULL)
      slots[v->id] = out[i];
  }
  return TRUE;
}

gboolean
seg_graph_eval (
    const SegGraph *graph, SegTensor *const *inputs, SegTensor **outputs, GError **error)
{
  if (!seg_graph_check_inputs (graph, inputs, error))
    return FALSE;
  g_autofree SegTensor **slots = g_new0 (SegTensor *, graph->values->len + 1);
  for (guint i = 0; i < graph->inputs->len; i++) {
    const SegValue *v = g_ptr_array_index (graph->inputs, i);
    slots[v->id] = seg_tensor_ref (inputs[i]);
  }
  gboolean ok = TRUE;
  for (guint n = 0; ok && n < graph->nodes->len; n++)
    ok = eval_into (g_ptr_array_index (graph->nodes, n), slots, error);
  for (guint i = 0; ok && i < graph->outputs->len; i++) {
    const SegValue *v = g_ptr_array_index (graph->outputs, i);
    outputs[i] = seg_tensor_ref (v->constant != NULL ? v->constant : slots[v->id]);
  }
  clear_tensors (slots, graph->values->len);
  return ok;
}
