/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "frame/pipe.h"
#include "meta/gstvksegmeta.h"

G_BEGIN_DECLS

/* The answer of a pipe as the public result. */
typedef struct {
  SegPipe *pipe; /* of SEG_OUTPUT_META, and not in flight */
  const SegModelInfo *info;
  GPtrArray *labels; /* see seg_result_labels */
  double mask_threshold;
  guint age; /* frames since the one that the network saw */
} SegResult;

/* The name of each value of the pipe's label map, for all its frames. */
GPtrArray *seg_result_labels (const SegPipe *pipe, const SegModelInfo *info);

/* Adds a GstVkSegMeta to a writable buffer. The masks of a frame share one copy. FALSE when there is
 * no memory for it. */
gboolean seg_result_attach (const SegResult *result, GstBuffer *buffer);

G_END_DECLS
