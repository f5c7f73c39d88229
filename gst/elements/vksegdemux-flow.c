/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What goes through vksegdemux: frames, events and queries. */
#include "elements/demuxassign.h"
#include "elements/vksegdemux-priv.h"

/* --- frames ------------------------------------------------------------------------------------ */

static void
update_collection (GstVkSegDemux *self)
{
  g_mutex_lock (&self->lock);
  gboolean changed = self->streams_changed;
  self->streams_changed = FALSE;
  if (changed)
    seg_streams_collect (GST_ELEMENT (self), self->video, self->pads, &self->state);
  g_mutex_unlock (&self->lock);
  if (changed)
    gst_element_post_message (GST_ELEMENT (self),
        gst_message_new_stream_collection (GST_OBJECT (self), self->state.collection));
}

/* A pad that was released while data went to it does not count. */
static GstFlowReturn
combine (GstVkSegDemux *self, GstPad *pad, GstFlowReturn flow)
{
  g_mutex_lock (&self->lock);
  if (pad == self->src || !SEG_DEMUX_PAD (pad)->released)
    flow = gst_flow_combiner_update_pad_flow (self->combiner, pad, flow);
  else
    flow = GST_FLOW_OK;
  g_mutex_unlock (&self->lock);
  return flow;
}

/* Takes references to the pads that this frame is for. No lock is held while pads change hands:
 * who is told of it may request another. */
static void
collect_linked (GstVkSegDemux *self)
{
  update_collection (self);
  g_mutex_lock (&self->lock);
  for (guint i = 0; i < self->pads->len; i++)
    g_ptr_array_add (self->linked, gst_object_ref (self->pads->pdata[i]));
  g_mutex_unlock (&self->lock);
  for (guint i = self->linked->len; i-- > 0;) {
    SegDemuxPad *pad = self->linked->pdata[i];
    gboolean linked = gst_pad_is_linked (GST_PAD (pad));
    if (linked && pad->stream != NULL)
      continue;
    if (!linked) /* nobody there wants more */
      combine (self, GST_PAD (pad), GST_FLOW_NOT_LINKED);
    seg_demux_pad_bind (pad, GST_VK_SEG_NO_TRACK);
    g_ptr_array_remove_index (self->linked, i);
  }
}

static GstFlowReturn
send (GstVkSegDemux *self, SegDemuxPad *pad, const GstVkSegMeta *meta, GstBuffer *video,
    GstVkSegJsonFlags json)
{
  GstBuffer *buffer = NULL;
  seg_demux_pad_start (pad, &self->state);
  GstFlowReturn flow = seg_stream_make (pad, meta, video, json, &buffer);
  if (flow == GST_FLOW_OK && buffer != NULL)
    flow = gst_pad_push (GST_PAD (pad), buffer);
  else if (flow == GST_FLOW_OK)
    seg_stream_gap (pad, video, &self->state);
  return combine (self, GST_PAD (pad), flow);
}

static gboolean
may_go_on (GstFlowReturn flow)
{
  return flow == GST_FLOW_OK || flow == GST_FLOW_NOT_LINKED;
}

GstFlowReturn
seg_demux_chain (GstPad *sink, GstObject *parent, GstBuffer *video)
{
  GstVkSegDemux *self = GST_VK_SEG_DEMUX (parent);
  const GstVkSegMeta *meta = gst_buffer_get_vk_seg_meta (video);
  GstFlowReturn flow = GST_FLOW_OK;
  GST_OBJECT_LOCK (self);
  guint hold = self->hold;
  GstVkSegJsonFlags json = self->json;
  GST_OBJECT_UNLOCK (self);
  collect_linked (self);
  seg_demux_assign (self->linked, meta, hold);
  for (guint i = 0; i < self->linked->len && may_go_on (flow); i++)
    flow = send (self, self->linked->pdata[i], meta, video, json);
  g_ptr_array_set_size (self->linked, 0);
  if (!may_go_on (flow)) {
    gst_buffer_unref (video);
    return flow;
  }
  /* The video last, so that nobody else holds it when it goes on. */
  return combine (self, self->src, gst_pad_push (self->src, video));
}

/* --- events ------------------------------------------------------------------------------------ */

static gpointer
ref_pad (gconstpointer pad, gpointer data)
{
  return gst_object_ref ((gpointer) pad);
}

void
seg_demux_for_each_pad (GstVkSegDemux *self, void (*function) (SegDemuxPad *pad))
{
  g_mutex_lock (&self->lock);
  g_autoptr (GPtrArray) pads = g_ptr_array_copy (self->pads, ref_pad, NULL);
  g_mutex_unlock (&self->lock);
  for (guint i = 0; i < pads->len; i++)
    function (pads->pdata[i]);
}

static void
mark_segment (SegDemuxPad *pad)
{
  pad->needs_segment = TRUE;
}

static void
unbind (SegDemuxPad *pad)
{
  pad->n_absent = 0;
  seg_demux_pad_bind (pad, GST_VK_SEG_NO_TRACK);
}

static void
take_stream_start (GstVkSegDemux *self, GstEvent *event)
{
  if (!gst_event_parse_group_id (event, &self->state.group_id))
    self->state.group_id = gst_util_group_id_next ();
  seg_streams_take_video (&self->video, event);
  seg_demux_for_each_pad (self, seg_demux_pad_restart);
  g_mutex_lock (&self->lock);
  self->streams_changed = TRUE;
  g_mutex_unlock (&self->lock);
}

static void
take_caps (GstVkSegDemux *self, GstEvent *event)
{
  GstCaps *caps;
  GstVideoInfo old = self->state.info, *now = &self->state.info;
  gst_event_parse_caps (event, &caps);
  seg_stream_info_from_caps (now, caps);
  if (old.width != now->width || old.height != now->height || old.fps_n != now->fps_n
      || old.fps_d != now->fps_d || old.par_n != now->par_n || old.par_d != now->par_d)
    seg_demux_for_each_pad (self, seg_demux_pad_renegotiate);
}

static gboolean
push_to_pad (GstElement *element, GstPad *pad, gpointer event)
{
  GstVkSegDemux *self = GST_VK_SEG_DEMUX (element);
  if (pad != self->src)
    seg_demux_pad_start (SEG_DEMUX_PAD (pad), &self->state);
  gst_pad_push_event (pad, gst_event_ref (event));
  return TRUE;
}

static gboolean
push_to_all (GstVkSegDemux *self, GstEvent *event)
{
  update_collection (self);
  gst_element_foreach_src_pad (GST_ELEMENT (self), push_to_pad, event);
  gst_event_unref (event);
  return TRUE;
}

gboolean
seg_demux_sink_event (GstPad *sink, GstObject *parent, GstEvent *event)
{
  GstVkSegDemux *self = GST_VK_SEG_DEMUX (parent);
  gboolean ok;
  switch (GST_EVENT_TYPE (event)) {
  case GST_EVENT_STREAM_START: take_stream_start (self, event); break;
  case GST_EVENT_CAPS: take_caps (self, event); break;
  case GST_EVENT_SEGMENT:
    gst_event_copy_segment (event, &self->state.segment);
    self->state.seqnum = gst_event_get_seqnum (event);
    self->state.has_segment = TRUE;
    seg_demux_for_each_pad (self, mark_segment);
    break;
  case GST_EVENT_GAP:
  case GST_EVENT_EOS:
  case GST_EVENT_SEGMENT_DONE:
  case GST_EVENT_INSTANT_RATE_CHANGE: return push_to_all (self, event);
  case GST_EVENT_FLUSH_START: return gst_pad_event_default (sink, parent, event);
  case GST_EVENT_FLUSH_STOP:
    ok = gst_pad_event_default (sink, parent, event);
    seg_demux_for_each_pad (self, unbind);
    g_mutex_lock (&self->lock);
    gst_flow_combiner_reset (self->combiner);
    g_mutex_unlock (&self->lock);
    return ok;
  default: break;
  }
  return gst_pad_push_event (self->src, event);
}

/* What the video's peer wants is asked of it alone; the other streams have no say. */
gboolean
seg_demux_sink_query (GstPad *sink, GstObject *parent, GstQuery *query)
{
  GstVkSegDemux *self = GST_VK_SEG_DEMUX (parent);
  switch (GST_QUERY_TYPE (query)) {
  case GST_QUERY_CAPS:
  case GST_QUERY_ACCEPT_CAPS:
  case GST_QUERY_ALLOCATION:
    if (gst_pad_peer_query (self->src, query))
      return TRUE;
    if (GST_QUERY_TYPE (query) == GST_QUERY_ALLOCATION)
      return FALSE;
    break;
  default: break;
  }
  return gst_pad_query_default (sink, parent, query);
}

gboolean
seg_demux_src_query (GstPad *src, GstObject *parent, GstQuery *query)
{
  GstVkSegDemux *self = GST_VK_SEG_DEMUX (parent);
  if ((GST_QUERY_TYPE (query) == GST_QUERY_CAPS
          || GST_QUERY_TYPE (query) == GST_QUERY_ACCEPT_CAPS)
      && gst_pad_peer_query (self->sink, query))
    return TRUE;
  return gst_pad_query_default (src, parent, query);
}

gboolean
seg_demux_stream_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  if (GST_EVENT_TYPE (event) != GST_EVENT_QOS
      && GST_EVENT_TYPE (event) != GST_EVENT_RECONFIGURE)
    return gst_pad_event_default (pad, parent, event);
  gst_event_unref (event);
  return TRUE;
}
