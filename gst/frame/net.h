/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "engine/session.h"
#include "frame/modelinfo.h"

G_BEGIN_DECLS

/* A network, ready for frames: found, read, understood and bound to a device. */
typedef struct {
  char *path;
  SegVk *vk;
  SegModel *model;
  SegModelInfo *info;
  SegSession *session;
} SegNet;

typedef struct {
  const char *model;      /* path or name */
  const char *model_info; /* path of the .modelinfo file; NULL: beside the model */
  const char *device;     /* see SegVkOptions */
  const char *cache_dir;
  SegPrecision precision;
  GHashTable *settings; /* see seg_model_info_load */
} SegNetOptions;

/* Finds a model by path, or by name in the folders of VKSEG_MODEL_PATH, the user's data folder
 * (vkseg/models in it) and the system's: NAME/NAME.onnx, then NAME.onnx. The error says where it
 * looked. */
char *seg_net_find (const char *model, GError **error);

/* Takes seconds for a large network. */
SegNet *seg_net_new (const SegNetOptions *options, GError **error);
void seg_net_free (SegNet **net); /* NULL is allowed */

G_END_DECLS
