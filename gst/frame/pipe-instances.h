/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "frame/instancedraw.h"
#include "frame/pipe-priv.h"

G_BEGIN_DECLS

/* What decoders of instances have in common, from the list of records and their masks on:
 * pipe-instances.c. Those two are made by pipe-yolo.c on the device, or by pipe-rcnn.c on the host. */

typedef struct {
  guint n_classes, max_instances;
  gboolean has_masks;
  SegPiece records, masks;
  SegDrawingMemory drawn;
  SegDrawing drawing;
  SegDecodeMemory maps; /* map, matte, counts and zeros of it */
  SegInstanceLimits *limits;
  SegStyleBlock *style; /* of the shaders that draw maps: value 0 is no instance */
  SegBufferView limits_view, style_view, decode_view;
  int records_download, masks_download; /* -1: none */
  gboolean map_is_made;

  SegInstance *items;
  SegInstances result;
  guint32 areas[256];
} SegPipeInstances;

/* After n_classes, max_instances, has_masks and the bytes of records and masks are set. */
void seg_pipe_plan_instances (SegPipe *pipe, SegPipeInstances *s, SegPipeMemory *memory);
gboolean seg_pipe_prepare_instances (SegPipe *pipe, SegPipeInstances *s, GError **error);
void seg_pipe_clear_instances (SegPipeInstances *s);

/* Functions of a SegPipeDecoder whose state begins with a SegPipeInstances. */
void seg_pipe_instances_set_style (SegPipe *pipe, const SegStyle *style);
gboolean seg_pipe_instances_draw (SegPipe *pipe, SegCmd *cmd, GError **error);
int seg_pipe_instances_class_of_value (const SegPipe *pipe, guint v);
const guint32 *seg_pipe_instances_areas (const SegPipe *pipe);
const SegInstances *seg_pipe_instances_list (SegPipe *pipe);

G_END_DECLS
