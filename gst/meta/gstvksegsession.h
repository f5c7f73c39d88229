/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "gstvksegmeta.h"

G_BEGIN_DECLS

/**
 * GST_VK_SEG_ERROR:
 *
 * The domain of the errors of #GstVkSegSession; codes are #GstVkSegError.
 *
 * Since: 0.1
 */
#define GST_VK_SEG_ERROR (gst_vk_seg_error_quark ())

/**
 * GstVkSegError:
 * @GST_VK_SEG_ERROR_FILE: a file cannot be found, opened or read
 * @GST_VK_SEG_ERROR_MODEL: it is no ONNX file, or contradicts itself
 * @GST_VK_SEG_ERROR_UNSUPPORTED: the network does what vkseg cannot do
 * @GST_VK_SEG_ERROR_INPUT: a property, or a frame, does not fit the network
 * @GST_VK_SEG_ERROR_DEVICE: there is no Vulkan device, or it failed
 * @GST_VK_SEG_ERROR_MEMORY: not enough memory
 * @GST_VK_SEG_ERROR_FAILED: something else
 *
 * What kind of error it was. The message says what is wrong and, where one can know, what to do.
 *
 * Since: 0.1
 */
typedef enum {
  GST_VK_SEG_ERROR_FILE,
  GST_VK_SEG_ERROR_MODEL,
  GST_VK_SEG_ERROR_UNSUPPORTED,
  GST_VK_SEG_ERROR_INPUT,
  GST_VK_SEG_ERROR_DEVICE,
  GST_VK_SEG_ERROR_MEMORY,
  GST_VK_SEG_ERROR_FAILED,
} GstVkSegError;

/**
 * GstVkSegPrecision:
 * @GST_VK_SEG_PRECISION_AUTO: fp16 where the device gains by it
 * @GST_VK_SEG_PRECISION_FP32: 32-bit floating point
 * @GST_VK_SEG_PRECISION_FP16: stored as 16-bit, added up as 32-bit floating point
 *
 * How a network's numbers are stored.
 *
 * Since: 0.1
 */
typedef enum {
  GST_VK_SEG_PRECISION_AUTO,
  GST_VK_SEG_PRECISION_FP32,
  GST_VK_SEG_PRECISION_FP16,
} GstVkSegPrecision;

/**
 * GstVkSegResize:
 * @GST_VK_SEG_RESIZE_AUTO: as the model information says
 * @GST_VK_SEG_RESIZE_STRETCH: to the network's size, whatever its aspect
 * @GST_VK_SEG_RESIZE_LETTERBOX: keep the aspect, bars beside the frame
 * @GST_VK_SEG_RESIZE_CROP: keep the aspect, only the middle of the frame
 *
 * How a frame is fitted into a network's input.
 *
 * Since: 0.1
 */
typedef enum {
  GST_VK_SEG_RESIZE_AUTO,
  GST_VK_SEG_RESIZE_STRETCH,
  GST_VK_SEG_RESIZE_LETTERBOX,
  GST_VK_SEG_RESIZE_CROP,
} GstVkSegResize;

/**
 * GstVkSegTiling:
 * @GST_VK_SEG_TILING_AUTO: where resizing would lose what the frame shows
 * @GST_VK_SEG_TILING_NONE: a frame is resized
 * @GST_VK_SEG_TILING_OVERLAP: a frame is covered with tiles at its own scale
 *
 * When a network sees a frame in tiles.
 *
 * Since: 0.1
 */
typedef enum {
  GST_VK_SEG_TILING_AUTO,
  GST_VK_SEG_TILING_NONE,
  GST_VK_SEG_TILING_OVERLAP,
} GstVkSegTiling;

#define GST_TYPE_VK_SEG_ERROR     (gst_vk_seg_error_get_type ())
#define GST_TYPE_VK_SEG_PRECISION (gst_vk_seg_precision_get_type ())
#define GST_TYPE_VK_SEG_RESIZE    (gst_vk_seg_resize_get_type ())
#define GST_TYPE_VK_SEG_TILING    (gst_vk_seg_tiling_get_type ())
#define GST_TYPE_VK_SEG_SESSION   (gst_vk_seg_session_get_type ())

GST_VK_SEG_API GQuark gst_vk_seg_error_quark (void);
GST_VK_SEG_API GType gst_vk_seg_error_get_type (void);
GST_VK_SEG_API GType gst_vk_seg_precision_get_type (void);
GST_VK_SEG_API GType gst_vk_seg_resize_get_type (void);
GST_VK_SEG_API GType gst_vk_seg_tiling_get_type (void);

GST_VK_SEG_API
G_DECLARE_FINAL_TYPE (GstVkSegSession, gst_vk_seg_session, GST, VK_SEG_SESSION, GObject)

GST_VK_SEG_API GstVkSegSession *gst_vk_seg_session_new (const gchar *model);
GST_VK_SEG_API gboolean gst_vk_seg_session_load (
    GstVkSegSession *session, GError **error);

GST_VK_SEG_API GstBuffer *gst_vk_seg_session_run_frame (
    GstVkSegSession *session, const GstVideoFrame *frame, GError **error);
GST_VK_SEG_API GstBuffer *gst_vk_seg_session_run_buffer (GstVkSegSession *session,
    GstBuffer *buffer, const GstVideoInfo *info, GError **error);
GST_VK_SEG_API GstBuffer *gst_vk_seg_session_run_bytes (
    GstVkSegSession *session, GBytes *pixels, const GstVideoInfo *info, GError **error);

GST_VK_SEG_API GstStructure *gst_vk_seg_session_get_info (GstVkSegSession *session);
GST_VK_SEG_API gchar **gst_vk_seg_session_get_labels (GstVkSegSession *session);

G_END_DECLS
