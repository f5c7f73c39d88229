/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "frame/decode.h"
#include "frame/modelinfo.h"
#include "frame/result.h"

G_BEGIN_DECLS

/* From the outputs of a network of the YOLO family to a list of instances, on the device: boxes of
 * enough score, the best SEG_MAX_CANDIDATES of them however many there are, non-maximum suppression
 * within each class, masks from coefficients and prototypes (YOLACT, Bolya et al. 2019). The same
 * frame gives the same list: of equal scores the box with the lower number goes first. */

/* How many boxes compete; as in shaders/lib/instances.glsl. */
#define SEG_MAX_CANDIDATES 1024

typedef struct {
  guint n_boxes, n_classes, n_coefficients;    /* coefficients 0: no masks */
  guint box_axis, value_axis;                  /* of the detections */
  guint height_axis, width_axis, channel_axis; /* of the prototypes */
  guint mask_width, mask_height;               /* of the prototypes */
  gboolean xyxy, normalized, objectness;       /* see models/README.md */
  guint max_instances; /* SEG_MAX_CANDIDATES at most: memory is for so many */
  guint n_workers;     /* invocations that share the masks: few on CPU devices */
} SegInstancePlan;

/* What the outputs are; info's decoder is yolo-seg, or yolo (then prototypes is NULL). Errors say
 * which output does not fit and what would. */
gboolean seg_instance_plan_init (SegInstancePlan *plan, const SegModelInfo *info,
    const SegDesc *detections, const SegDesc *prototypes, GError **error);

/* `Limits` of shaders/lib/instances.glsl: what may change from frame to frame. */
typedef struct {
  guint32 keep[SEG_INFO_MAX_LABELS / 32]; /* a bit per class */
  float threshold, iou_threshold, mask_threshold, unused;
  gint32 max_instances; /* the plan's at most */
  gint32 unused2[3];
} SegInstanceLimits;

/* Where the list and what leads to it lie. records: lib/records.glsl; masks: a slot for each
 * instance, a byte a pixel. */
typedef struct {
  SegPiece keys, candidates, boxes, sorted, overlaps;
  SegPiece records, masks;
} SegInstanceMemory;

/* Bytes that the pieces need: n_bytes of each is filled in. */
void seg_instance_sizes (SegInstanceMemory *memory, const SegInstancePlan *plan);
gsize seg_instance_records_bytes (guint max_instances);

/* Records the dispatches; prototypes NULL: no masks. `limits` is a uniform view of a
 * SegInstanceLimits. */
gboolean seg_instances_record (SegCmd *cmd, SegParams *params,
    const SegInstancePlan *plan, const SegGeometry *geometry, const SegBound *detections,
    const SegBound *prototypes, const SegInstanceMemory *memory,
    const SegBufferView *limits, GError **error);

/* Between the records that shaders write and the host's list: the number of items, max at most. */
guint seg_instances_read (const guint8 *records, SegInstance *items, guint max);
void seg_instances_write (guint8 *records, const SegInstance *items, guint n);

G_END_DECLS
