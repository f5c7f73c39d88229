/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "half.h"

#include "graph/rewrite.h"
#include "ops/table.h"

#define MAX_OPERANDS 64

static SegTensor *
round_to_half (SegTensor *t, GError **error)
{
  SegTensor *out;
  gint64 n = seg_desc_n_elems (&t->desc);

  if (!seg_dtype_is_float (t->desc.dtype))
    return seg_tensor_ref (t);
  if ((out = seg_tensor_new (&t->desc, error)) == NULL)
    return NULL;
  for (gint64 i = 0; i < n; i++) {
    float v = (float) seg_tensor_get_double (t, (gsize) i);
    seg_tensor_set_double (out, (gsize) i, seg_half_to_float (seg_half_from_float (v)));
  }
  return out;
}

/* Puts the rounded tensor where the value's contents are kept. */
static gboolean
keep (GPtrArray *contents, const SegValue *v, SegTensor *t, GError **error)
{
  SegTensor *rounded = round_to_half (t, error);

  contents->pdata[v->id] = rounded;
  return rounded != NULL;
}

static gboolean
eval_node (const SegNode *node, GPtrArray *contents, GError **error)
{
  SegTensor *in[MAX_OPERANDS] = { NULL }, *out[MAX_OPERANDS] = { NULL };
  gboolean ok;

  if (node->inputs->len > MAX_OPERANDS || node->outputs->len > MAX_OPERANDS) {
    g_set_error (
        error, SEG_ERROR, SEG_ERROR_UNSUPPORTED, "more than %d operands", MAX_OPERANDS);
    return FALSE;
  }
  for (guint i = 0; i < node->inputs->len; i++) {
    const SegValue *v = seg_node_input (node, i);
    in[i] = v != NULL ? contents->pdata[v->id] : NULL;
  }
  ok = seg_node_eval (node, in, out, error);
  for (guint i = 0; ok && i < node->outputs->len; i++) {
    const SegValue *v = seg_node_output (node, i);
    ok = v == NULL || keep (contents, v, out[i], error);
  }
  for (guint i = 0; i < node->outputs->len; i++)
    seg_tensor_unref (out[i]);
  return ok;
}

gboolean
seg_half_eval (SegModel *model, const SegInputShape *shapes, guint n_shapes,
    SegTensor *const *inputs, SegTensor **outputs, GError **error)
{
  g_autoptr (SegGraph) graph =
      seg_graph_new (model, seg_op_lookup, shapes, n_shapes, SEG_GRAPH_OPTIMISE, error);
  g_autoptr (GPtrArray) contents = NULL;

  if (graph == NULL)
    return FALSE;
  contents = g_ptr_array_new_full (graph->values->len, (GDestroyNotify) seg_tensor_unref);
  g_ptr_array_set_size (contents, (int) graph->values->len);
  for (guint i = 0; i < graph->values->len; i++) {
    const SegValue *v = g_ptr_array_index (graph->values, i);
    if (v->constant != NULL && !keep (contents, v, v->constant, error))
      return FALSE;
  }
  for (guint i = 0; i < graph->inputs->len; i++)
    if (!keep (contents, g_ptr_array_index (graph->inputs, i), inputs[i], error))
      return FALSE;
  for (guint i = 0; i < graph->nodes->len; i++)
    if (!eval_node (g_ptr_array_index (graph->nodes, i), contents, error))
      return FALSE;
  for (guint i = 0; i < graph->outputs->len; i++) {
    const SegValue *v = g_ptr_array_index (graph->outputs, i);
    outputs[i] = seg_tensor_ref (contents->pdata[v->id]);
  }
  return TRUE;
}
