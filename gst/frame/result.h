/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What a network of instances found in a frame, for the host. Best score first. */
typedef struct {
  guint class_id;
  float score;               /* 0 .. 1 */
  float x, y, width, height; /* box, frame pixels, clamped to the frame; never empty */
  guint mask_width, mask_height; /* 0: none */
  /* The rectangle of the frame that the mask's pixels cover; it holds the box, and may reach past
   * the frame by a pixel of the mask. What is outside the box is not the object's. */
  float mask_x, mask_y, mask_w, mask_h;
  /* of the first row in SegInstances.masks; a byte a pixel: 255 is 1 */
  gsize mask_offset;
  guint mask_stride; /* bytes */
} SegInstance;

typedef struct {
  guint n;
  const SegInstance *items;
  const guint8 *masks; /* NULL: they stayed on the device */
} SegInstances;

G_END_DECLS
