/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "elements/demuxpad.h"

G_DEFINE_FINAL_TYPE (SegDemuxPad, seg_demux_pad, GST_TYPE_PAD)

enum { PROP_0, PROP_TRACK_ID };

static void
drop_pool (SegDemuxPad *pad)
{
  if (pad->pool != NULL)
    gst_buffer_pool_set_active (pad->pool, FALSE);
  g_clear_pointer (&pad->pool, gst_object_unref);
}

void
seg_demux_pad_restart (SegDemuxPad *pad)
{
  pad->needs_stream_start = pad->needs_collection = TRUE;
  g_clear_pointer (&pad->stream, gst_object_unref);
  pad->needs_segment = TRUE;
  pad->n_absent = 0;
  pad->instance = NULL;
  seg_demux_pad_bind (pad, GST_VK_SEG_NO_TRACK);
  seg_demux_pad_renegotiate (pad);
}

void
seg_demux_pad_renegotiate (SegDemuxPad *pad)
{
  pad->needs_caps = TRUE;
  drop_pool (pad);
}

void
seg_demux_pad_bind (SegDemuxPad *pad, gint64 track_id)
{
  GST_OBJECT_LOCK (pad);
  gboolean changed = pad->track_id != track_id;
  pad->track_id = track_id;
  GST_OBJECT_UNLOCK (pad);
  if (changed)
    g_object_notify (G_OBJECT (pad), "track-id");
}

/* --- what comes before data -------------------------------------------------------------------- */

static GstCaps *
make_caps (SegDemuxPad *pad, const SegStreamState *state)
{
  if (pad->kind == SEG_STREAM_META)
    return gst_caps_new_empty_simple ("application/x-json");
  gst_video_info_set_format (&pad->info, GST_VIDEO_FORMAT_GRAY8,
      (guint) state->info.width, (guint) state->info.height);
  pad->info.fps_n = state->info.fps_n;
  pad->info.fps_d = state->info.fps_d;
  pad->info.par_n = state->info.par_n;
  pad->info.par_d = state->info.par_d;
  return gst_video_info_to_caps (&pad->info);
}

static void
push_stream_start (SegDemuxPad *pad, const SegStreamState *state)
{
  GstEvent *event = gst_event_new_stream_start (gst_stream_get_stream_id (pad->stream));
  gst_event_set_group_id (event, state->group_id);
  gst_event_set_stream (event, pad->stream);
  gst_event_set_stream_flags (event, gst_stream_get_stream_flags (pad->stream));
  pad->needs_stream_start = FALSE;
  gst_pad_push_event (GST_PAD (pad), event);
}

void
seg_demux_pad_start (SegDemuxPad *pad, const SegStreamState *state)
{
  if (pad->stream == NULL)
    return;
  if (pad->needs_stream_start)
    push_stream_start (pad, state);
  if (pad->needs_collection && state->collection != NULL) {
    pad->needs_collection = FALSE;
    gst_pad_push_event (
        GST_PAD (pad), gst_event_new_stream_collection (state->collection));
  }
  if (pad->needs_caps && state->info.width > 0) {
    g_autoptr (GstCaps) caps = make_caps (pad, state);
    pad->needs_caps = FALSE;
    gst_stream_set_caps (pad->stream, caps);
    gst_pad_push_event (GST_PAD (pad), gst_event_new_caps (caps));
  }
  if (pad->needs_segment && state->has_segment) {
    GstEvent *event = gst_event_new_segment (&state->segment);
    gst_event_set_seqnum (event, state->seqnum);
    pad->needs_segment = FALSE;
    gst_pad_push_event (GST_PAD (pad), event);
  }
}

/* --- buffers ------------------------------------------------------------------------------------ */

/* The pool that the peer offers, or one of our own. */
static void
choose_pool (GstQuery *query, GstBufferPool **pool, guint *size, guint *min, guint *max)
{
  *pool = NULL;
  *min = *max = 0;
  guint wanted = *size;
  if (gst_query_get_n_allocation_pools (query) > 0)
    gst_query_parse_nth_allocation_pool (query, 0, pool, size, min, max);
  *size = MAX (*size, wanted);
  if (*pool == NULL)
    *pool = gst_video_buffer_pool_new ();
}

static gboolean
configure_pool (GstBufferPool *pool, GstCaps *caps, guint size, guint min, guint max,
    gboolean with_video_meta)
{
  GstStructure *config = gst_buffer_pool_get_config (pool);
  gst_buffer_pool_config_set_params (config, caps, size, min, max);
  if (with_video_meta)
    gst_buffer_pool_config_add_option (config, GST_BUFFER_POOL_OPTION_VIDEO_META);
  return gst_buffer_pool_set_config (pool, config)
         && gst_buffer_pool_set_active (pool, TRUE);
}

static gboolean
make_pool (SegDemuxPad *pad)
{
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (GST_PAD (pad));
  if (caps == NULL)
    return FALSE;
  GstQuery *query = gst_query_new_allocation (caps, TRUE);
  guint size = (guint) pad->info.size, min, max;
  if (!gst_pad_peer_query (GST_PAD (pad), query))
    GST_DEBUG_OBJECT (pad, "no answer about allocation");
  choose_pool (query, &pad->pool, &size, &min, &max);
  gboolean meta = gst_query_find_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL);
  if (!configure_pool (pad->pool, caps, size, min, max, meta)) {
    /* What others offer may not do what they say. */
    drop_pool (pad);
    pad->pool = gst_video_buffer_pool_new ();
    if (!configure_pool (pad->pool, caps, (guint) pad->info.size, 0, 0, FALSE))
      drop_pool (pad);
  }
  gst_query_unref (query);
  return pad->pool != NULL;
}

GstFlowReturn
seg_demux_pad_new_frame (SegDemuxPad *pad, GstBuffer *video, GstBuffer **frame)
{
  *frame = NULL;
  if (gst_pad_check_reconfigure (GST_PAD (pad)))
    drop_pool (pad);
  if (pad->pool == NULL && !make_pool (pad))
    return GST_PAD_IS_FLUSHING (pad) ? GST_FLOW_FLUSHING : GST_FLOW_NOT_NEGOTIATED;
  GstFlowReturn flow = gst_buffer_pool_acquire_buffer (pad->pool, frame, NULL);
  if (flow == GST_FLOW_OK)
    gst_buffer_copy_into (*frame, video, GST_BUFFER_COPY_TIMESTAMPS, 0, -1);
  return flow;
}

/* --- the object ---------------------------------------------------------------------------------- */

static void
seg_demux_pad_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  SegDemuxPad *pad = SEG_DEMUX_PAD (object);
  if (id != PROP_TRACK_ID) {
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    return;
  }
  GST_OBJECT_LOCK (pad);
  g_value_set_int64 (value, pad->track_id);
  GST_OBJECT_UNLOCK (pad);
}

static void
seg_demux_pad_finalize (GObject *object)
{
  SegDemuxPad *pad = SEG_DEMUX_PAD (object);
  drop_pool (pad);
  g_clear_pointer (&pad->stream, gst_object_unref);
  G_OBJECT_CLASS (seg_demux_pad_parent_class)->finalize (object);
}

static void
seg_demux_pad_init (SegDemuxPad *pad)
{
  pad->track_id = GST_VK_SEG_NO_TRACK;
  seg_demux_pad_restart (pad);
}

static void
seg_demux_pad_class_init (SegDemuxPadClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  object_class->get_property = seg_demux_pad_get_property;
  object_class->finalize = seg_demux_pad_finalize;
  g_object_class_install_property (object_class, PROP_TRACK_ID,
      g_param_spec_int64 ("track-id", "Track",
          "Track id of the object that has an instance pad; -1: none, or objects have no "
          "ids",
          GST_VK_SEG_NO_TRACK, G_MAXINT64, GST_VK_SEG_NO_TRACK,
          G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
}
