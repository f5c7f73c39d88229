/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "elements/livequeue.h"
#include "elements/pace.h"
#include "elements/qos.h"
#include "elements/secondary.h"
#include "elements/settings.h"
#include "elements/setup.h"
#include "elements/vksegment.h"
#include "zerocopy/gpu.h"

G_BEGIN_DECLS

/* The element's own files: vksegment.c (the object, queries and events), and vksegment-net.c (the
 * network, from start to stop), -caps.c (what is made for caps), -frames.c (a frame's way), -live.c
 * (the same where frames do not wait for the network), -swap.c (settings that change while frames
 * flow), -stats.c (what applications are told). */

/* A frame that has been submitted, and perhaps left, but was not waited for. */
typedef struct {
  gboolean flying;
  SegPipeWork work;
  guint age;
  GstClockTime pts;
} SegFlight;

#define SEG_N_PROBES 2 /* kinds of a latency tracer's events */

struct _GstVkSegment {
  GstVideoFilter parent;

  SegSettings settings; /* object lock */
  /* object lock: settings have changed since */
  gboolean restyle;     /* the pipe took them, */
  gboolean rebuild;     /* it was made, */
  gboolean reload;      /* the network was loaded; */
  gboolean swap_failed; /* they did, to something that cannot be used */

  SegGpu *gpu;  /* the pipeline's device, when frames are images on it */
  SegNet *net;  /* from start to stop; set with the object lock */
  char **tiled; /* what seg_drm_tiled says of its device; NULL without one; set with it */
  GHashTable *refused; /* object lock: names of those that net's device has refused */
  /* streaming thread: what is being made for changed settings, or NULL */
  SegLoader *loader;
  /* Set with the object lock by the streaming thread; from caps to the next or stop. */
  SegPipe *pipe;

  GPtrArray *labels;   /* of label maps, from caps to the next */
  gboolean by_regions; /* from start to stop: then `secondary` is used and not `pipe` */
  SegSecondary secondary; /* streaming thread; from caps to the next or stop */

  SegQos qos;
  gboolean has_answer; /* streaming thread: the network is to see a frame of these caps */
  guint n_redrawn;     /* streaming thread: frames since the last that it is to see */
  SegPace pace;        /* mode=sync */

  /* From caps to the next or stop; the streaming thread's. */
  SegFrameIo io;
  /* mode=sync, results as images: one for each slot, in turn */
  SegFlight flights[SEG_FLIGHTS];
  guint next_slot;
  gboolean in_images, in_dmabuf, out_images; /* caps */
  guint64 in_modifier;                       /* caps: see SegFrameIo */
  guint n_refused;  /* of these caps, one after another: see gst_vk_segment_find_tiled */
  gboolean has_gap; /* one was left out, and no frame has come since */
  SegTiledFrame tiled_frame; /* of the frame that came last */
  SegMode mode;
  SegOutputKind output;
  SegLiveQueue *live;     /* unless mode is sync; set with the object lock */
  guint depth;            /* frames that may wait in it */
  guint batch_timeout_ms; /* as the pipe has it */
  guint parts;            /* of a frame's network; set with the object lock */
  gboolean upstream_is_live;
  GQueue probes; /* SegProbe: events of a latency tracer, of frames in flight */
  /* of the next frame, one of each kind; NULL: there is none */
  GstEvent *next_probes[SEG_N_PROBES];
  GstBuffer *current;   /* mode=drop: the frame that has come, */
  guint64 number;       /* and its number */
  guint64 n_posted;     /* number of the frame whose result was told last */
  gboolean live_failed; /* nothing leaves */

  /* object lock: statistics since start */
  guint64 n_frames, n_inferred, n_dropped, n_timed;
  guint64 n_batched; /* with pipes before this one */
  guint age;
  double total_ms, last_ms;
  double stage_ms[SEG_N_STAGES]; /* see seg_pipe_stages */
  gboolean found;                /* something, in some frame */
  guint32 areas[256];
  guint64 n_pixels;
};

/* --- vksegment-net.c --------------------------------------------------------------------------- */

/* A copy of the settings, to be cleared; they count as taken. */
void gst_vk_segment_copy_settings (GstVkSegment *self, SegSettings *settings);
/* Posts why a network cannot be used, with a hint by the kind of error. */
void gst_vk_segment_post_error (GstVkSegment *self, const GError *error);
/* The same for a frame; GST_FLOW_ERROR. */
GstFlowReturn gst_vk_segment_fail (GstVkSegment *self, const GError *error);
void gst_vk_segment_log_network (GstVkSegment *self);
/* Takes net, or NULL; the old one, whose pipe is gone, goes. Who reads the statistics may be looking at
 * it: hence the object lock. */
void gst_vk_segment_replace_net (GstVkSegment *self, SegNet *net);
gboolean gst_vk_segment_start (GstBaseTransform *transform);
gboolean gst_vk_segment_stop (GstBaseTransform *transform);
/* Has the network on the device that the pipeline's images are on. */
gboolean gst_vk_segment_join_gpu (GstVkSegment *self, GError **error);
/* Takes pipe, or NULL; the old one goes. Who reads the statistics may be looking at the pipe, and
 * through it at the network: hence the object lock. */
void gst_vk_segment_replace_pipe (GstVkSegment *self, SegPipe *pipe);

/* --- vksegment-caps.c -------------------------------------------------------------------------- */

GstCaps *gst_vk_segment_transform_caps (GstBaseTransform *transform,
    GstPadDirection direction, GstCaps *caps, GstCaps *filter);
GstCaps *gst_vk_segment_fixate_caps (GstBaseTransform *transform,
    GstPadDirection direction, GstCaps *caps, GstCaps *other);
gboolean gst_vk_segment_transform_meta (
    GstBaseTransform *transform, GstBuffer *out, GstMeta *meta, GstBuffer *in);
gboolean gst_vk_segment_set_info (GstVideoFilter *filter, GstCaps *in_caps,
    GstVideoInfo *in, GstCaps *out_caps, GstVideoInfo *out);
/* Refused frames, one after another, that were on their way when upstream was told. */
#define GST_VK_SEGMENT_MOST_REFUSED 64
/* Fills tiled_frame. FALSE without an error: the device refuses the frame, which is left out, and upstream is asked
 * for others. Not for ever: then that is an error. */
gboolean gst_vk_segment_find_tiled (
    GstVkSegment *self, GstBuffer *buffer, GError **error);

/* Takes a pipe of self->net, in place of the one before. */
gboolean gst_vk_segment_take_pipe (GstVkSegment *self, const SegSettings *settings,
    SegPipe *pipe, const SegSetup *setup, GError **error);
/* The pipe's, if it has one, and the latency. */
void gst_vk_segment_set_batch_timeout (GstVkSegment *self, guint ms);
/* Makes what self->net needs for the negotiated caps. */
gboolean gst_vk_segment_make_ready (GstVkSegment *self, GError **error);

/* --- vksegment-swap.c (streaming thread) --------------------------------------------------------- */

/* Before a frame is taken, none being in flight when a swap is due: takes what has been made ready for
 * changed settings, and begins to make ready for those that have changed. FALSE: nothing works any
 * more. */
gboolean gst_vk_segment_is_swap_due (GstVkSegment *self);
gboolean gst_vk_segment_swap (GstVkSegment *self, GError **error);
/* After negotiation, before the frame: makes what a swap has left to be made. */
gboolean gst_vk_segment_complete (GstVkSegment *self, GError **error);
void gst_vk_segment_stop_loading (GstVkSegment *self);

/* --- vksegment-frames.c ------------------------------------------------------------------------ */

/* gst_vk_segment_fail, but of a frame that is not as its caps say, the source is to blame. */
GstFlowReturn gst_vk_segment_fail_frame (
    GstVkSegment *self, GstBuffer *buffer, const GError *error);
GstFlowReturn gst_vk_segment_transform (
    GstBaseTransform *transform, GstBuffer *in, GstBuffer *out);
/* Waits for frames that nobody has waited for, and counts them; posts it if one has failed. */
void gst_vk_segment_settle (GstVkSegment *self);
GstFlowReturn gst_vk_segment_transform_ip (
    GstBaseTransform *transform, GstBuffer *buffer);
void gst_vk_segment_take_style (GstVkSegment *self);
/* INFER or REDRAW, by interval and QoS; the frame counts as looked at, or not. */
SegPipeWork gst_vk_segment_choose_work (GstVkSegment *self, GstBuffer *buffer);
/* The answer to a whole frame, in the selected slot. */
void gst_vk_segment_attach_result (GstVkSegment *self, GstBuffer *buffer, guint age);

/* --- vksegment-live.c -------------------------------------------------------------------------- */

/* For a pipe that has been warmed up, in which a frame takes frame_ms. In mode=sync there is no queue. */
gboolean gst_vk_segment_start_live (GstVkSegment *self, const SegSettings *settings,
    const GstVideoInfo *info, double frame_ms, GError **error);
void gst_vk_segment_stop_live (GstVkSegment *self);
/* From any thread. */
void gst_vk_segment_set_flushing (GstVkSegment *self, gboolean flushing);
/* Drops what is in flight. */
void gst_vk_segment_flush_live (GstVkSegment *self);
/* Takes the buffer. */
void gst_vk_segment_take_frame (GstVkSegment *self, GstBuffer *buffer);
/* Takes an event that a latency tracer sends before each frame: it leaves before the same frame, and is
 * no reason for others to. FALSE: it is none, or frames do not stay, and it is the caller's. */
gboolean gst_vk_segment_take_probe (GstVkSegment *self, GstEvent *event);
/* *out NULL: none leaves yet. */
GstFlowReturn gst_vk_segment_give_frame (GstVkSegment *self, GstBuffer **out);
/* Pushes those that wait. */
GstFlowReturn gst_vk_segment_drain (GstVkSegment *self, SegLivePolicy policy);

/* --- vksegment-stats.c ------------------------------------------------------------------------- */

/* A frame's time on the device. */
void gst_vk_segment_count_time (GstVkSegment *self, double ms, gboolean inferred);
/* A frame that leaves, its result in the selected slot, from a frame that is `age` frames older. */
void gst_vk_segment_count_frame (GstVkSegment *self, guint age);
/* The network was left out for a frame because that, or the network, is late. */
void gst_vk_segment_note_dropped (GstVkSegment *self, GstBuffer *buffer);
/* The element message for a frame that the network has seen, if it is asked for. */
void gst_vk_segment_post_result (GstVkSegment *self, GstClockTime pts);
/* Called with the object lock. */
GstStructure *gst_vk_segment_make_stats (const GstVkSegment *self);

G_END_DECLS
