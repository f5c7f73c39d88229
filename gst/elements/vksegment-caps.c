/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "elements/caps.h"
#include "elements/dmabufcaps.h"
#include "elements/result.h"
#include "elements/videoframe.h"
#include "elements/vksegment-priv.h"
#include "zerocopy/drm.h"

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

static gboolean
has_own_size (GstVkSegment *self)
{
  GST_OBJECT_LOCK (self);
  gboolean own = seg_setup_has_own_size (&self->settings);
  GST_OBJECT_UNLOCK (self);
  return own;
}

static gboolean
looks_at_regions (GstVkSegment *self)
{
  GST_OBJECT_LOCK (self);
  gboolean regions = self->settings.inference_region != SEG_INFERENCE_FULL_FRAME;
  GST_OBJECT_UNLOCK (self);
  return regions;
}

/* The frame itself goes on, with a meta. */
static gboolean
keeps_frame (GstVkSegment *self)
{
  return output_kind (self) == SEG_OUTPUT_META || looks_at_regions (self);
}

/* Frames and results are in host memory or on the device, each as neighbours want; but the frame is the
 * result where that is a meta, and regions are looked at from host memory. */
static gboolean
can_change_memory (GstVkSegment *self)
{
  return !keeps_frame (self) && seg_gpu_is_built ();
}

static gboolean
imports_dmabuf (GstVkSegment *self)
{
  GST_OBJECT_LOCK (self);
  gboolean imports = self->net != NULL && seg_vk_info (self->net->vk)->dmabuf;
  GST_OBJECT_UNLOCK (self);
  return imports;
}

/* Of what the device imports of tiled dma-bufs, and has not refused; NULL: it is not known yet which device. */
static char **
tiled_formats (GstVkSegment *self)
{
  GST_OBJECT_LOCK (self);
  guint n = self->tiled != NULL ? g_strv_length (self->tiled) : 0, n_left = 0;
  char **names = self->tiled != NULL ? g_new0 (char *, n + 1) : NULL;
  for (guint i = 0; i < n; i++)
    if (!g_hash_table_contains (self->refused, self->tiled[i]))
      names[n_left++] = g_strdup (self->tiled[i]);
  GST_OBJECT_UNLOCK (self);
  return names;
}

/* The application and upstream are told once for a modifier. */
static void
leave_out (GstVkSegment *self, GstBuffer *buffer, const GError *why)
{
  const GstVideoInfo *info = &GST_VIDEO_FILTER (self)->in_info;
  gst_vk_segment_note_dropped (self, buffer);
  self->has_gap = TRUE;
  g_autofree char *name = seg_drm_name (GST_VIDEO_INFO_FORMAT (info), self->in_modifier);
  GST_OBJECT_LOCK (self);
  gboolean is_new = g_hash_table_add (self->refused, g_strdup (name));
  GST_OBJECT_UNLOCK (self);
  if (!is_new)
    return;
  GST_ELEMENT_WARNING (self, STREAM, FORMAT,
      ("the device refuses a frame of drm-format %s: such frames are left out; have "
       "upstream make another modifier, a linear one, or frames in host memory",
          name),
      ("%s", why->message));
  gst_base_transform_reconfigure_sink (GST_BASE_TRANSFORM (self));
}

gboolean
gst_vk_segment_find_tiled (GstVkSegment *self, GstBuffer *buffer, GError **error)
{
  g_autoptr (GError) why = NULL;
  self->tiled_frame = (SegTiledFrame){ 0 };
  if (self->pipe == NULL
      || seg_frame_io_find (&self->io, self->pipe, buffer, &self->tiled_frame, &why)) {
    self->n_refused = 0;
    return TRUE;
  }
  if (g_error_matches (why, SEG_ERROR, SEG_ERROR_UNSUPPORTED)
      && ++self->n_refused <= GST_VK_SEGMENT_MOST_REFUSED)
    leave_out (self, buffer, why);
  else
    g_propagate_error (error, g_steal_pointer (&why));
  return FALSE;
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

/* What comes in can come out like this: never in dma-bufs. Frames that are tiled only on our own device, since
 * GStreamer's has not enabled what it takes. */
static GstCaps *
leave (GstVkSegment *self, GstCaps *caps)
{
  SegOutputKind output = output_kind (self);
  gboolean any_size = has_own_size (self);
  g_autoptr (GstCaps) tiled = seg_caps_leave_tiled (gst_caps_ref (caps));
  g_autoptr (GstCaps) rest = seg_caps_leave_dmabuf (gst_caps_ref (caps));
  GstCaps *other = seg_caps_other_side (rest, GST_PAD_SINK, output, any_size);
  if (can_change_memory (self))
    other = add_memories (GST_BASE_TRANSFORM (self), GST_PAD_SINK, other);
  return gst_caps_merge (
      other, seg_caps_other_side (tiled, GST_PAD_SINK, output, any_size));
}

/* And what is to come out can have come in like this: also in dma-bufs, the device's own tiles first. */
static GstCaps *
enter (GstVkSegment *self, GstCaps *caps, const char *const *tiled)
{
  GstCaps *other =
      seg_caps_other_side (caps, GST_PAD_SRC, output_kind (self), has_own_size (self));
  GstCaps *in_tiles = seg_caps_enter_tiled (gst_caps_ref (other), tiled);
  if (can_change_memory (self))
    other = add_memories (GST_BASE_TRANSFORM (self), GST_PAD_SRC, other);
  other = seg_caps_enter_dmabuf (other, imports_dmabuf (self));
  GstCaps *first = tiled != NULL ? in_tiles : other;
  gst_caps_append (first, tiled != NULL ? other : in_tiles);
  return first;
}

/* The frame itself goes on. */
static GstCaps *
keep (GstVkSegment *self, GstCaps *caps)
{
  gst_caps_ref (caps);
  return looks_at_regions (self) ? seg_caps_without_drm (caps) : caps;
}

GstCaps *
gst_vk_segment_transform_caps (GstBaseTransform *transform, GstPadDirection direction,
    GstCaps *caps, GstCaps *filter)
{
  GstVkSegment *self = GST_VK_SEGMENT (transform);
  g_auto (GStrv) names = tiled_formats (self);
  const char *const *tiled = (const char *const *) names;
  g_autoptr (GstCaps) from = seg_caps_known_dmabuf (gst_caps_ref (caps), tiled);
  GstCaps *other = keeps_frame (self)          ? keep (self, from)
                   : direction == GST_PAD_SINK ? leave (self, from)
                                               : enter (self, from, tiled);
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

static void
log_fit (GstVkSegment *self)
{
  static const char *const fits[] = { "stretched", "letterboxed", "cropped",
    "taken as they are" };
  const SegNet *net = self->net;
  const char *in = self->in_images          ? "images of the device"
                   : self->in_modifier != 0 ? "tiled dma-bufs"
                   : self->in_dmabuf        ? "dma-bufs"
                                            : "host memory";
  GST_INFO_OBJECT (self, "frames come in %s and leave in %s", in,
      self->out_images ? "images of the device" : "host memory");
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
    GST_WARNING_OBJECT (self, "something in this network (a global pooling, an instance "
                              "normalisation) depends on the whole picture: in tiles it "
                              "gives something else; tiling=none avoids that");
  if (!seg_session_is_recordable (net->session))
    GST_WARNING_OBJECT (self, "parts of this network run on the CPU: it will be slow");
}

static void
log_batches (GstVkSegment *self, const SegSettings *settings)
{
  SegTeamInfo info;
  const char *why;
  if (settings->batch_size < 2)
    return;
  if (!seg_pipe_batching (self->pipe, &info, &why))
    GST_WARNING_OBJECT (self, "batch-size=%u: the network looks at each frame alone: %s",
        settings->batch_size, why);
  else if (info.least > info.batch)
    GST_INFO_OBJECT (self,
        "%u frames together take %.1f ms, one %.1f ms: each goes through the network "
        "alone",
        info.batch, info.batch_ms, info.alone_ms);
  else
    GST_INFO_OBJECT (self,
        "%u frames together take %.1f ms, one %.1f ms: with those of other streams from "
        "%u on",
        info.batch, info.batch_ms, info.alone_ms, info.least);
}

void
gst_vk_segment_set_batch_timeout (GstVkSegment *self, guint ms)
{
  SegTeamInfo info;
  const char *why;
  gboolean waits = self->pipe != NULL && seg_pipe_batching (self->pipe, &info, &why)
                   && info.least <= info.batch;
  self->batch_timeout_ms = ms;
  if (self->pipe != NULL)
    seg_pipe_set_batch_timeout (self->pipe, ms);
  seg_qos_set_waiting (&self->qos, GST_ELEMENT (self), waits ? ms * GST_MSECOND : 0);
}

gboolean
gst_vk_segment_take_pipe (GstVkSegment *self, const SegSettings *settings, SegPipe *pipe,
    const SegSetup *setup, GError **error)
{
  const GstVideoFilter *filter = GST_VIDEO_FILTER (self);
  self->output = settings->output;
  gst_vk_segment_replace_pipe (self, pipe);
  self->labels = seg_result_labels (pipe, self->net->info);
  log_fit (self);
  log_batches (self, settings);
  gst_vk_segment_set_batch_timeout (self, settings->batch_timeout_ms);
  seg_qos_set_latency (
      &self->qos, GST_ELEMENT (self), (GstClockTime) (setup->shown_ms * GST_MSECOND));
  return seg_frame_io_open (&self->io, self->net->vk, &filter->in_info, self->in_modifier,
             &filter->out_info, &setup->config, error)
         && gst_vk_segment_start_live (
             self, settings, &filter->in_info, setup->frame_ms, error);
}

static gboolean
make_pipe (GstVkSegment *self, GError **error)
{
  const GstVideoFilter *filter = GST_VIDEO_FILTER (self);
  SegSettings settings;
  SegSetup setup;
  gst_vk_segment_copy_settings (self, &settings);
  const SegSetupFrames frames = { filter->in_info, filter->out_info, self->in_images,
    self->out_images };
  SegPipe *pipe = seg_setup_pipe (self->net, &settings, &frames, &setup, error);
  gboolean ok =
      pipe != NULL && gst_vk_segment_take_pipe (self, &settings, pipe, &setup, error);
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
  if (seg_setup_fit (self->net, &settings, (guint) GST_VIDEO_INFO_WIDTH (&info),
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
open_secondary (GstVkSegment *self, GError **error)
{
  SegSettings settings;
  gst_vk_segment_copy_settings (self, &settings);
  seg_pace_init (&self->pace, 0);
  seg_qos_restart (&self->qos, GST_ELEMENT (self)); /* until there are regions */
  gboolean ok = seg_secondary_open (
      &self->secondary, self->net, &settings, &GST_VIDEO_FILTER (self)->in_info, error);
  seg_settings_clear (&settings);
  return ok;
}

gboolean
gst_vk_segment_make_ready (GstVkSegment *self, GError **error)
{
  gint64 start = g_get_monotonic_time ();
  gst_vk_segment_replace_pipe (self, NULL);
  self->has_answer = FALSE;
  self->output = output_kind (self);
  gboolean images = self->in_images || self->out_images;
  gboolean ok =
      (!images || gst_vk_segment_join_gpu (self, error))
      && (self->by_regions ? open_secondary (self, error) : make_pipe (self, error));
  if (!ok)
    gst_vk_segment_replace_pipe (self, NULL);
  else
    GST_INFO_OBJECT (
        self, "ready after %.0f ms", (g_get_monotonic_time () - start) / 1e3);
  return ok;
}

gboolean
gst_vk_segment_set_info (GstVideoFilter *filter, GstCaps *in_caps, GstVideoInfo *in,
    GstCaps *out_caps, GstVideoInfo *out)
{
  GstVkSegment *self = GST_VK_SEGMENT (filter);
  g_autoptr (GError) error = NULL;
  /* It knows no DRM, and sets its own only afterwards. */
  if (!seg_video_info (in, in_caps) || !seg_video_info (out, out_caps))
    return FALSE;
  filter->in_info = *in;
  filter->out_info = *out;
  self->in_images = seg_caps_are_images (in_caps);
  self->out_images = seg_caps_are_images (out_caps);
  self->in_dmabuf = seg_caps_are_dmabuf (in_caps);
  self->in_modifier = self->in_dmabuf ? seg_drm_modifier (in_caps) : 0;
  self->n_refused = 0;
  self->io.waits =
      self->in_images && seg_gpu_must_wait (GST_BASE_TRANSFORM_SINK_PAD (self));
  GST_DEBUG_OBJECT (self, "%" GST_PTR_FORMAT " to %" GST_PTR_FORMAT, in_caps, out_caps);
  if (gst_vk_segment_make_ready (self, &error))
    return TRUE;
  gst_vk_segment_post_error (self, error);
  return FALSE;
}
