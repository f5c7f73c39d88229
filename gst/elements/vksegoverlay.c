/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-vksegoverlay
 * @title: vksegoverlay
 *
 * Draws what the metas on a frame say: masks, contours, boxes and labels with scores, of the results
 * of vksegment and vksegtrack, or, on frames without those and where GStreamer has them (1.24; masks
 * from 1.26), of the GstAnalytics metas of other elements.
 *
 * Drawing is done on the CPU, in place, and only where there is something.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 uridecodebin uri=file:///tmp/street.mp4 ! videoconvert ! vksegment model=/tmp/yolov8n-seg.onnx output=meta ! vksegtrack ! vksegoverlay ! videoconvert ! autovideosink
 * ]| Each object in a colour of its own, with its class, id and score.
 * |[
 * gst-launch-1.0 uridecodebin uri=file:///tmp/street.mp4 ! videoconvert ! vksegment model=/tmp/yolov8n-seg.onnx output=meta ! vksegoverlay draw=contours color-by=class ! videoconvert ! autovideosink
 * ]| Only the outlines, coloured by class.
 */
#include "elements/vksegoverlay.h"

#include "elements/metadraw.h"
#include "elements/videoframe.h"
#include "meta/gstvksegmirror.h"
#include "meta/videomap.h"

GST_DEBUG_CATEGORY_STATIC (vk_seg_overlay_debug);
#define GST_CAT_DEFAULT vk_seg_overlay_debug

#define DEFAULT_DRAW                                                                     \
  (SEG_OVERLAY_MASKS | SEG_OVERLAY_CONTOURS | SEG_OVERLAY_BOXES | SEG_OVERLAY_LABELS     \
      | SEG_OVERLAY_SCORES)
#define DEFAULT_ALPHA   0.45
#define DEFAULT_PALETTE "coco"

enum {
  PROP_0,
  PROP_DRAW,
  PROP_COLOR_BY,
  PROP_ALPHA,
  PROP_PALETTE,
  PROP_LINE_WIDTH,
  PROP_TEXT_SIZE
};

struct _GstVkSegOverlay {
  GstVideoFilter parent;

  /* object lock */
  SegMetaDrawStyle style;
  guint line_width, text_size; /* 0: by the frame's height */
  char *palette;
  gboolean remake; /* palette or text size have changed */

  /* streaming thread */
  SegMetaDraw drawing;
  GstVideoInfo info;
  GstBuffer *others; /* what GstAnalytics says, as a result of ours */
};

G_DEFINE_TYPE (GstVkSegOverlay, gst_vk_seg_overlay, GST_TYPE_VIDEO_FILTER)
GST_ELEMENT_REGISTER_DEFINE (
    vksegoverlay, "vksegoverlay", GST_RANK_NONE, GST_TYPE_VK_SEG_OVERLAY)

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE (
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS (SEG_VIDEO_CAPS));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE (
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS (SEG_VIDEO_CAPS));

/* --- frames ------------------------------------------------------------------------------------ */

static gboolean
make_drawing (GstVkSegOverlay *self, GError **error)
{
  SegPalette objects, classes;
  GST_OBJECT_LOCK (self);
  g_autofree char *name = g_strdup (self->palette);
  guint text_px = self->text_size;
  self->remake = FALSE;
  GST_OBJECT_UNLOCK (self);
  if (text_px == 0)
    text_px = (guint) CLAMP (self->info.height / 28, 12, 64);
  if (!seg_palette_load (&objects, name, NULL, -1, error)
      || !seg_palette_load (&classes, name, NULL, 0, error))
    return FALSE;
  SegMetaDraw made;
  if (!seg_meta_draw_init (&made, &self->info, text_px, &objects, &classes)) {
    g_set_error (error, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT,
        "%s cannot be drawn into",
        gst_video_format_to_string (GST_VIDEO_INFO_FORMAT (&self->info)));
    return FALSE;
  }
  seg_meta_draw_clear (&self->drawing);
  self->drawing = made;
  return TRUE;
}

static gboolean
gst_vk_seg_overlay_set_info (GstVideoFilter *filter, GstCaps *in_caps, GstVideoInfo *in,
    GstCaps *out_caps, GstVideoInfo *out)
{
  GstVkSegOverlay *self = GST_VK_SEG_OVERLAY (filter);
  g_autoptr (GError) error = NULL;
  self->info = *in;
  if (make_drawing (self, &error))
    return TRUE;
  GST_ELEMENT_ERROR (self, LIBRARY, SETTINGS, ("%s", error->message),
      ("palettes are voc, cityscapes, ade20k, coco, person, or a file"));
  return FALSE;
}

static void
take_settings (GstVkSegOverlay *self, SegMetaDrawStyle *style)
{
  g_autoptr (GError) error = NULL;
  GST_OBJECT_LOCK (self);
  gboolean remake = self->remake;
  *style = self->style;
  style->line_px = self->line_width;
  GST_OBJECT_UNLOCK (self);
  if (style->line_px == 0)
    style->line_px = (guint) MAX (1, (self->info.height + 180) / 360);
  if (remake && !make_drawing (self, &error))
    GST_ELEMENT_WARNING (
        self, LIBRARY, SETTINGS, ("%s", error->message), ("colours stay as they were"));
}

static const GstVkSegMeta *
find_result (GstVkSegOverlay *self, GstBuffer *buffer)
{
  const GstVkSegMeta *meta = gst_buffer_get_vk_seg_meta (buffer);
  if (meta != NULL || !gst_vk_seg_has_analytics ())
    return meta;
  return gst_buffer_add_vk_seg_meta_from_analytics (
      self->others, buffer, (guint) self->info.width, (guint) self->info.height);
}

static GstFlowReturn
gst_vk_seg_overlay_transform_frame_ip (GstVideoFilter *filter, GstVideoFrame *frame)
{
  GstVkSegOverlay *self = GST_VK_SEG_OVERLAY (filter);
  SegMetaDrawStyle style;
  take_settings (self, &style);
  const GstVkSegMeta *meta = find_result (self, frame->buffer);
  if (meta == NULL)
    return GST_FLOW_OK;
  seg_video_crop (frame, &filter->in_info);
  seg_meta_draw_paint (&self->drawing, &style, meta, frame);
  GstMeta *other = gst_buffer_get_meta (self->others, GST_VK_SEG_META_API_TYPE);
  if (other != NULL)
    gst_buffer_remove_meta (self->others, other);
  return GST_FLOW_OK;
}

static gboolean
gst_vk_seg_overlay_stop (GstBaseTransform *transform)
{
  seg_meta_draw_clear (&GST_VK_SEG_OVERLAY (transform)->drawing);
  return TRUE;
}

/* --- the object ---------------------------------------------------------------------------------- */

static void
gst_vk_seg_overlay_set_property (
    GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstVkSegOverlay *self = GST_VK_SEG_OVERLAY (object);
  GST_OBJECT_LOCK (self);
  switch (id) {
  case PROP_DRAW: self->style.draw = g_value_get_flags (value); break;
  case PROP_COLOR_BY: self->style.color_by = g_value_get_enum (value); break;
  case PROP_ALPHA: self->style.alpha = g_value_get_double (value); break;
  case PROP_LINE_WIDTH: self->line_width = g_value_get_uint (value); break;
  case PROP_TEXT_SIZE:
    self->text_size = g_value_get_uint (value);
    self->remake = TRUE;
    break;
  case PROP_PALETTE:
    g_free (self->palette);
    self->palette = g_value_dup_string (value);
    if (self->palette == NULL)
      self->palette = g_strdup (DEFAULT_PALETTE);
    self->remake = TRUE;
    break;
  default: G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_vk_seg_overlay_get_property (
    GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstVkSegOverlay *self = GST_VK_SEG_OVERLAY (object);
  GST_OBJECT_LOCK (self);
  switch (id) {
  case PROP_DRAW: g_value_set_flags (value, self->style.draw); break;
  case PROP_COLOR_BY: g_value_set_enum (value, self->style.color_by); break;
  case PROP_ALPHA: g_value_set_double (value, self->style.alpha); break;
  case PROP_LINE_WIDTH: g_value_set_uint (value, self->line_width); break;
  case PROP_TEXT_SIZE: g_value_set_uint (value, self->text_size); break;
  case PROP_PALETTE: g_value_set_string (value, self->palette); break;
  default: G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_vk_seg_overlay_finalize (GObject *object)
{
  GstVkSegOverlay *self = GST_VK_SEG_OVERLAY (object);
  seg_meta_draw_clear (&self->drawing);
  gst_buffer_unref (self->others);
  g_free (self->palette);
  G_OBJECT_CLASS (gst_vk_seg_overlay_parent_class)->finalize (object);
}

static void
gst_vk_seg_overlay_init (GstVkSegOverlay *self)
{
  self->style.draw = DEFAULT_DRAW;
  self->style.alpha = DEFAULT_ALPHA;
  self->palette = g_strdup (DEFAULT_PALETTE);
  self->others = gst_buffer_new ();
}

static GType
draw_type (void)
{
  static gsize type = 0;
  static const GFlagsValue values[] = { { SEG_OVERLAY_MASKS, "Fill objects and classes",
                                            "masks" },
    { SEG_OVERLAY_CONTOURS, "Outline them", "contours" },
    { SEG_OVERLAY_BOXES, "Boxes around objects", "boxes" },
    { SEG_OVERLAY_LABELS, "Names and track ids of objects", "labels" },
    { SEG_OVERLAY_SCORES, "Scores of objects in percent", "scores" }, { 0, NULL, NULL } };
  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_flags_register_static ("GstVkSegOverlayDraw", values));
  return type;
}

static GType
color_by_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    { SEG_META_COLOR_AUTO, "By track id where there is one, by class otherwise", "auto" },
    { SEG_META_COLOR_CLASS, "All objects of a class alike", "class" },
    { SEG_META_COLOR_INSTANCE, "Each object, by its track id or number", "instance" },
    { 0, NULL, NULL }
  };
  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("GstVkSegOverlayColorBy", values));
  return type;
}

#define ANY_TIME (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING)

static void
install_properties (GObjectClass *c)
{
  g_object_class_install_property (c, PROP_DRAW,
      g_param_spec_flags ("draw", "Draw",
          "What is drawn; the next frame follows a change", draw_type (), DEFAULT_DRAW,
          ANY_TIME));
  g_object_class_install_property (c, PROP_COLOR_BY,
      g_param_spec_enum ("color-by", "Colour by",
          "What decides an object's colour; the next frame follows a change",
          color_by_type (), SEG_META_COLOR_AUTO, ANY_TIME));
  g_object_class_install_property (c, PROP_ALPHA,
      g_param_spec_double ("alpha", "Alpha",
          "Strength of filled areas, from 0 (not there) to 1 (opaque); the next frame "
          "follows a change",
          0.0, 1.0, DEFAULT_ALPHA, ANY_TIME | GST_PARAM_CONTROLLABLE));
  g_object_class_install_property (c, PROP_PALETTE,
      g_param_spec_string ("palette", "Palette",
          "Colours of classes: voc, cityscapes, ade20k, coco, person, a file or a list "
          "#rrggbb,#rrggbb; the next frame follows a change",
          DEFAULT_PALETTE, ANY_TIME));
  g_object_class_install_property (c, PROP_LINE_WIDTH,
      g_param_spec_uint ("line-width", "Line width",
          "Width of contours and boxes in pixels (0: by the height of the frame); the "
          "next frame follows a change",
          0, 64, 0, ANY_TIME));
  g_object_class_install_property (c, PROP_TEXT_SIZE,
      g_param_spec_uint ("text-size", "Text size",
          "Height of a label in pixels (0: by the height of the frame); the next frame "
          "follows a change",
          0, 256, 0, ANY_TIME));
}

static void
gst_vk_seg_overlay_class_init (GstVkSegOverlayClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GST_DEBUG_CATEGORY_INIT (
      vk_seg_overlay_debug, "vksegoverlay", 0, "Drawing of segmented objects");
  object_class->set_property = gst_vk_seg_overlay_set_property;
  object_class->get_property = gst_vk_seg_overlay_get_property;
  object_class->finalize = gst_vk_seg_overlay_finalize;
  install_properties (object_class);
  gst_element_class_set_static_metadata (element_class, "Segmentation overlay",
      "Filter/Editor/Video", "Draws masks, contours, boxes and labels from metas",
      "vkseg");
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  GST_BASE_TRANSFORM_CLASS (klass)->stop = gst_vk_seg_overlay_stop;
  GST_BASE_TRANSFORM_CLASS (klass)->before_transform = seg_video_sync_values;
  GST_VIDEO_FILTER_CLASS (klass)->set_info = gst_vk_seg_overlay_set_info;
  GST_VIDEO_FILTER_CLASS (klass)->transform_frame_ip =
      gst_vk_seg_overlay_transform_frame_ip;
}
