/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame/pipe-instances.h"

/* Networks of the YOLO family: shaders make the list from all boxes that there are. */

typedef struct {
  SegPipeInstances common;
  SegInstancePlan plan;
  SegInstanceMemory memory; /* records and masks are the common ones */
} State;

static gboolean
make_plan (SegInstancePlan *plan, const SegGraph *graph, const SegModelInfo *info,
    GError **error)
{
  gboolean masks = info->decoder == SEG_DECODER_YOLO_SEG;
  if (info->n_outputs < 1u + masks) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED,
        "decoder yolo-seg takes two outputs, detections and prototypes, and there is "
        "one");
    return FALSE;
  }
  const SegValue *detections = graph->outputs->pdata[info->outputs[0]];
  const SegValue *prototypes = masks ? graph->outputs->pdata[info->outputs[1]] : NULL;
  if (seg_instance_plan_init (
          plan, info, &detections->desc, masks ? &prototypes->desc : NULL, error))
    return TRUE;
  g_prefix_error (error, "decoder %s: ", seg_decoder_name (info->decoder));
  return FALSE;
}

static gboolean
yolo_check (const SegGraph *graph, const SegModelInfo *info, GError **error)
{
  SegInstancePlan plan;
  return make_plan (&plan, graph, info, error);
}

static gboolean
yolo_plan (SegPipe *pipe, SegPipeMemory *memory, GError **error)
{
  State *s = pipe->decoder_state = g_new0 (State, 1);
  SegInstanceMemory *m = &s->memory;
  if (!make_plan (&s->plan, seg_session_graph (pipe->session), pipe->info, error))
    return FALSE;
  if (seg_vk_info (pipe->vk)->type == SEG_DEVICE_CPU)
    s->plan.n_workers = 1024;
  seg_instance_sizes (m, &s->plan);
  SegPiece *pieces[] = { &m->keys, &m->candidates, &m->boxes, &m->sorted, &m->overlaps };
  for (guint i = 0; i < G_N_ELEMENTS (pieces); i++)
    seg_pipe_add_piece (memory, pieces[i]);
  s->common.n_classes = s->plan.n_classes;
  s->common.max_instances = s->plan.max_instances;
  s->common.has_masks = s->plan.n_coefficients > 0;
  s->common.records.n_bytes = m->records.n_bytes;
  s->common.masks.n_bytes = m->masks.n_bytes;
  seg_pipe_plan_instances (pipe, &s->common, memory);
  return TRUE;
}

static gboolean
yolo_prepare (SegPipe *pipe, GError **error)
{
  State *s = pipe->decoder_state;
  s->memory.records = s->common.records;
  s->memory.masks = s->common.masks;
  return seg_pipe_prepare_instances (pipe, &s->common, error);
}

static gboolean
yolo_record (SegPipe *pipe, SegCmd *cmd, const SegBound *outputs, GError **error)
{
  State *s = pipe->decoder_state;
  return seg_instances_record (cmd, &pipe->params, &s->plan, &pipe->geometry, &outputs[0],
      s->plan.n_coefficients > 0 ? &outputs[1] : NULL, &s->memory, &s->common.limits_view,
      error);
}

static void
yolo_clear (SegPipe *pipe)
{
  State *s = pipe->decoder_state;
  if (s == NULL)
    return;
  seg_pipe_clear_instances (&s->common);
  g_free (s);
  pipe->decoder_state = NULL;
}

const SegPipeDecoder seg_pipe_yolo = {
  .check = yolo_check,
  .plan = yolo_plan,
  .prepare = yolo_prepare,
  .set_style = seg_pipe_instances_set_style,
  .record = yolo_record,
  .draw = seg_pipe_instances_draw,
  .class_of_value = seg_pipe_instances_class_of_value,
  .areas = seg_pipe_instances_areas,
  .instances = seg_pipe_instances_list,
  .clear = yolo_clear,
};
