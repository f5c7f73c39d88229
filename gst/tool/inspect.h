/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "tool/tool.h"

G_BEGIN_DECLS

typedef struct {
  char *name;
  guint count;
  gboolean supported;
} InspectOp;

/* What `vkseg inspect` knows of a model; `session` and `vk` are NULL as far as it did not get. */
typedef struct {
  const char *path;
  SegModel *model;
  GArray *ops;            /* InspectOp, most frequent first */
  GPtrArray *unsupported; /* const SegModelNode * */
  guint64 n_params;       /* elements of all weights */
  guint64 weight_bytes;   /* in the file */
  SegVk *vk;
  SegSession *session;
  double gflop;
} Inspection;

void inspect_print_text (const Inspection *in, gboolean with_layers);
void inspect_print_json (const Inspection *in);

G_END_DECLS
