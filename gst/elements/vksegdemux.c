/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-vksegdemux
 * @title: vksegdemux
 *
 * Takes results off video that has been segmented and gives them out as streams of their own, in
 * step with the video: a mask of everything, a matte, a mask for each object, or text. Pads are
 * requested and released at any time; one that is not linked costs nothing.
 *
 * An instance pad belongs to an object for as long as it is seen, by the track id that vksegtrack
 * gives; while it is out of sight there are GAP events, and after #GstVkSegDemux:hold frames the
 * pad is free for another.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 uridecodebin uri=file:///tmp/street.mp4 ! videoconvert ! vksegment model=/tmp/yolov8n-seg.onnx output=meta ! vksegtrack ! vksegdemux name=d d.src ! queue ! fakesink d.meta ! queue ! filesink location=street.jsonl
 * ]| Writes a line of JSON for each frame.
 * |[
 * gst-launch-1.0 uridecodebin uri=file:///tmp/street.mp4 ! videoconvert ! vksegment model=/tmp/yolov8n-seg.onnx output=meta ! vksegtrack ! vksegdemux name=d d.instance_0 ! queue ! videoconvert ! autovideosink d.instance_1 ! queue ! videoconvert ! autovideosink
 * ]| The first two objects, each in a window.
 */
#include "elements/vksegdemux.h"

#include "elements/demuxassign.h"
#include "elements/demuxpad.h"
#include "elements/demuxstream.h"
#include "meta/gstvksegshape.h"

#include <gst/base/gstflowcombiner.h>

#include <string.h>

GST_DEBUG_CATEGORY_STATIC (vk_seg_demux_debug);
#define GST_CAT_DEFAULT vk_seg_demux_debug

#define DEFAULT_HOLD 30
#define DEFAULT_JSON GST_VK_SEG_JSON_RLE

enum { PROP_0, PROP_HOLD, PROP_JSON };

struct _GstVkSegDemux {
  GstElement parent;
  GstPad *sink, *src;

  guint hold;             /* object lock */
  GstVkSegJsonFlags json; /* object lock */

  GMutex lock;     /* pads, combiner, streams_changed, and `released` of pads */
  GPtrArray *pads; /* SegDemuxPad, by kind and number */
  GstFlowCombiner *combiner;
  gboolean streams_changed;

  /* streaming thread */
  GPtrArray *linked; /* pads of this frame; kept so that frames do not allocate */
  SegStreamState state;
  GstStream *video; /* upstream's */
};

G_DEFINE_TYPE (GstVkSegDemux, gst_vk_seg_demux, GST_TYPE_ELEMENT)
GST_ELEMENT_REGISTER_DEFINE (
    vksegdemux, "vksegdemux", GST_RANK_NONE, GST_TYPE_VK_SEG_DEMUX)

#define GRAY_CAPS "video/x-raw, format=GRAY8, width=[1,16384], height=[1,16384]"

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE (
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS ("video/x-raw(ANY)"));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE (
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS ("video/x-raw(ANY)"));
/* By SegStreamKind. */
static GstStaticPadTemplate templates[] = {
  GST_STATIC_PAD_TEMPLATE (
      "meta", GST_PAD_SRC, GST_PAD_REQUEST, GST_STATIC_CAPS ("application/x-json")),
  GST_STATIC_PAD_TEMPLATE (
      "mask", GST_PAD_SRC, GST_PAD_REQUEST, GST_STATIC_CAPS (GRAY_CAPS)),
  GST_STATIC_PAD_TEMPLATE (
      "matte", GST_PAD_SRC, GST_PAD_REQUEST, GST_STATIC_CAPS (GRAY_CAPS)),
  GST_STATIC_PAD_TEMPLATE (
      "instance_%u", GST_PAD_SRC, GST_PAD_REQUEST, GST_STATIC_CAPS (GRAY_CAPS)),
};

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
    if (gst_pad_is_linked (GST_PAD (pad)) && pad->stream != NULL)
      continue;
    seg_demux_pad_bind (pad, GST_VK_SEG_NO_TRACK);
    g_ptr_array_remove_index (self->linked, i);
  }
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

static GstFlowReturn
gst_vk_seg_demux_chain (GstPad *sink, GstObject *parent, GstBuffer *video)
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

static void
for_each_pad (GstVkSegDemux *self, void (*function) (SegDemuxPad *pad))
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
  for_each_pad (self, seg_demux_pad_restart);
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
    for_each_pad (self, seg_demux_pad_renegotiate);
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

static gboolean
gst_vk_seg_demux_sink_event (GstPad *sink, GstObject *parent, GstEvent *event)
{
  GstVkSegDemux *self = GST_VK_SEG_DEMUX (parent);
  gboolean ok;
  switch (GST_EVENT_TYPE (event)) {
  case GST_EVENT_STREAM_START: take_stream_start (self, event); break;
  case GST_EVENT_CAPS: take_caps (self, event); break;
  case GST_EVENT_SEGMENT:
    gst_event_copy_segment (event, &self->state.segment);
    self->state.has_segment = TRUE;
    for_each_pad (self, mark_segment);
    break;
  case GST_EVENT_GAP:
  case GST_EVENT_EOS:
  case GST_EVENT_SEGMENT_DONE:
  case GST_EVENT_INSTANT_RATE_CHANGE: return push_to_all (self, event);
  case GST_EVENT_FLUSH_START: return gst_pad_event_default (sink, parent, event);
  case GST_EVENT_FLUSH_STOP:
    ok = gst_pad_event_default (sink, parent, event);
    for_each_pad (self, unbind);
    g_mutex_lock (&self->lock);
    gst_flow_combiner_reset (self->combiner);
    g_mutex_unlock (&self->lock);
    return ok;
  default: break;
  }
  return gst_pad_push_event (self->src, event);
}

/* What the video's peer wants is asked of it alone; the other streams have no say. */
static gboolean
gst_vk_seg_demux_sink_query (GstPad *sink, GstObject *parent, GstQuery *query)
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

static gboolean
gst_vk_seg_demux_src_query (GstPad *src, GstObject *parent, GstQuery *query)
{
  GstVkSegDemux *self = GST_VK_SEG_DEMUX (parent);
  if ((GST_QUERY_TYPE (query) == GST_QUERY_CAPS
          || GST_QUERY_TYPE (query) == GST_QUERY_ACCEPT_CAPS)
      && gst_pad_peer_query (self->sink, query))
    return TRUE;
  return gst_pad_query_default (src, parent, query);
}

/* A slow sink of masks does not slow down the network. */
static gboolean
gst_vk_seg_demux_stream_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  if (GST_EVENT_TYPE (event) != GST_EVENT_QOS
      && GST_EVENT_TYPE (event) != GST_EVENT_RECONFIGURE)
    return gst_pad_event_default (pad, parent, event);
  gst_event_unref (event);
  return TRUE;
}

/* --- request pads --------------------------------------------------------------------------------- */

static SegDemuxPad *
find_pad (GstVkSegDemux *self, SegStreamKind kind, guint number)
{
  for (guint i = 0; i < self->pads->len; i++) {
    SegDemuxPad *pad = self->pads->pdata[i];
    if (pad->kind == kind && pad->number == number)
      return pad;
  }
  return NULL;
}

/* The number in the name, or the first that is free. FALSE: there is such a pad, or it is no
 * name. Called with the lock. */
static gboolean
choose_number (GstVkSegDemux *self, SegStreamKind kind, const char *name, guint *number)
{
  guint64 n = 0;
  *number = 0;
  if (kind == SEG_STREAM_INSTANCE && name != NULL && strcmp (name, "instance_%u") != 0) {
    if (!g_str_has_prefix (name, "instance_")
        || !g_ascii_string_to_unsigned (name + 9, 10, 0, G_MAXINT, &n, NULL))
      return FALSE;
    *number = (guint) n;
  } else if (kind == SEG_STREAM_INSTANCE) {
    while (find_pad (self, kind, *number) != NULL)
      (*number)++;
  }
  return find_pad (self, kind, *number) == NULL;
}

static gint
by_kind_and_number (gconstpointer a, gconstpointer b)
{
  const SegDemuxPad *p = *(SegDemuxPad *const *) a, *q = *(SegDemuxPad *const *) b;
  if (p->kind != q->kind)
    return p->kind < q->kind ? -1 : 1;
  return p->number < q->number ? -1 : p->number > q->number;
}

static SegDemuxPad *
new_pad (GstPadTemplate *template, SegStreamKind kind, guint number)
{
  const char *pattern = GST_PAD_TEMPLATE_NAME_TEMPLATE (template);
  g_autofree char *name = kind == SEG_STREAM_INSTANCE
                              ? g_strdup_printf ("instance_%u", number)
                              : g_strdup (pattern);
  SegDemuxPad *pad = g_object_new (SEG_TYPE_DEMUX_PAD, "name", name, "direction",
      GST_PAD_SRC, "template", template, NULL);
  pad->kind = kind;
  pad->number = number;
  gst_pad_use_fixed_caps (GST_PAD (pad));
  gst_pad_set_event_function (GST_PAD (pad), gst_vk_seg_demux_stream_event);
  return pad;
}

static GstPad *
gst_vk_seg_demux_request_new_pad (
    GstElement *element, GstPadTemplate *template, const gchar *name, const GstCaps *caps)
{
  GstVkSegDemux *self = GST_VK_SEG_DEMUX (element);
  SegStreamKind kind = 0;
  guint number;
  while (
      kind < SEG_STREAM_INSTANCE
      && strcmp (templates[kind].name_template, GST_PAD_TEMPLATE_NAME_TEMPLATE (template))
             != 0)
    kind++;
  g_mutex_lock (&self->lock);
  if (!choose_number (self, kind, name, &number)) {
    g_mutex_unlock (&self->lock);
    GST_WARNING_OBJECT (
        self, "there is a pad '%s' already, or that is no name of one", name);
    return NULL;
  }
  SegDemuxPad *pad = new_pad (template, kind, number);
  g_ptr_array_add (self->pads, gst_object_ref_sink (pad));
  g_ptr_array_sort (self->pads, by_kind_and_number);
  gst_flow_combiner_add_pad (self->combiner, GST_PAD (pad));
  self->streams_changed = TRUE;
  g_mutex_unlock (&self->lock);
  gst_pad_set_active (GST_PAD (pad), TRUE);
  gst_element_add_pad (element, GST_PAD (pad));
  return GST_PAD (pad);
}

static void
gst_vk_seg_demux_release_pad (GstElement *element, GstPad *gst_pad)
{
  GstVkSegDemux *self = GST_VK_SEG_DEMUX (element);
  SegDemuxPad *pad = SEG_DEMUX_PAD (gst_pad);
  gst_object_ref (pad);
  g_mutex_lock (&self->lock);
  pad->released = TRUE;
  gst_flow_combiner_remove_pad (self->combiner, gst_pad);
  g_ptr_array_remove (self->pads, pad);
  self->streams_changed = TRUE;
  g_mutex_unlock (&self->lock);
  gst_pad_set_active (gst_pad, FALSE);
  gst_element_remove_pad (element, gst_pad);
  gst_object_unref (pad);
}

/* --- the object ---------------------------------------------------------------------------------- */

static void
reset (GstVkSegDemux *self)
{
  for_each_pad (self, seg_demux_pad_restart);
  g_mutex_lock (&self->lock);
  gst_flow_combiner_reset (self->combiner);
  self->streams_changed = TRUE;
  g_mutex_unlock (&self->lock);
  g_clear_pointer (&self->state.collection, gst_object_unref);
  g_clear_pointer (&self->video, gst_object_unref);
  self->state.has_segment = FALSE;
  gst_video_info_init (&self->state.info);
  self->state.group_id = gst_util_group_id_next ();
}

static GstStateChangeReturn
gst_vk_seg_demux_change_state (GstElement *element, GstStateChange transition)
{
  GstStateChangeReturn result = GST_ELEMENT_CLASS (gst_vk_seg_demux_parent_class)
                                    ->change_state (element, transition);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY)
    reset (GST_VK_SEG_DEMUX (element));
  return result;
}

static void
gst_vk_seg_demux_set_property (
    GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstVkSegDemux *self = GST_VK_SEG_DEMUX (object);
  GST_OBJECT_LOCK (self);
  switch (id) {
  case PROP_HOLD: self->hold = g_value_get_uint (value); break;
  case PROP_JSON: self->json = g_value_get_flags (value); break;
  default: G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_vk_seg_demux_get_property (
    GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstVkSegDemux *self = GST_VK_SEG_DEMUX (object);
  GST_OBJECT_LOCK (self);
  switch (id) {
  case PROP_HOLD: g_value_set_uint (value, self->hold); break;
  case PROP_JSON: g_value_set_flags (value, self->json); break;
  default: G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_vk_seg_demux_finalize (GObject *object)
{
  GstVkSegDemux *self = GST_VK_SEG_DEMUX (object);
  g_ptr_array_unref (self->linked);
  g_ptr_array_unref (self->pads);
  gst_flow_combiner_free (self->combiner);
  g_clear_pointer (&self->state.collection, gst_object_unref);
  g_clear_pointer (&self->video, gst_object_unref);
  g_mutex_clear (&self->lock);
  G_OBJECT_CLASS (gst_vk_seg_demux_parent_class)->finalize (object);
}

static void
gst_vk_seg_demux_init (GstVkSegDemux *self)
{
  self->hold = DEFAULT_HOLD;
  self->json = DEFAULT_JSON;
  g_mutex_init (&self->lock);
  self->pads = g_ptr_array_new_with_free_func (gst_object_unref);
  self->linked = g_ptr_array_new_with_free_func (gst_object_unref);
  self->combiner = gst_flow_combiner_new ();
  self->sink = gst_pad_new_from_static_template (&sink_template, "sink");
  gst_pad_set_chain_function (self->sink, gst_vk_seg_demux_chain);
  gst_pad_set_event_function (self->sink, gst_vk_seg_demux_sink_event);
  gst_pad_set_query_function (self->sink, gst_vk_seg_demux_sink_query);
  gst_element_add_pad (GST_ELEMENT (self), self->sink);
  self->src = gst_pad_new_from_static_template (&src_template, "src");
  gst_pad_set_query_function (self->src, gst_vk_seg_demux_src_query);
  gst_element_add_pad (GST_ELEMENT (self), self->src);
  gst_flow_combiner_add_pad (self->combiner, self->src);
  reset (self);
}

static GType
json_flags_type (void)
{
  static gsize type = 0;
  static const GFlagsValue values[] = { { GST_VK_SEG_JSON_RLE,
                                            "Run lengths, as COCO has them", "rle" },
    { GST_VK_SEG_JSON_POLYGONS, "Polygons with holes", "polygons" }, { 0, NULL, NULL } };
  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_flags_register_static ("GstVkSegDemuxJson", values));
  return type;
}

static void
install_properties (GObjectClass *object_class)
{
  const GParamFlags flags =
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING;
  g_object_class_install_property (object_class, PROP_HOLD,
      g_param_spec_uint ("hold", "Hold",
          "Frames for which an object that is out of sight keeps its pad; the next frame "
          "follows a change",
          0, G_MAXINT, DEFAULT_HOLD, flags));
  g_object_class_install_property (object_class, PROP_JSON,
      g_param_spec_flags ("json-masks", "Masks in JSON",
          "How the text of the meta pad says what a mask looks like; the next frame "
          "follows "
          "a change",
          json_flags_type (), DEFAULT_JSON, flags));
}

static void
gst_vk_seg_demux_class_init (GstVkSegDemuxClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GST_DEBUG_CATEGORY_INIT (
      vk_seg_demux_debug, "vksegdemux", 0, "Results of segmentation as streams");
  object_class->set_property = gst_vk_seg_demux_set_property;
  object_class->get_property = gst_vk_seg_demux_get_property;
  object_class->finalize = gst_vk_seg_demux_finalize;
  install_properties (object_class);
  gst_element_class_set_static_metadata (element_class, "Segmentation demuxer",
      "Demuxer/Video",
      "Gives out results of segmentation as streams: masks, mattes, a mask "
      "for each object, JSON",
      "vkseg");
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  for (guint i = 0; i < G_N_ELEMENTS (templates); i++)
    gst_element_class_add_static_pad_template_with_gtype (
        element_class, &templates[i], SEG_TYPE_DEMUX_PAD);
  element_class->request_new_pad = gst_vk_seg_demux_request_new_pad;
  element_class->release_pad = gst_vk_seg_demux_release_pad;
  element_class->change_state = gst_vk_seg_demux_change_state;
}
