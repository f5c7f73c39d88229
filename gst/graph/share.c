/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "graph/rewrite.h"

#include <string.h>

static const SegValue *
root (const SegValue *v)
{
  while (v->base != NULL)
    v = v->base;
  return v;
}

/* A kernel on the device writes v, wherever it is told to. */
static gboolean
is_written (const SegValue *v)
{
  return v->layout == SEG_LAYOUT_CHANNELS_LAST && v->constant == NULL && !v->is_input
         && v->base == NULL && v->producer != NULL && seg_node_is_on_device (v->producer)
         && !(v->producer->op->flags & SEG_OP_RENAME);
}

/* --- parts ---------------------------------------------------------------------------------- */

/* Channels that begin and end with whole groups of eight are read where they lie; at the end, the
 * padding behind them is zero as theirs has to be. */
static void
share_channels (SegNode *node)
{
  SegValue *in = seg_node_input (node, 0);
  if (node->op->as_channels == NULL || !seg_node_is_on_device (node) || !is_written (in))
    return;
  for (guint k = 0; k < node->outputs->len; k++) {
    SegValue *out = g_ptr_array_index (node->outputs, k);
    guint first;
    if (out == NULL || out->is_output || out->wide != in->wide
        || out->layout != SEG_LAYOUT_CHANNELS_LAST
        || !node->op->as_channels (node, k, &first) || first % SEG_CHANNEL_ALIGN != 0
        || (out->desc.dims[1] % SEG_CHANNEL_ALIGN != 0
            && first + out->desc.dims[1] != in->desc.dims[1]))
      continue;
    out->base = in;
    out->channel = first;
  }
}

/* --- concatenation in place ------------------------------------------------------------------ */

static gboolean
is_channel_concat (const SegNode *node)
{
  const SegValue *out = seg_node_output (node, 0);
  gint64 channels = 0;
  if (strcmp (node->op->name, "Concat") != 0 || !seg_node_is_on_device (node)
      || out->layout != SEG_LAYOUT_CHANNELS_LAST)
    return FALSE;
  for (guint i = 0; i < node->inputs->len; i++)
    channels += seg_node_input (node, i)->desc.dims[1];
  return channels == out->desc.dims[1];
}

/* Whether whole (v itself, or what v is a part of), placed so that v comes to `channel`, is there
 * what the concatenation has: each input that it covers is the part of it that belongs there. */
static gboolean
agrees (const SegNode *concat, const SegValue *whole, gint64 start)
{
  gint64 end = start + whole->desc.dims[1], at = 0;
  for (guint i = 0; i < concat->inputs->len; i++) {
    const SegValue *v = g_ptr_array_index (concat->inputs, i);
    gint64 next = at + v->desc.dims[1];
    gboolean is_part = v->base == whole && at == start + v->channel;
    if (at < end && next > start && !is_part && !(v == whole && at == start))
      return FALSE;
    at = next;
  }
  return start >= 0 && start % SEG_CHANNEL_ALIGN == 0 && end <= at
         && (whole->desc.dims[1] % SEG_CHANNEL_ALIGN == 0 || end == at);
}

static void
place_inputs (SegNode *concat)
{
  SegValue *out = seg_node_output (concat, 0);
  gint64 channel = 0;
  for (guint i = 0; i < concat->inputs->len; i++) {
    SegValue *v = g_ptr_array_index (concat->inputs, i);
    SegValue *whole = v->base != NULL && v->base != out ? v->base : v;
    gint64 start = channel - (whole != v ? (gint64) v->channel : 0);
    if (is_written (whole) && whole->wide == out->wide && whole != root (out)
        && whole != out && agrees (concat, whole, start)) {
      whole->base = out;
      whole->channel = start;
    }
    channel += v->desc.dims[1];
  }
}

/* --- transpositions --------------------------------------------------------------------------- */

/* From channels last to rows with the channels last, or back, without any padding: the same. */
static void
share_transposed (SegNode *node)
{
  const guint *perm = node->op->perm != NULL ? node->op->perm (node) : NULL;
  SegValue *in = seg_node_input (node, 0), *out = seg_node_output (node, 0);
  if (perm == NULL || !seg_node_is_on_device (node) || in->constant != NULL
      || in->layout == out->layout || in->wide != out->wide || in->base != NULL
      || out->base != NULL || in->producer == NULL
      || !seg_node_is_on_device (in->producer))
    return;
  const SegValue *last = in->layout == SEG_LAYOUT_CHANNELS_LAST ? in : out;
  guint rank = in->desc.rank;
  if (last->desc.dims[1] % SEG_CHANNEL_ALIGN != 0 || perm[0] != 0)
    return;
  for (guint i = 1; i < rank; i++)
    if (perm[i] != (last == in ? 1 + i % (rank - 1) : i == 1 ? rank - 1 : i - 1))
      return;
  out->base = in;
  out->channel = 0;
}

/* --- pixels apart ------------------------------------------------------------------------------ */

/* Pixels whole KiB apart fall on the same few lines of a first cache, and displace each other there:
 * 64 bytes more keep them apart. What small maps lose fits in anyway. */
#define CROWDED_CHANNELS 256
#define GAP              16
#define LEAST_PIXELS     64

static gboolean
same_pixels (const SegValue *part, const SegValue *whole)
{
  gboolean same = part->layout == whole->layout && part->desc.rank == whole->desc.rank;
  for (guint i = 0; same && i < whole->desc.rank; i++)
    same = i == 1 || part->desc.dims[i] == whole->desc.dims[i];
  return same;
}

/* What kernels, or the upload, write wherever they are told to. */
static gboolean
is_crowded (const SegValue *v)
{
  gboolean uploaded = v->is_input && v->base == NULL && v->constant == NULL
                      && v->layout == SEG_LAYOUT_CHANNELS_LAST;
  return (is_written (v) || uploaded) && !v->is_output
         && seg_dtype_is_float (v->desc.dtype) && v->desc.dims[1] % CROWDED_CHANNELS == 0
         && seg_desc_n_elems (&v->desc) >= v->desc.dims[1] * LEAST_PIXELS;
}

static void
spread (SegValue *v)
{
  while (v != NULL && v->base != NULL)
    v = v->base;
  if (v != NULL && is_crowded (v))
    v->gap = GAP;
}

/* Maps that convolutions read or write, which take most of a network's time. */
static void
spread_pixels (SegGraph *graph)
{
  for (guint n = 0; n < graph->nodes->len; n++) {
    const SegNode *node = g_ptr_array_index (graph->nodes, n);
    if (!(node->op->flags & SEG_OP_HEAVY) || !seg_node_is_on_device (node))
      continue;
    spread (seg_node_input (node, 0));
    spread (seg_node_output (node, 0));
  }
  /* Not what something else takes for rows without gaps. */
  for (guint i = 0; i < graph->values->len; i++) {
    const SegValue *v = g_ptr_array_index (graph->values, i);
    for (SegValue *base = v->base; base != NULL; base = base->base)
      if (!same_pixels (v, base))
        base->gap = 0;
  }
}

void
seg_graph_share_memory (SegGraph *graph)
{
  for (guint n = 0; n < graph->nodes->len; n++)
    share_channels (g_ptr_array_index (graph->nodes, n));
  /* Backwards, so that a concatenation of concatenations ends in the outermost. */
  for (guint n = graph->nodes->len; n-- > 0;)
    if (is_channel_concat (g_ptr_array_index (graph->nodes, n)))
      place_inputs (g_ptr_array_index (graph->nodes, n));
  for (guint n = 0; n < graph->nodes->len; n++)
    share_transposed (g_ptr_array_index (graph->nodes, n));
  spread_pixels (graph);
}
