/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame/modelinfo-rcnn.h"

#include <string.h>

typedef struct {
  int boxes, labels, scores, masks; /* among the graph's outputs; -1: none */
} Found;

static const SegValue *
output_at (const SegGraph *graph, guint i)
{
  return g_ptr_array_index (graph->outputs, i);
}

/* --- by name ---------------------------------------------------------------------------------- */

/* The first output that has one of these names, up to NULL. */
static int
named (const SegGraph *graph, const char *const *names)
{
  for (; *names != NULL; names++)
    for (guint i = 0; i < graph->outputs->len; i++)
      if (strcmp (output_at (graph, i)->name, *names) == 0)
        return (int) i;
  return -1;
}

static Found
find_by_name (const SegGraph *graph)
{
  static const char *const boxes[] = { "boxes", "dets", "pred_boxes", NULL };
  static const char *const labels[] = { "labels", "pred_classes", "classes", NULL };
  static const char *const scores[] = { "scores", NULL };
  static const char *const masks[] = { "masks", "pred_masks", NULL };
  return (Found){ named (graph, boxes), named (graph, labels), named (graph, scores),
    named (graph, masks) };
}

/* --- by shape --------------------------------------------------------------------------------- */

static gint64
last_dim (const SegValue *v)
{
  return v->desc.rank > 0 ? v->desc.dims[v->desc.rank - 1] : 0;
}

static gboolean
is_boxes (const SegValue *v)
{
  guint rank = v->desc.rank;
  if (v->size == SEG_SIZE_UNKNOWN || !seg_dtype_is_float (v->desc.dtype))
    return FALSE;
  return (rank == 2 && (last_dim (v) == 4 || last_dim (v) == 5))
         || (rank == 3 && last_dim (v) == 5 && v->desc.dims[0] == 1);
}

/* A number for each of the boxes. */
static gboolean
is_column (const SegValue *v, const SegValue *boxes)
{
  guint rank = boxes->desc.rank - 1;
  return v->size != SEG_SIZE_UNKNOWN && v->desc.rank == rank
         && v->desc.dims[rank - 1] == boxes->desc.dims[rank - 1]
         && (v->size == SEG_SIZE_FIXED) == (boxes->size == SEG_SIZE_FIXED);
}

static Found
find_by_shape (const SegGraph *graph)
{
  Found f = { -1, -1, -1, -1 };
  for (guint i = 0; i < graph->outputs->len && f.boxes < 0; i++)
    if (is_boxes (output_at (graph, i)))
      f.boxes = (int) i;
  if (f.boxes < 0)
    return f;
  for (guint i = 0; i < graph->outputs->len; i++) {
    const SegValue *v = output_at (graph, i);
    gboolean column = is_column (v, output_at (graph, (guint) f.boxes));
    gboolean real = seg_dtype_is_float (v->desc.dtype);
    if (column && !real && f.labels < 0)
      f.labels = (int) i;
    else if (column && real && f.scores < 0)
      f.scores = (int) i;
    else if (v->size != SEG_SIZE_UNKNOWN && v->desc.rank == 4 && f.masks < 0)
      f.masks = (int) i;
  }
  return f;
}

/* --- both ------------------------------------------------------------------------------------- */

static gboolean
has_scores (const SegValue *boxes)
{
  return boxes->size != SEG_SIZE_UNKNOWN && last_dim (boxes) == 5;
}

static gboolean
is_whole (const SegGraph *graph, const Found *f)
{
  return f->boxes >= 0 && f->labels >= 0
         && (f->scores >= 0 || has_scores (output_at (graph, (guint) f->boxes)));
}

static Found
find (const SegGraph *graph)
{
  Found by_name = find_by_name (graph), by_shape = find_by_shape (graph);
  return !is_whole (graph, &by_name) && is_whole (graph, &by_shape) ? by_shape : by_name;
}

gboolean
seg_model_info_is_rcnn (const SegGraph *graph)
{
  Found f = find (graph);
  return is_whole (graph, &f)
         || named (graph, (const char *const[]){ "masks", NULL }) >= 0
         || (f.boxes >= 0 && f.labels >= 0);
}

static void
add (SegModelInfo *info, const SegGraph *graph, int at)
{
  if (at < 0) /* it is taken for the one at its place */
    at = MIN ((int) info->n_outputs, (int) graph->outputs->len - 1);
  info->outputs[info->n_outputs++] = (guint) at;
}

void
seg_model_info_rcnn_outputs (SegModelInfo *info, const SegGraph *graph)
{
  Found f = find (graph);
  guint n = graph->outputs->len;
  info->n_outputs = 0;
  add (info, graph, f.boxes);
  gboolean scored = has_scores (output_at (graph, info->outputs[0]));
  if (n > 1)
    add (info, graph, f.labels);
  if (n > 2 && !scored)
    add (info, graph, f.scores);
  if (f.masks >= 0 || (n > 3 && !is_whole (graph, &f)))
    add (info, graph, f.masks);
}

SegRcnnPlaces
seg_rcnn_places (const SegModelInfo *info, const SegGraph *graph)
{
  int n = (int) info->n_outputs;
  int scored = has_scores (output_at (graph, info->outputs[0]));
  return (SegRcnnPlaces){ 0, n > 1 ? 1 : -1, !scored && n > 2 ? 2 : -1,
    n > 3 - scored ? 3 - scored : -1, n > 4 - scored ? 4 - scored : -1 };
}

void
seg_model_info_add_mask_boxes (SegModelInfo *info, const SegGraph *graph)
{
  SegRcnnPlaces p = seg_rcnn_places (info, graph);
  if (p.masks < 0 || p.mask_boxes >= 0)
    return;
  const SegValue *masks = output_at (graph, info->outputs[p.masks]);
  g_autofree char *name = g_strconcat (masks->name, "/boxes", NULL);
  int at = named (graph, (const char *const[]){ name, NULL });
  if (at >= 0)
    info->outputs[info->n_outputs++] = (guint) at;
}
