/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* For readers that bring masks to a size of their own: an output of masks that are pasted into the picture
 * is given as it was before that, and where each belongs. */
#include "graph/rewrite.h"

#include <string.h>

/* The node that pasted what v is, perhaps under other dimensions. */
static SegNode *
pasted_by (const SegValue *v)
{
  SegNode *node = v->producer;
  while (node != NULL && (node->op->flags & SEG_OP_RENAME))
    node = seg_node_input (node, 0)->producer;
  gboolean pastes = node != NULL && strcmp (node->op->domain, "vkseg") == 0
                    && strcmp (node->op->name, "PasteMasks") == 0;
  return pastes ? node : NULL;
}

static gboolean
can_be_output (const SegValue *v)
{
  return v->producer != NULL && v->constant == NULL && !v->is_output;
}

static void
make_output (SegValue *v, char *name)
{
  v->is_output = TRUE;
  v->n_uses++;
  g_free (v->name);
  v->name = name;
}

void
seg_graph_leave_unpasted (SegGraph *graph)
{
  for (guint i = 0, n = graph->outputs->len; i < n; i++) {
    SegValue *pasted = g_ptr_array_index (graph->outputs, i);
    SegNode *node = pasted_by (pasted);
    SegValue *masks = node != NULL ? seg_node_input (node, 0) : NULL;
    SegValue *boxes = node != NULL ? seg_node_input (node, 1) : NULL;
    if (node == NULL || !can_be_output (masks) || !can_be_output (boxes)
        || pasted->n_uses != 1)
      continue;
    make_output (masks, g_strdup (pasted->name));
    make_output (boxes, g_strconcat (pasted->name, "/boxes", NULL));
    g_ptr_array_index (graph->outputs, i) = masks;
    g_ptr_array_add (graph->outputs, boxes);
    pasted->is_output = FALSE;
    pasted->n_uses--;
  }
}
