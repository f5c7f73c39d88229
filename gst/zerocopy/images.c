/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "zerocopy/images.h"

#include "vk/adopt.h"
#include "vk/image.h"
#include "zerocopy/tiling.h"

#include <gst/vulkan/vulkan.h>

/* The only file that looks into GstVulkanImageMemory: what is in it differs between versions. */

typedef struct {
  SegCmd *cmd;
  GstBuffer *buffer; /* whose images it may still use */
} Slot;

/* Of all images: two recordings of one, also by elements behind a tee, agree on its layout and on its
 * semaphore's value only if the first is submitted before the second is made. */
static GMutex states;

struct _SegImages {
  SegVk *vk;
  SegCmd *nothing; /* for seg_images_wait */
  guint n_slots;
  Slot slots[];
};

SegImages *
seg_images_new (SegVk *vk, guint n_slots, GError **error)
{
  SegImages *images = g_malloc0 (sizeof (SegImages) + n_slots * sizeof (Slot));
  images->vk = seg_vk_ref (vk);
  images->n_slots = n_slots;
  for (guint i = 0; i < n_slots && images != NULL; i++) {
    images->slots[i].cmd = seg_cmd_new (vk, FALSE, error);
    if (images->slots[i].cmd == NULL)
      seg_images_free (&images);
  }
  return images;
}

void
seg_images_free (SegImages **pimages)
{
  SegImages *images = *pimages;
  *pimages = NULL;
  if (images == NULL)
    return;
  for (guint i = 0; i < images->n_slots; i++) {
    seg_images_release (images, i);
    seg_cmd_free (&images->slots[i].cmd);
  }
  seg_cmd_free (&images->nothing);
  seg_vk_unref (images->vk);
  g_free (images);
}

static SegCmd *
record_nothing (SegVk *vk, GError **error)
{
  SegCmd *cmd = seg_cmd_new (vk, FALSE, error);
  if (cmd != NULL && (!seg_cmd_begin (cmd, error) || !seg_cmd_end (cmd, error)))
    seg_cmd_free (&cmd);
  return cmd;
}

gboolean
seg_images_wait (SegImages *images, GError **error)
{
  if (images->nothing == NULL)
    images->nothing = record_nothing (images->vk, error);
  return images->nothing != NULL && seg_cmd_run (images->nothing, error);
}

/* --- what a buffer's images are ------------------------------------------------------------------ */

#define MAX_IMAGES SEG_MAX_PLANES

typedef struct {
  GstVulkanImageMemory *memories[MAX_IMAGES];
  SegImage images[MAX_IMAGES];
  guint n;
} Images;

static gboolean
wrong (const char *what, GError **error)
{
  g_set_error (
      error, SEG_ERROR, SEG_ERROR_INPUT, "a frame in memory:VulkanImage %s", what);
  return FALSE;
}

/* The plane of the buffer's images that has the frame's plane p, and which image that is. */
static gboolean
find_plane (const Images *all, const SegFrame *frame, const SegPiece *at, guint p,
    SegImagePlane *plane, guint *image, GError **error)
{
  const SegFormatInfo *info = seg_format_info (frame->format);
  gboolean together = all->n == 1 && info->n_planes > 1;
  *image = together ? 0 : p;
  const VkImageCreateInfo *made = &all->memories[*image]->create_info;
  const SegImageFormat *format = seg_image_format (made->format);
  if (format == NULL || format->n_planes != (together ? info->n_planes : 1)
      || format->planes[together ? p : 0].bytes != info->planes[p].bytes)
    return wrong ("whose images have another format than its caps", error);
  *plane = seg_image_plane (frame, at, p, together);
  if (made->extent.width < (together ? frame->width : plane->width)
      || made->extent.height < (together ? frame->height : plane->height))
    return wrong ("whose images are smaller than its caps say", error);
  return TRUE;
}

static gboolean
find_images (SegImages *self, GstBuffer *buffer, const SegFrame *frame,
    VkImageUsageFlags usage, Images *all, GError **error)
{
  guint n_planes = seg_format_info (frame->format)->n_planes;
  all->n = gst_buffer_n_memory (buffer);
  if (all->n != n_planes && all->n != 1)
    return wrong ("that has neither one image nor one a plane", error);
  for (guint i = 0; i < all->n; i++) {
    GstMemory *memory = gst_buffer_peek_memory (buffer, i);
    if (!gst_is_vulkan_image_memory (memory))
      return wrong ("that has none", error);
    GstVulkanImageMemory *image = (GstVulkanImageMemory *) memory;
    if (!seg_vk_is_on (self->vk, image->device->device))
      return wrong ("of another device than the element's", error);
    if ((image->create_info.usage & usage) != usage)
      return wrong ("whose images were not made to be copied", error);
    all->memories[i] = image;
    all->images[i] = (SegImage){ image->image, image->barrier.image_layout };
  }
  return TRUE;
}

/* --- their state ---------------------------------------------------------------------------------- */

static void
set_timelines (SegCmd *cmd, const Images *all)
{
#ifdef HAVE_BARRIER_SEMAPHORE
  SegTimelinePoint points[MAX_IMAGES];
  guint n = 0;
  for (guint i = 0; i < all->n; i++) {
    GstVulkanBarrierMemoryInfo *info = &all->memories[i]->barrier.parent;
    if (info->semaphore != VK_NULL_HANDLE)
      points[n++] = (SegTimelinePoint){ info->semaphore, info->semaphore_value,
        info->semaphore_value + 1 };
  }
  seg_cmd_set_timelines (cmd, points, n);
#endif
}

/* As it is once the submission has run: who comes next on the queue finds it so. */
static void
set_state (const Images *all, gboolean write)
{
  for (guint i = 0; i < all->n; i++) {
    GstVulkanBarrierImageInfo *info = &all->memories[i]->barrier;
    info->image_layout = all->images[i].layout;
    info->parent.pipeline_stages = VK_PIPELINE_STAGE_TRANSFER_BIT;
    info->parent.access_flags =
        write ? VK_ACCESS_TRANSFER_WRITE_BIT : VK_ACCESS_TRANSFER_READ_BIT;
#ifdef HAVE_BARRIER_SEMAPHORE
    if (info->parent.semaphore != VK_NULL_HANDLE)
      info->parent.semaphore_value++;
#endif
  }
}

/* --- copies --------------------------------------------------------------------------------------- */

typedef enum { LOAD, STORE, CLEAR } Work;

typedef struct {
  Work work;
  const SegFrame *frame;
  const SegPiece *at; /* unless CLEAR */
  guint8 value;       /* of CLEAR */
} Job;

static gboolean
record_planes (SegCmd *cmd, const Job *job, const Images *all, GError **error)
{
  guint n_planes = seg_format_info (job->frame->format)->n_planes, i;
  SegImagePlane plane;
  for (guint p = 0; p < n_planes; p++) {
    if (!find_plane (all, job->frame, job->at, p, &plane, &i, error))
      return FALSE;
    if (job->work == LOAD
            ? !seg_cmd_from_image (cmd, &all->images[i], &plane, job->at->buffer, error)
            : !seg_cmd_to_image (cmd, job->at->buffer, &plane, &all->images[i], error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
record (SegCmd *cmd, const Job *job, Images *all, GError **error)
{
  if (!seg_cmd_begin (cmd, error))
    return FALSE;
  for (guint i = 0; i < all->n; i++)
    if (!seg_cmd_use_image (cmd, &all->images[i], job->work != LOAD, error)
        || (job->work == CLEAR
            && !seg_cmd_clear_image (cmd, &all->images[i], job->value, error)))
      return FALSE;
  return (job->work == CLEAR || record_planes (cmd, job, all, error))
         && seg_cmd_end (cmd, error);
}

static gboolean
run (SegImages *self, guint n, GstBuffer *buffer, const Job *job, GError **error)
{
  Slot *slot = &self->slots[n];
  Images all;
  VkImageUsageFlags usage = job->work == LOAD ? VK_IMAGE_USAGE_TRANSFER_SRC_BIT
                                              : VK_IMAGE_USAGE_TRANSFER_DST_BIT;
  seg_images_release (self, n);
  g_mutex_lock (&states);
  gboolean ok = find_images (self, buffer, job->frame, usage, &all, error)
                && record (slot->cmd, job, &all, error);
  if (ok) {
    set_timelines (slot->cmd, &all);
    slot->buffer = gst_buffer_ref (buffer);
    ok = seg_cmd_submit (slot->cmd, error);
  }
  if (ok)
    set_state (&all, job->work != LOAD);
  g_mutex_unlock (&states);
  if (!ok)
    seg_images_release (self, n); /* unless it may run all the same */
  return ok;
}

gboolean
seg_images_load (SegImages *images, guint slot, GstBuffer *buffer, const SegFrame *frame,
    const SegPiece *at, GError **error)
{
  const Job job = { LOAD, frame, at, 0 };
  return run (images, slot, buffer, &job, error);
}

gboolean
seg_images_store (SegImages *images, guint slot, const SegFrame *frame,
    const SegPiece *at, GstBuffer *buffer, GError **error)
{
  const Job job = { STORE, frame, at, 0 };
  return run (images, slot, buffer, &job, error);
}

gboolean
seg_images_clear (SegImages *images, guint slot, guint8 value, const SegFrame *frame,
    GstBuffer *buffer, GError **error)
{
  const Job job = { CLEAR, frame, NULL, value };
  return run (images, slot, buffer, &job, error);
}

/* Waits for the slot's fence, which is there by then. By a hung device the buffer is kept. */
void
seg_images_release (SegImages *images, guint slot)
{
  Slot *s = &images->slots[slot];
  if (s->buffer != NULL && seg_cmd_settle (s->cmd))
    gst_clear_buffer (&s->buffer);
}
