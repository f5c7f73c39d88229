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
#include "elements/vksegment.h"

#include "elements/caps.h"
#include "elements/qos.h"
#include "elements/result.h"
#include "elements/secondary.h"
#include "elements/settings.h"
#include "elements/videoframe.h"

#include <string.h>

GST_DEBUG_CATEGORY_STATIC (vk_segment_debug);
#define GST_CAT_DEFAULT vk_segment_debug

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

G_DEFINE_TYPE (GstVkSegment, gst_vk_segment, GST_TYPE_VIDEO_FILTER)
GST_ELEMENT_REGISTER_DEFINE (vksegment, "vksegment", GST_RANK_NONE, GST_TYPE_VK_SEGMENT)

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE (
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS (SEG_VIDEO_CAPS));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE (
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS (SEG_VIDEO_CAPS));

static void
copy_settings (GstVkSegment *self, SegSettings *settings)
{
  GST_OBJECT_LOCK (self);
  seg_settings_copy (settings, &self->settings);
  self->restyle = FALSE;
  GST_OBJECT_UNLOCK (self);
}

/* --- the network ------------------------------------------------------------------------------- */

static void
post_open_error (GstVkSegment *self, const GError *error)
{
  if (g_error_matches (error, SEG_ERROR, SEG_ERROR_FILE))
    GST_ELEMENT_ERROR (self, RESOURCE, NOT_FOUND, ("%s", error->message),
        ("set the model property to an ONNX file, or VKSEG_MODEL_PATH to where models "
         "are"));
  else if (g_error_matches (error, SEG_ERROR, SEG_ERROR_DEVICE))
    GST_ELEMENT_ERROR (self, RESOURCE, OPEN_READ_WRITE, ("%s", error->message),
        ("'vkseg devices' lists the Vulkan devices"));
  else if (g_error_matches (error, SEG_ERROR, SEG_ERROR_MEMORY))
    GST_ELEMENT_ERROR (self, RESOURCE, NO_SPACE_LEFT, ("%s", error->message),
        ("a smaller network, or precision=fp16, needs less memory"));
  else
    GST_ELEMENT_ERROR (self, STREAM, FORMAT, ("%s", error->message),
        ("'vkseg inspect' shows what is in a model"));
}

static void
log_network (GstVkSegment *self)
{
  const SegModelInfo *info = self->net->info;
  GST_INFO_OBJECT (self, "%s: %ux%u, %s, %u classes, on %s", self->net->path, info->width,
      info->height, seg_decoder_name (info->decoder), info->n_classes,
      seg_vk_info (self->net->vk)->name);
  for (guint i = 0; i < info->assumptions->len; i++)
    GST_INFO_OBJECT (self, "nobody says, so: %s", (char *) info->assumptions->pdata[i]);
}

static gboolean
check_network (GstVkSegment *self, const SegSettings *settings, GError **error)
{
  self->by_regions = settings->inference_region == SEG_INFERENCE_ROI_LIST;
  return self->by_regions
             ? seg_regions_check (self->net->session, self->net->info, error)
             : seg_pipe_check (seg_net_graph (self->net), self->net->info, error);
}

static gboolean
gst_vk_segment_start (GstBaseTransform *transform)
{
  GstVkSegment *self = GST_VK_SEGMENT (transform);
  g_autoptr (GError) error = NULL;
  SegSettings settings;
  SegStyle style;
  copy_settings (self, &settings);
  self->net = seg_settings_open (&settings, &error);
  if (self->net == NULL || !check_network (self, &settings, &error)
      || !seg_settings_style (&settings, self->net->info, &style, &error)) {
    post_open_error (self, error);
    seg_net_free (&self->net);
  } else {
    log_network (self);
  }
  seg_settings_clear (&settings);
  GST_OBJECT_LOCK (self);
  seg_qos_reset (&self->qos);
  self->n_frames = self->n_inferred = 0;
  self->total_ms = self->last_ms = 0.0;
  self->n_pixels = 0;
  GST_OBJECT_UNLOCK (self);
  return self->net != NULL;
}

/* Who reads the statistics may be looking at the pipe, and through it at the network. */
static void
replace_pipe (GstVkSegment *self, SegPipe *pipe)
{
  GST_OBJECT_LOCK (self);
  SegPipe *old = self->pipe;
  self->pipe = pipe;
  GST_OBJECT_UNLOCK (self);
  seg_pipe_free (&old);
  g_clear_pointer (&self->labels, g_ptr_array_unref);
}

static gboolean
gst_vk_segment_stop (GstBaseTransform *transform)
{
  GstVkSegment *self = GST_VK_SEGMENT (transform);
  GST_INFO_OBJECT (self, "%" G_GUINT64_FORMAT " frames, on average %.2f ms each",
      self->n_frames, self->n_frames ? self->total_ms / (double) self->n_frames : 0.0);
  replace_pipe (self, NULL);
  seg_secondary_close (&self->secondary);
  seg_net_free (&self->net);
  return TRUE;
}

/* --- caps -------------------------------------------------------------------------------------- */

static SegOutputKind
output_kind (GstVkSegment *self)
{
  GST_OBJECT_LOCK (self);
  SegOutputKind output = self->settings.output;
  GST_OBJECT_UNLOCK (self);
  return output;
}

/* upsample=none: the result has a size of its own. */
static gboolean
has_own_size (GstVkSegment *self)
{
  GST_OBJECT_LOCK (self);
  const SegSettings *s = &self->settings;
  gboolean own = s->upsample == SEG_UPSAMPLE_NONE
                 && (s->output == SEG_OUTPUT_LABELS || s->output == SEG_OUTPUT_MATTE);
  GST_OBJECT_UNLOCK (self);
  return own;
}

static GstCaps *
gst_vk_segment_transform_caps (GstBaseTransform *transform, GstPadDirection direction,
    GstCaps *caps, GstCaps *filter)
{
  GstVkSegment *self = GST_VK_SEGMENT (transform);
  GstCaps *other =
      seg_caps_other_side (caps, direction, output_kind (self), has_own_size (self));
  if (filter != NULL) {
    GstCaps *both = gst_caps_intersect_full (filter, other, GST_CAPS_INTERSECT_FIRST);
    gst_caps_unref (other);
    other = both;
  }
  GST_DEBUG_OBJECT (self, "%" GST_PTR_FORMAT " becomes %" GST_PTR_FORMAT, caps, other);
  return other;
}

/* The size and the place of things stay, so what speaks of them stays true; colours may change. */
static gboolean
gst_vk_segment_transform_meta (
    GstBaseTransform *transform, GstBuffer *out, GstMeta *meta, GstBuffer *in)
{
  static const char *const kept[] = { GST_META_TAG_VIDEO_STR, GST_META_TAG_VIDEO_SIZE_STR,
    GST_META_TAG_VIDEO_ORIENTATION_STR, NULL };
  const gchar *const *tags = gst_meta_api_type_get_tags (meta->info->api);
  for (guint i = 0; tags != NULL && tags[i] != NULL; i++)
    if (!g_strv_contains (kept, tags[i]))
      return FALSE;
  return TRUE;
}

/* Drivers compile at the first run; better now than while a frame waits. The second tells what a
 * frame takes. */
static gboolean
warm_up (GstVkSegment *self, GError **error)
{
  for (guint i = 0; i < 2; i++)
    if (!seg_pipe_submit (self->pipe, SEG_PIPE_WARM_UP, error)
        || !seg_pipe_wait (self->pipe, error))
      return FALSE;
  seg_qos_set_latency (&self->qos, GST_ELEMENT (self),
      (GstClockTime) (seg_pipe_last_ms (self->pipe) * GST_MSECOND));
  return TRUE;
}

/* A session for frames of this size, and what is asked of a pipe for them. The pipe is gone. */
static gboolean
fit_network (GstVkSegment *self, const SegSettings *settings, guint width, guint height,
    SegPipeConfig *config, GError **error)
{
  SegNetFrame frame;
  seg_settings_frame (settings, width, height, &frame);
  if (!seg_net_fit (self->net, &frame, error))
    return FALSE;
  *config = (SegPipeConfig){
    .output = settings->output,
    .width = width,
    .height = height,
    .nearest = settings->upsample == SEG_UPSAMPLE_NEAREST,
    .own_pixels = settings->upsample == SEG_UPSAMPLE_NONE,
    .masks = settings->output == SEG_OUTPUT_META,
    .override_fit = TRUE,
    .fit = self->net->fit,
    .tile = self->net->tile,
    .tile_overlap = settings->tile_overlap,
  };
  return TRUE;
}

static void
log_fit (GstVkSegment *self)
{
  static const char *const fits[] = { "stretched", "letterboxed", "cropped",
    "taken as they are" };
  const SegNet *net = self->net;
  if (net->tile)
    GST_INFO_OBJECT (self, "%u tiles of %ux%u, %" G_GINT64_FORMAT " at once, because %s",
        seg_pipe_n_tiles (self->pipe), net->info->width, net->info->height,
        net->shape.dims[0], net->why);
  else
    GST_INFO_OBJECT (self, "no tiles (%s): frames are %s for an input of %ux%u", net->why,
        fits[net->fit], net->info->width, net->info->height);
  if (!seg_session_is_recordable (net->session))
    GST_WARNING_OBJECT (self, "parts of this network run on the CPU: it will be slow");
}

static gboolean
check_size (const SegPipe *pipe, const GstVideoInfo *out, GError **error)
{
  const guint8 *data;
  const SegFrame *result = seg_pipe_result (pipe, &data);
  guint width = (guint) GST_VIDEO_INFO_WIDTH (out),
        height = (guint) GST_VIDEO_INFO_HEIGHT (out);
  if (result->width == width && result->height == height)
    return TRUE;
  g_set_error (error, SEG_ERROR, SEG_ERROR_INPUT,
      "upsample=none gives %ux%u pixels, which downstream does not take: it wants %ux%u",
      result->width, result->height, width, height);
  return FALSE;
}

static gboolean
make_pipe (
    GstVkSegment *self, const GstVideoInfo *in, const GstVideoInfo *out, GError **error)
{
  SegSettings settings;
  SegStyle style;
  SegPipeConfig config;
  copy_settings (self, &settings);
  gboolean ok = fit_network (self, &settings, (guint) GST_VIDEO_INFO_WIDTH (in),
      (guint) GST_VIDEO_INFO_HEIGHT (in), &config, error);
  if (ok) {
    seg_video_format (GST_VIDEO_INFO_FORMAT (in), &config.format);
    seg_video_format (GST_VIDEO_INFO_FORMAT (out), &config.result_format);
    seg_video_color (in, &config.color);
    replace_pipe (self, seg_pipe_new (self->net->vk, self->net->session, self->net->info,
                            &config, error));
  }
  ok = ok && self->pipe != NULL && check_size (self->pipe, out, error)
       && seg_settings_style (&settings, self->net->info, &style, error);
  if (ok) {
    log_fit (self);
    seg_pipe_set_style (self->pipe, &style);
    self->labels = seg_result_labels (self->pipe, self->net->info);
  }
  ok = ok && warm_up (self, error);
  seg_settings_clear (&settings);
  return ok;
}

/* The size that the network gives, where that is the result's; set_info says what is wrong. */
static void
fixate_size (GstVkSegment *self, GstCaps *in, GstStructure *out)
{
  GstVideoInfo info;
  SegSettings settings;
  SegPipeConfig config;
  guint width, height;
  if (self->net == NULL || !gst_video_info_from_caps (&info, in))
    return;
  replace_pipe (self, NULL);
  copy_settings (self, &settings);
  if (fit_network (self, &settings, (guint) GST_VIDEO_INFO_WIDTH (&info),
          (guint) GST_VIDEO_INFO_HEIGHT (&info), &config, NULL)
      && seg_pipe_result_size (
          seg_net_graph (self->net), self->net->info, &config, &width, &height, NULL)) {
    gst_structure_fixate_field_nearest_int (out, "width", (gint) width);
    gst_structure_fixate_field_nearest_int (out, "height", (gint) height);
  }
  seg_settings_clear (&settings);
}

static GstCaps *
gst_vk_segment_fixate_caps (
    GstBaseTransform *transform, GstPadDirection direction, GstCaps *caps, GstCaps *other)
{
  GstVkSegment *self = GST_VK_SEGMENT (transform);
  if (direction == GST_PAD_SINK && has_own_size (self) && !gst_caps_is_empty (other)) {
    other = gst_caps_make_writable (gst_caps_truncate (other));
    fixate_size (self, caps, gst_caps_get_structure (other, 0));
  }
  return gst_caps_fixate (other);
}

static gboolean
open_secondary (GstVkSegment *self, const GstVideoInfo *info, GError **error)
{
  SegSettings settings;
  copy_settings (self, &settings);
  gboolean ok = seg_secondary_open (&self->secondary, self->net, &settings, info, error);
  seg_settings_clear (&settings);
  return ok;
}

static gboolean
gst_vk_segment_set_info (GstVideoFilter *filter, GstCaps *in_caps, GstVideoInfo *in,
    GstCaps *out_caps, GstVideoInfo *out)
{
  GstVkSegment *self = GST_VK_SEGMENT (filter);
  g_autoptr (GError) error = NULL;
  gint64 start = g_get_monotonic_time ();
  replace_pipe (self, NULL);
  gst_base_transform_set_in_place (GST_BASE_TRANSFORM (self),
      self->by_regions || output_kind (self) == SEG_OUTPUT_META);
  self->has_answer = FALSE;
  if (self->by_regions) {
    gboolean ok = open_secondary (self, in, &error);
    if (!ok)
      post_open_error (self, error);
    return ok;
  }
  if (!make_pipe (self, in, out, &error)) {
    post_open_error (self, error);
    replace_pipe (self, NULL);
    return FALSE;
  }
  GST_INFO_OBJECT (self,
      "ready for %" GST_PTR_FORMAT " after %.0f ms, a frame takes %.1f ms", in_caps,
      (g_get_monotonic_time () - start) / 1e3, seg_pipe_last_ms (self->pipe));
  return TRUE;
}

/* --- frames ------------------------------------------------------------------------------------ */

static void
take_style (GstVkSegment *self)
{
  g_autoptr (GError) error = NULL;
  SegSettings settings;
  SegStyle style;
  GST_OBJECT_LOCK (self);
  gboolean restyle = self->restyle;
  GST_OBJECT_UNLOCK (self);
  if (!restyle)
    return;
  copy_settings (self, &settings);
  if (self->by_regions)
    seg_secondary_set (&self->secondary, &settings, &error);
  else if (seg_settings_style (&settings, self->net->info, &style, &error))
    seg_pipe_set_style (self->pipe, &style);
  if (error != NULL)
    GST_ELEMENT_WARNING (self, LIBRARY, SETTINGS, ("%s", error->message),
        ("the classes stay as they were"));
  seg_settings_clear (&settings);
}

/* A late frame is drawn with the last answer, which takes a fraction of the time; but no answer
 * gets older than this. */
#define MAX_LATE_FRAMES 15

static SegPipeWork
choose_work (GstVkSegment *self, GstBuffer *buffer)
{
  GST_OBJECT_LOCK (self);
  guint interval = self->settings.interval;
  GST_OBJECT_UNLOCK (self);
  if (!self->has_answer || GST_BUFFER_IS_DISCONT (buffer))
    return SEG_PIPE_INFER;
  if (self->n_redrawn + 1 < interval)
    return SEG_PIPE_REDRAW;
  const GstSegment *segment = &GST_BASE_TRANSFORM (self)->segment;
  if (self->n_redrawn >= MAX_LATE_FRAMES
      || !seg_qos_is_late (&self->qos, segment, buffer))
    return SEG_PIPE_INFER;
  GST_DEBUG_OBJECT (self, "late: the network is left out");
  seg_qos_post (GST_ELEMENT (self), segment, buffer, self->n_inferred,
      self->n_frames - self->n_inferred + 1);
  return SEG_PIPE_REDRAW;
}

static void
count_frame (GstVkSegment *self, const GstVideoFrame *frame, SegPipeWork work)
{
  const guint8 *data;
  const SegFrame *result = seg_pipe_result (self->pipe, &data);
  GST_OBJECT_LOCK (self);
  self->last_ms = seg_pipe_last_ms (self->pipe);
  self->total_ms += self->last_ms;
  self->n_frames++;
  self->n_inferred += work == SEG_PIPE_INFER;
  self->n_pixels =
      (guint64) GST_VIDEO_FRAME_WIDTH (frame) * GST_VIDEO_FRAME_HEIGHT (frame);
  if (self->settings.upsample == SEG_UPSAMPLE_NONE)
    self->n_pixels = (guint64) result->width * result->height;
  memcpy (self->areas, seg_pipe_areas (self->pipe), sizeof self->areas);
  GST_OBJECT_UNLOCK (self);
  self->has_answer = TRUE;
  self->n_redrawn = work == SEG_PIPE_INFER ? 0 : self->n_redrawn + 1;
}

static void
append_class (GValue *list, const GstVkSegment *self, guint v)
{
  char buffer[32];
  int class_id = seg_pipe_class_of_value (self->pipe, v);
  if (class_id < 0 || self->areas[v] == 0)
    return;
  GValue item = G_VALUE_INIT;
  g_value_init (&item, GST_TYPE_STRUCTURE);
  g_value_take_boxed (&item,
      gst_structure_new ("class", "id", G_TYPE_INT, class_id, "label", G_TYPE_STRING,
          seg_model_info_label (self->net->info, (guint) class_id, buffer), "area",
          G_TYPE_DOUBLE, (double) self->areas[v] / (double) self->n_pixels, NULL));
  gst_value_array_append_and_take_value (list, &item);
}

/* Called with the object lock. */
static void
take_classes (const GstVkSegment *self, GstStructure *s)
{
  GValue classes = G_VALUE_INIT;
  g_value_init (&classes, GST_TYPE_ARRAY);
  if (self->n_frames > 0 && self->pipe != NULL)
    for (guint v = 0; v < 256; v++)
      append_class (&classes, self, v);
  gst_structure_take_value (s, "classes", &classes);
}

static void
post_result (GstVkSegment *self, const GstBuffer *buffer)
{
  GstStructure *s = NULL;
  GST_OBJECT_LOCK (self);
  if (self->settings.post_messages) {
    s = gst_structure_new (
        "vkseg-result", "timestamp", G_TYPE_UINT64, GST_BUFFER_PTS (buffer), NULL);
    take_classes (self, s);
  }
  GST_OBJECT_UNLOCK (self);
  if (s != NULL)
    gst_element_post_message (
        GST_ELEMENT (self), gst_message_new_element (GST_OBJECT (self), s));
}

/* The answer for a frame, of which it has seen `in` when this returns. */
static gboolean
infer (GstVkSegment *self, GstVideoFrame *in)
{
  g_autoptr (GError) error = NULL;
  guint8 *upload;
  take_style (self);
  const SegFrame *frame = seg_pipe_input (self->pipe, &upload);
  seg_video_load (frame, upload, in);
  SegPipeWork work = choose_work (self, in->buffer);
  if (!seg_pipe_submit (self->pipe, work, &error)
      || !seg_pipe_wait (self->pipe, &error)) {
    GST_ELEMENT_ERROR (self, LIBRARY, FAILED, ("%s", error->message), (NULL));
    return FALSE;
  }
  count_frame (self, in, work);
  if (work == SEG_PIPE_INFER)
    post_result (self, in->buffer);
  GST_LOG_OBJECT (self, "%.2f ms", seg_pipe_last_ms (self->pipe));
  return TRUE;
}

static GstFlowReturn
gst_vk_segment_transform_frame (
    GstVideoFilter *filter, GstVideoFrame *in, GstVideoFrame *out)
{
  GstVkSegment *self = GST_VK_SEGMENT (filter);
  const guint8 *data;
  if (self->pipe == NULL)
    return GST_FLOW_NOT_NEGOTIATED;
  if (!infer (self, in))
    return GST_FLOW_ERROR;
  const SegFrame *result = seg_pipe_result (self->pipe, &data);
  seg_video_store (result, data, out);
  return GST_FLOW_OK;
}

/* The regions of a frame: those between intervals, and late ones, pass without results. */
static gboolean
infer_regions (GstVkSegment *self, GstVideoFrame *frame)
{
  g_autoptr (GError) error = NULL;
  guint n_regions = 0;
  take_style (self);
  gint64 start = g_get_monotonic_time ();
  gboolean pass = choose_work (self, frame->buffer) == SEG_PIPE_REDRAW;
  if (!pass
      && !seg_secondary_run (
          &self->secondary, GST_ELEMENT (self), frame, &n_regions, &error)) {
    GST_ELEMENT_ERROR (self, LIBRARY, FAILED, ("%s", error->message), (NULL));
    return FALSE;
  }
  self->has_answer = TRUE;
  self->n_redrawn = pass ? self->n_redrawn + 1 : 0;
  GST_OBJECT_LOCK (self);
  self->last_ms = (double) (g_get_monotonic_time () - start) / 1e3;
  self->total_ms += self->last_ms;
  self->n_frames++;
  self->n_inferred += n_regions > 0;
  GST_OBJECT_UNLOCK (self);
  GST_LOG_OBJECT (self, "%u regions, %.2f ms", n_regions, self->last_ms);
  return TRUE;
}

/* The answer to a whole frame. */
static void
attach_result (GstVkSegment *self, GstBuffer *buffer)
{
  GST_OBJECT_LOCK (self);
  double threshold = self->settings.mask_threshold;
  GST_OBJECT_UNLOCK (self);
  SegResult result = { self->pipe, self->net->info, self->labels,
    threshold < 0.0 ? self->net->info->mask_threshold : threshold, self->n_redrawn };
  if (!seg_result_attach (&result, buffer))
    GST_WARNING_OBJECT (self, "no memory for the result of a frame");
}

/* Results as metas: the picture is only read, so that a buffer which others look at is not copied. */
static GstFlowReturn
gst_vk_segment_transform_ip (GstBaseTransform *transform, GstBuffer *buffer)
{
  GstVkSegment *self = GST_VK_SEGMENT (transform);
  GstVideoFilter *filter = GST_VIDEO_FILTER (transform);
  GstVideoFrame frame;
  if (self->pipe == NULL && self->secondary.regions == NULL)
    return GST_FLOW_NOT_NEGOTIATED;
  if (!gst_video_frame_map (&frame, &filter->in_info, buffer,
          GST_MAP_READ | GST_VIDEO_FRAME_MAP_FLAG_NO_REF)) {
    GST_ELEMENT_ERROR (self, STREAM, FORMAT, ("a frame that is not as its caps say"),
        ("%" GST_PTR_FORMAT, buffer));
    return GST_FLOW_ERROR;
  }
  gboolean ok = self->by_regions ? infer_regions (self, &frame) : infer (self, &frame);
  gst_video_frame_unmap (&frame);
  if (ok && !self->by_regions)
    attach_result (self, buffer);
  return ok ? GST_FLOW_OK : GST_FLOW_ERROR;
}

/* --- time -------------------------------------------------------------------------------------- */

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

/* --- statistics ---------------------------------------------------------------------------------- */

/* Called with the object lock. */
static GstStructure *
make_stats (const GstVkSegment *self)
{
  GstStructure *s = gst_structure_new ("vksegment-stats", "frames", G_TYPE_UINT64,
      self->n_frames, "inferred", G_TYPE_UINT64, self->n_inferred, "average-ms",
      G_TYPE_DOUBLE, self->n_frames ? self->total_ms / (double) self->n_frames : 0.0,
      "last-ms", G_TYPE_DOUBLE, self->last_ms, NULL);
  take_classes (self, s);
  return s;
}

/* --- the object ---------------------------------------------------------------------------------- */

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
    g_value_take_boxed (value, make_stats (self));
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
