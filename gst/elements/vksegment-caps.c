/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "elements/caps.h"
#include "elements/result.h"
#include "elements/vksegment-priv.h"
#include "elements/videoframe.h"

GST_DEBUG_CATEGORY_EXTERN (vk_segment_debug);
#define GST_CAT_DEFAULT vk_segment_debug

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

/* Frames and results are in host memory or on the device, each as neighbours want; but the frame is the
 * result where that is a meta, and regions are looked at from host memory. */
static gboolean
can_change_memory (GstVkSegment *self)
{
  GST_OBJECT_LOCK (self);
  const SegSettings *s = &self->settings;
  gboolean can = s->output != SEG_OUTPUT_META
                 && s->inference_region == SEG_INFERENCE_FULL_FRAME
                 && seg_gpu_is_built ();
  GST_OBJECT_UNLOCK (self);
  return can;
}

/* Not all formats can be images. Takes caps. */
static GstCaps *
add_memories (GstBaseTransform *transform, GstPadDirection direction, GstCaps *caps)
{
  GstPad *pad = direction == GST_PAD_SINK ? transform->srcpad : transform->sinkpad;
  g_autoptr (GstCaps) all = seg_caps_add_memories (caps);
  g_autoptr (GstCaps) possible = gst_pad_get_pad_template_caps (pad);
  return gst_caps_intersect_full (all, possible, GST_CAPS_INTERSECT_FIRST);
}

GstCaps *
gst_vk_segment_transform_caps (GstBaseTransform *transform, GstPadDirection direction,
    GstCaps *caps, GstCaps *filter)
{
  GstVkSegment *self = GST_VK_SEGMENT (transform);
  GstCaps *other =
      seg_caps_other_side (caps, direction, output_kind (self), has_own_size (self));
  if (can_change_memory (self))
    other = add_memories (transform, direction, other);
  if (filter != NULL) {
    GstCaps *both = gst_caps_intersect_full (filter, other, GST_CAPS_INTERSECT_FIRST);
    gst_caps_unref (other);
    other = both;
  }
  GST_DEBUG_OBJECT (self, "%" GST_PTR_FORMAT " becomes %" GST_PTR_FORMAT, caps, other);
  return other;
}

/* The size and the place of things stay, so what speaks of them stays true; colours may change. */
gboolean
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

static gboolean
run_once (SegPipe *pipe, SegPipeWork work, GError **error)
{
  return seg_pipe_submit (pipe, work, error) && seg_pipe_wait (pipe, error);
}

/* Drivers compile at the first run; better now than while a frame waits. The second tells what a
 * frame takes, and, where frames do not wait for the network, a redraw what they do wait for. */
static gboolean
warm_up (GstVkSegment *self, SegMode mode, double *frame_ms, GError **error)
{
  SegPipe *pipe = self->pipe;
  if (!run_once (pipe, SEG_PIPE_WARM_UP, error)
      || !run_once (pipe, SEG_PIPE_WARM_UP, error))
    return FALSE;
  *frame_ms = seg_pipe_last_ms (pipe);
  if (mode != SEG_MODE_SYNC && !run_once (pipe, SEG_PIPE_SHOW, error))
    return FALSE;
  seg_qos_set_latency (&self->qos, GST_ELEMENT (self),
      (GstClockTime) (seg_pipe_last_ms (pipe) * GST_MSECOND));
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
    .staged = settings->stage_times,
    .override_fit = TRUE,
    .fit = self->net->fit,
    .tile = self->net->tile,
    .tile_overlap = settings->tile_overlap,
    .n_slots = gst_vk_segment_live_slots (settings),
  };
  return TRUE;
}

static void
log_fit (GstVkSegment *self)
{
  static const char *const fits[] = { "stretched", "letterboxed", "cropped",
    "taken as they are" };
  const SegNet *net = self->net;
  static const char *const places[] = { "host memory", "images of the device" };
  GST_INFO_OBJECT (self, "frames come in %s and leave in %s", places[self->in_images],
      places[self->out_images]);
  if (self->io.waits)
    GST_INFO_OBJECT (self, "frames are waited for when they come: vulkanupload does not "
                           "wait for the device");
  if (net->tile)
    GST_INFO_OBJECT (self, "%u tiles of %ux%u, %" G_GINT64_FORMAT " at once, because %s",
        seg_pipe_n_tiles (self->pipe), net->info->width, net->info->height,
        net->shape.dims[0], net->why);
  else
    GST_INFO_OBJECT (self, "no tiles (%s): frames are %s for an input of %ux%u", net->why,
        fits[net->fit], net->info->width, net->info->height);
  if (net->global)
    GST_WARNING_OBJECT (self,
        "something in this network (a global pooling, an instance normalisation) depends "
        "on "
        "the whole picture: in tiles it gives something else; tiling=none avoids that");
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

/* What is on the device. With results there nobody waits for frames of mode=sync: the next may be on its
 * way before one is done. */
static void
place_frames (const GstVkSegment *self, SegPipeConfig *config)
{
  config->input_on_device = self->in_images;
  config->result_on_device = self->out_images && config->output != SEG_OUTPUT_META;
  if (config->result_on_device)
    config->n_slots = MAX (config->n_slots, SEG_FLIGHTS);
}

static gboolean
make_pipe (
    GstVkSegment *self, const GstVideoInfo *in, const GstVideoInfo *out, GError **error)
{
  SegSettings settings;
  SegStyle style;
  SegPipeConfig config;
  double frame_ms = 0.0;
  gst_vk_segment_copy_settings (self, &settings);
  self->output = settings.output;
  gboolean ok = fit_network (self, &settings, (guint) GST_VIDEO_INFO_WIDTH (in),
      (guint) GST_VIDEO_INFO_HEIGHT (in), &config, error);
  if (ok) {
    seg_video_format (GST_VIDEO_INFO_FORMAT (in), &config.format);
    seg_video_format (GST_VIDEO_INFO_FORMAT (out), &config.result_format);
    seg_video_color (in, &config.color);
    place_frames (self, &config);
    gst_vk_segment_replace_pipe (self, seg_pipe_new (self->net->vk, self->net->session,
                                           self->net->info, &config, error));
  }
  ok = ok && self->pipe != NULL
       && seg_frame_io_open (&self->io, self->net->vk, in, out, &config, error)
       && check_size (self->pipe, out, error)
       && seg_settings_style (&settings, self->net->info, &style, error);
  if (ok) {
    log_fit (self);
    seg_pipe_set_style (self->pipe, &style);
    self->labels = seg_result_labels (self->pipe, self->net->info);
  }
  ok = ok && warm_up (self, settings.mode, &frame_ms, error)
       && gst_vk_segment_start_live (self, &settings, in, frame_ms, error);
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
  gst_vk_segment_replace_pipe (self, NULL);
  gst_vk_segment_copy_settings (self, &settings);
  if (fit_network (self, &settings, (guint) GST_VIDEO_INFO_WIDTH (&info),
          (guint) GST_VIDEO_INFO_HEIGHT (&info), &config, NULL)
      && seg_pipe_result_size (
          seg_net_graph (self->net), self->net->info, &config, &width, &height, NULL)) {
    gst_structure_fixate_field_nearest_int (out, "width", (gint) width);
    gst_structure_fixate_field_nearest_int (out, "height", (gint) height);
  }
  seg_settings_clear (&settings);
}

GstCaps *
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
  gst_vk_segment_copy_settings (self, &settings);
  gboolean ok = seg_secondary_open (&self->secondary, self->net, &settings, info, error);
  seg_settings_clear (&settings);
  return ok;
}

gboolean
gst_vk_segment_set_info (GstVideoFilter *filter, GstCaps *in_caps, GstVideoInfo *in,
    GstCaps *out_caps, GstVideoInfo *out)
{
  GstVkSegment *self = GST_VK_SEGMENT (filter);
  g_autoptr (GError) error = NULL;
  gint64 start = g_get_monotonic_time ();
  gst_vk_segment_replace_pipe (self, NULL);
  self->output = output_kind (self);
  self->has_answer = FALSE;
  self->in_images = seg_caps_are_images (in_caps);
  self->out_images = seg_caps_are_images (out_caps);
  self->io.waits =
      self->in_images && seg_gpu_must_wait (GST_BASE_TRANSFORM_SINK_PAD (self));
  if ((self->in_images || self->out_images) && !gst_vk_segment_join_gpu (self, &error)) {
    gst_vk_segment_post_error (self, error);
    return FALSE;
  }
  if (self->by_regions) {
    gboolean ok = open_secondary (self, in, &error);
    if (!ok)
      gst_vk_segment_post_error (self, error);
    return ok;
  }
  if (!make_pipe (self, in, out, &error)) {
    gst_vk_segment_post_error (self, error);
    gst_vk_segment_replace_pipe (self, NULL);
    return FALSE;
  }
  GST_INFO_OBJECT (self,
      "ready for %" GST_PTR_FORMAT " after %.0f ms, a frame takes %.1f ms", in_caps,
      (g_get_monotonic_time () - start) / 1e3, seg_pipe_last_ms (self->pipe));
  return TRUE;
}
