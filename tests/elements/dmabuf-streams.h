/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "dmabuf-frames.h"
#include "vk/vk.h"

#include <gst/check/gstharness.h>

/* vksegment with a network that tells colours apart (color-net.h), and streams of dmabuf-frames.h's frames. */

#define DMABUF_FEATURE "(memory:DMABuf)"

/* The device, there between dmabuf_begin and dmabuf_run; and whether it imports dma-bufs. */
extern SegVk *dmabuf_vk;
extern gboolean dmabuf_imports;

/* Those that are tried, of one plane and of several. */
extern const GstVideoFormat dmabuf_formats[8];

/* FALSE: without a device, and the test ends with *status. */
gboolean dmabuf_begin (int *argc, char ***argv, int *status);
/* Runs the tests, and last one that the validation layers have said nothing. */
int dmabuf_run (void);

/* `feature`: DMABUF_FEATURE or "", `format`: of the caps, with its name ("format=NV12"), `settings`: properties
 * as gst_parse_launch takes them; here and below. */
GstHarness *dmabuf_harness (const char *feature, const char *format,
    const GstVideoInfo *info, const char *settings);
/* How many frames the CPU has copied, in or out. */
guint dmabuf_host_copies (GstHarness *h);

/* What comes out for some frames in dma-bufs is what comes out for the same in host memory; and the CPU reads
 * only those that the device cannot import. */
void dmabuf_compare (const char *feature, const char *format, const GstVideoInfo *info,
    DmabufLayout layout, const char *settings);
/* Takes the buffer, which is an error of the stream. `what` is wrong with it, for the log. */
void dmabuf_refuse (const char *feature, const char *format, const GstVideoInfo *info,
    GstBuffer *buffer, const char *what);
/* Frames of so many layouts, in turn: with frames in flight, and, in mode=drop, before there is an answer, when
 * a frame is shown as it is. */
void dmabuf_run_modes (
    const char *format, const GstVideoInfo *info, DmabufLayout first, guint n_layouts);
