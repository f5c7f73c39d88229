/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "elements/result.h"
#include "elements/vksegment-priv.h"
#include "elements/videoframe.h"

GST_DEBUG_CATEGORY_EXTERN (vk_segment_debug);
#define GST_CAT_DEFAULT vk_segment_debug

void
gst_vk_segment_take_style (GstVkSegment *self)
{
  g_autoptr (GError) error = NULL;
  SegSettings settings;
  SegStyle style;
  GST_OBJECT_LOCK (self);
  gboolean restyle = self->restyle;
  GST_OBJECT_UNLOCK (self);
  if (!restyle)
    return;
  gst_vk_segment_copy_settings (self, &settings);
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
  if (self->mode == SEG_MODE_DROP || self->n_redrawn >= MAX_LATE_FRAMES
      || !seg_qos_is_late (&self->qos, &GST_BASE_TRANSFORM (self)->segment, buffer))
    return SEG_PIPE_INFER;
  GST_DEBUG_OBJECT (self, "late: the network is left out");
  gst_vk_segment_note_dropped (self, buffer);
  return SEG_PIPE_REDRAW;
}

SegPipeWork
gst_vk_segment_choose_work (GstVkSegment *self, GstBuffer *buffer)
{
  SegPipeWork work = choose_work (self, buffer);
  self->has_answer = TRUE;
  self->n_redrawn = work == SEG_PIPE_INFER ? 0 : self->n_redrawn + 1;
  return work;
}

/* The answer for a frame, of which it has seen `in` when this returns. */
static GstFlowReturn
infer (GstVkSegment *self, GstVideoFrame *in)
{
  g_autoptr (GError) error = NULL;
  guint8 *upload;
  gst_vk_segment_take_style (self);
  const SegFrame *frame = seg_pipe_input (self->pipe, &upload);
  seg_video_load (frame, upload, in);
  SegPipeWork work = gst_vk_segment_choose_work (self, in->buffer);
  if (!seg_pipe_submit (self->pipe, work, &error) || !seg_pipe_wait (self->pipe, &error))
    return gst_vk_segment_fail (self, error);
  double ms = seg_pipe_last_ms (self->pipe);
  gst_vk_segment_count_time (self, ms, work == SEG_PIPE_INFER);
  gst_vk_segment_count_frame (self, self->n_redrawn);
  if (work == SEG_PIPE_INFER) {
    gst_vk_segment_post_result (self, GST_BUFFER_PTS (in->buffer));
    seg_qos_measure (&self->qos, GST_ELEMENT (self), (GstClockTime) (ms * GST_MSECOND));
  }
  GST_LOG_OBJECT (self, "%.2f ms", ms);
  return GST_FLOW_OK;
}

GstFlowReturn
gst_vk_segment_transform_frame (
    GstVideoFilter *filter, GstVideoFrame *in, GstVideoFrame *out)
{
  GstVkSegment *self = GST_VK_SEGMENT (filter);
  const guint8 *data;
  if (self->pipe == NULL)
    return GST_FLOW_NOT_NEGOTIATED;
  GstFlowReturn ret = infer (self, in);
  if (ret != GST_FLOW_OK)
    return ret;
  const SegFrame *result = seg_pipe_result (self->pipe, &data);
  seg_video_store (result, data, out);
  return GST_FLOW_OK;
}

/* The regions of a frame: those between intervals, and late ones, pass without results. */
static GstFlowReturn
infer_regions (GstVkSegment *self, GstVideoFrame *frame)
{
  g_autoptr (GError) error = NULL;
  guint n_regions = 0;
  gst_vk_segment_take_style (self);
  gint64 start = g_get_monotonic_time ();
  gboolean pass = gst_vk_segment_choose_work (self, frame->buffer) == SEG_PIPE_REDRAW;
  if (!pass
      && !seg_secondary_run (
          &self->secondary, GST_ELEMENT (self), frame, &n_regions, &error))
    return gst_vk_segment_fail (self, error);
  double ms = (double) (g_get_monotonic_time () - start) / 1e3;
  gst_vk_segment_count_time (self, ms, n_regions > 0);
  gst_vk_segment_count_frame (self, self->n_redrawn);
  GST_LOG_OBJECT (self, "%u regions, %.2f ms", n_regions, ms);
  return GST_FLOW_OK;
}

void
gst_vk_segment_attach_result (GstVkSegment *self, GstBuffer *buffer, guint age)
{
  GST_OBJECT_LOCK (self);
  double threshold = self->settings.mask_threshold;
  GST_OBJECT_UNLOCK (self);
  SegResult result = { self->pipe, self->net->info, self->labels,
    threshold < 0.0 ? self->net->info->mask_threshold : threshold, age };
  if (!seg_result_attach (&result, buffer))
    GST_WARNING_OBJECT (self, "no memory for the result of a frame");
}

/* Results as metas: the picture is only read, so that a buffer which others look at is not copied. */
GstFlowReturn
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
  GstFlowReturn ret =
      self->by_regions ? infer_regions (self, &frame) : infer (self, &frame);
  gst_video_frame_unmap (&frame);
  if (ret == GST_FLOW_OK && !self->by_regions)
    gst_vk_segment_attach_result (self, buffer, self->n_redrawn);
  return ret;
}
