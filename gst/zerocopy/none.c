/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* In the place of gpu.c and images.c, where there is no GstVulkan. */
#include "zerocopy/gpu.h"
#include "zerocopy/images.h"

static gboolean
not_built (GError **error)
{
  g_set_error (
      error, SEG_ERROR, SEG_ERROR_DEVICE, "memory:VulkanImage: built without GstVulkan");
  return FALSE;
}

SegGpu *
seg_gpu_new (GstElement *element)
{
  return NULL;
}

void
seg_gpu_free (SegGpu **gpu)
{
}

SegVk *
seg_gpu_get (SegGpu *gpu, const char *cache_dir, GError **error)
{
  not_built (error);
  return NULL;
}

gboolean
seg_gpu_is (SegGpu *gpu, const SegVk *vk)
{
  return FALSE;
}

void
seg_gpu_close (SegGpu *gpu)
{
}

void
seg_gpu_set_context (SegGpu *gpu, GstContext *context)
{
}

gboolean
seg_gpu_answer (SegGpu *gpu, GstQuery *query)
{
  return FALSE;
}

gboolean
seg_gpu_decide_allocation (SegGpu *gpu, GstQuery *query)
{
  return FALSE;
}

gboolean
seg_caps_are_images (const GstCaps *caps)
{
  return FALSE;
}

gboolean
seg_gpu_has_gray (void)
{
  return FALSE;
}

gboolean
seg_gpu_is_built (void)
{
  return FALSE;
}

gboolean
seg_gpu_must_wait (GstPad *sinkpad)
{
  return FALSE;
}

gboolean
seg_images_wait (SegImages *images, GError **error)
{
  return not_built (error);
}

SegImages *
seg_images_new (SegVk *vk, guint n_slots, GError **error)
{
  not_built (error);
  return NULL;
}

void
seg_images_free (SegImages **images)
{
}

gboolean
seg_images_load (SegImages *images, guint slot, GstBuffer *buffer, const SegFrame *frame,
    const SegPiece *at, GError **error)
{
  return not_built (error);
}

gboolean
seg_images_store (SegImages *images, guint slot, const SegFrame *frame,
    const SegPiece *at, GstBuffer *buffer, GError **error)
{
  return not_built (error);
}

gboolean
seg_images_clear (SegImages *images, guint slot, guint8 value, const SegFrame *frame,
    GstBuffer *buffer, GError **error)
{
  return not_built (error);
}

void
seg_images_release (SegImages *images, guint slot)
{
}
