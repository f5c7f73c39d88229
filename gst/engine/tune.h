/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ops/program.h"
#include "vk/vk.h"

G_BEGIN_DECLS

#define SEG_MAX_TUNE_MS 3600000 /* what a user may ask for */

typedef struct {
  guint n_choices;  /* different convolutions that more than one kernel could do */
  guint n_known;    /* of them, that the cache knew the fastest kernel of */
  guint n_measured; /* of them, measured now */
  double ms;        /* that it took */
} SegTuneStats;

/* Emits the graph with the fastest kernels that are known: from the file of earlier measurements in
 * vk's cache folder, if it has one, and from measurements now, those first that matter most, as
 * long as budget_ms lasts (0: none; a kernel whose turn has come is compiled and timed). What was
 * measured is added to the file. Where nothing is known the usual choice is made; no failure to
 * measure, read or write is an error. Two sessions, or processes, may do so at once. */
SegProgram *seg_tuned_program (const SegGraph *graph, const SegDeviceInfo *device,
    SegStorage precision, SegVk *vk, guint budget_ms, SegTuneStats *stats,
    GError **error);

/* tune-cache.c: the file, "tuning-VENDOR-DEVICE-UUID.ini", a GKeyFile. What another device, driver
 * or build with other shaders has measured, and whatever is not such a file, is ignored. */
void seg_tune_read (SegTuning *tuning, SegVk *vk);
/* Adds what has been measured, in one step. What another process adds meanwhile may be lost, and
 * is measured again some time. */
void seg_tune_write (SegTuning *tuning, SegVk *vk);

G_END_DECLS
