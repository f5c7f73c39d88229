/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "frame/image.h"

#include <gst/base/gstbasetransform.h>
#include <gst/video/video.h>

G_BEGIN_DECLS

/* Formats that the frame shaders read and draw into, for caps templates: best first. */
#define SEG_VIDEO_FORMATS                                                                \
  "{ NV12, I420, RGBA, BGRA, RGBx, BGRx, YUY2, UYVY, RGB, BGR, NV21, YV12, P010_10LE, "  \
  "GRAY8 }"

#define SEG_VIDEO_CAPS                                                                   \
  "video/x-raw, format=" SEG_VIDEO_FORMATS                                               \
  ", width=[1," G_STRINGIFY (SEG_FRAME_MAX_PX) "], height=[1," G_STRINGIFY (             \
      SEG_FRAME_MAX_PX) "], framerate=[0/1,2147483647/1]"

/* The same in images of the device: formats that GstVulkan has images for in every version, and with GRAY8
 * where seg_gpu_has_gray says so. 1.26 takes I420 and YV12 too, and then hangs or crashes. */
#define SEG_IMAGE_CAPS_OF(formats)                                                       \
  "video/x-raw(memory:VulkanImage), format=" formats                                     \
  ", width=[1," G_STRINGIFY (SEG_FRAME_MAX_PX) "], height=[1," G_STRINGIFY (             \
      SEG_FRAME_MAX_PX) "], framerate=[0/1,2147483647/1]"
#define SEG_IMAGE_CAPS SEG_IMAGE_CAPS_OF ("{ NV12, RGBA, BGRA, RGBx, BGRx, NV21 }")
#define SEG_IMAGE_CAPS_GRAY                                                              \
  SEG_IMAGE_CAPS_OF ("{ NV12, RGBA, BGRA, RGBx, BGRx, NV21, GRAY8 }")

/* From fixed caps, also of dma-bufs as DRM calls them; of a tiled frame only format, size and colour hold. */
gboolean seg_video_info (GstVideoInfo *info, const GstCaps *caps);
gboolean seg_video_format (GstVideoFormat format, SegFormat *out);
/* Matrix, range and chroma siting as the caps say, with GStreamer's defaults for the size where
 * they do not. */
void seg_video_color (const GstVideoInfo *info, SegColor *color);

/* Between a mapped frame, whatever its strides, and a frame laid out in `data`. */
void seg_video_load (const SegFrame *frame, guint8 *data, const GstVideoFrame *video);
void seg_video_store (const SegFrame *frame, const guint8 *data, GstVideoFrame *video);

/* Properties that are controlled get their values of this frame's stream time: GstBaseTransform does not. */
static inline void
seg_video_sync_values (GstBaseTransform *transform, GstBuffer *buffer)
{
  const GstSegment *segment = &transform->segment;
  GstClockTime time =
      gst_segment_to_stream_time (segment, segment->format, GST_BUFFER_PTS (buffer));
  if (segment->format == GST_FORMAT_TIME && GST_CLOCK_TIME_IS_VALID (time))
    gst_object_sync_values (GST_OBJECT (transform), time);
}

G_END_DECLS
