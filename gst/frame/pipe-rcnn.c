/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame/pipe-instances.h"
#include "frame/rcnn.h"

/* Faster and Mask R-CNN: how many detections there are is known when the network has run, on the
 * host. Of those that are wanted the host writes the records and what their boxes show of the
 * masks, a hundredth of what torchvision's outputs are; from there on it is shaders. */

typedef struct {
  SegPipeInstances common;
  SegInstance *found; /* what the thread that infers has in hand */
  SegBuffer *upload;  /* records, then masks */
  gsize masks_offset;
} State;

static const SegValue *
output_at (const SegGraph *graph, const SegModelInfo *info, guint i)
{
  return graph->outputs->pdata[info->outputs[i]];
}

static gboolean
rcnn_check (const SegGraph *graph, const SegModelInfo *info, GError **error)
{
  static const char *const names[] = { "boxes", "labels", "scores", "masks" };
  static const guint ranks[] = { 2, 1, 1, 4 };
  if (info->n_outputs < 3) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED,
        "decoder rcnn takes outputs boxes, labels, scores and maybe masks; there are %u",
        info->n_outputs);
    return FALSE;
  }
  for (guint i = 0; i < info->n_outputs; i++) {
    const SegValue *v = output_at (graph, info, i);
    gboolean fits = v->size == SEG_SIZE_UNKNOWN || v->desc.rank == ranks[i]
                    || (i == 3 && v->desc.rank == 3);
    if (fits)
      continue;
    g_autofree char *text = seg_desc_to_string (&v->desc);
    g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED,
        "decoder rcnn: output '%s' %s cannot be the %s: boxes are [n,4], labels and "
        "scores "
        "[n], masks [n,1,h,w] (see output in models/README.md)",
        v->name, text, names[i]);
    return FALSE;
  }
  return TRUE;
}

static gsize
masks_bytes (const SegPipe *pipe, guint max_instances)
{
  const SegModelInfo *info = pipe->info;
  guint width = 0, height = 0;
  if (info->n_outputs < 4)
    return 16;
  const SegValue *v = output_at (seg_session_graph (pipe->session), info, 3);
  if (v->size != SEG_SIZE_UNKNOWN) {
    width = (guint) CLAMP (v->desc.dims[v->desc.rank - 1], 0, G_MAXINT);
    height = (guint) CLAMP (v->desc.dims[v->desc.rank - 2], 0, G_MAXINT);
  }
  return seg_rcnn_masks_bytes (&pipe->geometry, max_instances, width, height);
}

static gboolean
rcnn_plan (SegPipe *pipe, SegPipeMemory *memory, GError **error)
{
  State *s = pipe->decoder_state = g_new0 (State, 1);
  SegPipeInstances *c = &s->common;
  c->n_classes = pipe->info->labels->len > 0 ? pipe->info->labels->len : 256;
  c->max_instances = MIN (pipe->info->max_detections, SEG_MAX_CANDIDATES);
  c->has_masks = pipe->info->n_outputs > 3;
  c->records.n_bytes = seg_instance_records_bytes (c->max_instances);
  c->masks.n_bytes = masks_bytes (pipe, c->max_instances);
  s->masks_offset = (c->records.n_bytes + 15) & ~(gsize) 15;
  seg_pipe_plan_instances (pipe, c, memory);
  s->found = g_new (SegInstance, c->max_instances);
  s->upload = seg_buffer_new (
      pipe->vk, s->masks_offset + c->masks.n_bytes, SEG_BUFFER_UPLOAD, error);
  return s->upload != NULL;
}

static gboolean
rcnn_prepare (SegPipe *pipe, GError **error)
{
  State *s = pipe->decoder_state;
  seg_instances_write (seg_buffer_map (s->upload), NULL, 0);
  return seg_pipe_prepare_instances (pipe, &s->common, error);
}

static gboolean
rcnn_take (SegPipe *pipe, SegTensor *const *outputs, GError **error)
{
  State *s = pipe->decoder_state;
  SegPipeInstances *c = &s->common;
  guint8 *data = seg_buffer_map (s->upload);
  SegRcnnOutputs o = { outputs[0], outputs[1], outputs[2],
    c->has_masks ? outputs[3] : NULL };
  guint n = 0;
  if (!seg_rcnn_decode (&o, c->limits, &pipe->geometry, s->found, data + s->masks_offset,
          c->masks.n_bytes, &n, error))
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
