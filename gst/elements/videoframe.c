/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "elements/videoframe.h"

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

gboolean
seg_video_info (GstVideoInfo *info, const GstCaps *caps)
{
#if GST_CHECK_VERSION(1, 24, 0)
  GstVideoInfoDmaDrm drm;
  if (gst_video_is_dma_drm_caps (caps))
    return gst_video_info_dma_drm_from_caps (&drm, caps)
           && gst_video_info_dma_drm_to_video_info (&drm, info);
#endif
  return gst_video_info_from_caps (info, caps);
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
