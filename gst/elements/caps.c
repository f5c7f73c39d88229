/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "elements/caps.h"

#include "elements/videoframe.h"
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
  return gst_value_intersect (NULL, format, gst_structure_get_value (made, "format"));
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
