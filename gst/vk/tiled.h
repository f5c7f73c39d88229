/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vk/image.h"

G_BEGIN_DECLS

/* Pictures of other drivers in dma-bufs whose pixels do not lie row after row: the device knows how they lie,
 * where SegDeviceInfo.modifiers says so. */

#define SEG_MAX_MEMORY_PLANES 4
#define SEG_MODIFIER_LINEAR   G_GUINT64_CONSTANT (0) /* row after row */

/* How pixels lie: DRM's format modifier. Each plane of memory has an offset and a pitch; they are those of
 * the format, and what a compression keeps beside them. */
typedef struct {
  guint64 modifier;
  guint n_planes;
  guint32 max_width, max_height;
  gboolean alone; /* the memory is for one image, and must be told which */
} SegModifier;

/* Those that images of dma-bufs can have to be copied from, as the device lists them. Array of SegModifier,
 * empty where it has none. Thread-safe. */
GArray *seg_vk_modifiers (const SegVk *vk, VkFormat format);

/* What a dma-buf is said to be. */
typedef struct {
  VkFormat format;
  guint32 width, height; /* pixels; of a subsampled format even */
  guint64 modifier;
  guint n_planes;
  struct {
    guint64 offset, pitch; /* as the modifier means it: bytes */
  } planes[SEG_MAX_MEMORY_PLANES];
} SegTiling;

/* Whether that can be, in n_bytes of memory, on a device with that modifier. SEG_ERROR_INPUT: why not. */
gboolean seg_tiling_check (const SegTiling *tiling, const SegModifier *modifier,
    guint64 n_bytes, GError **error);

/* An image in the memory of somebody else. Keeps the device alive. */
typedef struct _SegTiled SegTiled;

/* The fd stays the caller's and may be closed. What was written to it is seen by submissions that acquire the
 * image. Nothing of `tiling` is trusted. SEG_ERROR_INPUT: it is not so. SEG_ERROR_UNSUPPORTED: the device cannot
 * have this one, though it has others. SEG_ERROR_MEMORY, SEG_ERROR_DEVICE: it had no memory for it, or failed. */
SegTiled *seg_tiled_import (SegVk *vk, int fd, const SegTiling *tiling, GError **error);
void seg_tiled_free (
    SegTiled **tiled); /* NULL is allowed; the device must be done with it */
/* In a recording, before and after copies from the image. */
gboolean seg_cmd_acquire_tiled (SegCmd *cmd, const SegTiled *tiled, GError **error);
gboolean seg_cmd_release_tiled (SegCmd *cmd, const SegTiled *tiled, GError **error);
const SegImage *seg_tiled_image (const SegTiled *tiled);

G_END_DECLS
