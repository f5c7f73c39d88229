/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vk/vk.h"

#include <vulkan/vulkan.h>

G_BEGIN_DECLS

/* Images of somebody else, on a device that is shared: their pixels are copied from and to buffers on
 * the device, so that all shaders see pictures in one way. */

typedef struct {
  VkImage handle;
  VkImageLayout layout; /* when the recording runs, then what that brings it into */
} SegImage;

/* A format whose bytes are known here: what a plane's texel has, of how many pixels to each side. */
typedef struct {
  VkFormat format;
  guint n_planes; /* 1 to 3 */
  struct {
    guint bytes, side_px;
  } planes[3];
} SegImageFormat;

const SegImageFormat *seg_image_format (VkFormat format); /* NULL: another */

/* Before a recording's copies from an image, or to it. Whatever made it on this queue is waited for.
 * The image is left in TRANSFER_SRC_OPTIMAL, read by the transfer stage, or in TRANSFER_DST_OPTIMAL,
 * written by it, what it showed being forgotten. It must have been made for that use, and outlive the
 * recording. */
gboolean seg_cmd_use_image (SegCmd *cmd, SegImage *image, gboolean write, GError **error);

/* A plane's texels, and where its rows lie in a buffer. */
typedef struct {
  VkImageAspectFlags aspect;  /* COLOR, or PLANE_n of an image of several planes */
  guint32 width, height;      /* of the plane, in texels */
  guint32 texel_bytes;        /* stride_bytes is a multiple of it, */
  gsize offset, stride_bytes; /* and offset of that and 4 */
} SegImagePlane;

gboolean seg_cmd_from_image (SegCmd *cmd, const SegImage *image,
    const SegImagePlane *plane, SegBuffer *dst, GError **error);
gboolean seg_cmd_to_image (SegCmd *cmd, SegBuffer *src, const SegImagePlane *plane,
    const SegImage *image, GError **error);
/* Every texel becomes `value`, 0 to 255 for 0 to 1, in all channels; of an image with one plane. */
gboolean seg_cmd_clear_image (
    SegCmd *cmd, const SegImage *image, guint8 value, GError **error);

/* A timeline semaphore that goes with an image. */
typedef struct {
  VkSemaphore semaphore;
  guint64 wait, signal; /* values: of what came before, and of this */
} SegTimelinePoint;
#define SEG_MAX_TIMELINES 8

/* The next seg_cmd_submit waits for these on the device, and signals them. n is at most
 * SEG_MAX_TIMELINES. */
void seg_cmd_set_timelines (SegCmd *cmd, const SegTimelinePoint *points, guint n);

G_END_DECLS
