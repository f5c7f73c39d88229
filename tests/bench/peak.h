/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vk/vk.h"

G_BEGIN_DECLS

/* Milliseconds of processor time of this process, all threads: what a CPU device takes, whatever
 * else the machine does. */
double seg_bench_cpu_ms (void);

/* The most multiply-adds (counted as two) that the device does, in GFLOPS by the clock and by
 * processor time: peak.comp, the best of several runs. */
gboolean seg_bench_peak (SegVk *vk, double *by_clock, double *by_cpu, GError **error);

G_END_DECLS
