/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "graph/rewrite.h"

/* A node and its values, alone, with all inputs known. */
typedef struct {
  SegNode node;
  SegValue *values; /* inputs, then outputs */
} Live;

static SegValue *
next_value (Live *live, guint i, const SegValue *like, const SegTensor *t)
{
  SegValue *v = &live->values[i];
  *v = (SegValue){ .id = i, .name = like->name, .constant = (SegTensor *) t };
  if (t != NULL)
    v->desc = t->desc;
  return v;
}

static void
live_init (Live *live, const SegNode *node, SegTensor *const *in)
{
  guint n_in = node->inputs->len, n_out = node->outputs->len;
  live->node = *node;
  live->node.late = FALSE;
  live->node.params =
      node->op->params_size > 0 ? g_malloc0 (node->op->params_size) : NULL;
  live->node.inputs = g_ptr_array_sized_new (n_in);
  live->node.outputs = g_ptr_array_sized_new (n_out);
  live->values = g_new0 (SegValue, n_in + n_out + 1);
  for (guint i = 0; i < n_in; i++) {
    const SegValue *v = g_ptr_array_index (node->inputs, i);
    g_ptr_array_add (
        live->node.inputs, in[i] != NULL ? next_value (live, i, v, in[i]) : NULL);
  }
  for (guint i = 0; i < n_out; i++) {
    const SegValue *v = g_ptr_array_index (node->outputs, i);
    g_ptr_array_add (
        live->node.outputs, v != NULL ? next_value (live, n_in + i, v, NULL) : NULL);
  }
}

static void
live_clear (Live *live)
{
  for (guint i = 0; i < live->node.outputs->len; i++) {
    SegValue *v = g_ptr_array_index (live->node.outputs, i);
    if (v != NULL)
      seg_tensor_unref (v->constant); /* infer may have made it */
  }
  if (live->node.op->clear != NULL && live->node.params != NULL)
    live->node.op->clear (live->node.params);
  g_free (live->node.params);
  g_ptr_array_unref (live->node.inputs);
  g_ptr_array_unref (live->node.outputs);
  g_free (live->values);
}

gboolean
seg_node_eval_late (
    const SegNode *node, SegTensor *const *in, SegTensor **out, GError **error)
{
  Live live;
  live_init (&live, node, in);
  gboolean ok =
      seg_node_prepare (&live.node, error) && seg_node_eval (&live.node, in, out, error);
  live_clear (&live);
  return ok;
}
