/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops/conv-fold.h"

/* The constant in input i is there and has a type that keeps the product's precision. */
static const SegTensor *
foldable (const SegNode *node, guint i)
{
  const SegValue *v = seg_node_input (node, i);
  gboolean wide =
      v != NULL && (v->desc.dtype == SEG_DTYPE_F32 || v->desc.dtype == SEG_DTYPE_F64);
  return wide ? v->constant : NULL;
}

static void
replace_input (SegGraph *graph, SegNode *node, guint i, SegTensor *tensor)
{
  g_autofree char *name = g_strdup_printf ("%s:folded%u", node->name, i);
  while (node->inputs->len <= i)
    seg_node_add_input (node, NULL);
  seg_node_set_input (node, i, seg_graph_add_constant (graph, name, tensor));
}

gboolean
seg_conv_fold_affine (SegGraph *graph, SegNode *node, const SegChannelOrder *order,
    const double *scale, const double *shift, guint n)
{
  const SegTensor *w = foldable (node, 1), *b = foldable (node, 2);
  if (w == NULL || (seg_node_input (node, 2) != NULL && b == NULL))
    return FALSE;
  SegDesc bias_desc = { .dtype = w->desc.dtype, .rank = 1, .dims = { n } };
  g_autoptr (SegTensor) weights = seg_tensor_new (&w->desc, NULL);
  g_autoptr (SegTensor) bias = seg_tensor_new (&bias_desc, NULL);
  if (weights == NULL || bias == NULL)
    return FALSE;

  gsize total = seg_desc_n_elems (&w->desc);
  for (gsize i = 0; i < total; i++) {
    gsize channel = i / order->group_elems * order->group_channels
                    + i / order->inner % order->group_channels;
    seg_tensor_set_double (weights, i, seg_tensor_get_double (w, i) * scale[channel]);
  }
  for (guint c = 0; c < n; c++) {
    double old = b != NULL ? seg_tensor_get_double (b, c) : 0;
    seg_tensor_set_double (bias, c, old * scale[c] + shift[c]);
  }
  replace_input (graph, node, 1, weights);
  replace_input (graph, node, 2, bias);
  return TRUE;
}
