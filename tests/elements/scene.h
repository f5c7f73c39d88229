/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "meta/gstvksegmeta.h"

#include <gst/check/gstharness.h>

G_BEGIN_DECLS

/* Frames with metas made by hand. */

#define SCENE_WIDTH  64
#define SCENE_HEIGHT 48

/* An object: a mask, all of its box but a rim of a fifth, 8 x 8 pixels. */
typedef struct {
  gint class_id;
  gint64 track_id;
  gdouble x, y, width, height, score;
} SceneObject;

/* Sends stream-start, caps and segment for a frame size at 25 frames a second. */
void scene_start (GstHarness *h, const char *format, guint width, guint height);
/* Frame n, gray, with these objects; NULL: no meta. */
GstBuffer *scene_frame (
    GstHarness *h, guint n, const SceneObject *objects, guint n_objects);
GstVkSegMeta *scene_add_meta (GstBuffer *buffer, guint width, guint height,
    const SceneObject *objects, guint n_objects);

/* Takes the element down and checks that nobody holds it. */
void scene_finish (GstHarness *h);

G_END_DECLS
