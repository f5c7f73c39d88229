/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "engine/session.h"
#include "frame/geometry.h"
#include "frame/modelinfo.h"

G_BEGIN_DECLS

/* When a frame is covered with tiles instead of being fitted into the network's input. */
typedef enum {
  SEG_TILING_AUTO, /* see seg_net_fit */
  SEG_TILING_NONE,
  SEG_TILING_OVERLAP, /* always */
} SegTilingMode;

/* A network: found, read, understood and, at some size of its input, bound to a device. Nets of the same
 * file, device, precision and size share the model, the device, kernels and weights. */
typedef struct {
  char *path;
  SegVk *vk;
  gboolean given_vk; /* by SegNetOptions */
  SegModel *model;
  SegModelInfo *info;
  SegGraph *probe;     /* while there is no session: the network at some size */
  SegSession *session; /* NULL until the frame's size is known, if it depends on that */
  SegInputShape shape; /* of the session's input */
  gboolean steady;     /* the session is */
  SegPrecision precision;
  guint tune_ms;
  /* After seg_net_fit */
  SegFit fit;
  gboolean tile;
  /* it is, though something in the network depends on the whole picture */
  gboolean global;
  const char *why; /* it is so, for the log */
} SegNet;

typedef struct {
  const char *model;      /* path or name */
  const char *model_info; /* path of the .modelinfo file; NULL: beside the model */
  const char *device;     /* see SegVkOptions */
  const char *cache_dir;
  SegVk *vk; /* to run on instead; NULL: what these two say */
  SegPrecision precision;
  guint tune_ms;                   /* see SegSessionOptions */
  guint input_width, input_height; /* for free dimensions; 0: as model information says */
  gboolean regions;     /* it will look at regions of a frame: see frame/regions.h */
  GHashTable *settings; /* see seg_model_info_load */
} SegNetOptions;

typedef struct {
  guint frame_width, frame_height;
  SegTilingMode tiling;
  guint tile_overlap, tile_batch; /* batch 0: what suits the device */
  gboolean override_fit;
  SegFit fit;
} SegNetFrame;

/* Takes seconds for a large network. There is no session yet when the network takes any size and
 * nobody recommends one. */
SegNet *seg_net_open (const SegNetOptions *options, GError **error);
/* The same, with a session in any case. */
SegNet *seg_net_new (const SegNetOptions *options, GError **error);
/* A session for frames like this, the one that is there if it will do. Pipes of the old one must be
 * gone. A network of any size runs at the frame's own where nobody says another. Tiles: when
 * model information says resize=tile; else, where neither it nor the caller chooses a resize, when the
 * network is unpadded and its output smaller than the frame, or the frame is four times its input in
 * both directions, or too large for the device at its own size. */
gboolean seg_net_fit (SegNet *net, const SegNetFrame *frame, GError **error);
/* At the size that it has, or will have. */
const SegGraph *seg_net_graph (const SegNet *net);
void seg_net_free (SegNet **net); /* NULL is allowed */

/* For net-fit.c: a session for an input of this size, replacing the old one. */
gboolean seg_net_bind (
    SegNet *net, guint width, guint height, guint batch, gboolean steady, GError **error);

G_END_DECLS
