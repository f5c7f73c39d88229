/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vk/vk.h"

#include <gst/gst.h>

G_BEGIN_DECLS

/* The Vulkan device and queue that the elements of a pipeline share: GstVulkan's, by its contexts. Built
 * without GstVulkan there is none, and these find and answer nothing. */
typedef struct _SegGpu SegGpu;

/* For an element, which must outlive it. */
SegGpu *seg_gpu_new (GstElement *element);
void seg_gpu_free (SegGpu **gpu); /* NULL is allowed */

/* The device of a neighbour or of the application, or a new one that neighbours and application are
 * told of, with a SegVk on it: all elements of the process that share a queue share that as well. A
 * reference; NULL with SEG_ERROR_DEVICE. One thread. */
SegVk *seg_gpu_get (SegGpu *gpu, const char *cache_dir, GError **error);
/* Whether `vk` is what seg_gpu_get gave last. */
gboolean seg_gpu_is (SegGpu *gpu, const SegVk *vk);
/* The SegVk goes back. The device stays the element's, so that when the pipeline starts again its
 * elements find it: some of GStreamer's keep pools of the one they had first. */
void seg_gpu_close (SegGpu *gpu);

/* From any thread. GstElementClass.set_context, besides the parent's; */
void seg_gpu_set_context (SegGpu *gpu, GstContext *context);
/* and for GST_QUERY_CONTEXT: TRUE when it is answered. */
gboolean seg_gpu_answer (SegGpu *gpu, GstQuery *query);

/* Whether frames that come to this sink pad must be waited for at once: GStreamer's vulkanupload, in every
 * version up to 1.28, reuses the memory that the device reads a frame from when the call for that frame
 * returns, whether the device has read it or not. */
gboolean seg_gpu_must_wait (GstPad *sinkpad);

/* A pool for images of these caps, as the answer to an ALLOCATION query. */
gboolean seg_gpu_decide_allocation (SegGpu *gpu, GstQuery *query);

/* "memory:VulkanImage" */
#define SEG_MEMORY_IMAGE "memory:VulkanImage"
gboolean seg_caps_are_images (const GstCaps *caps);
/* Whether GStreamer makes images of GRAY8: 1.24 to 1.28 have no pool for them. */
gboolean seg_gpu_has_gray (void);
/* Whether elements with images were built in. */
gboolean seg_gpu_is_built (void);

G_END_DECLS
