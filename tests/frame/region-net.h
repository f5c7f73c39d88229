/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Networks that look at regions, whose answers are known exactly. Input "picture"
 * [N,3,REGION_NET_HEIGHT,REGION_NET_WIDTH] in 0..1, classes as in color-net.h: 0 background (gray),
 * 1 red, 2 green, 3 blue, with a logit of 2 for the right one of a pure colour and -1 for the others
 * (background 0.5). */
#define REGION_NET_WIDTH  64
#define REGION_NET_HEIGHT 48
#define REGION_NET_ROWS   16

/* The probability that a softmax gives to the right one of a pure colour. */
#define REGION_NET_SURE 0.75594

typedef enum {
  REGION_NET_CLASSIFY, /* mean colour, then a Gemm: logits [N,4] */
  REGION_NET_MAP,      /* logits [N,4,H,W] */
  REGION_NET_INDEX,    /* class numbers [N,H,W] */
  REGION_NET_LARGEST,  /* of all pictures of a batch: [1,4,H,W] */
  REGION_NET_FAST, /* regions [K,4]: logits at their middles [K,4] and deltas [K,16] */
  REGION_NET_ROI_POOL, /* regions [K,5]: the same with a MaxRoiPool of the logits */
} RegionNetKind;

/* What the deltas of REGION_NET_FAST do: red boxes stay; green ones move right by a tenth of their
 * width, and become twice as wide. */

typedef struct {
  RegionNetKind kind;
  gint64 batch;    /* 0: free; of networks with regions 1 */
  gint64 rows;     /* of regions; 0: free */
  gboolean hosted; /* the logits pass through int8, which devices do not have */
} RegionNet;

/* Writes NAME.onnx and, with these keys of [vkseg] besides the classes, its model information; the
 * model's path. */
char *region_net_write (
    const char *dir, const char *name, const RegionNet *net, const char *keys);

G_END_DECLS
