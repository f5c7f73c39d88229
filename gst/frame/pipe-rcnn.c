/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame/modelinfo-rcnn.h"
#include "frame/pipe-instances.h"
#include "frame/rcnn.h"

/* Faster and Mask R-CNN: how many detections there are is known when the network has run, on the
 * host. Of those that are wanted the host writes the records and what their boxes show of the
 * masks, a hundredth of what torchvision's outputs are; from there on it is shaders. */

#define MAX_ROWS (1 << 20) /* that memory is taken for before they come */

typedef struct {
  SegPipeInstances common;
  SegInstance *found; /* what the thread that infers has in hand */
  SegRcnnScratch scratch;
  SegRcnnPlaces places;
  SegBuffer *upload; /* records, then masks */
  gsize masks_offset;
} State;

static const SegValue *
output_at (const SegGraph *graph, const SegModelInfo *info, guint i)
{
  return graph->outputs->pdata[info->outputs[i]];
}

/* Most rows that an output has, as far as it is known; else 0. */
static guint
most_rows (const SegValue *boxes)
{
  guint rank = boxes->desc.rank;
  return boxes->size == SEG_SIZE_UNKNOWN || rank < 2
             ? 0
             : (guint) CLAMP (boxes->desc.dims[rank - 2], 0, MAX_ROWS);
}

static gboolean
refuse_output (const SegValue *v, const char *what, GError **error)
{
  g_autofree char *text = seg_desc_to_string (&v->desc);
  g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED,
      "decoder rcnn: output '%s' %s cannot be the %s: boxes are [n,4], labels and scores "
      "[n], masks [n,1,h,w]; or boxes with scores [n,5] (see output in models/README.md)",
      v->name, text, what);
  return FALSE;
}

/* Or with a batch of one around it; masks without the axis of one, too. */
static gboolean
has_rank (const SegValue *v, guint rank)
{
  return v->size == SEG_SIZE_UNKNOWN || v->desc.rank == rank
         || (v->desc.rank == rank + 1 && v->desc.dims[0] == 1);
}

static gboolean
rcnn_check (const SegGraph *graph, const SegModelInfo *info, GError **error)
{
  SegRcnnPlaces p = seg_rcnn_places (info, graph);
  const SegValue *boxes = output_at (graph, info, 0);
  gboolean known = boxes->size != SEG_SIZE_UNKNOWN;
  gint64 columns = boxes->desc.rank > 0 ? boxes->desc.dims[boxes->desc.rank - 1] : 0;
  if (p.labels < 0 || (p.scores < 0 && columns != 5)) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED,
        "decoder rcnn takes outputs boxes, labels, scores and maybe masks, or boxes with "
        "scores [n,5], labels and maybe masks; there are %u",
        info->n_outputs);
    return FALSE;
  }
  if (!has_rank (boxes, 2) || (known && columns != 4 && columns != 5))
    return refuse_output (boxes, "boxes", error);
  if (!has_rank (output_at (graph, info, (guint) p.labels), 1))
    return refuse_output (output_at (graph, info, (guint) p.labels), "labels", error);
  if (p.scores >= 0 && !has_rank (output_at (graph, info, (guint) p.scores), 1))
    return refuse_output (output_at (graph, info, (guint) p.scores), "scores", error);
  if (p.masks < 0)
    return TRUE;
  const SegValue *masks = output_at (graph, info, (guint) p.masks);
  if (masks->size != SEG_SIZE_UNKNOWN && masks->desc.rank != 3 && masks->desc.rank != 4)
    return refuse_output (masks, "masks", error);
  const SegValue *own =
      p.mask_boxes >= 0 ? output_at (graph, info, (guint) p.mask_boxes) : NULL;
  return own == NULL || (has_rank (own, 2) && own->desc.dtype == SEG_DTYPE_I64)
         || refuse_output (own, "whole pixels of the masks", error);
}

static gsize
masks_bytes (const SegPipe *pipe, int place, guint max_instances)
{
  guint width = 0, height = 0;
  if (place < 0)
    return 16;
  const SegValue *v =
      output_at (seg_session_graph (pipe->session), pipe->info, (guint) place);
  if (v->size != SEG_SIZE_UNKNOWN) {
    width = (guint) CLAMP (v->desc.dims[v->desc.rank - 1], 0, G_MAXINT);
    height = (guint) CLAMP (v->desc.dims[v->desc.rank - 2], 0, G_MAXINT);
  }
  return seg_rcnn_masks_bytes (&pipe->geometry, max_instances, width, height);
}

static gboolean
rcnn_plan (SegPipe *pipe, SegPipeMemory *memory, GError **error)
{
  const SegGraph *graph = seg_session_graph (pipe->session);
  State *s = pipe->decoder_state = g_new0 (State, 1);
  SegPipeInstances *c = &s->common;
  c->n_classes = pipe->info->labels->len > 0 ? pipe->info->labels->len : 256;
  c->max_instances = MIN (pipe->info->max_detections, SEG_MAX_CANDIDATES);
  s->places = seg_rcnn_places (pipe->info, graph);
  c->has_masks = s->places.masks >= 0;
  c->records.n_bytes = seg_instance_records_bytes (c->max_instances);
  c->masks.n_bytes = masks_bytes (pipe, s->places.masks, c->max_instances);
  s->masks_offset = (c->records.n_bytes + 15) & ~(gsize) 15;
  seg_pipe_plan_instances (pipe, c, memory);
  s->found = g_new (SegInstance, c->max_instances);
  s->upload = seg_buffer_new (
      pipe->vk, s->masks_offset + c->masks.n_bytes, SEG_BUFFER_UPLOAD, error);
  return s->upload != NULL
         && seg_rcnn_scratch_reserve (
             &s->scratch, most_rows (output_at (graph, pipe->info, 0)), error);
}

static gboolean
rcnn_prepare (SegPipe *pipe, GError **error)
{
  State *s = pipe->decoder_state;
  seg_instances_write (seg_buffer_map (s->upload), NULL, 0);
  return seg_pipe_prepare_instances (pipe, &s->common, error);
}

static SegTensor *
tensor_at (SegTensor *const *outputs, int place)
{
  return place >= 0 ? outputs[place] : NULL;
}

static gboolean
rcnn_take (SegPipe *pipe, SegTensor *const *outputs, GError **error)
{
  State *s = pipe->decoder_state;
  SegPipeInstances *c = &s->common;
  guint8 *data = seg_buffer_map (s->upload);
  const SegRcnnPlaces *p = &s->places;
  SegRcnnOutputs o = { tensor_at (outputs, p->boxes), tensor_at (outputs, p->labels),
    tensor_at (outputs, p->scores), tensor_at (outputs, p->masks),
    tensor_at (outputs, p->mask_boxes) };
  guint n = 0;
  if (!seg_rcnn_decode (&o, c->limits, &pipe->geometry, &s->scratch, s->found,
          data + s->masks_offset, c->masks.n_bytes, &n, error))
    return FALSE;
  seg_instances_write (data, s->found, n);
  return TRUE;
}

static gboolean
rcnn_record (SegPipe *pipe, SegCmd *cmd, const SegBound *outputs, GError **error)
{
  State *s = pipe->decoder_state;
  const SegPiece *records = &s->common.records, *masks = &s->common.masks;
  return seg_cmd_copy (
             cmd, s->upload, 0, records->buffer, records->offset, records->n_bytes, error)
         && (!s->common.has_masks
             || seg_cmd_copy (cmd, s->upload, s->masks_offset, masks->buffer,
                 masks->offset, masks->n_bytes, error));
}

static void
rcnn_clear (SegPipe *pipe)
{
  State *s = pipe->decoder_state;
  if (s == NULL)
    return;
  seg_pipe_clear_instances (&s->common);
  seg_buffer_free (&s->upload);
  seg_rcnn_scratch_clear (&s->scratch);
  g_free (s->found);
  g_free (s);
  pipe->decoder_state = NULL;
}

const SegPipeDecoder seg_pipe_rcnn = {
  .check = rcnn_check,
  .plan = rcnn_plan,
  .prepare = rcnn_prepare,
  .set_style = seg_pipe_instances_set_style,
  .take = rcnn_take,
  .record = rcnn_record,
  .draw = seg_pipe_instances_draw,
  .class_of_value = seg_pipe_instances_class_of_value,
  .areas = seg_pipe_instances_areas,
  .instances = seg_pipe_instances_list,
  .clear = rcnn_clear,
};
