/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-vksegtrack
 * @title: vksegtrack
 *
 * Gives the objects that vksegment found ids that stay the same from frame to frame, also past some
 * frames in which an object cannot be seen. The ids are written into the results and into their
 * mirrors; pixels are not touched.
 *
 * Objects are associated as in ByteTrack (Zhang et al., 2022), by the overlap of boxes and masks
 * with where a Kalman filter of constant velocity expects them (SORT, Bewley et al., 2016), by the
 * Hungarian method. Tracks are forgotten when the stream is flushed, when the caps change, and when it
 * jumps by more than #GstVkSegTrack:max-age frames; an id is not used twice.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 uridecodebin uri=file:///tmp/street.mp4 ! videoconvert ! vksegment model=/tmp/yolov8n-seg.onnx output=meta ! vksegtrack ! vksegoverlay ! videoconvert ! autovideosink
 * ]| Draws each object in a colour of its own.
 */
#include "elements/vksegtrack.h"

#include "elements/tracker.h"
#include "elements/videoframe.h"
#include "meta/gstvksegmirror.h"

#include <gst/video/video.h>

GST_DEBUG_CATEGORY_STATIC (vk_seg_track_debug);
#define GST_CAT_DEFAULT vk_seg_track_debug

enum {
  PROP_0,
  PROP_MAX_AGE,
  PROP_MIN_HITS,
  PROP_IOU,
  PROP_LOW_IOU,
  PROP_HIGH_SCORE,
  PROP_LOW_SCORE,
  PROP_MASK_WEIGHT,
  PROP_CLASS_AWARE,
  PROP_TRACKS
};

static const SegTrackerParams default_params = { .max_age = 30,
  .min_hits = 2,
  .iou_threshold = 0.2,
  .low_iou_threshold = 0.5,
  .high_score = 0.35,
  .low_score = 0.1,
  .mask_weight = 0.5,
  .class_aware = TRUE };

struct _GstVkSegTrack {
  GstBaseTransform parent;
  SegTrackerParams params; /* object lock */
  guint n_tracks;          /* object lock */

  /* streaming thread */
  SegTracker *tracker;
  GstClockTime frame_time; /* of the caps, 0 when they do not say */
  GstClockTime last;       /* pts of the frame before */
};

G_DEFINE_TYPE (GstVkSegTrack, gst_vk_seg_track, GST_TYPE_BASE_TRANSFORM)
GST_ELEMENT_REGISTER_DEFINE (
    vksegtrack, "vksegtrack", GST_RANK_NONE, GST_TYPE_VK_SEG_TRACK)

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE (
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS ("video/x-raw(ANY)"));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE (
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS ("video/x-raw(ANY)"));

/* --- frames ------------------------------------------------------------------------------------ */

static void
forget (GstVkSegTrack *self)
{
  seg_tracker_reset (self->tracker);
  self->last = GST_CLOCK_TIME_NONE;
  GST_OBJECT_LOCK (self);
  self->n_tracks = 0;
  GST_OBJECT_UNLOCK (self);
}

/* A live source that dropped some frames also says "discontinuity": those frames are skipped. */
static void
take_discont (GstVkSegTrack *self, GstClockTime pts, guint max_age)
{
  GstClockTime from = self->last, step = self->frame_time;
  if (step == 0 || !GST_CLOCK_TIME_IS_VALID (pts) || !GST_CLOCK_TIME_IS_VALID (from)
      || pts <= from || (pts - from) / step > max_age) {
    GST_DEBUG_OBJECT (self, "the stream jumps to %" GST_TIME_FORMAT, GST_TIME_ARGS (pts));
    forget (self);
    return;
  }
  guint64 n = (pts - from + step / 2) / step;
  if (n > 1)
    seg_tracker_skip (self->tracker, (guint) n - 1);
}

static GstFlowReturn
gst_vk_seg_track_transform_ip (GstBaseTransform *transform, GstBuffer *buffer)
{
  GstVkSegTrack *self = GST_VK_SEG_TRACK (transform);
  GstVkSegMeta *meta = gst_buffer_get_vk_seg_meta (buffer);
  GST_OBJECT_LOCK (self);
  SegTrackerParams params = self->params;
  GST_OBJECT_UNLOCK (self);
  if (GST_BUFFER_IS_DISCONT (buffer))
    take_discont (self, GST_BUFFER_PTS (buffer), params.max_age);
  self->last = GST_BUFFER_PTS (buffer);
  if (meta == NULL) {
    seg_tracker_skip (self->tracker, 1);
    return GST_FLOW_OK;
  }
  seg_tracker_update (self->tracker, &params, meta);
  gst_vk_seg_meta_mirror_tracks (meta, buffer);
  guint n = seg_tracker_n_tracks (self->tracker);
  GST_LOG_OBJECT (
      self, "%u objects, %u tracks", gst_vk_seg_meta_get_n_instances (meta), n);
  GST_OBJECT_LOCK (self);
  self->n_tracks = n;
  GST_OBJECT_UNLOCK (self);
  return GST_FLOW_OK;
}

static gboolean
gst_vk_seg_track_set_caps (GstBaseTransform *transform, GstCaps *in, GstCaps *out)
{
  GstVkSegTrack *self = GST_VK_SEG_TRACK (transform);
  gint n = 0, d = 1;
  gst_structure_get_fraction (gst_caps_get_structure (in, 0), "framerate", &n, &d);
  self->frame_time =
      n > 0 ? gst_util_uint64_scale_int (GST_SECOND, d, n) : (GstClockTime) 0;
  forget (self);
  return TRUE;
}

static gboolean
gst_vk_seg_track_sink_event (GstBaseTransform *transform, GstEvent *event)
{
  if (GST_EVENT_TYPE (event) == GST_EVENT_FLUSH_STOP)
    forget (GST_VK_SEG_TRACK (transform));
  return GST_BASE_TRANSFORM_CLASS (gst_vk_seg_track_parent_class)
      ->sink_event (transform, event);
}

static gboolean
gst_vk_seg_track_stop (GstBaseTransform *transform)
{
  forget (GST_VK_SEG_TRACK (transform));
  return TRUE;
}

/* Frames go through: where they lie is between the neighbours. */
static gboolean
gst_vk_seg_track_propose_allocation (
    GstBaseTransform *transform, GstQuery *decide, GstQuery *query)
{
  return gst_pad_peer_query (GST_BASE_TRANSFORM_SRC_PAD (transform), query);
}

/* --- the object ---------------------------------------------------------------------------------- */

static void
gst_vk_seg_track_set_property (
    GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstVkSegTrack *self = GST_VK_SEG_TRACK (object);
  SegTrackerParams *p = &self->params;
  GST_OBJECT_LOCK (self);
  switch (id) {
  case PROP_MAX_AGE: p->max_age = g_value_get_uint (value); break;
  case PROP_MIN_HITS: p->min_hits = g_value_get_uint (value); break;
  case PROP_IOU: p->iou_threshold = g_value_get_double (value); break;
  case PROP_LOW_IOU: p->low_iou_threshold = g_value_get_double (value); break;
  case PROP_HIGH_SCORE: p->high_score = g_value_get_double (value); break;
  case PROP_LOW_SCORE: p->low_score = g_value_get_double (value); break;
  case PROP_MASK_WEIGHT: p->mask_weight = g_value_get_double (value); break;
  case PROP_CLASS_AWARE: p->class_aware = g_value_get_boolean (value); break;
  default: G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_vk_seg_track_get_property (
    GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstVkSegTrack *self = GST_VK_SEG_TRACK (object);
  const SegTrackerParams *p = &self->params;
  GST_OBJECT_LOCK (self);
  switch (id) {
  case PROP_MAX_AGE: g_value_set_uint (value, p->max_age); break;
  case PROP_MIN_HITS: g_value_set_uint (value, p->min_hits); break;
  case PROP_IOU: g_value_set_double (value, p->iou_threshold); break;
  case PROP_LOW_IOU: g_value_set_double (value, p->low_iou_threshold); break;
  case PROP_HIGH_SCORE: g_value_set_double (value, p->high_score); break;
  case PROP_LOW_SCORE: g_value_set_double (value, p->low_score); break;
  case PROP_MASK_WEIGHT: g_value_set_double (value, p->mask_weight); break;
  case PROP_CLASS_AWARE: g_value_set_boolean (value, p->class_aware); break;
  case PROP_TRACKS: g_value_set_uint (value, self->n_tracks); break;
  default: G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_vk_seg_track_finalize (GObject *object)
{
  seg_tracker_free (&GST_VK_SEG_TRACK (object)->tracker);
  G_OBJECT_CLASS (gst_vk_seg_track_parent_class)->finalize (object);
}

static void
gst_vk_seg_track_init (GstVkSegTrack *self)
{
  self->params = default_params;
  self->tracker = seg_tracker_new ();
  self->last = GST_CLOCK_TIME_NONE;
  gst_base_transform_set_in_place (GST_BASE_TRANSFORM (self), TRUE);
}

#define ANY_TIME (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING)

static void
install_fractions (GObjectClass *c)
{
  const SegTrackerParams *p = &default_params;
  const struct {
    guint id;
    const char *name, *nick, *blurb;
    double value;
  } all[] = {
    { PROP_IOU, "iou-threshold", "Overlap",
        "Intersection over union, 0 to 1, that an object must have with where a track is "
        "expected; the next frame follows a change",
        p->iou_threshold },
    { PROP_LOW_IOU, "low-iou-threshold", "Overlap of uncertain objects",
        "The same for objects between low-score and high-score; the next frame follows a "
        "change",
        p->low_iou_threshold },
    { PROP_HIGH_SCORE, "high-score", "High score",
        "Objects with this score, 0 to 1, start tracks and are associated first; the "
        "next frame follows a change",
        p->high_score },
    { PROP_LOW_SCORE, "low-score", "Low score",
        "Objects with less than this score, 0 to 1, are not associated; the next frame "
        "follows a change",
        p->low_score },
    { PROP_MASK_WEIGHT, "mask-weight", "Weight of masks",
        "How much the overlap of masks counts, from 0 (boxes alone) to 1 (masks alone, "
        "where there are some); the next frame follows a change",
        p->mask_weight },
  };
  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    g_object_class_install_property (c, all[i].id,
        g_param_spec_double (all[i].name, all[i].nick, all[i].blurb, 0.0, 1.0,
            all[i].value, ANY_TIME | GST_PARAM_CONTROLLABLE));
}

static void
install_properties (GObjectClass *c)
{
  install_fractions (c);
  g_object_class_install_property (c, PROP_MAX_AGE,
      g_param_spec_uint ("max-age", "Maximum age",
          "Frames that an object may be out of sight and keep its id; the next frame "
          "follows a change",
          0, G_MAXINT, default_params.max_age, ANY_TIME));
  g_object_class_install_property (c, PROP_MIN_HITS,
      g_param_spec_uint ("min-hits", "Minimum of sightings",
          "Frames in a row in which an object must have been seen to get an id, except "
          "at the start; the next frame follows a change",
          1, 1000, default_params.min_hits, ANY_TIME));
  g_object_class_install_property (c, PROP_CLASS_AWARE,
      g_param_spec_boolean ("class-aware", "Class aware",
          "An object does not change its class; the next frame follows a change",
          default_params.class_aware, ANY_TIME));
  g_object_class_install_property (c, PROP_TRACKS,
      g_param_spec_uint ("tracks", "Tracks",
          "How many objects are being followed, those out of sight included", 0,
          G_MAXUINT, 0, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
}

static void
gst_vk_seg_track_class_init (GstVkSegTrackClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseTransformClass *transform_class = GST_BASE_TRANSFORM_CLASS (klass);
  GST_DEBUG_CATEGORY_INIT (
      vk_seg_track_debug, "vksegtrack", 0, "Tracking of segmented objects");
  object_class->set_property = gst_vk_seg_track_set_property;
  object_class->get_property = gst_vk_seg_track_get_property;
  object_class->finalize = gst_vk_seg_track_finalize;
  install_properties (object_class);
  gst_element_class_set_static_metadata (element_class, "Segmentation tracker",
      "Filter/Analyzer/Video", "Gives objects ids that stay the same from frame to frame",
      "vkseg");
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  transform_class->transform_ip = gst_vk_seg_track_transform_ip;
  transform_class->set_caps = gst_vk_seg_track_set_caps;
  transform_class->sink_event = gst_vk_seg_track_sink_event;
  transform_class->before_transform = seg_video_sync_values;
  transform_class->stop = gst_vk_seg_track_stop;
  transform_class->propose_allocation = gst_vk_seg_track_propose_allocation;
}
