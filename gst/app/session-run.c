/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "elements/result.h"
#include "elements/videoframe.h"
#include "app/session-priv.h"
#include "meta/videomap.h"

/* --- what is made for frames of one kind ----------------------------------------------------------- */

static gboolean
is_same_color (const SegColor *a, const SegColor *b)
{
  return a->kr == b->kr && a->kb == b->kb && a->full_range == b->full_range
         && a->chroma_x == b->chroma_x && a->chroma_y == b->chroma_y;
}

static gboolean
is_same_frame (const SegPipeConfig *a, const SegPipeConfig *b)
{
  return a->format == b->format && a->width == b->width && a->height == b->height
         && is_same_color (&a->color, &b->color);
}

static gboolean
read_info (const GstVideoInfo *info, SegPipeConfig *config, GError **error)
{
  *config = (SegPipeConfig){
    .output = SEG_OUTPUT_META,
    .width = (guint) GST_VIDEO_INFO_WIDTH (info),
    .height = (guint) GST_VIDEO_INFO_HEIGHT (info),
    .masks = TRUE,
    .override_fit = TRUE,
  };
  if (!seg_video_format (GST_VIDEO_INFO_FORMAT (info), &config->format)) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_INPUT,
        "format %s is not one of " SEG_VIDEO_FORMATS,
        gst_video_format_to_string (GST_VIDEO_INFO_FORMAT (info)));
    return FALSE;
  }
  seg_video_color (info, &config->color);
  return TRUE;
}

static gboolean
make_pipe (GstVkSegSession *self, SegPipeConfig *config, GError **error)
{
  SegNet *net = self->net;
  SegNetFrame frame;
  seg_app_drop_pipe (self);
  seg_settings_frame (&self->settings, config->width, config->height, &frame);
  if (!seg_net_fit (net, &frame, error))
    return FALSE;
  config->fit = net->fit;
  config->tile = net->tile;
  config->tile_overlap = self->settings.tile_overlap;
  self->pipe = seg_pipe_new (net->vk, net->session, net->info, config, error);
  if (self->pipe == NULL)
    return FALSE;
  self->config = *config;
  self->labels = seg_result_labels (self->pipe, net->info);
  self->restyle = TRUE;
  return TRUE;
}

static gboolean
prepare (GstVkSegSession *self, const GstVideoInfo *info, GError **error)
{
  SegPipeConfig config;
  SegStyle style;
  if (!read_info (info, &config, error) || !seg_app_load (self, error))
    return FALSE;
  if ((self->pipe == NULL || !is_same_frame (&self->config, &config))
      && !make_pipe (self, &config, error))
    return FALSE;
  if (!self->restyle)
    return TRUE;
  if (!seg_settings_style (&self->settings, self->net->info, &style, error))
    return FALSE;
  seg_pipe_set_style (self->pipe, &style);
  self->restyle = FALSE;
  return TRUE;
}

/* --- a frame ------------------------------------------------------------------------------------- */

static GstBuffer *
take_result (GstVkSegSession *self, GstBuffer *buffer, GError **error)
{
  double threshold = self->settings.mask_threshold;
  SegResult result = { self->pipe, self->net->info, self->labels,
    threshold < 0.0 ? self->net->info->mask_threshold : threshold, 0 };
  GstBuffer *out = gst_buffer_new ();
  gst_buffer_copy_into (out, buffer, GST_BUFFER_COPY_TIMESTAMPS, 0, (gsize) -1);
  if (seg_result_attach (&result, out))
    return out;
  gst_buffer_unref (out);
  g_set_error (error, SEG_ERROR, SEG_ERROR_MEMORY, "no memory for the result of a frame");
  return NULL;
}

static GstBuffer *
run (GstVkSegSession *self, const GstVideoFrame *frame, GError **error)
{
  guint8 *upload;
  if (!prepare (self, &frame->info, error))
    return NULL;
  const SegFrame *input = seg_pipe_input (self->pipe, &upload);
  seg_video_load (input, upload, frame);
  if (seg_pipe_submit (self->pipe, SEG_PIPE_INFER, error)
      && seg_pipe_wait (self->pipe, error))
    return take_result (self, frame->buffer, error);
  /* A device that is lost stays lost: the next picture has another. */
  seg_app_drop_pipe (self);
  seg_net_free (&self->net);
  return NULL;
}

/**
 * gst_vk_seg_session_run_frame:
 * @session: a session
 * @frame: a picture, mapped for reading, in system memory; with whatever strides
 * @error: where an error of the domain %GST_VK_SEG_ERROR goes
 *
 * Looks at a picture and waits for the result. Formats are those of the element `vksegment`; a side
 * has %GST_VK_SEG_MAX_PX pixels at most. The first picture, and the first after one of another size or
 * format, takes longer, because drivers compile shaders then.
 *
 * Returns: (transfer full): a buffer that carries a #GstVkSegMeta; %NULL on failure, after which the
 *   session can be used again
 *
 * Since: 0.1
 */
GstBuffer *
gst_vk_seg_session_run_frame (
    GstVkSegSession *session, const GstVideoFrame *frame, GError **error)
{
  GError *problem = NULL;
  g_return_val_if_fail (GST_IS_VK_SEG_SESSION (session), NULL);
  g_return_val_if_fail (frame != NULL && GST_IS_BUFFER (frame->buffer), NULL);
  g_mutex_lock (&session->lock);
  GstBuffer *result = run (session, frame, &problem);
  g_mutex_unlock (&session->lock);
  if (result == NULL)
    seg_app_propagate (error, problem);
  return result;
}

/**
 * gst_vk_seg_session_run_buffer:
 * @session: a session
 * @buffer: (transfer none): a picture; it is only read
 * @info: what it looks like; a #GstVideoMeta on @buffer has the last word about strides
 * @error: where an error of the domain %GST_VK_SEG_ERROR goes
 *
 * The same as gst_vk_seg_session_run_frame() for a buffer, such as that of an appsink's sample.
 *
 * Returns: (transfer full): a buffer that carries a #GstVkSegMeta; %NULL on failure
 *
 * Since: 0.1
 */
GstBuffer *
gst_vk_seg_session_run_buffer (
    GstVkSegSession *session, GstBuffer *buffer, const GstVideoInfo *info, GError **error)
{
  GstVideoFrame frame;
  g_return_val_if_fail (GST_IS_VK_SEG_SESSION (session), NULL);
  g_return_val_if_fail (GST_IS_BUFFER (buffer) && info != NULL, NULL);
  if (!seg_video_map (&frame, info, buffer, GST_MAP_READ)) {
    g_set_error (error, GST_VK_SEG_ERROR, GST_VK_SEG_ERROR_INPUT,
        "a buffer of %" G_GSIZE_FORMAT " bytes is no picture of %dx%d, %s",
        gst_buffer_get_size (buffer), info->width, info->height,
        gst_video_format_to_string (GST_VIDEO_INFO_FORMAT (info)));
    return NULL;
  }
  GstBuffer *result = gst_vk_seg_session_run_frame (session, &frame, error);
  gst_video_frame_unmap (&frame);
  return result;
}

/**
 * gst_vk_seg_session_run_bytes:
 * @session: a session
 * @pixels: (transfer none): a picture as @info says: its planes at their offsets, with their strides
 * @info: format, size, strides, colours: gst_video_info_set_format() and what else is known
 * @error: where an error of the domain %GST_VK_SEG_ERROR goes
 *
 * The same as gst_vk_seg_session_run_frame() for pixels that GStreamer knows nothing of.
 *
 * Returns: (transfer full): a buffer that carries a #GstVkSegMeta; %NULL on failure
 *
 * Since: 0.1
 */
GstBuffer *
gst_vk_seg_session_run_bytes (
    GstVkSegSession *session, GBytes *pixels, const GstVideoInfo *info, GError **error)
{
  g_return_val_if_fail (pixels != NULL, NULL);
  g_autoptr (GstBuffer) buffer = gst_buffer_new_wrapped_bytes (pixels);
  return gst_vk_seg_session_run_buffer (session, buffer, info, error);
}
