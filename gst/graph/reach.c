/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "graph/reach.h"

#include "graph/op.h"

#include <math.h>

/* Where the elements of a value lie along the picture's axis. */
typedef struct {
  gboolean seen;   /* made from the picture */
  gboolean placed; /* and its elements have a place: */
  guint axis;
  gint64 num, den; /* picture pixels from one to the next */
  double first;    /* the middle of element 0, where the picture's first pixel is at 0 */
} Place;

typedef struct {
  const SegGraph *graph;
  Place *places; /* by value */
  SegReach *reach;
} Walk;

static gint64
gcd (gint64 a, gint64 b)
{
  while (b != 0) {
    gint64 r = a % b;
    a = b;
    b = r;
  }
  return a;
}

/* Steps past this are no pictures any more. */
#define LARGEST (1 << 24)

static gboolean
set_step (Place *p, gint64 num, gint64 den)
{
  gint64 common = gcd (num, den);
  p->num = num / common;
  p->den = den / common;
  return p->num <= LARGEST && p->den <= LARGEST;
}

/* A picture that moves by whole steps of every value on the way keeps its place among the strides. */
static void
add_period (SegReach *r, const Place *p)
{
  gint64 more = p->num / gcd (p->num, r->period);
  if (r->period <= LARGEST)
    r->period *= more;
}

static gint64
product (const SegDesc *d, guint from, guint to)
{
  gint64 n = 1;
  for (guint i = from; i < to; i++)
    n *= d->dims[i];
  return n;
}

/* Operators that say nothing leave axes as they are: one of the same extent, with as much behind or
 * before it. */
static gboolean
is_same_axis (
    const SegDesc *in, guint a, const SegDesc *out, guint b, gboolean from_the_end)
{
  return in->dims[a] == out->dims[b]
         && (from_the_end
                 ? product (in, a + 1, in->rank) == product (out, b + 1, out->rank)
                 : product (in, 0, a) == product (out, 0, b));
}

static gboolean
find_same_axis (const SegDesc *in, guint axis, const SegDesc *out, SegAlign *a, guint *to)
{
  *a = (SegAlign){ .in_axis = axis, .num = 1, .den = 1 };
  if (in->rank == out->rank && in->dims[axis] == out->dims[axis]) {
    *to = axis;
    return TRUE;
  }
  for (guint i = 0; i < 2 * out->rank; i++) /* from the end first, as broadcasting does */
    if (is_same_axis (in, axis, out, i % out->rank, i < out->rank)) {
      *to = i % out->rank;
      return TRUE;
    }
  return FALSE;
}

/* Which axis of the output goes along axis `axis` of input i, and how. */
static gboolean
find_align (const SegNode *node, guint i, guint axis, SegAlign *a, guint *to)
{
  const SegDesc *in = &seg_node_input (node, i)->desc,
                *out = &seg_node_output (node, 0)->desc;
  gboolean added = node->epilogue.residual == (int) i || node->factor == (int) i;
  if (node->op->align == NULL || added)
    return find_same_axis (in, axis, out, a, to);
  for (*to = 0; *to < out->rank; (*to)++) {
    *a = (SegAlign){ .in_axis = *to, .num = 1, .den = 1 };
    if (node->op->align (node, *to, a) && a->in_axis == axis)
      return TRUE;
  }
  return FALSE;
}

/* The place of a node's result, as its input i says. */
static Place
follow (Walk *w, const SegNode *node, guint i)
{
  const Place *from = &w->places[seg_node_input (node, i)->id];
  SegAlign a;
  Place to = { .seen = TRUE };
  if (!from->placed || !find_align (node, i, from->axis, &a, &to.axis))
    return to;
  double step = (double) from->num / (double) from->den;
  to.placed = a.num > 0 && a.num <= LARGEST && a.den <= LARGEST
              && set_step (&to, from->num * a.num, from->den * a.den);
  to.first = from->first + a.shift * step;
  w->reach->padded = w->reach->padded || a.padded;
  w->reach->global = w->reach->global || a.whole;
  if (a.missing > 0 && w->reach->missing == 0)
    w->reach->missing = (gint64) ceil ((double) a.missing * step);
  return to;
}

static void
visit (Walk *w, const SegNode *node)
{
  Place place = { 0 };
  for (guint i = 0; i < node->inputs->len; i++) {
    const SegValue *v = seg_node_input (node, i);
    if (v == NULL || !w->places[v->id].seen)
      continue;
    Place p = follow (w, node, i);
    w->reach->global = w->reach->global || !p.placed;
    if (!place.placed)
      place = p;
    else if (p.placed && (p.axis != place.axis || p.num * place.den != place.num * p.den))
      place.placed = FALSE; /* two pictures that do not match */
  }
  if (place.placed)
    add_period (w->reach, &place);
  for (guint i = 0; i < node->outputs->len; i++)
    if (seg_node_output (node, i) != NULL)
      w->places[seg_node_output (node, i)->id] = place;
}

/* The nodes whose results the output is made from: heads beside it have strides of their own. */
static GHashTable *
nodes_for (const SegGraph *graph, const SegValue *output)
{
  GHashTable *needed = g_hash_table_new (NULL, NULL);
  if (output->producer != NULL)
    g_hash_table_add (needed, output->producer);
  for (guint n = graph->nodes->len; n-- > 0;) {
    const SegNode *node = g_ptr_array_index (graph->nodes, n);
    for (guint i = 0; g_hash_table_contains (needed, node) && i < node->inputs->len;
         i++) {
      const SegValue *v = seg_node_input (node, i);
      if (v != NULL && v->producer != NULL)
        g_hash_table_add (needed, v->producer);
    }
  }
  return needed;
}

void
seg_graph_reach (
    const SegGraph *graph, guint input, guint axis, guint output, SegReach *reach)
{
  const SegValue *in = graph->inputs->pdata[input], *out = graph->outputs->pdata[output];
  *reach = (SegReach){ .period = 1 };
  g_autofree Place *places = g_new0 (Place, graph->values->len + 1);
  g_autoptr (GHashTable) needed = nodes_for (graph, out);
  Walk w = { graph, places, reach };
  places[in->id] = (Place){ TRUE, TRUE, axis, 1, 1, 0.0 };
  for (guint n = 0; n < graph->nodes->len; n++)
    if (g_hash_table_contains (needed, graph->nodes->pdata[n]))
      visit (&w, graph->nodes->pdata[n]);
  const Place *p = &places[out->id];
  if (!p->placed || reach->period > LARGEST) {
    *reach = (SegReach){ .known = FALSE };
    return;
  }
  double step = (double) p->num / (double) p->den;
  reach->known = TRUE;
  reach->axis = p->axis;
  reach->in = in->desc.dims[axis];
  reach->out = out->desc.dims[p->axis];
  reach->num = p->num;
  reach->den = p->den;
  reach->margin = p->first + 0.5 - step / 2;
  reach->margin_end = (double) reach->in - reach->margin - (double) reach->out * step;
}
