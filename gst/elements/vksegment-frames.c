/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "elements/result.h"
#include "elements/vksegment-priv.h"
#include "elements/videoframe.h"

#include <string.h>

GST_DEBUG_CATEGORY_EXTERN (vk_segment_debug);
#define GST_CAT_DEFAULT vk_segment_debug

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
    gst_vk_segment_post_result (self, in->buffer);
  GST_LOG_OBJECT (self, "%.2f ms", seg_pipe_last_ms (self->pipe));
  return TRUE;
}

GstFlowReturn
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
  gboolean ok = self->by_regions ? infer_regions (self, &frame) : infer (self, &frame);
  gst_video_frame_unmap (&frame);
  if (ok && !self->by_regions)
    attach_result (self, buffer);
  return ok ? GST_FLOW_OK : GST_FLOW_ERROR;
}
