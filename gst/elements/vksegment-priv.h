/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "elements/qos.h"
#include "elements/secondary.h"
#include "elements/settings.h"
#include "elements/vksegment.h"

G_BEGIN_DECLS

/* The element's own files: vksegment.c (the object, queries and events), and vksegment-net.c (the
 * network, from start to stop), -caps.c (what is made for caps), -frames.c (a frame's way), -stats.c
 * (what applications are told). */

struct _GstVkSegment {
  GstVideoFilter parent;

  SegSettings settings; /* object lock */
  gboolean restyle;     /* object lock: settings have changed since the pipe took them */

  SegNet *net; /* from start to stop */
  SegPipe *
      pipe; /* set with the object lock by the streaming thread; from caps to the next or stop */

  GPtrArray *labels;   /* of label maps, from caps to the next */
  gboolean by_regions; /* from start to stop: then `secondary` is used and not `pipe` */
  SegSecondary secondary; /* streaming thread; from caps to the next or stop */

  SegQos qos;
  gboolean has_answer; /* streaming thread: the network has seen a frame of these caps */
  guint n_redrawn;     /* streaming thread: frames since the last that was inferred */

  /* object lock: statistics since start */
  guint64 n_inferred;
  guint64 n_frames;
  double total_ms, last_ms;
  guint32 areas[256];
  guint64 n_pixels;
};

/* --- vksegment-net.c --------------------------------------------------------------------------- */

/* A copy of the settings, to be cleared; they count as taken. */
void gst_vk_segment_copy_settings (GstVkSegment *self, SegSettings *settings);
/* Posts why a network cannot be used, with a hint by the kind of error. */
void gst_vk_segment_post_error (GstVkSegment *self, const GError *error);
gboolean gst_vk_segment_start (GstBaseTransform *transform);
gboolean gst_vk_segment_stop (GstBaseTransform *transform);
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

/* --- vksegment-frames.c ------------------------------------------------------------------------ */

GstFlowReturn gst_vk_segment_transform_frame (
    GstVideoFilter *filter, GstVideoFrame *in, GstVideoFrame *out);
GstFlowReturn gst_vk_segment_transform_ip (
    GstBaseTransform *transform, GstBuffer *buffer);

/* --- vksegment-stats.c ------------------------------------------------------------------------- */

/* The element message for a frame that the network has seen, if it is asked for. */
void gst_vk_segment_post_result (GstVkSegment *self, const GstBuffer *buffer);
/* Called with the object lock. */
GstStructure *gst_vk_segment_make_stats (const GstVkSegment *self);

G_END_DECLS
