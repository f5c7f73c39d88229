/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "tool/tool.h"

G_BEGIN_DECLS

/* What `vkseg bench` measured. Times in milliseconds. */
typedef struct {
  const char *path;
  SegVk *vk;
  const char *device, *precision;
  guint n_runs;
  double load_ms;  /* the file, the graph, weights on the device */
  double first_ms; /* the first run: pipelines are made there */
  double median_ms, min_ms;
  double device_ms; /* median, of the network alone; 0 where the device cannot tell */
  double gflop;     /* of one run; a multiply-add counts two */
  SegSessionStats stats;
  /* SegLayerTime with median times, in order; NULL without --per-layer. Its strings belong to
   * `timed` */
  GArray *layers;
  SegSession *timed;
} Bench;

void bench_print_text (const Bench *bench);
void bench_print_json (const Bench *bench);

G_END_DECLS
