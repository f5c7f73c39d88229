/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops/program.h"

#include "graph/rewrite.h"

/* Of the largest sum of tensors: by how much temporaries may exceed it. The plan of the arena
 * adds a few percent for the gaps between tensors. */
#define ALLOWANCE 12

typedef struct {
  guint first, last; /* nodes; first > last: not on the device */
} Life;

static const SegValue *
root_of (const SegValue *value)
{
  while (value->base != NULL)
    value = value->base;
  return value;
}

static void
extend (Life *lives, const SegValue *v, guint n)
{
  if (v == NULL || v->constant != NULL)
    return;
  Life *life = &lives[root_of (v)->id];
  life->first = MIN (life->first, n);
  life->last = MAX (life->last, n);
}

/* What nodes on the device read and write; a renamed value is only read as something else. */
static void
find_lives (const SegGraph *graph, Life *lives)
{
  for (guint i = 0; i < graph->values->len; i++)
    lives[i] = (Life){ G_MAXUINT, 0 };
  for (guint n = 0; n < graph->nodes->len; n++) {
    const SegNode *node = g_ptr_array_index (graph->nodes, n);
    gboolean renames = (node->op->flags & SEG_OP_RENAME) && node->outputs->len > 0
                       && seg_node_output (node, 0)->base != NULL;
    if (renames || !seg_node_is_on_device (node))
      continue;
    for (guint i = 0; i < node->inputs->len; i++)
      extend (lives, g_ptr_array_index (node->inputs, i), n);
    for (guint i = 0; i < node->outputs->len; i++)
      extend (lives, g_ptr_array_index (node->outputs, i), n);
  }
  for (guint i = 0; i < graph->values->len; i++) {
    const SegValue *v = g_ptr_array_index (graph->values, i);
    const Life *own = &lives[root_of (v)->id];
    if (own->first == G_MAXUINT || !(v->is_input || v->is_output))
      continue;
    extend (lives, v, v->is_input ? 0 : graph->nodes->len - 1);
  }
}

void
seg_program_measure (SegProgram *p)
{
  guint n_values = p->graph->values->len, n_nodes = p->graph->nodes->len;
  g_autofree Life *lives = g_new (Life, n_values + 1);
  p->alive_bytes = g_new0 (gsize, n_nodes + 1);
  find_lives (p->graph, lives);
  for (guint i = 0; i < n_values; i++) {
    if (lives[i].first > lives[i].last)
      continue;
    gsize bytes = seg_program_ref_bytes (p, (SegRef){ SEG_REF_VALUE, i });
    p->alive_bytes[lives[i].first] += bytes;
    p->alive_bytes[lives[i].last + 1] -= bytes;
  }
  for (guint n = 0; n < n_nodes; n++) {
    p->alive_bytes[n] += n > 0 ? p->alive_bytes[n - 1] : 0; /* until here: what changes */
    p->most_alive_bytes = MAX (p->most_alive_bytes, p->alive_bytes[n]);
  }
}

gsize
seg_program_temp_budget (const SegProgram *p)
{
  return p->most_alive_bytes - p->alive_bytes[p->n_node]
         + p->most_alive_bytes / ALLOWANCE;
}
