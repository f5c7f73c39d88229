/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "frame/decode.h"
#include "frame/image.h"

#include <gst/gst.h>

G_BEGIN_DECLS

/* Frames as GstVulkan's images, on one side of an element: one image a plane, or one with all of
 * them. They are copied on the device, between what is on its queue; nobody waits on the CPU. Layout,
 * stage and access of an image, and its timeline semaphore where it has one (GStreamer 1.24), are kept
 * true. Slots may be used by different threads. */
typedef struct _SegImages SegImages;

SegImages *seg_images_new (SegVk *vk, guint n_slots, GError **error);
void seg_images_free (SegImages **images); /* NULL is allowed; waits */

/* Submits the copy of a frame to where `frame` says it lies, from at->offset on. The buffer is kept until
 * the slot is used again or released. SEG_ERROR_INPUT: images of another device, or not of this format. */
gboolean seg_images_load (SegImages *images, guint slot, GstBuffer *buffer,
    const SegFrame *frame, const SegPiece *at, GError **error);
/* Waits on the CPU until what is on the queue is done: for buffers of vulkanupload, see
 * seg_gpu_must_wait. One thread. */
gboolean seg_images_wait (SegImages *images, GError **error);
/* The other way. */
gboolean seg_images_store (SegImages *images, guint slot, const SegFrame *frame,
    const SegPiece *at, GstBuffer *buffer, GError **error);
/* Every byte of the frame becomes `value`: for formats of one plane. */
gboolean seg_images_clear (SegImages *images, guint slot, guint8 value,
    const SegFrame *frame, GstBuffer *buffer, GError **error);
/* What was submitted for the slot is done, as is known from what came after it on the queue. */
void seg_images_release (SegImages *images, guint slot);

G_END_DECLS
