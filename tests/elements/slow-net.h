/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A network that takes its time: between two ends that do what color-net.h's does, layers of 3x3
 * convolutions that change nothing. */
typedef struct {
  guint width, height; /* of its input [1,3,height,width] */
  guint n_layers, channels;
  gboolean own_weights; /* of each layer, as real networks have; else all read the same */
  gboolean any_batch;   /* the input's first dimension is free */
} SlowNet;

/* Writes NAME.onnx and its .modelinfo (COLOR_NET_INFO) into dir; the model's path. */
char *slow_net_write_of (const char *dir, const char *name, const SlowNet *net);
/* The same of 64 channels for an input [1,3,48,64]. */
char *slow_net_write (const char *dir, const char *name, guint n_layers);
/* Like it, with so much to do that vksegment takes about so long for a frame, with nothing beside it. */
char *slow_net_write_ms (const char *dir, const char *name, double ms);
/* How long vksegment takes for a frame in such a network: the least of some, others may use the machine. */
double slow_net_time_ms (const char *dir, const char *model);

G_END_DECLS
