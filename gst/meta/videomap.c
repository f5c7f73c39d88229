/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "meta/videomap.h"

/* gst_video_frame_map takes this for a mistake of the program. */
static gboolean
is_of_frame (GstBuffer *buffer, const GstVideoInfo *info)
{
  const GstVideoMeta *meta = gst_buffer_get_video_meta (buffer);
  return meta == NULL
         || (meta->format == GST_VIDEO_INFO_FORMAT (info)
             && meta->n_planes == GST_VIDEO_INFO_N_PLANES (info)
             && meta->width >= (guint) GST_VIDEO_INFO_WIDTH (info)
             && meta->height >= (guint) GST_VIDEO_INFO_HEIGHT (info));
}

/* Whether all rows of component c are in what was mapped; they may go upwards. */
static gboolean
is_inside (const GstVideoFrame *video, const GstVideoInfo *info, guint c)
{
  guint p = GST_VIDEO_INFO_COMP_PLANE (info, c);
  const GstMapInfo *map = &video->map[video->meta != NULL ? p : 0];
  gint64 first = (const guint8 *) video->data[p] - map->data;
  gint64 last = first
                + (gint64) (GST_VIDEO_INFO_COMP_HEIGHT (info, c) - 1)
                      * GST_VIDEO_FRAME_PLANE_STRIDE (video, p);
  gint64 row = (gint64) GST_VIDEO_INFO_COMP_WIDTH (info, c)
               * GST_VIDEO_INFO_COMP_PSTRIDE (info, c);
  return MIN (first, last) >= 0 && MAX (first, last) + row <= (gint64) map->size;
}

gboolean
seg_video_map (
    GstVideoFrame *video, const GstVideoInfo *info, GstBuffer *buffer, GstMapFlags flags)
{
  gboolean plain = !(GST_VIDEO_FORMAT_INFO_FLAGS (info->finfo)
                     & (GST_VIDEO_FORMAT_FLAG_COMPLEX | GST_VIDEO_FORMAT_FLAG_TILED));
  if (!is_of_frame (buffer, info)
      || !gst_video_frame_map (
          video, info, buffer, flags | (GstMapFlags) GST_VIDEO_FRAME_MAP_FLAG_NO_REF))
    return FALSE;
  for (guint c = 0; plain && c < GST_VIDEO_INFO_N_COMPONENTS (info); c++)
    if (!is_inside (video, info, c)) {
      gst_video_frame_unmap (video);
      return FALSE;
    }
  seg_video_crop (video, info);
  return TRUE;
}

void
seg_video_crop (GstVideoFrame *video, const GstVideoInfo *info)
{
  GST_VIDEO_FRAME_WIDTH (video) = GST_VIDEO_INFO_WIDTH (info);
  GST_VIDEO_FRAME_HEIGHT (video) = GST_VIDEO_INFO_HEIGHT (info);
}
