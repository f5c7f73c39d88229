/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame/pipe-priv.h"

#include <string.h>

static gboolean
wants_matte (const SegPipe *pipe)
{
  return pipe->config.output == SEG_OUTPUT_MATTE
         || pipe->config.output == SEG_OUTPUT_CUTOUT;
}

/* argmax does not care for a softmax before it, thresholds do. */
static gboolean
ends_in_softmax (const SegGraph *graph, guint output)
{
  const SegValue *v = graph->outputs->pdata[output];
  return v->producer != NULL && strcmp (v->producer->op->name, "Softmax") == 0;
}

void
seg_pipe_plan (SegPipe *pipe)
{
  const SegModelInfo *info = pipe->info;
  const SegGraph *graph = seg_session_graph (pipe->session);
  SegDecodePlan *plan = &pipe->plan;
  gboolean one = info->decoder == SEG_DECODER_MATTE
                 || (info->decoder == SEG_DECODER_SIGMOID && info->n_classes == 1);
  gboolean odds = info->decoder == SEG_DECODER_SOFTMAX || wants_matte (pipe);
  plan->kind = one ? SEG_DECODE_VALUE : odds ? SEG_DECODE_ODDS : SEG_DECODE_CLASSES;
  plan->scores = info->decoder == SEG_DECODER_INDEX          ? SEG_SCORES_INDEX
                 : info->decoder == SEG_DECODER_MATTE        ? SEG_SCORES_PROBABILITY
                 : info->decoder == SEG_DECODER_SIGMOID      ? SEG_SCORES_SIGMOID
                 : ends_in_softmax (graph, info->outputs[0]) ? SEG_SCORES_PROBABILITY
                                                             : SEG_SCORES_SOFTMAX;
  plan->class_axis = info->class_axis;
  plan->height_axis = info->class_axis == 1 ? 2 : 1;
  plan->width_axis = plan->height_axis + 1;
  const SegValue *output = graph->outputs->pdata[info->outputs[0]];
  if (info->class_axis < 0 && output->desc.rank == 4) {
    plan->height_axis = 2;
    plan->width_axis = 3;
  }
  plan->n_classes = one ? 1 : info->n_classes == 0 ? SEG_MAX_CLASSES : info->n_classes;
  plan->nearest = pipe->config.nearest;
  plan->cut = pipe->config.output == SEG_OUTPUT_OVERLAY;
  plan->n_workers = seg_vk_info (pipe->vk)->type == SEG_DEVICE_CPU ? 1024 : 16384;
}
