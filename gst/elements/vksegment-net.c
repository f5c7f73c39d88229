/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "elements/vksegment-priv.h"
#include "zerocopy/drm.h"

GST_DEBUG_CATEGORY_EXTERN (vk_segment_debug);
#define GST_CAT_DEFAULT vk_segment_debug

void
gst_vk_segment_copy_settings (GstVkSegment *self, SegSettings *settings)
{
  GST_OBJECT_LOCK (self);
  seg_settings_copy (settings, &self->settings);
  self->restyle = self->rebuild = FALSE;
  GST_OBJECT_UNLOCK (self);
}

/* As pipelines call it: of the class, or of one below. */
static const char *
element_name (GstVkSegment *self)
{
  GstElementFactory *factory = gst_element_get_factory (GST_ELEMENT (self));
  return factory != NULL ? GST_OBJECT_NAME (factory) : "vksegment";
}

void
gst_vk_segment_post_error (GstVkSegment *self, const GError *error)
{
  if (g_error_matches (error, SEG_ERROR, SEG_ERROR_FILE))
    GST_ELEMENT_ERROR (self, RESOURCE, NOT_FOUND, ("%s", error->message),
        ("model is an ONNX file, or a name in the folders of VKSEG_MODEL_PATH; "
         "'gst-inspect-1.0 %s' describes it and the other properties that name files",
            element_name (self)));
  else if (g_error_matches (error, SEG_ERROR, SEG_ERROR_INPUT))
    GST_ELEMENT_ERROR (self, STREAM, FORMAT, ("%s", error->message),
        ("'gst-inspect-1.0 %s' describes the properties, models/README.md the "
         ".modelinfo file",
            element_name (self)));
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

GstFlowReturn
gst_vk_segment_fail (GstVkSegment *self, const GError *error)
{
  GST_ELEMENT_ERROR (self, LIBRARY, FAILED, ("%s", error->message), (NULL));
  return GST_FLOW_ERROR;
}

void
gst_vk_segment_log_network (GstVkSegment *self)
{
  const SegModelInfo *info = self->net->info;
  GST_INFO_OBJECT (self, "%s: %ux%u, %s, %u classes, on %s", self->net->path, info->width,
      info->height, seg_decoder_name (info->decoder), info->n_classes,
      seg_vk_info (self->net->vk)->name);
  for (guint i = 0; i < info->assumptions->len; i++)
    GST_INFO_OBJECT (self, "nobody says, so: %s", (char *) info->assumptions->pdata[i]);
}

/* The old one goes. Who reads the statistics may be looking at it. */
void
gst_vk_segment_replace_net (GstVkSegment *self, SegNet *net)
{
  char **tiled = net != NULL ? seg_drm_tiled (net->vk) : NULL;
  GST_OBJECT_LOCK (self);
  SegNet *old = self->net;
  char **old_tiled = self->tiled;
  self->net = net;
  self->tiled = tiled;
  if (old == NULL || net == NULL || old->vk != net->vk)
    g_hash_table_remove_all (self->refused);
  GST_OBJECT_UNLOCK (self);
  seg_net_free (&old);
  g_strfreev (old_tiled);
}

/* Caps that can come from there, or go there, are images only. */
static gboolean
is_for_images (GstPad *pad)
{
  g_autoptr (GstCaps) caps = gst_pad_peer_query_caps (pad, NULL);
  guint n = caps != NULL ? gst_caps_get_size (caps) : 0, i = 0;
  if (n == 0 || gst_caps_is_any (caps))
    return FALSE;
  while (
      i < n
      && gst_caps_features_contains (gst_caps_get_features (caps, i), SEG_MEMORY_IMAGE))
    i++;
  return i == n;
}

/* Before caps are known the device is guessed, since a network takes a while to load. */
static SegVk *
guess_device (GstVkSegment *self, const SegSettings *settings)
{
  GstBaseTransform *transform = GST_BASE_TRANSFORM (self);
  g_autofree char *cache_dir = seg_settings_cache_dir (settings);
  if (settings->inference_region != SEG_INFERENCE_FULL_FRAME || !seg_gpu_is_built ()
      || (!is_for_images (transform->sinkpad) && !is_for_images (transform->srcpad)))
    return NULL;
  return seg_gpu_get (self->gpu, cache_dir, NULL);
}

gboolean
gst_vk_segment_join_gpu (GstVkSegment *self, GError **error)
{
  SegSettings settings;
  gst_vk_segment_copy_settings (self, &settings);
  g_autofree char *cache_dir = seg_settings_cache_dir (&settings);
  g_autoptr (SegVk) vk = seg_gpu_get (self->gpu, cache_dir, error);
  if (vk != NULL && self->net->vk != vk) {
    GST_INFO_OBJECT (self, "the network moves to the device of the pipeline's images");
    SegNet *net = seg_settings_open (&settings, vk, error);
    if (net != NULL)
      gst_vk_segment_replace_net (self, net);
  }
  seg_settings_clear (&settings);
  return vk != NULL && self->net->vk == vk;
}

gboolean
gst_vk_segment_start (GstBaseTransform *transform)
{
  GstVkSegment *self = GST_VK_SEGMENT (transform);
  g_autoptr (GError) error = NULL;
  SegSettings settings;
  gst_vk_segment_stop_loading (self);
  gst_vk_segment_copy_settings (self, &settings);
  self->by_regions = settings.inference_region == SEG_INFERENCE_ROI_LIST;
  self->mode = settings.mode;
  g_autoptr (SegVk) vk = guess_device (self, &settings);
  SegNet *net = seg_settings_open (&settings, vk, &error);
  if (net == NULL || !seg_setup_check (net, &settings, &error)) {
    gst_vk_segment_post_error (self, error);
    seg_net_free (&net);
  } else {
    gst_vk_segment_replace_net (self, net);
    gst_vk_segment_log_network (self);
  }
  seg_settings_clear (&settings);
  seg_qos_restart (&self->qos, GST_ELEMENT (self));
  GST_OBJECT_LOCK (self);
  self->n_frames = self->n_inferred = self->n_dropped = self->n_timed = 0;
  self->n_batched = 0;
  self->age = 0;
  g_atomic_int_set (&self->io.n_copies, 0);
  self->total_ms = self->last_ms = 0.0;
  self->n_pixels = 0;
  self->found = FALSE;
  for (guint i = 0; i < SEG_N_STAGES; i++)
    self->stage_ms[i] = -1.0;
  GST_OBJECT_UNLOCK (self);
  return self->net != NULL;
}

void
gst_vk_segment_replace_pipe (GstVkSegment *self, SegPipe *pipe)
{
  gst_vk_segment_stop_live (self);
  gst_vk_segment_settle (self);
  GST_OBJECT_LOCK (self);
  SegPipe *old = self->pipe;
  self->n_batched += old != NULL ? seg_pipe_n_batched (old) : 0;
  self->pipe = pipe;
  GST_OBJECT_UNLOCK (self);
  seg_frame_io_close (&self->io); /* its copies are of the pipe's memory */
  seg_pipe_free (&old);
  g_clear_pointer (&self->labels, g_ptr_array_unref);
}

gboolean
gst_vk_segment_stop (GstBaseTransform *transform)
{
  GstVkSegment *self = GST_VK_SEGMENT (transform);
  GST_INFO_OBJECT (self, "%" G_GUINT64_FORMAT " frames, on average %.2f ms each",
      self->n_frames, self->total_ms / (double) MAX (1, self->n_timed));
  gst_vk_segment_stop_loading (self);
  gst_vk_segment_replace_pipe (self, NULL);
  seg_secondary_close (&self->secondary);
  gst_vk_segment_replace_net (self, NULL);
  self->has_gap = FALSE;
  seg_gpu_close (self->gpu);
  return TRUE;
}
