/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "elements/settings.h"

#include <gst/video/video.h>

G_BEGIN_DECLS

/* From settings to a network and a pipe that frames can go through, without an element: so that a
 * thread can do it while another works with what was there before. */

/* What frames are, and where: in host memory, or images on the net's device. */
typedef struct {
  GstVideoInfo in, out;
  gboolean in_images, out_images;
} SegSetupFrames;

/* What was made. */
typedef struct {
  SegPipeConfig config;
  double frame_ms; /* a frame that the network sees */
  /* what a frame waits for: that, or, where frames do not wait for the network, a redraw */
  double shown_ms;
} SegSetup;

/* With results on the device nobody waits for frames of mode=sync: so many are on their way. */
#define SEG_FLIGHTS 2

/* Whether the network can do what the settings ask. */
gboolean seg_setup_check (const SegNet *net, const SegSettings *settings, GError **error);
/* A session for frames of this size, and what is asked of a pipe for them. The net has no pipe. */
gboolean seg_setup_fit (SegNet *net, const SegSettings *settings, guint width,
    guint height, SegPipeConfig *config, GError **error);
/* Fits, makes a pipe in the settings' style, and runs it: drivers compile at the first run; better now
 * than while a frame waits. */
SegPipe *seg_setup_pipe (SegNet *net, const SegSettings *settings,
    const SegSetupFrames *frames, SegSetup *setup, GError **error);
/* upsample=none: the result has a size of its own. */
gboolean seg_setup_has_own_size (const SegSettings *settings);

/* The same in a thread of its own. Fields are read when it is done. */
typedef struct {
  SegSettings settings;
  SegSetupFrames frames;
  SegVk *vk;   /* where the network is to be; NULL: as the settings say */
  SegNet *net; /* to be taken; NULL with an error */
  /* To be taken; NULL for networks over regions and where the caps may change. */
  SegPipe *pipe;
  SegSetup setup;
  GError *error;
  /*< private >*/
  GThread *thread;
  gint done, cancelled; /* atomic */
} SegLoader;

SegLoader *seg_loader_start (
    const SegSettings *settings, const SegSetupFrames *frames, SegVk *vk);
gboolean seg_loader_is_done (SegLoader *loader);
/* What has not been taken goes. Waits for the thread, which stops at the next step. NULL is allowed. */
void seg_loader_free (SegLoader **loader);

G_END_DECLS
