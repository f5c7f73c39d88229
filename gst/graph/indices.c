/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is known of integers that say where: for kernels that work on more rows than there are. */
#include "graph/rewrite.h"

#include <string.h>

#define MAX_DEPTH 64

static gboolean
is_one_of (const SegNode *node, const char *const *names)
{
  return node->op->domain[0] == '\0' && g_strv_contains (names, node->op->name);
}

/* Operators whose output holds elements of input 0, row for row. */
static const char *const moves[] = { "Concat", "Expand", "Flatten", "Identity", "Reshape",
  "Slice", "Split", "Squeeze", "Transpose", "Unsqueeze", NULL };
static const char *const finders[] = { "NonMaxSuppression", "NonZero", NULL };

static gboolean
constant_is_index (const SegTensor *t)
{
  gboolean ok = !seg_dtype_is_float (t->desc.dtype);
  for (gint64 i = 0; ok && i < seg_desc_n_elems (&t->desc); i++)
    ok = seg_tensor_get_int (t, i) >= 0;
  return ok;
}

static gboolean
is_index (const SegValue *v, guint depth)
{
  static const char *const counts[] = { "ArgMax", "ArgMin", "Shape", "Size", NULL };
  static const char *const first[] = { "Cast", "Gather", "GatherElements", "GatherND",
    "Tile", NULL };
  static const char *const all[] = { "Add", "Concat", "Max", "Min", "Mul", NULL };
  const SegNode *node = v->producer;
  if (v->constant != NULL)
    return constant_is_index (v->constant);
  if (node == NULL || depth >= MAX_DEPTH || seg_dtype_is_float (v->desc.dtype))
    return FALSE;
  if (is_one_of (node, finders) || is_one_of (node, counts))
    return TRUE;
  if (strcmp (node->op->name, "Range") == 0)
    return is_index (seg_node_input (node, 0), depth + 1)
           && is_index (seg_node_input (node, 2), depth + 1);
  if (strcmp (node->op->name, "TopK") == 0)
    return v == seg_node_output (node, 1)
           || is_index (seg_node_input (node, 0), depth + 1);
  gboolean ok = is_one_of (node, all);
  for (guint i = 0; ok && i < node->inputs->len; i++)
    ok = is_index (seg_node_input (node, i), depth + 1);
  return ok
         || ((is_one_of (node, moves) || is_one_of (node, first)
                 || strcmp (node->op->domain, "vkseg") == 0)
             && strcmp (node->op->name, "Concat") != 0
             && is_index (seg_node_input (node, 0), depth + 1));
}

gboolean
seg_value_is_index (const SegValue *v)
{
  return is_index (v, 0);
}
