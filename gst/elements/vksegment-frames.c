/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "elements/result.h"
#include "elements/vksegment-priv.h"
#include "elements/videoframe.h"
#include "meta/videomap.h"

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
  self->restyle = FALSE;
  if (restyle)
    seg_settings_copy (&settings, &self->settings);
  GST_OBJECT_UNLOCK (self);
  if (!restyle)
    return;
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
 * gets older than this, or than twice the frames that come while the network looks at one. */
#define MAX_LATE_FRAMES 15

static guint
max_late_frames (GstVkSegment *self)
{
  return MAX_LATE_FRAMES + 2 * seg_qos_frames_meanwhile (&self->qos);
}

static gboolean
is_late (GstVkSegment *self, GstBuffer *buffer)
{
  const GstSegment *segment = &GST_BASE_TRANSFORM (self)->segment;
  gboolean behind =
      seg_pace_is_behind (&self->pace, &self->qos, GST_ELEMENT (self), segment, buffer);
  return behind || seg_qos_is_late (&self->qos, segment, buffer);
}

static SegPipeWork
choose_work (GstVkSegment *self, GstBuffer *buffer)
{
  GST_OBJECT_LOCK (self);
  guint interval = self->settings.interval, batch_ms = self->settings.batch_timeout_ms;
  GST_OBJECT_UNLOCK (self);
  if (batch_ms != self->batch_timeout_ms)
    gst_vk_segment_set_batch_timeout (self, batch_ms);
  gboolean late = self->mode != SEG_MODE_DROP && is_late (self, buffer);
  if (!self->has_answer || GST_BUFFER_IS_DISCONT (buffer))
    return SEG_PIPE_INFER;
  if (self->n_redrawn + 1 < interval)
    return SEG_PIPE_REDRAW;
  if (!late || self->n_redrawn >= max_late_frames (self))
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

/* --- mode=sync ------------------------------------------------------------------------------------------ */

/* A frame whose slot has been waited for. */
static void
count (GstVkSegment *self, guint slot, const SegFlight *flight)
{
  seg_pipe_select (self->pipe, slot);
  gst_vk_segment_count_frame (self, flight->age);
  if (flight->work == SEG_PIPE_INFER)
    gst_vk_segment_post_result (self, flight->pts);
}

/* Whatever becomes of it, its input goes back. */
static gboolean
wait_slot (GstVkSegment *self, guint slot, GError **error)
{
  gboolean ok = seg_pipe_slot_wait (self->pipe, slot, error);
  seg_frame_io_release (&self->io, slot);
  return ok;
}

/* What is known of it: when it was done nobody has seen. */
static double
device_ms (const SegPipe *pipe)
{
  const double *stages = seg_pipe_stages (pipe);
  double ms = 0.0;
  for (guint i = 0; i < SEG_N_STAGES; i++)
    ms += MAX (stages[i], 0.0);
  return ms;
}

/* The next frame of the slot waits here, if this one is not done by then. */
static gboolean
land (GstVkSegment *self, guint slot, GError **error)
{
  SegFlight *flight = &self->flights[slot];
  if (!flight->flying)
    return TRUE;
  flight->flying = FALSE;
  if (!wait_slot (self, slot, error))
    return FALSE;
  if (flight->work == SEG_PIPE_INFER)
    gst_vk_segment_count_time (self, device_ms (self->pipe), TRUE);
  count (self, slot, flight);
  return TRUE;
}

/* All land, and the first error is the one that counts. */
static gboolean
land_all (GstVkSegment *self, GError **error)
{
  g_autoptr (GError) first = NULL;
  for (guint i = 0; i < SEG_FLIGHTS && self->pipe != NULL; i++)
    land (self, (self->next_slot + i) % SEG_FLIGHTS, first == NULL ? &first : NULL);
  self->next_slot = 0;
  if (first == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&first));
  return FALSE;
}

void
gst_vk_segment_settle (GstVkSegment *self)
{
  g_autoptr (GError) error = NULL;
  if (!land_all (self, &error))
    gst_vk_segment_fail (self, error);
}

/* Only of recordings that nothing in flight runs. */
static gboolean
restyle (GstVkSegment *self, GError **error)
{
  GST_OBJECT_LOCK (self);
  gboolean wanted = self->restyle;
  GST_OBJECT_UNLOCK (self);
  if (!wanted)
    return TRUE;
  if (!land_all (self, error))
    return FALSE;
  gst_vk_segment_take_style (self);
  return TRUE;
}

static gboolean
load_and_submit (GstVkSegment *self, guint slot, GstBuffer *in, GError **error)
{
  if (!seg_frame_io_receive (&self->io, error)
      || !seg_frame_io_load (&self->io, self->pipe, slot, in, &self->tiled_frame, error))
    return FALSE;
  SegPipeWork work = gst_vk_segment_choose_work (self, in);
  self->flights[slot] = (SegFlight){ FALSE, work, self->n_redrawn, GST_BUFFER_PTS (in) };
  return seg_pipe_slot_submit (self->pipe, slot, work, error);
}

static gboolean
submit (GstVkSegment *self, guint slot, GstBuffer *in, GError **error)
{
  if (!restyle (self, error) || !land (self, slot, error))
    return FALSE;
  if (load_and_submit (self, slot, in, error))
    return TRUE;
  seg_frame_io_release (&self->io, slot);
  return FALSE;
}

/* What the network has seen has been waited for, and is done. That frames wait for those of other streams
 * is said by itself: it is neither the network's time nor a reason to leave it out. */
static void
measure (GstVkSegment *self, gint64 start)
{
  gint64 us = g_get_monotonic_time () - start;
  if (self->n_redrawn > 0)
    return;
  if (self->pipe != NULL)
    us -= seg_pipe_slot_waited_us (self->pipe, 0);
  seg_qos_measure (&self->qos, GST_ELEMENT (self), (GstClockTime) us * GST_USECOND);
}

static gboolean
wait (GstVkSegment *self, guint slot, GError **error)
{
  const SegFlight *flight = &self->flights[slot];
  gboolean inferred = flight->work == SEG_PIPE_INFER;
  if (!wait_slot (self, slot, error))
    return FALSE;
  double ms = seg_pipe_slot_ms (self->pipe, slot);
  gst_vk_segment_count_time (self, ms, inferred);
  count (self, slot, flight);
  GST_LOG_OBJECT (self, "%.2f ms", ms);
  return TRUE;
}

/* Results as images: the copy to the buffer goes on the queue behind them, and whoever reads it comes
 * after that. Only of networks that run partly on the host must the frame be waited for. */
static gboolean
transform_on_device (GstVkSegment *self, GstBuffer *in, GstBuffer *out, GError **error)
{
  guint slot = self->next_slot;
  if (!submit (self, slot, in, error))
    return FALSE;
  self->flights[slot].flying = TRUE;
  if (seg_pipe_is_hosted (self->pipe) && !land (self, slot, error))
    return FALSE;
  self->next_slot = (slot + 1) % SEG_FLIGHTS;
  return seg_frame_io_store (&self->io, self->pipe, slot, out, error);
}

GstFlowReturn
gst_vk_segment_fail_frame (GstVkSegment *self, GstBuffer *buffer, const GError *error)
{
  if (!g_error_matches (error, SEG_ERROR, SEG_ERROR_INPUT))
    return gst_vk_segment_fail (self, error);
  GST_ELEMENT_ERROR (
      self, STREAM, FORMAT, ("%s", error->message), ("%" GST_PTR_FORMAT, buffer));
  return GST_FLOW_ERROR;
}

GstFlowReturn
gst_vk_segment_transform (GstBaseTransform *transform, GstBuffer *in, GstBuffer *out)
{
  GstVkSegment *self = GST_VK_SEGMENT (transform);
  g_autoptr (GError) error = NULL;
  gint64 start = g_get_monotonic_time ();
  if (self->pipe == NULL)
    return GST_FLOW_NOT_NEGOTIATED;
  gboolean ok = self->out_images
                    ? transform_on_device (self, in, out, &error)
                    : submit (self, 0, in, &error) && wait (self, 0, &error)
                          && seg_frame_io_store (&self->io, self->pipe, 0, out, &error);
  if (!ok) {
    land_all (self, NULL); /* an error is told once */
    return gst_vk_segment_fail_frame (self, in, error);
  }
  if (!self->out_images)
    measure (self, start);
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
  if (n_regions > 0)
    gst_vk_segment_post_result (self, GST_BUFFER_PTS (frame->buffer));
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

static GstFlowReturn
transform_regions (GstVkSegment *self, GstBuffer *buffer)
{
  GstVideoFrame frame;
  gint64 start = g_get_monotonic_time ();
  if (!seg_video_map (&frame, &GST_VIDEO_FILTER (self)->in_info, buffer, GST_MAP_READ)) {
    GST_ELEMENT_ERROR (self, STREAM, FORMAT, ("a frame that is not as its caps say"),
        ("%" GST_PTR_FORMAT, buffer));
    return GST_FLOW_ERROR;
  }
  GstFlowReturn ret = infer_regions (self, &frame);
  gst_video_frame_unmap (&frame);
  measure (self, start);
  return ret;
}

/* Results as metas: the picture is only read, so that a buffer which others look at is not copied. */
GstFlowReturn
gst_vk_segment_transform_ip (GstBaseTransform *transform, GstBuffer *buffer)
{
  GstVkSegment *self = GST_VK_SEGMENT (transform);
  g_autoptr (GError) error = NULL;
  gint64 start = g_get_monotonic_time ();
  if (self->pipe == NULL && self->secondary.regions == NULL)
    return GST_FLOW_NOT_NEGOTIATED;
  if (self->by_regions)
    return transform_regions (self, buffer);
  if (!submit (self, 0, buffer, &error) || !wait (self, 0, &error))
    return gst_vk_segment_fail_frame (self, buffer, error);
  gst_vk_segment_attach_result (self, buffer, self->n_redrawn);
  measure (self, start);
  return GST_FLOW_OK;
}
