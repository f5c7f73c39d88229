/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-vksegproposals
 * @title: vksegproposals
 *
 * Attaches region proposals to video: a #GstVideoRegionOfInterestMeta of type "proposal" for each
 * place where there may be an object, found by selective search (Uijlings et al. 2013). Its
 * parameters are a structure "proposal" with a score, which falls from 1 towards 0 from the first
 * proposal to the last: it tells the order, not a probability.
 *
 * Selective search takes a good part of a second for a frame. It is what R-CNN and Fast R-CNN were
 * made with, for files and tests; detectors write the same metas faster.
 *
 * ## Example launch line
 * |[
 * GST_DEBUG=vksegproposals:6 gst-launch-1.0 filesrc location=street.jpg ! jpegdec ! videoconvert ! vksegproposals max-proposals=50 min-size=40 ! fakesink
 * ]| Says how many proposals there are in a picture, and attaches the 50 best.
 */
#include "proposals/vksegproposals.h"

#include "elements/videoframe.h"
#include "meta/videomap.h"
#include "proposals/search.h"

#include <math.h>

GST_DEBUG_CATEGORY_STATIC (vk_seg_proposals_debug);
#define GST_CAT_DEFAULT vk_seg_proposals_debug

/* Below this there is nothing to segment. */
#define MIN_SEARCH_PX 8

typedef enum { QUALITY_FAST, QUALITY_QUALITY } Quality;

enum { PROP_0, PROP_MAX_PROPOSALS, PROP_MIN_SIZE, PROP_QUALITY, PROP_SCALE };

#define DEFAULT_MAX_PROPOSALS 200
#define DEFAULT_MIN_SIZE      20
#define DEFAULT_SCALE         320

typedef struct {
  guint max_proposals, min_size_px, scale_px;
  Quality quality;
} Settings;

struct _GstVkSegProposals {
  GstBaseTransform parent;

  Settings settings; /* object lock */

  /* streaming thread, for the caps and the scale that it was made for */
  GstVideoInfo info, small_info;
  guint scale_px; /* 0: there are no caps */
  GstVideoConverter *converter;
  GstBuffer *small;
  GArray *found; /* SegProposal */
};

G_DEFINE_TYPE (GstVkSegProposals, gst_vk_seg_proposals, GST_TYPE_BASE_TRANSFORM)
GST_ELEMENT_REGISTER_DEFINE (
    vksegproposals, "vksegproposals", GST_RANK_NONE, GST_TYPE_VK_SEG_PROPOSALS)

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE (
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS (SEG_VIDEO_CAPS));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE (
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS (SEG_VIDEO_CAPS));

static GType
quality_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = { { QUALITY_FAST, "Two colour spaces", "fast" },
    { QUALITY_QUALITY, "Five colour spaces, finer segments: several times slower",
        "quality" },
    { 0, NULL, NULL } };
  if (g_once_init_enter (&type))
    g_once_init_leave (
        &type, g_enum_register_static ("GstVkSegProposalsQuality", values));
  return type;
}

/* --- the smaller picture ------------------------------------------------------------------------- */

static void
drop_converter (GstVkSegProposals *self)
{
  g_clear_pointer (&self->converter, gst_video_converter_free);
  gst_clear_buffer (&self->small);
  self->scale_px = 0;
}

static guint
scaled (guint n_px, double s)
{
  return MAX (1, (guint) round (n_px * s));
}

static gboolean
make_converter (GstVkSegProposals *self, guint scale_px)
{
  guint w = (guint) GST_VIDEO_INFO_WIDTH (&self->info),
        h = (guint) GST_VIDEO_INFO_HEIGHT (&self->info);
  double s = MIN (1.0, (double) scale_px / MAX (w, h));
  drop_converter (self);
  if (!gst_video_info_set_format (
          &self->small_info, GST_VIDEO_FORMAT_BGR, scaled (w, s), scaled (h, s)))
    return FALSE;
  self->small_info.fps_n = self->info.fps_n;
  self->small_info.fps_d = self->info.fps_d;
  self->converter = gst_video_converter_new (&self->info, &self->small_info, NULL);
  self->small = gst_buffer_new_allocate (NULL, self->small_info.size, NULL);
  self->scale_px = scale_px;
  return self->converter != NULL && self->small != NULL;
}

static gboolean
gst_vk_seg_proposals_set_caps (
    GstBaseTransform *transform, GstCaps *in_caps, GstCaps *out_caps)
{
  GstVkSegProposals *self = GST_VK_SEG_PROPOSALS (transform);
  drop_converter (self);
  return gst_video_info_from_caps (&self->info, in_caps);
}

static gboolean
shrink (GstVkSegProposals *self, GstBuffer *buffer)
{
  GstVideoFrame from, to;
  if (!seg_video_map (&from, &self->info, buffer, GST_MAP_READ))
    return FALSE;
  gboolean ok = gst_video_frame_map (&to, &self->small_info, self->small,
      GST_MAP_WRITE | GST_VIDEO_FRAME_MAP_FLAG_NO_REF);
  if (ok) {
    gst_video_converter_frame (self->converter, &from, &to);
    gst_video_frame_unmap (&to);
  }
  gst_video_frame_unmap (&from);
  return ok;
}

/* --- frames ------------------------------------------------------------------------------------ */

/* Into frame coordinates, outwards to whole pixels. */
static SegProposal
to_frame (const GstVkSegProposals *self, const SegProposal *p)
{
  guint64 w = (guint64) self->info.width, sw = (guint64) self->small_info.width;
  guint64 h = (guint64) self->info.height, sh = (guint64) self->small_info.height;
  guint x0 = (guint) (p->x * w / sw),
        x1 = (guint) (((p->x + p->width) * w + sw - 1) / sw);
  guint y0 = (guint) (p->y * h / sh),
        y1 = (guint) (((p->y + p->height) * h + sh - 1) / sh);
  return (SegProposal){ x0, y0, x1 - x0, y1 - y0 };
}

static void
attach (GstVkSegProposals *self, GstBuffer *buffer, const Settings *s)
{
  guint n = self->found->len, n_attached = 0;
  for (guint i = 0; i < n && n_attached < s->max_proposals; i++) {
    SegProposal p = to_frame (self, &g_array_index (self->found, SegProposal, i));
    if (p.width < s->min_size_px || p.height < s->min_size_px)
      continue;
    GstVideoRegionOfInterestMeta *roi = gst_buffer_add_video_region_of_interest_meta (
        buffer, "proposal", p.x, p.y, p.width, p.height);
    roi->id = (gint) n_attached++;
    gst_video_region_of_interest_meta_add_param (
        roi, gst_structure_new ("proposal", "score", G_TYPE_DOUBLE,
                 (double) (n - i) / (double) n, NULL));
  }
  GST_LOG_OBJECT (self, "%u of %u proposals", n_attached, n);
}

static gboolean
find (GstVkSegProposals *self, gboolean quality, GError **error)
{
  GstVideoFrame small;
  g_array_set_size (self->found, 0);
  if (self->small_info.width < MIN_SEARCH_PX || self->small_info.height < MIN_SEARCH_PX)
    return TRUE;
  if (!gst_video_frame_map (&small, &self->small_info, self->small, GST_MAP_READ))
    return TRUE;
  gboolean ok = seg_selective_search (GST_VIDEO_FRAME_PLANE_DATA (&small, 0),
      (guint) self->small_info.width, (guint) self->small_info.height,
      (gsize) GST_VIDEO_FRAME_PLANE_STRIDE (&small, 0), quality, self->found, error);
  gst_video_frame_unmap (&small);
  return ok;
}

static GstFlowReturn
gst_vk_seg_proposals_transform_ip (GstBaseTransform *transform, GstBuffer *buffer)
{
  GstVkSegProposals *self = GST_VK_SEG_PROPOSALS (transform);
  g_autoptr (GError) error = NULL;
  GST_OBJECT_LOCK (self);
  Settings s = self->settings;
  GST_OBJECT_UNLOCK (self);
  if (GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_GAP))
    return GST_FLOW_OK;
  if (self->scale_px != s.scale_px && !make_converter (self, s.scale_px)) {
    GST_ELEMENT_ERROR (self, STREAM, FORMAT,
        ("frames of this format cannot be converted to BGR"), (NULL));
    return GST_FLOW_ERROR;
  }
  if (!shrink (self, buffer)) {
    GST_ELEMENT_ERROR (self, STREAM, FORMAT,
        ("a frame is not as long as its caps say: %" G_GSIZE_FORMAT " bytes",
            gst_buffer_get_size (buffer)),
        (NULL));
    return GST_FLOW_ERROR;
  }
  if (!find (self, s.quality == QUALITY_QUALITY, &error)) {
    GST_ELEMENT_ERROR (
        self, LIBRARY, FAILED, ("%s", error->message), ("a smaller scale needs less"));
    return GST_FLOW_ERROR;
  }
  attach (self, buffer, &s);
  return GST_FLOW_OK;
}

static gboolean
gst_vk_seg_proposals_propose_allocation (
    GstBaseTransform *transform, GstQuery *decide_query, GstQuery *query)
{
  if (!GST_BASE_TRANSFORM_CLASS (gst_vk_seg_proposals_parent_class)
           ->propose_allocation (transform, decide_query, query))
    return FALSE;
  if (!gst_query_find_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL))
    gst_query_add_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL);
  return TRUE;
}

static gboolean
gst_vk_seg_proposals_stop (GstBaseTransform *transform)
{
  drop_converter (GST_VK_SEG_PROPOSALS (transform));
  return TRUE;
}

/* --- the object ---------------------------------------------------------------------------------- */

static void
gst_vk_seg_proposals_set_property (
    GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstVkSegProposals *self = GST_VK_SEG_PROPOSALS (object);
  Settings *s = &self->settings;
  GST_OBJECT_LOCK (self);
  switch (id) {
  case PROP_MAX_PROPOSALS: s->max_proposals = g_value_get_uint (value); break;
  case PROP_MIN_SIZE: s->min_size_px = g_value_get_uint (value); break;
  case PROP_QUALITY: s->quality = (Quality) g_value_get_enum (value); break;
  case PROP_SCALE: s->scale_px = g_value_get_uint (value); break;
  default: G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_vk_seg_proposals_get_property (
    GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstVkSegProposals *self = GST_VK_SEG_PROPOSALS (object);
  const Settings *s = &self->settings;
  GST_OBJECT_LOCK (self);
  switch (id) {
  case PROP_MAX_PROPOSALS: g_value_set_uint (value, s->max_proposals); break;
  case PROP_MIN_SIZE: g_value_set_uint (value, s->min_size_px); break;
  case PROP_QUALITY: g_value_set_enum (value, (gint) s->quality); break;
  case PROP_SCALE: g_value_set_uint (value, s->scale_px); break;
  default: G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_vk_seg_proposals_finalize (GObject *object)
{
  GstVkSegProposals *self = GST_VK_SEG_PROPOSALS (object);
  drop_converter (self);
  g_array_unref (self->found);
  G_OBJECT_CLASS (gst_vk_seg_proposals_parent_class)->finalize (object);
}

static void
gst_vk_seg_proposals_init (GstVkSegProposals *self)
{
  self->settings =
      (Settings){ DEFAULT_MAX_PROPOSALS, DEFAULT_MIN_SIZE, DEFAULT_SCALE, QUALITY_FAST };
  self->found = g_array_new (FALSE, FALSE, sizeof (SegProposal));
  gst_base_transform_set_in_place (GST_BASE_TRANSFORM (self), TRUE);
}

#define ANY_TIME (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING)

static void
install_properties (GObjectClass *c)
{
  g_object_class_install_property (c, PROP_MAX_PROPOSALS,
      g_param_spec_uint ("max-proposals", "Most proposals",
          "Proposals attached to a frame at most, the most promising ones; the next "
          "frame follows a change",
          1, 100000, DEFAULT_MAX_PROPOSALS, ANY_TIME | GST_PARAM_CONTROLLABLE));
  g_object_class_install_property (c, PROP_MIN_SIZE,
      g_param_spec_uint ("min-size", "Least size",
          "Least width and height of a proposal, in pixels of the frame; the next frame "
          "follows a change",
          0, SEG_FRAME_MAX_PX, DEFAULT_MIN_SIZE, ANY_TIME | GST_PARAM_CONTROLLABLE));
  g_object_class_install_property (c, PROP_QUALITY,
      g_param_spec_enum ("quality", "Quality",
          "How thoroughly to search; the next frame follows a change", quality_type (),
          QUALITY_FAST, ANY_TIME));
  g_object_class_install_property (c, PROP_SCALE,
      g_param_spec_uint ("scale", "Scale",
          "Longest side, in pixels, of the picture that is searched: larger frames are "
          "shrunk to it; the time grows with its square; the next frame follows a change",
          16, SEG_FRAME_MAX_PX, DEFAULT_SCALE, ANY_TIME));
  gst_type_mark_as_plugin_api (quality_type (), 0);
}

static void
gst_vk_seg_proposals_class_init (GstVkSegProposalsClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseTransformClass *transform_class = GST_BASE_TRANSFORM_CLASS (klass);

  GST_DEBUG_CATEGORY_INIT (vk_seg_proposals_debug, "vksegproposals", 0,
      "Region proposals by selective search");
  object_class->set_property = gst_vk_seg_proposals_set_property;
  object_class->get_property = gst_vk_seg_proposals_get_property;
  object_class->finalize = gst_vk_seg_proposals_finalize;
  install_properties (object_class);
  gst_element_class_set_static_metadata (element_class, "Region proposals",
      "Filter/Analyzer/Video",
      "Attaches regions of interest where there may be an object, by selective search",
      "vkseg");
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  transform_class->set_caps = gst_vk_seg_proposals_set_caps;
  transform_class->transform_ip = gst_vk_seg_proposals_transform_ip;
  transform_class->propose_allocation = gst_vk_seg_proposals_propose_allocation;
  transform_class->before_transform = seg_video_sync_values;
  transform_class->stop = gst_vk_seg_proposals_stop;
}
