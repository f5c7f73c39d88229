/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* mode=async and mode=drop: the network looks at frames in a thread of its own. */
#include "elements/vksegment-priv.h"

GST_DEBUG_CATEGORY_EXTERN (vk_segment_debug);
#define GST_CAT_DEFAULT vk_segment_debug

/* A network that takes longer is submitted in parts of about TURN_MS, so that a frame is drawn in
 * between. */
#define LONG_MS 12.0
#define TURN_MS 4.0

/* --- the worker's side ------------------------------------------------------------------------------ */

static gboolean
wants_style (gpointer data)
{
  GstVkSegment *self = data;
  GST_OBJECT_LOCK (self);
  gboolean restyle = self->restyle;
  GST_OBJECT_UNLOCK (self);
  return restyle;
}

static gboolean
take_style (gpointer data, GError **error)
{
  GstVkSegment *self = data;
  gst_vk_segment_take_style (self);
  return seg_pipe_record (self->pipe, error);
}

static void
inferred (gpointer data, double ms)
{
  gst_vk_segment_count_time (data, ms, TRUE);
}

static const SegLiveHooks hooks = { wants_style, take_style, inferred };

/* --- for caps ---------------------------------------------------------------------------------------- */

static gboolean
is_upstream_live (GstVkSegment *self, GstClockTime *latency)
{
  gboolean live = FALSE;
  *latency = 0;
  GstQuery *query = gst_query_new_latency ();
  if (gst_pad_peer_query (GST_BASE_TRANSFORM_SINK_PAD (self), query))
    gst_query_parse_latency (query, &live, latency, NULL);
  gst_query_unref (query);
  return live;
}

/* From one frame to the next; 0: the caps do not say. */
static GstClockTime
duration_of (const GstVideoInfo *info)
{
  return GST_VIDEO_INFO_FPS_N (info) > 0 ? gst_util_uint64_scale_int (
             GST_SECOND, GST_VIDEO_INFO_FPS_D (info), GST_VIDEO_INFO_FPS_N (info))
                                         : 0;
}

/* What frames in flight add: each its duration. */
static GstClockTime
queued_time (const GstVkSegment *self, GstClockTime duration, double frame_ms)
{
  GstClockTime each = (GstClockTime) (frame_ms * GST_MSECOND);
  return self->depth * (duration > 0 ? duration : each);
}

/* Who reads the statistics looks at it. */
static void
set_parts (GstVkSegment *self, guint parts)
{
  GST_OBJECT_LOCK (self);
  self->parts = parts;
  GST_OBJECT_UNLOCK (self);
}

gboolean
gst_vk_segment_start_live (GstVkSegment *self, const SegSettings *settings,
    const GstVideoInfo *info, double frame_ms, GError **error)
{
  gboolean hosted = seg_pipe_is_hosted (self->pipe);
  gboolean turns = !hosted && frame_ms > LONG_MS;
  double round_ms =
      frame_ms / MAX (1, seg_pipe_n_tiles (self->pipe)) * self->net->shape.dims[0];
  GstClockTime duration = duration_of (info), upstream;
  self->mode = settings->mode;
  self->upstream_is_live = is_upstream_live (self, &upstream);
  gboolean waits = self->mode == SEG_MODE_SYNC && self->upstream_is_live;
  seg_pace_init (&self->pace, waits ? duration : 0);
  seg_qos_set_source (&self->qos, waits ? duration : 0, upstream);
  set_parts (self, 1);
  if (self->mode == SEG_MODE_SYNC) {
    seg_qos_set_queued (&self->qos, GST_ELEMENT (self), 0);
    return TRUE;
  }
  if (turns)
    set_parts (self, (guint) (MIN (round_ms, frame_ms) / TURN_MS) + 1);
  if (turns && !seg_pipe_take_turns (self->pipe, self->parts, error))
    return FALSE;
  self->depth = self->mode == SEG_MODE_DROP ? 0 : settings->frames_in_flight;
  self->n_posted = 0;
  self->live_failed = FALSE;
  SegLiveQueue *live = seg_live_queue_new (
      self->pipe, &self->io, self->depth, turns || hosted, &hooks, self);
  GST_OBJECT_LOCK (self);
  self->live = live;
  GST_OBJECT_UNLOCK (self);
  seg_qos_set_queued (
      &self->qos, GST_ELEMENT (self), queued_time (self, duration, frame_ms));
  GST_INFO_OBJECT (self, "%u frames may wait, the network runs %s, upstream is %slive",
      self->depth, turns ? "in turns" : "at once", self->upstream_is_live ? "" : "not ");
  return TRUE;
}

/* --- latency tracers ----------------------------------------------------------------------------------- */

typedef struct {
  guint64 number; /* of the frame that it came before */
  GstEvent *event;
} SegProbe;

/* What GStreamer's tracer `latency` says, to take the time between pads: of the pipeline, of elements. */
static const char *const probe_names[SEG_N_PROBES] = { "latency_probe.id",
  "sub_latency_probe.id" };

gboolean
gst_vk_segment_take_probe (GstVkSegment *self, GstEvent *event)
{
  /* Flushes come from any thread: only of serialized events is the queue looked at. */
  if (GST_EVENT_TYPE (event) != GST_EVENT_CUSTOM_DOWNSTREAM || self->live == NULL
      || self->mode != SEG_MODE_ASYNC)
    return FALSE;
  for (guint i = 0; i < SEG_N_PROBES; i++)
    if (gst_event_has_name (event, probe_names[i])) {
      gst_clear_event (&self->next_probes[i]);
      self->next_probes[i] = event;
      return TRUE;
    }
  return FALSE;
}

static void
keep_probes (GstVkSegment *self, guint64 number)
{
  for (guint i = 0; i < SEG_N_PROBES; i++) {
    if (self->next_probes[i] == NULL)
      continue;
    SegProbe *probe = g_new (SegProbe, 1);
    *probe = (SegProbe){ number, g_steal_pointer (&self->next_probes[i]) };
    g_queue_push_tail (&self->probes, probe);
  }
}

/* Those of frames up to this one; `leave`: to where the frame goes. */
static void
release_probes (GstVkSegment *self, guint64 number, gboolean leave)
{
  SegProbe *probe;
  while ((probe = g_queue_peek_head (&self->probes)) != NULL && probe->number <= number) {
    g_queue_pop_head (&self->probes);
    if (leave)
      gst_pad_push_event (GST_BASE_TRANSFORM_SRC_PAD (self), probe->event);
    else
      gst_event_unref (probe->event);
    g_free (probe);
  }
}

static void
drop_probes (GstVkSegment *self)
{
  release_probes (self, G_MAXUINT64, FALSE);
  for (guint i = 0; i < SEG_N_PROBES; i++)
    gst_clear_event (&self->next_probes[i]);
}

/* --- stopping, flushing ---------------------------------------------------------------------------------- */

void
gst_vk_segment_stop_live (GstVkSegment *self)
{
  GST_OBJECT_LOCK (self);
  SegLiveQueue *live = self->live;
  self->live = NULL;
  GST_OBJECT_UNLOCK (self);
  /* The pipe goes as well: its last frame waits for no others. */
  if (live != NULL && self->pipe != NULL)
    seg_pipe_hurry (self->pipe, TRUE);
  seg_live_queue_free (&live);
  drop_probes (self);
  gst_clear_buffer (&self->current);
}

void
gst_vk_segment_set_flushing (GstVkSegment *self, gboolean flushing)
{
  GST_OBJECT_LOCK (self);
  if (self->live != NULL)
    seg_live_queue_set_flushing (self->live, flushing);
  if (self->pipe != NULL)
    seg_pipe_hurry (self->pipe, flushing);
  GST_OBJECT_UNLOCK (self);
}

void
gst_vk_segment_flush_live (GstVkSegment *self)
{
  if (self->live != NULL)
    seg_live_queue_flush (self->live);
  drop_probes (self);
  gst_clear_buffer (&self->current);
  self->has_answer = FALSE;
  self->live_failed = FALSE;
  if (self->pipe != NULL)
    seg_pipe_forget (self->pipe);
}

/* --- out ---------------------------------------------------------------------------------------------- */

/* Told once: though frames and events go on coming, none leaves until a flush or new caps. */
static GstFlowReturn
fail (GstVkSegment *self, const GError *error)
{
  self->live_failed = TRUE;
  return gst_vk_segment_fail (self, error);
}

static gboolean
makes_picture (const GstVkSegment *self)
{
  return seg_output_is_frame (self->output);
}

/* As long as there is no answer: nothing is found. */
static guint8
value_of_nothing (const GstVkSegment *self)
{
  int background = self->net->info->background;
  gboolean classes =
      self->output == SEG_OUTPUT_LABELS && !seg_pipe_gives_matte (self->pipe);
  return (guint8) (!classes ? 0 : background >= 0 ? background : 255);
}

/* The pixels of the slot, or of nothing. */
static gboolean
store (GstVkSegment *self, guint slot, GstBuffer *in, GstBuffer *out, gboolean answered,
    GError **error)
{
  return answered ? seg_frame_io_store (&self->io, self->pipe, slot, out, error)
                  : seg_frame_io_store_nothing (&self->io, self->pipe,
                      makes_picture (self), value_of_nothing (self), in, out, error);
}

/* Of a frame without an answer of its own: what it shows then is the last one. */
static gboolean
hold_answer (
    GstVkSegment *self, const SegLiveFrame *frame, SegLiveAnswer *answer, GError **error)
{
  gboolean wait = !self->upstream_is_live
                  || !seg_frame_io_can_store_nothing (&self->io, makes_picture (self));
  if (!seg_live_queue_answer (self->live, wait, answer, error))
    return FALSE;
  if (self->mode == SEG_MODE_ASYNC)
    gst_vk_segment_note_dropped (self, frame->buffer);
  return answer->number == 0 || seg_live_queue_redraw (self->live, frame, error);
}

/* Frames since the one that the network saw. */
static guint
age_of (const SegLiveFrame *frame, const SegLiveAnswer *answer)
{
  return (guint) (frame->number - MIN (answer->number, frame->number));
}

static void
report (GstVkSegment *self, const SegLiveFrame *frame, const SegLiveAnswer *answer)
{
  gst_vk_segment_count_frame (self, age_of (frame, answer));
  if (answer->number != self->n_posted)
    gst_vk_segment_post_result (self, answer->pts);
  self->n_posted = answer->number;
}

/* A buffer to go on with: pixels, or the frame with its meta. */
static GstFlowReturn
make_output (
    GstVkSegment *self, SegLiveFrame *frame, const SegLiveAnswer *answer, GstBuffer **out)
{
  gboolean answered = answer->number > 0, ok = TRUE;
  guint slot = frame->drawn ? frame->slot : 0;
  g_autoptr (GError) error = NULL;
  GstFlowReturn ret = GST_BASE_TRANSFORM_GET_CLASS (self)->prepare_output_buffer (
      GST_BASE_TRANSFORM (self), frame->buffer, out);
  if (ret != GST_FLOW_OK)
    return ret;
  if (self->output != SEG_OUTPUT_META)
    ok = store (self, slot, frame->buffer, *out, answered, &error);
  else if (answered)
    gst_vk_segment_attach_result (self, *out, age_of (frame, answer));
  if (*out == frame->buffer) /* taken over, without a reference */
    frame->buffer = NULL;
  if (ok)
    return GST_FLOW_OK;
  return fail (self, error);
}

/* Before there is an answer a frame goes out as it is, if that can be, or as if nothing were in it; but not one
 * of which something is to be hidden. */
static gboolean
may_leave (const GstVkSegment *self, const SegLiveAnswer *answer)
{
  return answer->number > 0
         || (self->output != SEG_OUTPUT_BACKGROUND
             && seg_frame_io_can_store_nothing (&self->io, makes_picture (self)));
}

/* *out NULL: nothing leaves. */
static GstFlowReturn
finish_frame (GstVkSegment *self, SegLiveFrame *frame, GstBuffer **out)
{
  g_autoptr (GError) error = NULL;
  SegLiveAnswer answer = frame->answer;
  gint64 start = g_get_monotonic_time ();
  GstFlowReturn ret = GST_FLOW_ERROR;
  guint64 number = frame->number;
  if (!frame->drawn && !hold_answer (self, frame, &answer, &error)) {
    fail (self, error);
  } else if (!may_leave (self, &answer)) {
    GST_DEBUG_OBJECT (self, "no answer yet, and no frame without one");
    ret = GST_FLOW_OK;
  } else {
    seg_pipe_select (self->pipe, frame->drawn ? frame->slot : 0);
    if (answer.number > 0)
      report (self, frame, &answer);
    ret = make_output (self, frame, &answer, out);
  }
  seg_live_queue_release (self->live, frame);
  if (ret != GST_FLOW_OK)
    gst_clear_buffer (out);
  release_probes (self, number, TRUE);
  seg_qos_measure (&self->qos, GST_ELEMENT (self),
      (GstClockTime) (g_get_monotonic_time () - start) * GST_USECOND);
  return ret;
}

/* --- in ----------------------------------------------------------------------------------------------- */

void
gst_vk_segment_take_frame (GstVkSegment *self, GstBuffer *buffer)
{
  seg_frame_io_receive (&self->io, NULL); /* of a device that is lost the worker speaks */
  SegPipeWork work = gst_vk_segment_choose_work (self, buffer);
  GstBuffer *skipped = NULL;
  if (self->mode == SEG_MODE_ASYNC) {
    keep_probes (
        self, seg_live_queue_push (self->live, buffer, &self->tiled_frame, work));
    return;
  }
  self->number = seg_live_queue_offer (
      self->live, buffer, &self->tiled_frame, work == SEG_PIPE_INFER, &skipped);
  if (skipped != NULL)
    gst_vk_segment_note_dropped (self, skipped);
  gst_clear_buffer (&skipped);
  gst_buffer_replace (&self->current, NULL);
  self->current = buffer;
}

GstFlowReturn
gst_vk_segment_give_frame (GstVkSegment *self, GstBuffer **out)
{
  g_autoptr (GError) error = NULL;
  SegLiveFrame frame = { .number = self->number };
  SegLivePolicy policy = self->upstream_is_live ? SEG_LIVE_DUE : SEG_LIVE_FULL;
  *out = NULL;
  if (self->live_failed)
    return GST_FLOW_ERROR;
  if (self->mode == SEG_MODE_DROP) {
    frame.buffer = g_steal_pointer (&self->current);
    frame.tiled = self->tiled_frame;
    return frame.buffer != NULL ? finish_frame (self, &frame, out) : GST_FLOW_OK;
  }
  if (seg_live_queue_next (self->live, policy, &frame, &error))
    return finish_frame (self, &frame, out);
  return error != NULL ? fail (self, error) : GST_FLOW_OK;
}

GstFlowReturn
gst_vk_segment_drain (GstVkSegment *self, SegLivePolicy policy)
{
  g_autoptr (GError) error = NULL;
  SegLiveFrame frame;
  GstFlowReturn ret = self->live_failed ? GST_FLOW_ERROR : GST_FLOW_OK;
  while (self->live != NULL && ret == GST_FLOW_OK
         && seg_live_queue_next (self->live, policy, &frame, &error)) {
    GstBuffer *out = NULL;
    ret = finish_frame (self, &frame, &out);
    if (ret == GST_FLOW_OK && out != NULL)
      ret = gst_pad_push (GST_BASE_TRANSFORM_SRC_PAD (self), out);
  }
  return error != NULL ? fail (self, error) : ret;
}
