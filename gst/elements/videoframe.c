/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "elements/videoframe.h"

#include "zerocopy/drm.h"

gboolean
seg_video_format (GstVideoFormat format, SegFormat *out)
{
  const char *name = gst_video_format_to_string (format);
  for (SegFormat f = 0; f < SEG_FORMAT_COUNT; f++)
    if (g_strcmp0 (seg_format_info (f)->name, name) == 0) {
      *out = f;
      return TRUE;
    }
  return FALSE;
}

/* As caps of the same frame in host memory. */
static gboolean
info_from_drm (GstVideoInfo *info, const GstCaps *caps, const char *drm)
{
  GstVideoFormat format;
  guint64 unused;
  if (!seg_drm_parse (drm, &format, &unused))
    return FALSE;
  GstStructure *s = gst_structure_copy (gst_caps_get_structure (caps, 0));
  gst_structure_remove_field (s, "drm-format");
  gst_structure_set (
      s, "format", G_TYPE_STRING, gst_video_format_to_string (format), NULL);
  g_autoptr (GstCaps) host = gst_caps_new_full (s, NULL);
  return gst_video_info_from_caps (info, host);
}

gboolean
seg_video_info (GstVideoInfo *info, const GstCaps *caps)
{
  const GstStructure *s = gst_caps_get_structure (caps, 0);
  const char *drm = gst_structure_get_string (s, "drm-format");
  return drm != NULL ? info_from_drm (info, caps, drm)
                     : gst_video_info_from_caps (info, caps);
}

void
seg_video_color (const GstVideoInfo *info, SegColor *color)
{
  const GstVideoColorimetry *c = &info->colorimetry;
  GstVideoChromaSite site = info->chroma_site;
  *color = info->height > 576 ? seg_color_bt709 : seg_color_bt601;
  gdouble kr, kb;
  if (gst_video_color_matrix_get_Kr_Kb (c->matrix, &kr, &kb)) {
    color->kr = kr;
    color->kb = kb;
  }
  color->full_range = c->range == GST_VIDEO_COLOR_RANGE_0_255;
  if (site == GST_VIDEO_CHROMA_SITE_UNKNOWN)
    return;
  color->chroma_x = site & GST_VIDEO_CHROMA_SITE_H_COSITED ? 0.0 : 0.5;
  color->chroma_y = site & GST_VIDEO_CHROMA_SITE_V_COSITED ? 0.0 : 0.5;
}

void
seg_video_load (const SegFrame *frame, guint8 *data, const GstVideoFrame *video)
{
  for (guint p = 0; p < GST_VIDEO_FRAME_N_PLANES (video); p++)
    seg_frame_load_plane (frame, p, data, GST_VIDEO_FRAME_PLANE_DATA (video, p),
        GST_VIDEO_FRAME_PLANE_STRIDE (video, p));
}

void
seg_video_store (const SegFrame *frame, const guint8 *data, GstVideoFrame *video)
{
  for (guint p = 0; p < GST_VIDEO_FRAME_N_PLANES (video); p++)
    seg_frame_store_plane (frame, p, data, GST_VIDEO_FRAME_PLANE_DATA (video, p),
        GST_VIDEO_FRAME_PLANE_STRIDE (video, p));
}
