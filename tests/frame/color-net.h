/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "frame/image.h"

G_BEGIN_DECLS

/* A network whose answer is known exactly: a 1x1 convolution that tells colours apart. Classes:
 * 0 background (gray), 1 red, 2 green, 3 blue; logits 2 for the right one. Input [1,3,24,32] in
 * 0..1. */
#define COLOR_NET_WIDTH  32
#define COLOR_NET_HEIGHT 24
#define COLOR_NET_INFO                                                                   \
  "[vkseg]\ntask=semantic\ndecoder=argmax\nmean=0\nstd=255\n"                            \
  "labels=background,red,green,blue\nbackground=0\npalette=#000000,#ff0000,#00ff00,#"    \
  "0000ff\n"

typedef enum {
  COLOR_NET_PLAIN,
  COLOR_NET_HOSTED,     /* the logits pass through int8, which devices do not have */
  COLOR_NET_INDEX,      /* ends in ArgMax: class numbers */
  COLOR_NET_SOFTMAX,    /* ends in Softmax */
  COLOR_NET_YOLO,       /* the logits are prototypes; see COLOR_NET_BOXES */
  COLOR_NET_YOLO_HOSTED /* and pass through int8 */
} ColorNetKind;

/* Detections of the YOLO kinds, always the same: two classes; "warm" in [2,18)x[3,21), what is red
 * there, with score 0.9; "cold" in [12,30)x[3,21), what is green there, with score 0.6; the same a
 * little larger with score 0.5. */
#define COLOR_NET_BOXES 12
#define COLOR_NET_YOLO_INFO                                                              \
  "[vkseg]\ndecoder=yolo-seg\nmean=0\nstd=255\nlabels=warm,cold\n"                       \
  "palette=#ff0000,#00ff00\n"

/* What a score may be off: devices that can store the network's numbers as fp16, 11 bits. */
#define COLOR_NET_SCORE_ERROR (1.0 / 4096)

/* Writes NAME.onnx, and NAME.onnx.modelinfo unless info is NULL, into dir; the model's path. */
char *color_net_write (
    const char *dir, const char *name, ColorNetKind kind, const char *info);

/* Removes a folder of files and of such folders. */
void color_net_remove (const char *dir);

/* Fills part of a frame, [x0, x1) of its width, with a colour. */
void color_net_paint (
    const SegFrame *frame, guint8 *data, guint x0, guint x1, const double rgb[3]);

G_END_DECLS
