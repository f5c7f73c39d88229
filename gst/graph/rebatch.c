/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "graph/builder.h"

#include <string.h>

/* Operators with an input that says the whole shape of their result. */
static const struct {
  const char *op;
  guint shape;
} shaped[] = { { "Reshape", 1 }, { "Resize", 3 } };

static SegTensor *
with_first (const SegTensor *shape, gint64 first, GError **error)
{
  SegTensor *copy = seg_tensor_new (&shape->desc, error);
  if (copy == NULL)
    return NULL;
  memcpy (copy->data, seg_tensor_data (shape), copy->n_bytes);
  memcpy (copy->data, &first, sizeof first);
  return copy;
}

/* Exporters write a batch of one into such shapes, also where it could be any. */
static gboolean
free_shape (SegBuilder *b, SegNode *node, guint i, GError **error)
{
  const SegValue *data = seg_node_input (node, 0),
                 *shape = i < node->inputs->len ? seg_node_input (node, i) : NULL;
  if (data == NULL || shape == NULL || shape->constant == NULL || data->constant != NULL
      || data->desc.rank == 0 || data->desc.dims[0] <= 1)
    return TRUE;
  const SegTensor *t = shape->constant;
  if (t->desc.dtype != SEG_DTYPE_I64 || t->desc.rank != 1 || t->desc.dims[0] < 1
      || ((const gint64 *) seg_tensor_data (t))[0] != 1)
    return TRUE;
  g_autoptr (SegTensor) freed = with_first (t, data->desc.dims[0], error);
  if (freed == NULL)
    return FALSE;
  seg_node_set_input (node, i, seg_graph_add_constant (b->graph, shape->name, freed));
  return TRUE;
}

gboolean
seg_builder_free_batch (SegBuilder *b, SegNode *node, GError **error)
{
  gboolean ok = TRUE;
  for (guint k = 0; ok && b->any_batch && k < G_N_ELEMENTS (shaped); k++)
    if (strcmp (node->op->name, shaped[k].op) == 0)
      ok = free_shape (b, node, shaped[k].shape, error);
  return ok;
}
