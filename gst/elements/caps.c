/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "elements/caps.h"

#include "elements/videoframe.h"
#include "zerocopy/dmabuf.h"
#include "zerocopy/gpu.h"

static void
set_formats (GstStructure *s, const char *const *names)
{
  GValue list = G_VALUE_INIT;
  g_value_init (&list, GST_TYPE_LIST);
  for (guint i = 0; names[i] != NULL; i++) {
    GValue name = G_VALUE_INIT;
    g_value_init (&name, G_TYPE_STRING);
    g_value_set_static_string (&name, names[i]);
    gst_value_list_append_and_take_value (&list, &name);
  }
  gst_structure_take_value (s, "format", &list);
}

/* Another format has its own colorimetry. */
static void
convert (
    GstStructure *s, GstPadDirection direction, SegOutputKind output, gboolean any_size)
{
  static const char *const gray[] = { "GRAY8", NULL };
  static const char *const with_alpha[] = { "RGBA", "BGRA", NULL };
  gst_structure_remove_fields (s, "format", "colorimetry", "chroma-site", NULL);
  if (any_size)
    gst_structure_set (s, "width", GST_TYPE_INT_RANGE, 1, SEG_FRAME_MAX_PX, "height",
        GST_TYPE_INT_RANGE, 1, SEG_FRAME_MAX_PX, NULL);
  if (direction == GST_PAD_SINK)
    set_formats (s, output == SEG_OUTPUT_CUTOUT ? with_alpha : gray);
}

/* Whether sink caps can lead to these source caps at all. */
static gboolean
can_come_out (const GstStructure *s, SegOutputKind output)
{
  const GValue *format = gst_structure_get_value (s, "format");
  if (format == NULL)
    return TRUE;
  g_autoptr (GstStructure) made = gst_structure_new_empty ("video/x-raw");
  convert (made, GST_PAD_SINK, output, FALSE);
  return gst_value_can_intersect (format, gst_structure_get_value (made, "format"));
}

GstCaps *
seg_caps_other_side (
    GstCaps *caps, GstPadDirection direction, SegOutputKind output, gboolean any_size)
{
  if (seg_output_is_frame (output) || output == SEG_OUTPUT_META)
    return gst_caps_ref (caps);
  GstCaps *other = gst_caps_new_empty ();
  for (guint i = 0; i < gst_caps_get_size (caps); i++) {
    const GstStructure *from = gst_caps_get_structure (caps, i);
    GstCapsFeatures *features = gst_caps_get_features (caps, i);
    if (direction == GST_PAD_SRC && !can_come_out (from, output))
      continue;
    GstStructure *s = gst_structure_copy (from);
    convert (s, direction, output, any_size);
    gst_caps_append_structure_full (other, s, gst_caps_features_copy (features));
  }
  return gst_caps_simplify (other);
}

/* In which memory the same could be as well; NULL: it is in yet another. */
static GstCapsFeatures *
other_memory (GstCapsFeatures *features)
{
  if (gst_caps_features_is_any (features))
    return NULL;
  if (gst_caps_features_contains (features, SEG_MEMORY_IMAGE)) {
    GstCapsFeatures *other = gst_caps_features_copy (features);
    gst_caps_features_remove (other, SEG_MEMORY_IMAGE);
    return other;
  }
  if (!gst_caps_features_is_equal (features, GST_CAPS_FEATURES_MEMORY_SYSTEM_MEMORY))
    return NULL;
  return gst_caps_features_new (SEG_MEMORY_IMAGE, NULL);
}

GstCaps *
seg_caps_add_memories (GstCaps *caps)
{
  guint n = gst_caps_get_size (caps);
  caps = gst_caps_make_writable (caps);
  for (guint i = 0; i < n; i++) {
    GstCapsFeatures *other = other_memory (gst_caps_get_features (caps, i));
    if (other != NULL)
      gst_caps_append_structure_full (
          caps, gst_structure_copy (gst_caps_get_structure (caps, i)), other);
  }
  return caps;
}

/* --- dma-bufs ------------------------------------------------------------------------------------- */

#if GST_CHECK_VERSION(1, 24, 0)

/* "AB24" to "RGBA"; nothing for what is tiled, or in a format that is not ours. */
static gboolean
name_from_drm (const char *drm, GValue *name)
{
  guint64 modifier;
  guint32 fourcc = gst_video_dma_drm_fourcc_from_string (drm, &modifier);
  GstVideoFormat format = modifier == 0 ? gst_video_dma_drm_fourcc_to_format (fourcc)
                                        : GST_VIDEO_FORMAT_UNKNOWN;
  SegFormat unused;
  if (!seg_video_format (format, &unused))
    return FALSE;
  g_value_init (name, G_TYPE_STRING);
  g_value_set_static_string (name, gst_video_format_to_string (format));
  return TRUE;
}

static gboolean
name_to_drm (const char *name, GValue *drm)
{
  guint32 fourcc =
      gst_video_dma_drm_fourcc_from_format (gst_video_format_from_string (name));
  if (fourcc == 0)
    return FALSE;
  g_value_init (drm, G_TYPE_STRING);
  g_value_take_string (drm, gst_video_dma_drm_fourcc_to_string (fourcc, 0));
  return TRUE;
}

/* Field `from`, a name or a list, into field `to`, each by f. FALSE: nothing is left. */
static gboolean
rename_formats (GstStructure *s, const char *from, const char *to,
    gboolean (*f) (const char *, GValue *))
{
  const GValue *names = gst_structure_get_value (s, from);
  gboolean is_list = names != NULL && GST_VALUE_HOLDS_LIST (names);
  guint n = names == NULL ? 0 : is_list ? gst_value_list_get_size (names) : 1;
  GValue list = G_VALUE_INIT;
  g_value_init (&list, GST_TYPE_LIST);
  for (guint i = 0; i < n; i++) {
    const GValue *name = is_list ? gst_value_list_get_value (names, i) : names;
    GValue renamed = G_VALUE_INIT;
    if (G_VALUE_HOLDS_STRING (name) && f (g_value_get_string (name), &renamed))
      gst_value_list_append_and_take_value (&list, &renamed);
  }
  gboolean any = gst_value_list_get_size (&list) > 0;
  gst_structure_take_value (s, to, &list);
  return any;
}

/* Takes s. NULL: nothing is left. */
static GstStructure *
from_drm (GstStructure *s)
{
  gboolean any = rename_formats (s, "drm-format", "format", name_from_drm);
  gst_structure_remove_field (s, "drm-format");
  if (!any)
    gst_clear_structure (&s);
  return s;
}

static GstStructure *
to_drm (GstStructure *s)
{
  if (!gst_structure_has_field (s, "format")
      || !rename_formats (s, "format", "drm-format", name_to_drm)) {
    gst_structure_free (s);
    return NULL;
  }
  gst_structure_set (s, "format", G_TYPE_STRING, "DMA_DRM", NULL);
  return s;
}

#endif

static void
append (GstCaps *caps, GstStructure *s)
{
  if (s != NULL)
    gst_caps_append_structure_full (
        caps, s, gst_caps_features_new (SEG_MEMORY_DMABUF, NULL));
}

/* Those of s with both names. */
static void
append_dmabuf (GstCaps *caps, const GstStructure *s)
{
#if GST_CHECK_VERSION(1, 24, 0)
  append (caps, to_drm (gst_structure_copy (s)));
#endif
  append (caps, gst_structure_copy (s));
}

GstCaps *
seg_caps_dmabuf (void)
{
  g_autoptr (GstCaps) host = gst_caps_from_string (SEG_VIDEO_CAPS);
  GstCaps *caps = gst_caps_new_empty ();
  append_dmabuf (caps, gst_caps_get_structure (host, 0));
  return caps;
}

static gboolean
is_dmabuf (const GstCapsFeatures *features)
{
  return !gst_caps_features_is_any (features)
         && gst_caps_features_contains (features, SEG_MEMORY_DMABUF);
}

static gboolean
has_no_drm (GstCapsFeatures *features, GstStructure *s, gpointer data)
{
  return !gst_structure_has_field (s, "drm-format");
}

GstCaps *
seg_caps_without_drm (GstCaps *caps)
{
  caps = gst_caps_make_writable (caps);
  gst_caps_filter_and_map_in_place (caps, has_no_drm, NULL);
  return caps;
}

GstCaps *
seg_caps_leave_dmabuf (GstCaps *caps)
{
  GstCaps *other = gst_caps_new_empty ();
  for (guint i = 0; i < gst_caps_get_size (caps); i++) {
    GstStructure *s = gst_structure_copy (gst_caps_get_structure (caps, i));
    GstCapsFeatures *features = gst_caps_features_copy (gst_caps_get_features (caps, i));
    if (is_dmabuf (features)) {
      gst_caps_features_remove (features, SEG_MEMORY_DMABUF);
#if GST_CHECK_VERSION(1, 24, 0)
      if (gst_structure_has_field (s, "drm-format"))
        s = from_drm (s);
#endif
    }
    if (s != NULL)
      gst_caps_append_structure_full (other, s, features);
    else
      gst_caps_features_free (features);
  }
  gst_caps_unref (caps);
  return other;
}

GstCaps *
seg_caps_enter_dmabuf (GstCaps *caps, gboolean before)
{
  GstCaps *other = gst_caps_new_empty (), *more = gst_caps_new_empty ();
  for (guint i = 0; i < gst_caps_get_size (caps); i++) {
    const GstStructure *s = gst_caps_get_structure (caps, i);
    GstCapsFeatures *features = gst_caps_get_features (caps, i);
    if (!is_dmabuf (features))
      gst_caps_append_structure_full (
          other, gst_structure_copy (s), gst_caps_features_copy (features));
    if (gst_caps_features_is_equal (features, GST_CAPS_FEATURES_MEMORY_SYSTEM_MEMORY))
      append_dmabuf (more, s);
  }
  gst_caps_unref (caps);
  GstCaps *first = before ? more : other;
  gst_caps_append (first, before ? other : more);
  return first;
}
