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
#include "elements/vksegdemux-priv.h"

#include <string.h>

GST_DEBUG_CATEGORY_STATIC (vk_seg_demux_debug);
#define GST_CAT_DEFAULT vk_seg_demux_debug

#define DEFAULT_HOLD 30
#define DEFAULT_JSON GST_VK_SEG_JSON_RLE

enum { PROP_0, PROP_HOLD, PROP_JSON };

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
  gst_pad_set_event_function (GST_PAD (pad), seg_demux_stream_event);
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
  gst_pad_set_active (GST_PAD (pad), TRUE); /* else it says FLUSHING to the combiner */
  g_ptr_array_add (self->pads, gst_object_ref_sink (pad));
  g_ptr_array_sort (self->pads, by_kind_and_number);
  gst_flow_combiner_add_pad (self->combiner, GST_PAD (pad));
  self->streams_changed = TRUE;
  g_mutex_unlock (&self->lock);
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
  seg_demux_for_each_pad (self, seg_demux_pad_restart);
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
  gst_pad_set_chain_function (self->sink, seg_demux_chain);
  gst_pad_set_event_function (self->sink, seg_demux_sink_event);
  gst_pad_set_query_function (self->sink, seg_demux_sink_query);
  gst_element_add_pad (GST_ELEMENT (self), self->sink);
  self->src = gst_pad_new_from_static_template (&src_template, "src");
  gst_pad_set_query_function (self->src, seg_demux_src_query);
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
          "follows a change",
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
      "Gives out results of segmentation as streams: masks, mattes, a mask for each "
      "object, JSON",
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
