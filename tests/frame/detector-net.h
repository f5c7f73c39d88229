/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A detector whose answer is known exactly, built as torchvision's are: how many rows its outputs
 * boxes [n,4], labels [n], scores [n] and masks [n,1,h,w] have is for the picture to say. Input
 * [1,3,24,32] in 0..1. Of its DETECTOR_NET_SLOTS objects the i-th is found where columns 4 i .. 4 i + 3 of
 * the input are red, with the red of those columns times its factor as score, from 0.3 on. */
#define DETECTOR_NET_WIDTH  32
#define DETECTOR_NET_HEIGHT 24
#define DETECTOR_NET_SLOTS  8
#define DETECTOR_NET_INFO                                                                \
  "[vkseg]\ndecoder=rcnn\nmean=0\nstd=255\nlabels=background,warm,cold\n"                \
  "palette=#000000,#ff0000,#00ff00\n"

typedef struct {
  float boxes[DETECTOR_NET_SLOTS][4];
  gint64 labels[DETECTOR_NET_SLOTS];
  float factors[DETECTOR_NET_SLOTS];
  guint mask_width, mask_height; /* 0: no masks */
  /* Called for each pixel of each object. */
  float (*mask) (guint slot, guint x, guint y);
  gboolean flat;     /* the input is [3,24,32], as torchvision's own export has it */
  guint more_labels; /* rows too many: an export that is broken */
} DetectorNet;

/* Objects of class 1 whose boxes are the columns that make them appear, rows 4 to 20, with masks of
 * 14 x 14 pixels that are 1 in their left half. */
extern const DetectorNet detector_net_columns;

/* Writes NAME.onnx, and NAME.onnx.modelinfo unless info is NULL, into dir; the model's path. */
char *detector_net_write (
    const char *dir, const char *name, const DetectorNet *net, const char *info);

G_END_DECLS
