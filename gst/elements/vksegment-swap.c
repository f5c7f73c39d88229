/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Settings that change while frames flow and ask for another network, or another pipe: these are
 * made in a thread, and change places with those that are there between two frames. All is the
 * streaming thread's. */
#include "elements/vksegment-priv.h"

GST_DEBUG_CATEGORY_EXTERN (vk_segment_debug);
#define GST_CAT_DEFAULT vk_segment_debug

static gboolean
is_negotiated (const GstVkSegment *self)
{
  return self->pipe != NULL || self->secondary.regions != NULL;
}

/* The newest settings, if something is to be made for them. */
static gboolean
take_request (GstVkSegment *self, SegSettings *settings)
{
  GST_OBJECT_LOCK (self);
  gboolean wanted = self->reload || self->rebuild;
  if (wanted)
    seg_settings_copy (settings, &self->settings);
  self->reload = self->rebuild = FALSE;
  GST_OBJECT_UNLOCK (self);
  return wanted;
}

/* More has changed since: what has been made is not for now. */
static gboolean
is_outdated (GstVkSegment *self)
{
  GST_OBJECT_LOCK (self);
  gboolean outdated = self->reload || self->rebuild;
  GST_OBJECT_UNLOCK (self);
  return outdated;
}

static void
start_loading (GstVkSegment *self)
{
  const GstVideoFilter *filter = GST_VIDEO_FILTER (self);
  const SegSetupFrames frames = { filter->in_info, filter->out_info, self->in_images,
    self->out_images };
  gboolean images = self->in_images || self->out_images;
  SegSettings settings;
  /* Negotiation may make a pipe for what has changed. */
  if (!is_negotiated (self)
      || gst_pad_needs_reconfigure (GST_BASE_TRANSFORM_SRC_PAD (self))
      || !take_request (self, &settings))
    return;
  GST_INFO_OBJECT (self, "making ready for changed settings, model %s", settings.model);
  self->loader = seg_loader_start (&settings, &frames, images ? self->net->vk : NULL);
  seg_settings_clear (&settings);
}

/* The old network stays; the next change of a setting that could be to blame tries again. */
static void
report_failure (GstVkSegment *self, const SegLoader *loader)
{
  GST_OBJECT_LOCK (self);
  self->swap_failed = TRUE;
  GST_OBJECT_UNLOCK (self);
  GST_ELEMENT_WARNING (self, LIBRARY, SETTINGS, ("%s", loader->error->message),
      ("with the changed settings (model %s); %s stays in use", loader->settings.model,
          self->net->path));
}

static gboolean
fits_caps (const GstVkSegment *self, const SegLoader *loader)
{
  const GstVideoFilter *filter = GST_VIDEO_FILTER (self);
  GST_OBJECT_LOCK (self);
  gboolean same = loader->settings.output == self->settings.output;
  GST_OBJECT_UNLOCK (self);
  const SegSetupFrames *frames = &loader->frames;
  return same && frames->in_images == self->in_images
         && frames->out_images == self->out_images
         && gst_video_info_is_equal (&frames->in, &filter->in_info)
         && gst_video_info_is_equal (&frames->out, &filter->out_info);
}

/* Whether buffers are written to, or metas attached, may have changed. */
static void
follow_output (GstVkSegment *self)
{
  GstBaseTransform *transform = GST_BASE_TRANSFORM (self);
  gboolean in_place = self->by_regions || self->output == SEG_OUTPUT_META;
  if (gst_base_transform_is_in_place (transform) == in_place)
    return;
  gst_base_transform_set_in_place (transform, in_place);
  gst_base_transform_reconfigure_src (transform); /* for buffers to write to */
}

static gboolean
change_places (GstVkSegment *self, SegLoader *loader, GError **error)
{
  if (!fits_caps (self, loader))
    seg_pipe_free (&loader->pipe);
  gst_vk_segment_replace_pipe (self, NULL);
  seg_secondary_close (&self->secondary);
  gst_vk_segment_replace_net (self, g_steal_pointer (&loader->net));
  GST_OBJECT_LOCK (self);
  self->restyle = TRUE; /* since the loader's copy of it */
  GST_OBJECT_UNLOCK (self);
  self->has_answer = FALSE;
  gst_vk_segment_log_network (self);
  if (loader->pipe != NULL) {
    gboolean ok = gst_vk_segment_take_pipe (
        self, &loader->settings, g_steal_pointer (&loader->pipe), &loader->setup, error);
    if (!ok)
      gst_vk_segment_replace_pipe (self, NULL);
    follow_output (self);
    return ok;
  }
  /* It is made for what is negotiated then: see gst_vk_segment_complete. */
  gst_base_transform_reconfigure_src (GST_BASE_TRANSFORM (self));
  return TRUE;
}

gboolean
gst_vk_segment_is_swap_due (GstVkSegment *self)
{
  return self->loader != NULL && seg_loader_is_done (self->loader);
}

gboolean
gst_vk_segment_swap (GstVkSegment *self, GError **error)
{
  gboolean ok = TRUE;
  if (gst_vk_segment_is_swap_due (self)) {
    SegLoader *loader = self->loader;
    if (is_outdated (self))
      GST_DEBUG_OBJECT (self, "settings have changed meanwhile");
    else if (loader->error != NULL)
      report_failure (self, loader);
    else
      ok = change_places (self, loader, error);
    seg_loader_free (&self->loader);
  }
  if (ok && self->loader == NULL)
    start_loading (self);
  return ok;
}

gboolean
gst_vk_segment_complete (GstVkSegment *self, GError **error)
{
  if (is_negotiated (self) || !GST_VIDEO_FILTER (self)->negotiated)
    return TRUE;
  gboolean ok = gst_vk_segment_make_ready (self, error);
  follow_output (self);
  return ok;
}

void
gst_vk_segment_stop_loading (GstVkSegment *self)
{
  seg_loader_free (&self->loader);
  GST_OBJECT_LOCK (self);
  self->reload = self->rebuild = self->swap_failed = FALSE;
  GST_OBJECT_UNLOCK (self);
}
