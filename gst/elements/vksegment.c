/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-vksegment
 * @title: vksegment
 *
 * Segments video with an ONNX network that runs on Vulkan: any GPU with a Vulkan driver, or a CPU
 * with Mesa's lavapipe. The result is an overlay, a map of class numbers, a matte, a cutout, the
 * frame with another background (#vkbackground), or a meta; see #GstVkSegment:output.
 *
 * What the network wants and gives (size, colours, classes) is read from a .modelinfo file beside
 * it, or from its metadata, or taken from its shapes.
 *
 * #GstVkSegment:mode says whether frames wait for the network. However slow that is, with async and
 * drop a live source goes on at its own rate, and the latency is known. Of a frame in tiles the
 * map may then be partly new and partly the last one.
 *
 * Elements of one process that run the same network share its weights; with #GstVkSegment:batch-size
 * their frames, whatever their sizes, rates and outputs, go through it together where that is sooner done. None
 * waits for others for longer than #GstVkSegment:batch-timeout, and none depends on another; where a long
 * network runs in parts so that frames are drawn in between, a frame also waits for a batch that is on its
 * way.
 *
 * Frames and results may each be in host memory or in images of the pipeline's Vulkan device
 * (memory:VulkanImage), as the neighbours want. With results in images, frames of mode=sync leave
 * before the device is done with them. Frames may come in dma-bufs as well (memory:DMABuf), which the
 * device reads itself where it can import them: linear ones, and tiled ones with the modifiers that it knows.
 *
 * What #GstVkSegment:stats and the messages of #GstVkSegment:post-messages say, field by field, is in
 * examples/README.md, Observing.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 v4l2src ! videoconvert ! vksegment ! videoconvert ! autovideosink
 * ]| Shows a person before the webcam in colour.
 * |[
 * gst-launch-1.0 uridecodebin uri=file:///tmp/street.mp4 ! videoconvert ! vksegment model=/tmp/deeplabv3.onnx classes=person,car draw=masks+contours+legend ! videoconvert ! autovideosink
 * ]| Draws people and cars of a street scene, with a legend.
 * |[
 * gst-launch-1.0 v4l2src ! videoconvert ! vksegment output=cutout ! videoconvert ! compositor ! videoconvert ! autovideosink
 * ]| A person without the background.
 * |[
 * gst-launch-1.0 v4l2src ! videoconvert ! vksegment model=/tmp/deeplabv3.onnx mode=drop ! videoconvert ! autovideosink
 * ]| A network that is slower than the webcam: each frame is shown at once, with the last result.
 * |[
 * gst-launch-1.0 v4l2src device=/dev/video0 ! videoconvert ! vksegment batch-size=2 ! videoconvert ! autovideosink v4l2src device=/dev/video1 ! videoconvert ! vksegment batch-size=2 ! videoconvert ! autovideosink
 * ]| Two cameras whose frames the network looks at together.
 * |[
 * gst-launch-1.0 filesrc location=/tmp/street.jpg ! jpegdec ! videoconvert ! vksegproposals max-proposals=100 ! vksegment inference-region=roi-list model=/tmp/rcnn.onnx ! vksegoverlay ! videoconvert ! pngenc ! filesink location=/tmp/found.png
 * ]| R-CNN: a network classifies regions that selective search proposes; vksegoverlay draws those that
 * are something. In the place of vksegproposals there may be any element that attaches
 * #GstVideoRegionOfInterestMeta.
 */
#include "elements/dmabufcaps.h"
#include "elements/log.h"
#include "elements/vksegment-priv.h"
#include "elements/videoframe.h"

GST_DEBUG_CATEGORY (vk_segment_debug);

G_DEFINE_TYPE (GstVkSegment, gst_vk_segment, GST_TYPE_VIDEO_FILTER)
GST_ELEMENT_REGISTER_DEFINE (vksegment, "vksegment", GST_RANK_NONE, GST_TYPE_VK_SEGMENT)

static GstBaseTransformClass *
parent_class (void)
{
  return GST_BASE_TRANSFORM_CLASS (gst_vk_segment_parent_class);
}

/* GstVideoFilter takes what has no transform_frame for an element that works in place. */
static gboolean
gst_vk_segment_set_caps (GstBaseTransform *transform, GstCaps *in, GstCaps *out)
{
  GstVkSegment *self = GST_VK_SEGMENT (transform);
  gboolean ok = parent_class ()->set_caps (transform, in, out);
  gst_base_transform_set_in_place (
      transform, self->by_regions || self->output == SEG_OUTPUT_META);
  return ok;
}

/* --- frames: GstVideoFilter's way, or that of frames in flight ---------------------------------------- */

/* Frames that are in flight leave with what they have been waiting for. */
static void
leave_pipe (GstVkSegment *self)
{
  if (self->live != NULL)
    gst_vk_segment_drain (self, self->upstream_is_live ? SEG_LIVE_NOW : SEG_LIVE_WAIT);
}

/* Properties that are controlled have their values for this frame; networks change places. */
static GstFlowReturn
prepare (GstVkSegment *self, GstBuffer *input)
{
  g_autoptr (GError) error = NULL;
  seg_video_sync_values (GST_BASE_TRANSFORM (self), input);
  if (gst_vk_segment_is_swap_due (self))
    leave_pipe (self);
  if (gst_vk_segment_swap (self, &error))
    return GST_FLOW_OK;
  gst_vk_segment_post_error (self, error);
  return GST_FLOW_ERROR;
}

/* What the device refuses is left out; the frame after it tells of the gap. */
static GstFlowReturn
find_tiled (GstVkSegment *self, GstBuffer **buffer)
{
  g_autoptr (GError) error = NULL;
  GstFlowReturn ret = GST_FLOW_OK;
  if (self->has_gap) {
    *buffer = gst_buffer_make_writable (*buffer);
    GST_BUFFER_FLAG_SET (*buffer, GST_BUFFER_FLAG_DISCONT);
  }
  if (gst_vk_segment_find_tiled (self, *buffer, &error)) {
    self->has_gap = FALSE;
    return GST_FLOW_OK;
  }
  if (error != NULL)
    ret = gst_vk_segment_fail_frame (self, *buffer, error);
  gst_clear_buffer (buffer);
  return ret;
}

static GstFlowReturn
gst_vk_segment_submit_input_buffer (
    GstBaseTransform *transform, gboolean discont, GstBuffer *input)
{
  GstVkSegment *self = GST_VK_SEGMENT (transform);
  g_autoptr (GError) error = NULL;
  GstFlowReturn ret = prepare (self, input);
  if (ret != GST_FLOW_OK) {
    gst_buffer_unref (input);
    return ret;
  }
  /* It would make a new pipe for what is downstream now. */
  if (self->live != NULL && gst_pad_needs_reconfigure (transform->srcpad))
    gst_vk_segment_drain (self, SEG_LIVE_WAIT);
  ret = parent_class ()->submit_input_buffer (transform, discont, input);
  if (ret != GST_FLOW_OK)
    return ret;
  if (!gst_vk_segment_complete (self, &error)) {
    gst_vk_segment_post_error (self, error);
    return GST_FLOW_ERROR;
  }
  if (transform->queued_buf != NULL)
    ret = find_tiled (self, &transform->queued_buf);
  if (self->live != NULL && transform->queued_buf != NULL)
    gst_vk_segment_take_frame (self, g_steal_pointer (&transform->queued_buf));
  return ret;
}

static GstFlowReturn
gst_vk_segment_generate_output (GstBaseTransform *transform, GstBuffer **out)
{
  GstVkSegment *self = GST_VK_SEGMENT (transform);
  if (self->live != NULL)
    return gst_vk_segment_give_frame (self, out);
  seg_pace_return (&self->pace);
  GstFlowReturn ret = parent_class ()->generate_output (transform, out);
  if (*out != NULL)
    seg_pace_leave (&self->pace);
  return ret;
}

/* --- queries and events ------------------------------------------------------------------------------- */

static gboolean
gst_vk_segment_query (
    GstBaseTransform *transform, GstPadDirection direction, GstQuery *query)
{
  GstVkSegment *self = GST_VK_SEGMENT (transform);
  if (GST_QUERY_TYPE (query) == GST_QUERY_CONTEXT && seg_gpu_answer (self->gpu, query))
    return TRUE;
  /* Who asks wants buffers back. */
  if (direction == GST_PAD_SINK && GST_QUERY_TYPE (query) == GST_QUERY_DRAIN) {
    gst_vk_segment_settle (self);
    gst_vk_segment_drain (self, SEG_LIVE_WAIT);
    if (self->live == NULL || seg_live_queue_idle (self->live))
      seg_frame_io_release_all (&self->io);
  }
  gboolean ok = parent_class ()->query (transform, direction, query);
  if (ok && direction == GST_PAD_SRC && GST_QUERY_TYPE (query) == GST_QUERY_LATENCY)
    seg_qos_add_latency (&self->qos, query);
  return ok;
}

/* Frames in flight keep their buffers, unless those are copied: as many more are wanted. */
static guint
n_kept (const GstVkSegment *self)
{
  if (self->live != NULL)
    return SEG_LIVE_SLOTS (self->depth);
  return self->out_images && (self->in_images || self->in_dmabuf) ? SEG_FLIGHTS : 0;
}

static gboolean
gst_vk_segment_propose_allocation (
    GstBaseTransform *transform, GstQuery *decide, GstQuery *query)
{
  GstVkSegment *self = GST_VK_SEGMENT (transform);
  if ((self->in_images || self->in_dmabuf) && decide != NULL)
    gst_query_add_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL);
  else if (!parent_class ()->propose_allocation (transform, decide, query))
    return FALSE;
  guint more = n_kept (self), n = gst_query_get_n_allocation_pools (query);
  for (guint i = 0; i < n; i++) {
    g_autoptr (GstBufferPool) pool = NULL;
    guint size, min, max;
    gst_query_parse_nth_allocation_pool (query, i, &pool, &size, &min, &max);
    min += more;
    gst_query_set_nth_allocation_pool (
        query, i, pool, size, min, max == 0 ? 0 : MAX (min, max));
  }
  if (n == 0 && more > 0)
    gst_query_add_allocation_pool (
        query, NULL, (guint) GST_VIDEO_FILTER (self)->in_info.size, more, 0);
  return TRUE;
}

static gboolean
gst_vk_segment_decide_allocation (GstBaseTransform *transform, GstQuery *query)
{
  GstVkSegment *self = GST_VK_SEGMENT (transform);
  return self->out_images ? seg_gpu_decide_allocation (self->gpu, query)
                          : parent_class ()->decide_allocation (transform, query);
}

static gboolean
gst_vk_segment_src_event (GstBaseTransform *transform, GstEvent *event)
{
  seg_qos_take_event (&GST_VK_SEGMENT (transform)->qos, event);
  return parent_class ()->src_event (transform, event);
}

/* Frames that came before an event leave before it. */
static void
let_pass (GstVkSegment *self, GstEvent *event)
{
  if (GST_EVENT_TYPE (event) == GST_EVENT_EOS) /* so that they are counted */
    gst_vk_segment_settle (self);
  switch (GST_EVENT_TYPE (event)) {
  case GST_EVENT_EOS:
  case GST_EVENT_CAPS:
  case GST_EVENT_SEGMENT:
  case GST_EVENT_SEGMENT_DONE:
  case GST_EVENT_STREAM_START: gst_vk_segment_drain (self, SEG_LIVE_WAIT); break;
  default:
    if (GST_EVENT_IS_SERIALIZED (event))
      gst_vk_segment_drain (self, self->upstream_is_live ? SEG_LIVE_NOW : SEG_LIVE_WAIT);
  }
}

static gboolean
gst_vk_segment_sink_event (GstBaseTransform *transform, GstEvent *event)
{
  GstVkSegment *self = GST_VK_SEGMENT (transform);
  GstEventType type = GST_EVENT_TYPE (event);
  if (gst_vk_segment_take_probe (self, event))
    return TRUE;
  if (type == GST_EVENT_FLUSH_START)
    gst_vk_segment_set_flushing (self, TRUE);
  else if (type == GST_EVENT_FLUSH_STOP)
    gst_vk_segment_flush_live (self);
  else
    let_pass (self, event);
  if (type == GST_EVENT_FLUSH_STOP || type == GST_EVENT_SEGMENT) {
    seg_qos_reset (&self->qos);
    seg_pace_reset (&self->pace);
  }
  gboolean ok = parent_class ()->sink_event (transform, event);
  if (type == GST_EVENT_FLUSH_STOP)
    gst_vk_segment_set_flushing (self, FALSE);
  return ok;
}

/* --- the object ------------------------------------------------------------------------------------------ */

static GstStateChangeReturn
gst_vk_segment_change_state (GstElement *element, GstStateChange transition)
{
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) /* nobody waits for the network */
    gst_vk_segment_set_flushing (GST_VK_SEGMENT (element), TRUE);
  return GST_ELEMENT_CLASS (gst_vk_segment_parent_class)
      ->change_state (element, transition);
}

static void
gst_vk_segment_set_context (GstElement *element, GstContext *context)
{
  seg_gpu_set_context (GST_VK_SEGMENT (element)->gpu, context);
  GST_ELEMENT_CLASS (gst_vk_segment_parent_class)->set_context (element, context);
}

/* Whether settings that were of no use may be of some with another value of this one. What is
 * controlled has another each frame, and numbers are not what a network is refused for. */
static gboolean
can_mend (SegTakenUp taken_up, const GParamSpec *pspec)
{
  return taken_up >= SEG_TAKEN_UP_STYLE && (pspec->flags & GST_PARAM_CONTROLLABLE) == 0;
}

static void
gst_vk_segment_set_property (
    GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstVkSegment *self = GST_VK_SEGMENT (object);
  GST_OBJECT_LOCK (self);
  gboolean known = seg_settings_set (&self->settings, id, value);
  SegTakenUp taken_up = seg_settings_taken_up (id);
  self->restyle = self->restyle || taken_up == SEG_TAKEN_UP_STYLE;
  self->rebuild = self->rebuild || taken_up == SEG_TAKEN_UP_PIPE;
  gboolean again = self->swap_failed && can_mend (taken_up, pspec);
  self->reload = self->reload || taken_up == SEG_TAKEN_UP_NETWORK || again;
  self->swap_failed = self->swap_failed && !again;
  GST_OBJECT_UNLOCK (self);
  if (!known)
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  else if (id == SEG_PROP_OUTPUT)
    gst_base_transform_reconfigure_src (GST_BASE_TRANSFORM (self));
}

static void
gst_vk_segment_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstVkSegment *self = GST_VK_SEGMENT (object);
  gboolean known = TRUE;
  GST_OBJECT_LOCK (self);
  if (id == SEG_PROP_STATS)
    g_value_take_boxed (value, gst_vk_segment_make_stats (self));
  else
    known = seg_settings_get (&self->settings, id, value);
  GST_OBJECT_UNLOCK (self);
  if (!known)
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
gst_vk_segment_finalize (GObject *object)
{
  seg_settings_clear (&GST_VK_SEGMENT (object)->settings);
  seg_qos_clear (&GST_VK_SEGMENT (object)->qos);
  seg_secondary_clear (&GST_VK_SEGMENT (object)->secondary);
  seg_gpu_free (&GST_VK_SEGMENT (object)->gpu);
  g_hash_table_unref (GST_VK_SEGMENT (object)->refused);
  G_OBJECT_CLASS (gst_vk_segment_parent_class)->finalize (object);
}

static void
gst_vk_segment_init (GstVkSegment *self)
{
  seg_settings_init (&self->settings);
  seg_qos_init (&self->qos);
  seg_secondary_init (&self->secondary);
  self->gpu = seg_gpu_new (GST_ELEMENT (self));
  self->refused = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  /* Late frames are not dropped but drawn with the last answer; see choose_work. */
  gst_base_transform_set_qos_enabled (GST_BASE_TRANSFORM (self), FALSE);
}

/* In images of the device, where those were built in, in host memory or in dma-bufs. */
static void
add_pad_template (GstElementClass *klass, const char *name, GstPadDirection direction)
{
  GstCaps *caps =
      gst_caps_from_string (!seg_gpu_is_built ()  ? SEG_VIDEO_CAPS
                            : seg_gpu_has_gray () ? SEG_IMAGE_CAPS_GRAY ";" SEG_VIDEO_CAPS
                                                  : SEG_IMAGE_CAPS ";" SEG_VIDEO_CAPS);
  gst_caps_append (caps, seg_caps_dmabuf ());
  gst_element_class_add_pad_template (
      klass, gst_pad_template_new (name, direction, GST_PAD_ALWAYS, caps));
  gst_caps_unref (caps);
}

static void
gst_vk_segment_class_init (GstVkSegmentClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseTransformClass *transform_class = GST_BASE_TRANSFORM_CLASS (klass);
  GstVideoFilterClass *filter_class = GST_VIDEO_FILTER_CLASS (klass);

  GST_DEBUG_CATEGORY_INIT (vk_segment_debug, "vksegment", 0, "Segmentation on Vulkan");
  seg_log_to_gst ();
  object_class->set_property = gst_vk_segment_set_property;
  object_class->get_property = gst_vk_segment_get_property;
  object_class->finalize = gst_vk_segment_finalize;
  seg_settings_install (object_class);
  g_object_class_install_property (object_class, SEG_PROP_STATS,
      g_param_spec_boxed ("stats", "Statistics",
          "Counted since start: frames, inferred, dropped (that the network should have "
          "seen, but they or it came too late), average-ms and last-ms of the device, "
          "host-copies, batched; of the last frame age (frames), classes (area: 0 to 1 "
          "of the frame), stages (ms, with stage-times); queued, parts, batch-from "
          "(frames; 0: no batches), model. See examples/README.md, Observing",
          GST_TYPE_STRUCTURE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));

  element_class->change_state = gst_vk_segment_change_state;
  element_class->set_context = gst_vk_segment_set_context;
  gst_element_class_set_static_metadata (element_class, "Segmentation on Vulkan",
      "Filter/Effect/Video", "Segments video with an ONNX network on Vulkan", "vkseg");
  add_pad_template (element_class, "sink", GST_PAD_SINK);
  add_pad_template (element_class, "src", GST_PAD_SRC);

  transform_class->start = gst_vk_segment_start;
  transform_class->stop = gst_vk_segment_stop;
  transform_class->set_caps = gst_vk_segment_set_caps;
  transform_class->transform_caps = gst_vk_segment_transform_caps;
  transform_class->fixate_caps = gst_vk_segment_fixate_caps;
  transform_class->submit_input_buffer = gst_vk_segment_submit_input_buffer;
  transform_class->generate_output = gst_vk_segment_generate_output;
  transform_class->propose_allocation = gst_vk_segment_propose_allocation;
  transform_class->decide_allocation = gst_vk_segment_decide_allocation;
  transform_class->query = gst_vk_segment_query;
  transform_class->src_event = gst_vk_segment_src_event;
  transform_class->sink_event = gst_vk_segment_sink_event;
  transform_class->transform = gst_vk_segment_transform;
  transform_class->transform_ip = gst_vk_segment_transform_ip;
  transform_class->transform_meta = gst_vk_segment_transform_meta;
  transform_class->passthrough_on_same_caps = FALSE;
  filter_class->set_info = gst_vk_segment_set_info;
}
