/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "zerocopy/drm.h"

#include "zerocopy/tiling.h"

#if GST_CHECK_VERSION(1, 24, 0)

gboolean
seg_drm_is_known (void)
{
  return TRUE;
}

gboolean
seg_drm_parse (const char *name, GstVideoFormat *format, guint64 *modifier)
{
  guint32 fourcc = gst_video_dma_drm_fourcc_from_string (name, modifier);
  *format = fourcc == 0 ? GST_VIDEO_FORMAT_UNKNOWN
                        : gst_video_dma_drm_fourcc_to_format (fourcc);
  return *format != GST_VIDEO_FORMAT_UNKNOWN;
}

char *
seg_drm_name (GstVideoFormat format, guint64 modifier)
{
  guint32 fourcc = gst_video_dma_drm_fourcc_from_format (format);
  return fourcc == 0 ? NULL : gst_video_dma_drm_fourcc_to_string (fourcc, modifier);
}

#else

gboolean
seg_drm_is_known (void)
{
  return FALSE;
}

gboolean
seg_drm_parse (const char *name, GstVideoFormat *format, guint64 *modifier)
{
  return FALSE;
}

char *
seg_drm_name (GstVideoFormat format, guint64 modifier)
{
  return NULL;
}

#endif

guint64
seg_drm_modifier (const GstCaps *caps)
{
  const char *name =
      gst_structure_get_string (gst_caps_get_structure (caps, 0), "drm-format");
  GstVideoFormat format;
  guint64 modifier;
  return name != NULL && seg_drm_parse (name, &format, &modifier) ? modifier : 0;
}

static void
append_names (const SegVk *vk, SegFormat of, GPtrArray *names)
{
  GstVideoFormat format = gst_video_format_from_string (seg_format_info (of)->name);
  g_autoptr (GArray) modifiers = seg_vk_modifiers (vk, seg_tiling_format (of));
  for (guint i = 0; i < modifiers->len; i++) {
    guint64 modifier = g_array_index (modifiers, SegModifier, i).modifier;
    char *name = modifier == SEG_MODIFIER_LINEAR ? NULL : seg_drm_name (format, modifier);
    if (name != NULL)
      g_ptr_array_add (names, name);
  }
}

char **
seg_drm_tiled (const SegVk *vk)
{
  GPtrArray *names = g_ptr_array_new ();
  for (SegFormat f = 0; f < SEG_FORMAT_COUNT && seg_drm_is_known (); f++)
    append_names (vk, f, names);
  g_ptr_array_add (names, NULL);
  return (char **) g_ptr_array_free (names, FALSE);
}
