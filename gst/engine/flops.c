/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/session-priv.h"

#include <string.h>

static double
count (const SegValue *v)
{
  return seg_desc_n_elems (&v->desc);
}

double
seg_node_flops (const SegNode *node)
{
  const char *op = node->op->name;
  if (node->late)
    return 0;
  const SegValue *out = seg_node_output (node, 0);
  const SegValue *a = seg_node_input (node, 0), *b = seg_node_input (node, 1);
  if (strcmp (op, "QLinearConv") == 0)
    b = seg_node_input (node, 3);
  if (g_str_has_suffix (op, "Conv") || strcmp (op, "ConvInteger") == 0)
    return 2 * count (out) * count (b) / MAX (b->desc.dims[0], 1);
  if (strcmp (op, "ConvTranspose") == 0)
    return 2 * count (a) * count (b) / MAX (b->desc.dims[0], 1);
  if (strstr (op, "MatMul") != NULL)
    return 2 * count (out) * a->desc.dims[a->desc.rank - 1];
  if (strcmp (op, "Gemm") == 0)
    return 2 * count (out) * a->desc.dims[seg_node_attr_int (node, "transA", 0) ? 0 : 1];
  if (node->op->layout == SEG_OP_CHANNELS_LAST)
    return count (a);
  return node->op->flags & SEG_OP_EPILOGUE_ACT ? count (out) : 0;
}
