/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "frame/modelinfo.h"

G_BEGIN_DECLS

/* Which outputs of an R-CNN are what. Exporters differ:
 *   torchvision         boxes [n,4], labels [n], scores [n], masks [n,1,h,w]
 *   Detectron2 (traced) boxes [n,4], classes [n], masks [n,1,h,w], scores [n], size [2], by numbers
 *   mmdetection         dets [1,n,5], labels [1,n], masks [1,n,h,w]: scores are column 4 of dets */

/* Where in info->outputs each is; -1: nowhere. Scores are then in the boxes. mask_boxes: whole pixels
 * int64 [n,4], first and last, that masks are of, where these are not the boxes (SEG_GRAPH_UNPASTED). */
typedef struct {
  int boxes, labels, scores, masks, mask_boxes;
} SegRcnnPlaces;

SegRcnnPlaces seg_rcnn_places (const SegModelInfo *info, const SegGraph *graph);

/* By the outputs' names, or else by their shapes. */
gboolean seg_model_info_is_rcnn (const SegGraph *graph);
/* Fills in outputs: boxes, labels, scores unless the boxes have them, masks if there are any. */
void seg_model_info_rcnn_outputs (SegModelInfo *info, const SegGraph *graph);
/* Adds what the graph has to say of where the masks are. */
void seg_model_info_add_mask_boxes (SegModelInfo *info, const SegGraph *graph);

G_END_DECLS
