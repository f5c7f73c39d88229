/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-vksegment
 * @title: vksegment
 *
 * Segments video with an ONNX network that runs on Vulkan: any GPU with a Vulkan driver, or a CPU
 * with Mesa's lavapipe. The result is an overlay, a map of class numbers, a matte or a cutout;
 * see #GstVkSegment:output.
 *
 * What the network wants and gives (size, colours, classes) is read from a .modelinfo file beside
 * it, or from its metadata, or taken from its shapes.
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
 * gst-launch-1.0 filesrc location=/tmp/street.jpg ! jpegdec ! videoconvert ! vksegproposals max-proposals=100 ! vksegment inference-region=roi-list model=/tmp/rcnn.onnx ! vksegoverlay ! videoconvert ! pngenc ! filesink location=/tmp/found.png
 * ]| R-CNN: a network classifies regions that selective search proposes; vksegoverlay draws those that
 * are something. In the place of vksegproposals there may be any element that attaches
 * #GstVideoRegionOfInterestMeta.
 */
#include "elements/vksegment-priv.h"
#include "elements/videoframe.h"

GST_DEBUG_CATEGORY (vk_segment_debug);

G_DEFINE_TYPE (GstVkSegment, gst_vk_segment, GST_TYPE_VIDEO_FILTER)
GST_ELEMENT_REGISTER_DEFINE (vksegment, "vksegment", GST_RANK_NONE, GST_TYPE_VK_SEGMENT)

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE (
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS (SEG_VIDEO_CAPS));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE (
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS (SEG_VIDEO_CAPS));

static gboolean
gst_vk_segment_query (
    GstBaseTransform *transform, GstPadDirection direction, GstQuery *query)
{
  GstVkSegment *self = GST_VK_SEGMENT (transform);
  GstBaseTransformClass *parent = GST_BASE_TRANSFORM_CLASS (gst_vk_segment_parent_class);
  gboolean ok = parent->query (transform, direction, query);
  if (ok && direction == GST_PAD_SRC && GST_QUERY_TYPE (query) == GST_QUERY_LATENCY)
    seg_qos_add_latency (&self->qos, query);
  return ok;
}

static gboolean
gst_vk_segment_src_event (GstBaseTransform *transform, GstEvent *event)
{
  seg_qos_take_event (&GST_VK_SEGMENT (transform)->qos, event);
  return GST_BASE_TRANSFORM_CLASS (gst_vk_segment_parent_class)
      ->src_event (transform, event);
}

static gboolean
gst_vk_segment_sink_event (GstBaseTransform *transform, GstEvent *event)
{
  if (GST_EVENT_TYPE (event) == GST_EVENT_FLUSH_STOP
      || GST_EVENT_TYPE (event) == GST_EVENT_SEGMENT)
    seg_qos_reset (&GST_VK_SEGMENT (transform)->qos);
  return GST_BASE_TRANSFORM_CLASS (gst_vk_segment_parent_class)
      ->sink_event (transform, event);
}

static void
gst_vk_segment_set_property (
    GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstVkSegment *self = GST_VK_SEGMENT (object);
  GST_OBJECT_LOCK (self);
  gboolean known = seg_settings_set (&self->settings, id, value);
  self->restyle = self->restyle || seg_settings_is_style (id);
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
  G_OBJECT_CLASS (gst_vk_segment_parent_class)->finalize (object);
}

static void
gst_vk_segment_init (GstVkSegment *self)
{
  seg_settings_init (&self->settings);
  seg_qos_init (&self->qos);
  seg_secondary_init (&self->secondary);
  /* Late frames are not dropped but drawn with the last answer; see choose_work. */
  gst_base_transform_set_qos_enabled (GST_BASE_TRANSFORM (self), FALSE);
}

static void
gst_vk_segment_class_init (GstVkSegmentClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseTransformClass *transform_class = GST_BASE_TRANSFORM_CLASS (klass);
  GstVideoFilterClass *filter_class = GST_VIDEO_FILTER_CLASS (klass);

  GST_DEBUG_CATEGORY_INIT (vk_segment_debug, "vksegment", 0, "Segmentation on Vulkan");
  object_class->set_property = gst_vk_segment_set_property;
  object_class->get_property = gst_vk_segment_get_property;
  object_class->finalize = gst_vk_segment_finalize;
  seg_settings_install (object_class);
  g_object_class_install_property (object_class, SEG_PROP_STATS,
      g_param_spec_boxed ("stats", "Statistics",
          "Since start: frames, inferred (those that the network saw), average-ms and "
          "last-ms (time of a "
          "frame on the device, with transfers); classes: "
          "id, label and area (share of the frame, 0 to 1) of those in the last frame",
          GST_TYPE_STRUCTURE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));

  gst_element_class_set_static_metadata (element_class, "Segmentation on Vulkan",
      "Filter/Effect/Video", "Segments video with an ONNX network on Vulkan", "vkseg");
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);

  transform_class->start = gst_vk_segment_start;
  transform_class->stop = gst_vk_segment_stop;
  transform_class->transform_caps = gst_vk_segment_transform_caps;
  transform_class->fixate_caps = gst_vk_segment_fixate_caps;
  transform_class->query = gst_vk_segment_query;
  transform_class->src_event = gst_vk_segment_src_event;
  transform_class->sink_event = gst_vk_segment_sink_event;
  transform_class->transform_ip = gst_vk_segment_transform_ip;
  transform_class->transform_meta = gst_vk_segment_transform_meta;
  transform_class->passthrough_on_same_caps = FALSE;
  filter_class->set_info = gst_vk_segment_set_info;
  filter_class->transform_frame = gst_vk_segment_transform_frame;
}
